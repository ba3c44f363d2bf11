import { harmless, shortened } from './text.js';

/**
 * Every error code of the package, with its meaning and its remedy. Codes are defined only here: `docs/errors.md` is generated
 * from this table, and the build reads the codes for the C++ side.
 */
export const errorCatalogue = {
  GHOSTNET_INVALID_ARGUMENT: {
    meaning: 'An argument or option has the wrong type or a value out of range.',
    remedy: 'Pass a value of the expected type and range.',
  },
  GHOSTNET_BAD_SHAPE: {
    meaning: 'The call cannot take a tensor of this shape.',
    remedy:
      'Pass float32 [N,3,H,W] (already normalised) or uint8 [N,H,W,3] (raw RGB), with H and W of at least `info.leastSide`: 32, and ' +
      '33 for GhostNetV2 and V3.',
  },
  GHOSTNET_BAD_DTYPE: {
    meaning: 'The call cannot take a tensor of this dtype.',
    remedy: 'Convert the data to the dtype that the message names.',
  },
  GHOSTNET_DISPOSED: {
    meaning: 'A tensor or a model was used after dispose(), or after its memory was transferred.',
    remedy: 'Dispose of it after its last use, or create it again.',
  },
  GHOSTNET_ABORTED: {
    meaning: 'The AbortSignal of the call fired before the work began, or during a download or a listing.',
    remedy: 'Nothing: the work was cancelled as requested. `cause` holds the reason of the signal.',
  },
  GHOSTNET_FILE_NOT_FOUND: {
    meaning: 'A file does not exist, or a folder or glob leads to no image.',
    remedy: 'Check the path; relative paths start at the working directory.',
  },
  GHOSTNET_FILE_UNREADABLE: {
    meaning: 'A file exists but cannot be read.',
    remedy: 'Check its permissions, and that it is a file and not a folder.',
  },
  GHOSTNET_FILE_TOO_LARGE: {
    meaning: 'A weights file or an image has more bytes than an option allows.',
    remedy: 'Check that it is the right file, or raise the option that the message names.',
  },
  GHOSTNET_FILE_UNWRITABLE: {
    meaning: 'A file, or standard output, cannot be written.',
    remedy:
      'Check that its folder exists, is writable and has free space, and that no folder, FIFO or device has its name.',
  },
  GHOSTNET_UNKNOWN_FORMAT: {
    meaning: 'The format of a weights file is unknown.',
    remedy: 'Pass a safetensors file, or convert the file with the tool that wrote it.',
  },
  GHOSTNET_UNSUPPORTED_FORMAT: {
    meaning: 'The format of a weights file is recognised but not supported.',
    remedy: 'Save its state_dict as safetensors or with torch.save, as the message says.',
  },
  GHOSTNET_MALFORMED_FILE: {
    meaning: 'A weights file, or a file beside it that describes it, violates its own format.',
    remedy: 'Download or write the file again; it is damaged or truncated.',
  },
  GHOSTNET_PARAMETERS_MISMATCH: {
    meaning: 'The parameters in a weights file are not those of the network.',
    remedy:
      'Load a GhostNet checkpoint; the message lists the parameters that are missing, unexpected or of the wrong shape.',
  },
  GHOSTNET_NO_CLASSIFIER: {
    meaning: 'The weights have no classifier, so the network has neither logits nor classes.',
    remedy: 'Call embed(), which needs none, or load weights with a classifier.',
  },
  GHOSTNET_WEIGHTS_NOT_FINITE: {
    meaning: 'Weights are NaN or infinite, or too large for float32, as after a training that diverged.',
    remedy:
      'Use a checkpoint from before the training diverged. The option `allowNonFinite: true` (`--allow-non-finite`) loads the ' +
      'weights all the same.',
  },
  GHOSTNET_RESULT_NOT_FINITE: {
    meaning: 'The network computed NaN or infinity for an image, so it has neither scores nor an embedding.',
    remedy:
      'Check the weights and the transform of the model: `ghostnet info` lists weights that are NaN or infinite; forward() ' +
      'returns the logits as they are.',
  },
  GHOSTNET_TRAINING_DIVERGED: {
    meaning: 'The loss of a training became NaN or infinite, so its weights are of no use.',
    remedy:
      'Train with a lower learning rate (`learningRate`, a third of it), or limit the gradients (`maxGradientNorm: 1`).',
  },
  GHOSTNET_UNKNOWN_MODEL: {
    meaning: 'No published weights have this name.',
    remedy: 'Use one of the names that the message lists, or pass your own weights file.',
  },
  GHOSTNET_UNSUPPORTED_LAYER: {
    meaning: 'The engine of a device has no kernels for a layer of the network.',
    remedy: "Load the model with `backend: 'reference'`, which runs every layer on the CPU.",
  },
  GHOSTNET_DOWNLOAD_FAILED: {
    meaning: 'Weights or an image could not be downloaded: the server, the network or a proxy failed.',
    remedy:
      'Try again; the downloaded part is kept. Behind a proxy, set HTTPS_PROXY; to use a mirror, set GHOSTNET_MIRROR.',
  },
  GHOSTNET_DOWNLOAD_MISMATCH: {
    meaning: 'The server sent a file other than the registered one: its length, checksum or kind differs.',
    remedy:
      'Check GHOSTNET_MIRROR and the proxy variables: a server between this machine and the source may have changed the file.',
  },
  GHOSTNET_CACHE_UNWRITABLE: {
    meaning: 'The cache folder for downloaded weights cannot be written.',
    remedy: 'Set GHOSTNET_CACHE to a writable folder with free space.',
  },
  GHOSTNET_OFFLINE: {
    meaning: 'Weights are not in the cache, and downloads are switched off.',
    remedy: 'Unset GHOSTNET_OFFLINE or omit the option offline, or copy the file into the cache.',
  },
  GHOSTNET_NOT_PULLED: {
    meaning: 'These published weights have not been downloaded to this machine.',
    remedy: 'Run `npx ghostnet pull <name>` first.',
  },
  GHOSTNET_IMAGE_UNDECODABLE: {
    meaning: 'An image cannot be decoded: it is damaged, a document, or of a format that is not read.',
    remedy: 'Pass a complete JPEG, PNG, WebP, AVIF, GIF or TIFF.',
  },
  GHOSTNET_IMAGE_TOO_LARGE: {
    meaning: 'An image has more pixels, or needs more memory to decode, than the options allow.',
    remedy: 'Make the image smaller, or raise the limit that the message names.',
  },
  GHOSTNET_QUEUE_FULL: {
    meaning: 'As many images wait in the pipeline as its option maxQueue allows.',
    remedy: "Try again later, answer 429 or 503, or create the pipeline with `whenFull: 'wait'`.",
  },
  GHOSTNET_TIMEOUT: {
    meaning:
      'An image waited longer than the option timeoutMs allows, or was decoded for longer than decodeTimeoutMs.',
    remedy: 'Send fewer images, raise the option that the message names, or use more processors.',
  },
  GHOSTNET_CLOSED: {
    meaning: 'A pipeline was used after close() or destroy(), or was destroyed while the image waited.',
    remedy: 'Create another pipeline with `model.pipeline()`.',
  },
  GHOSTNET_BAD_REQUEST: {
    meaning: 'A request to a server is not as its protocol says.',
    remedy: 'Send the request as docs/serving.md describes it.',
  },
  GHOSTNET_REQUEST_TOO_LARGE: {
    meaning: 'The body of a request to a server has more bytes than the server takes.',
    remedy: 'Send smaller or fewer images, or raise the option that the message names.',
  },
  GHOSTNET_MEDIA_TYPE: {
    meaning: 'The content of a request to a server is of a format that is not read.',
    remedy: 'Send JPEG, PNG, WebP, AVIF, GIF or TIFF.',
  },
  GHOSTNET_UNAUTHORIZED: {
    meaning: 'A request to a server has no token, or a wrong one.',
    remedy: 'Send the token that the server was started with.',
  },
  GHOSTNET_NOT_FOUND: {
    meaning: 'A server has nothing at the address of a request.',
    remedy: 'Use one of the addresses in docs/serving.md.',
  },
  GHOSTNET_METHOD_NOT_ALLOWED: {
    meaning: 'A server has something at the address of a request, but for another method.',
    remedy: 'Use the method that the header Allow names.',
  },
  GHOSTNET_ADDRESS_UNUSABLE: {
    meaning: 'A server cannot listen at an address or port.',
    remedy: 'Choose a free port of this machine; ports below 1024 need rights.',
  },
  GHOSTNET_NOT_READY: {
    meaning: 'A server is still loading its models, or is about to end.',
    remedy: 'Try again later, or at another server.',
  },
  GHOSTNET_PEER_NOT_INSTALLED: {
    meaning:
      'A package that this part of ghostnet works with, an optional peer dependency, is not installed.',
    remedy: 'Install it, with the command that the message names.',
  },
  GHOSTNET_SERVICE_FAILED: {
    meaning: 'Redis or PostgreSQL cannot be reached, or refuses a command.',
    remedy: 'Check that the server runs, its address, the user and the password.',
  },
  GHOSTNET_MALFORMED_JOB: {
    meaning: 'The data of a job in a queue are not a reference to an image.',
    remedy:
      'Let the producer send one of { path }, { url } and { content }, as docs/queues.md describes them.',
  },
  GHOSTNET_NOT_ALLOWED: {
    meaning:
      'A job names a file outside the folder of the worker, or an address that no allowed prefix matches.',
    remedy: 'Check the job; or start the worker with the folder or the prefix that it needs.',
  },
  GHOSTNET_WORKER_CRASHED: {
    meaning: 'Workers ended several times while they computed this image alone.',
    remedy:
      'Look at the image in a process of its own, and at what ended the workers: their logs, the limit of memory.',
  },
  GHOSTNET_UNSUPPORTED_PRECISION: {
    meaning: 'There are no kernels for this precision, on this processor or on any.',
    remedy: "Omit the option precision, or set it to 'float32', which runs on every processor.",
  },
  GHOSTNET_UNSUPPORTED_PLATFORM: {
    meaning: 'There is no prebuilt binary for this operating system and processor.',
    remedy:
      'Use one of the systems that the message names, or build a clone on this system. On Windows: WSL2 or a Linux container with ' +
      'glibc.',
  },
  GHOSTNET_UNSUPPORTED_LIBC: {
    meaning:
      'The C library of this Linux is not glibc but usually musl (Alpine), and LibTorch is built for glibc.',
    remedy:
      'Use WSL2 or a Linux container with glibc, for example `node:24-slim` instead of `node:24-alpine`.',
  },
  GHOSTNET_SYSTEM_TOO_OLD: {
    meaning: 'The glibc or libstdc++ of this system is older than the prebuilt binaries require.',
    remedy: 'Use a newer system: Debian 10, Ubuntu 20.04, RHEL 8 or later.',
  },
  GHOSTNET_LIBTORCH_NOT_INSTALLED: {
    meaning: 'The LibTorch package for this platform, an optional dependency, is not installed.',
    remedy:
      'Install again with optional dependencies: `npm install --include=optional`. If a lock file from another system ' +
      'leaves it out, first remove the lock file and node_modules. Or set LIBTORCH to the folder of a LibTorch ' +
      'distribution.',
  },
  GHOSTNET_LIBTORCH_NOT_FOUND: {
    meaning: 'There is no LibTorch at the named place.',
    remedy:
      'Set LIBTORCH to the folder of a LibTorch distribution, or unset it to use the installed LibTorch.',
  },
  GHOSTNET_LIBTORCH_VERSION: {
    meaning: 'A LibTorch was found, but not the version that the native addon was built for.',
    remedy: 'Set LIBTORCH to the version that the message names, or unset it.',
  },
  GHOSTNET_LIBTORCH_CONFLICT: {
    meaning: 'The process has already opened another version of LibTorch, and it can hold only one.',
    remedy:
      'Use one version of ghostnet in the process (`npm ls ghostnet` shows which are installed), or one child process per ' +
      'version.',
  },
  GHOSTNET_LIBRARY_MISSING: {
    meaning: 'A shared library that the native addon needs is missing.',
    remedy:
      'Remove node_modules and install again; install a system library with the package manager of the system.',
  },
  GHOSTNET_BUNDLED: {
    meaning:
      'A bundler has copied the JavaScript of the package into another file, away from its native parts.',
    remedy: 'Keep ghostnet external, with the line for the bundler that the message names.',
  },
  GHOSTNET_ADDON_NOT_FOUND: {
    meaning: 'The native addon of the package is missing.',
    remedy: 'Remove node_modules and install again; in a clone, run `npm run compile`.',
  },
  GHOSTNET_ADDON_UNLOADABLE: {
    meaning: 'The native addon of the package, or a library it needs, cannot be opened.',
    remedy: 'Read the system linker error in the message; `npx ghostnet doctor` prints what was tried.',
  },
  GHOSTNET_CUDA_NOT_INSTALLED: {
    meaning: 'A GPU was requested, but the GPU library is not installed.',
    remedy:
      'Use a version of the package that has the GPU library for this platform, or build it in a clone with `npm run ' +
      "build:cuda`; or omit the device, or pass 'auto'.",
  },
  GHOSTNET_CUDA_UNAVAILABLE: {
    meaning: 'The requested GPU cannot be used: there is no driver, no GPU, or fewer GPUs than requested.',
    remedy:
      "Install NVIDIA's driver (`nvidia-smi` must list the GPU), check CUDA_VISIBLE_DEVICES, and in a container pass the " +
      "GPU in; or omit the device, or pass 'auto'.",
  },
  GHOSTNET_CUDA_UNSUPPORTED: {
    meaning: 'The GPU is too old for the kernels of this package, which need compute capability 8.0.',
    remedy: "Use an Ampere GPU (A100, RTX 30) or a later one; or omit the device, or pass 'auto'.",
  },
  GHOSTNET_CUDA_FAILED: {
    meaning: 'The GPU or its driver failed while in use.',
    remedy: "Read CUDA's error in the message; after a hardware error, restart the process.",
  },
  GHOSTNET_OUT_OF_MEMORY: {
    meaning: 'There is not enough memory for a file, an image, a tensor, a model or a run.',
    remedy: 'Use smaller batches or images, or dispose of tensors and models that are no longer needed.',
  },
  GHOSTNET_OUT_OF_THREADS: {
    meaning: 'The system cannot start another thread.',
    remedy:
      'Raise the limit of threads (`ulimit -u`, the pids limit of the container), or end other processes.',
  },
  GHOSTNET_INTERNAL: {
    meaning: 'An unexpected failure: a defect of this package or of LibTorch.',
    remedy: 'Report it with the message and the output of `ghostnet doctor`.',
  },
} as const satisfies Record<string, { meaning: string; remedy: string }>;

