import { quote } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import { unsupported } from './faults.js';
import { newestProtocol, Opcode } from './pickle-opcodes.js';
import { readProtobufFields, type ProtobufField } from './protobuf.js';

/** The containers that the first bytes distinguish. */
export type DetectedContainer = 'safetensors' | 'zip' | 'pickle';

/**
 * Detects the container of a weights file from its content.
 *
 * @throws GhostNetError `GHOSTNET_UNSUPPORTED_FORMAT` for other formats of networks, `GHOSTNET_UNKNOWN_FORMAT` for everything
 *   else; both messages name the apparent format
 */
export function detectContainer(bytes: Uint8Array, source: string): DetectedContainer {
  const head = Buffer.from(bytes.subarray(0, headLength)).toString('latin1');
  if (head.startsWith('PK\x03\x04') || head.startsWith('PK\x05\x06')) return 'zip';
  // The length of a header has fewer than 33 bits; eight characters of text have more. Its first bytes may be those of a pickle.
  if (/^[^]{4}\0{4}\{/.test(head)) return 'safetensors';
  if (isBinaryPickle(bytes)) return 'pickle';
  for (const { looks, what, remedy } of unsupportedFormats) {
    if (looks(head, bytes)) throw unsupported(source, `this is ${what}`, remedy);
  }
  throw new GhostNetError('GHOSTNET_UNKNOWN_FORMAT', `${source}: this is not a weights file`, {
    expected: 'a safetensors file, or a file written by torch.save',
    ...describeUnknown(head, bytes),
  });
}

function isBinaryPickle([proto, protocol = 0]: Uint8Array): boolean {
  return proto === Opcode.Proto && protocol >= 2 && protocol <= newestProtocol;
}

/** Enough for the magic number of a tar archive, at byte 257. */
const headLength = 512;

interface UnsupportedFormat {
  readonly what: string;
  readonly remedy: string;
  readonly looks: (head: string, bytes: Uint8Array) => boolean;
}

const saveFromPyTorch =
  'Save the weights of the PyTorch network with torch.save(model.state_dict(), path), or as safetensors.';

const unsupportedFormats: readonly UnsupportedFormat[] = [
  {
    what: 'a tar archive, perhaps of PyTorch before 0.1.10',
    remedy: 'If it contains a weights file, unpack it; else load it in PyTorch and save it again.',
    looks: (head) => head.startsWith('ustar', 257),
  },
  {
    what: 'an HDF5 file, for example of Keras',
    remedy: saveFromPyTorch,
    looks: (head) => head.startsWith('\x89HDF\r\n\x1a\n'),
  },
  {
    what: 'a TensorFlow Lite model',
    remedy: saveFromPyTorch,
    looks: (head) => head.startsWith('TFL3', 4),
  },
  {
    what: 'a NumPy array (.npy)',
    remedy: 'Save all arrays with their names, as safetensors.',
    looks: (head) => head.startsWith('\x93NUMPY'),
  },
  {
    what: 'a GGUF file',
    remedy: saveFromPyTorch,
    looks: (head) => head.startsWith('GGUF'),
  },
  { what: 'an ONNX model', remedy: saveFromPyTorch, looks: (_, bytes) => looksLikeOnnx(bytes) },
  {
    what: 'a TensorFlow SavedModel',
    remedy: saveFromPyTorch,
    looks: (_, bytes) => looksLikeSavedModel(bytes),
  },
  {
    what: 'a TensorFlow frozen graph',
    remedy: saveFromPyTorch,
    looks: (_, bytes) => looksLikeFrozenGraph(bytes),
  },
];

/** Fields of ONNX's ModelProto; ir_version comes first, and a model has a graph. */
const onnxVarints = new Set([1, 5]);
const onnxBytes = new Set([2, 3, 4, 6, 7, 8, 14, 20, 25, 26]);
const onnxGraph = 7;

function looksLikeOnnx(bytes: Uint8Array): boolean {
  const fields = readProtobufFields(bytes);
  const [version] = fields ?? [];
  return (
    fields !== undefined &&
    version?.number === 1 &&
    version.value >= 1 &&
    version.value < 100 &&
    fields.some(({ number }) => number === onnxGraph) &&
    fields.every(
      ({ number, wire }) => (wire === 'varint' ? onnxVarints : onnxBytes).has(number) && wire !== 'fixed',
    )
  );
}

/** A SavedModel contains its schema version, 1, and then graphs, each of which starts with a message. */
function looksLikeSavedModel(bytes: Uint8Array): boolean {
  const [version, ...graphs] = readProtobufFields(bytes) ?? [];
  return (
    version?.number === 1 &&
    version.wire === 'varint' &&
    version.value === 1 &&
    graphs.length > 0 &&
    graphs.every(isGraph)
  );
}

function isGraph({ number, wire, content }: ProtobufField): boolean {
  const [first] = readProtobufFields(content) ?? [];
  return number === 2 && wire === 'bytes' && first?.wire === 'bytes' && first.number <= 2;
}

/** A GraphDef starts with its nodes, each of which has a name and then an operation in CamelCase. */
function looksLikeFrozenGraph(bytes: Uint8Array): boolean {
  const [node] = readProtobufFields(bytes) ?? [];
  if (node?.number !== 1 || node.wire !== 'bytes') return false;
  const [name, operation] = readProtobufFields(node.content) ?? [];
  return (
    name?.number === 1 &&
    name.wire === 'bytes' &&
    operation?.number === 2 &&
    operation.wire === 'bytes' &&
    /^_?[A-Z]\w*$/.test(Buffer.from(operation.content).toString('latin1'))
  );
}

interface UnknownFormat {
  readonly found: string;
  readonly remedy?: string;
}

const fetchAgain = 'Download the file itself: the server, or a login page, returned this instead.';
const unpack = 'Unpack it first.';

const starts = (magic: string) => (head: string) => head.startsWith(magic);
const matches = (pattern: RegExp) => (head: string) => pattern.test(head);

/** Files that are often mistaken for a weights file, by their first bytes. */
const familiarFiles: readonly (readonly [looks: (head: string) => boolean, file: UnknownFormat])[] = [
  [
    matches(/^(?:\xef\xbb\xbf)?\s*(?:<!--[^]*?-->\s*)?<(?:!doctype html|html|head|body)\b/i),
    { found: 'a web page (HTML)', remedy: fetchAgain },
  ],
  [matches(/^(?:\xef\xbb\xbf)?\s*<\?xml/i), { found: 'an XML document', remedy: fetchAgain }],
  [
    starts('version https://git-lfs'),
    {
      found: 'a Git LFS pointer, not the file itself',
      remedy: 'Run `git lfs pull`, or download the file itself.',
    },
  ],
  [starts('\x1f\x8b'), { found: 'a gzip archive', remedy: unpack }],
  [starts('BZh'), { found: 'a bzip2 archive', remedy: unpack }],
  [starts('\xfd7zXZ\0'), { found: 'an xz archive', remedy: unpack }],
  [starts('\x28\xb5\x2f\xfd'), { found: 'a zstd archive', remedy: unpack }],
  [starts('7z\xbc\xaf\x27\x1c'), { found: 'a 7z archive', remedy: unpack }],
  [starts('\x89PNG\r\n'), { found: 'a PNG image' }],
  [starts('\xff\xd8\xff'), { found: 'a JPEG image' }],
  [starts('GIF8'), { found: 'a GIF image' }],
  [matches(/^RIFF[^]{4}WEBP/), { found: 'a WebP image' }],
  [starts('%PDF'), { found: 'a PDF document' }],
  [matches(/^(?:\xef\xbb\xbf)?\s*[{[]\s*["{[\]}\d]/), { found: 'a JSON document', remedy: fetchAgain }],
];

function describeUnknown(head: string, bytes: Uint8Array): UnknownFormat {
  if (bytes.byteLength === 0) return { found: 'an empty file', remedy: 'Download or write the file again.' };
  const familiar = familiarFiles.find(([looks]) => looks(head));
  if (familiar !== undefined) return familiar[1];
  // eslint-disable-next-line no-control-regex -- control characters distinguish bytes from text
  const isText = !/[\0-\x08\x0e-\x1f]/.test(head) && /[\w\s]{4}/.test(head);
  if (isText) return { found: `text that starts with ${quote(head.slice(0, 40))}` };
  return { found: `bytes that start with ${Buffer.from(bytes.subarray(0, 16)).toString('hex')}` };
}