/** A stable code for a kind of error; `docs/errors.md` has the full list. */
export type ErrorCode = keyof typeof errorCatalogue;

/** Details of an error. */
export interface ErrorDetails {
  /** The wrong value, in words. */
  readonly found?: string | undefined;
  /** The right value, in words. */
  readonly expected?: string | undefined;
  /** What to do about the error; defaults to the remedy of the code. */
  readonly remedy?: string | undefined;
  /** The underlying error or reason. */
  readonly cause?: unknown;
}

const brand = Symbol.for('ghostnet.GhostNetError');

/**
 * The error class of the package. `instanceof` recognises the errors of every copy of the package in the process.
 *
 * @example
 * ```ts
 * try {
 *   await model.forward(tensor);
 * } catch (error) {
 *   if (error instanceof GhostNetError && error.code === 'GHOSTNET_BAD_SHAPE') { ... }
 * }
 * ```
 */
export class GhostNetError extends Error {
  override readonly name = 'GhostNetError';
  /** @internal */
  readonly [brand] = true;
  /** The kind of error. Stable between releases; messages are not. */
  readonly code: ErrorCode;
  /** @internal The problem, as a phrase. */
  readonly what: string;
  /** The wrong value, if there is one. */
  readonly found: string | undefined;
  /** The expected value, if there is one. */
  readonly expected: string | undefined;
  /** What to do about the error. */
  readonly remedy: string;

  static override [Symbol.hasInstance](value: unknown): boolean {
    // A class that extends this one is recognised by its prototype, like any other class.
    if (this !== GhostNetError) return Function.prototype[Symbol.hasInstance].call(this, value);
    try {
      return typeof value === 'object' && value !== null && brand in value;
    } catch {
      return false; // a proxy without a target
    }
  }

  /**
   * Control characters in the texts are shown, as in `\x1b`, and long texts are shortened.
   *
   * @param code - the kind of error
   * @param what - the problem, as a phrase without a full stop
   * @param details - the value found, the value expected, the remedy, the cause
   * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` if one of these has another form
   */
  constructor(code: ErrorCode, what: string, details: ErrorDetails = {}) {
    const isKnown = typeof code === 'string' && Object.hasOwn(errorCatalogue, code);
    checkText('code', code, isKnown, 'one of the codes in errorCatalogue');
    checkText('what', what);
    const { found, expected, remedy = errorCatalogue[code].remedy, cause } = checkedDetails(details, code);
    const phrase = worded(what, code);
    const sentences = [`${phrase}.`];
    if (expected !== undefined) sentences.push(`Expected ${expected}.`);
    if (found !== undefined) sentences.push(`Found ${found}.`);
    sentences.push(remedy);
    super(sentences.join(' '), cause === undefined ? undefined : { cause });
    this.code = code;
    this.what = phrase;
    this.found = found;
    this.expected = expected;
    this.remedy = remedy;
  }
}

/** The most characters of a part of a message. */
const longestPart = 700;

/** Of one that names five arrays of each kind of mismatch, whose names are shortened one by one. */
const longestList = 5_000;

/** Text that may come from others, for a message. */
function worded(text: string, code: ErrorCode): string {
  const most = code === 'GHOSTNET_PARAMETERS_MISMATCH' ? longestList : longestPart;
  // What is made harmless becomes longer, so it is shortened before, too.
  return shortened(harmless(shortened(text, most)), most);
}

/** A copy of the details of an error, each read once. */
function checkedDetails(given: ErrorDetails, code: ErrorCode): ErrorDetails {
  const { cause, ...texts } = read(given);
  for (const [name, text] of Object.entries(texts))
    if (text !== undefined) checkText(`details.${name}`, text);
  const { found, expected, remedy } = texts;
  return {
    found: found === undefined ? undefined : worded(found, code),
    expected: expected === undefined ? undefined : worded(expected, code),
    remedy: remedy === undefined ? undefined : worded(remedy, code),
    cause,
  };
}

function read(details: ErrorDetails): ErrorDetails {
  try {
    if (typeof details !== 'object') throw new TypeError('no object');
    const { found, expected, remedy, cause } = details;
    return { found, expected, remedy, cause };
  } catch (cause) {
    throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'The details of an error cannot be read', {
      expected: 'an object whose properties can be read',
      cause,
    });
  }
}

function checkText(name: string, value: unknown, isRight = true, expected = 'a string'): void {
  if (typeof value === 'string' && isRight) return;
  const found = typeof value === 'string' ? shortened(value, 80) : `a ${typeof value}`;
  throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', `The argument ${name} of an error has a wrong value`, {
    found,
    expected,
  });
}
