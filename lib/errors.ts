/**
 * Every error code of the package, with what it means and what to do about it. This table is the one place a
 * code is defined: `docs/errors.md` is generated from it, and the build reads the codes for the C++ side.
 */
export const errorCatalogue = {
  GHOSTNET_INVALID_ARGUMENT: {
    meaning: 'An argument or option has the wrong type or a value out of its range.',
    remedy: 'Pass what the message says was expected.',
  },
  GHOSTNET_BAD_SHAPE: {
    meaning: 'A tensor has a shape that the call can not take.',
    remedy:
      'Pass float32 [N,3,H,W] (already normalised) or uint8 [N,H,W,3] (raw RGB), with H and W of 32 or more.',
  },
  GHOSTNET_BAD_DTYPE: {
    meaning: 'A tensor has a dtype that the call can not take.',
    remedy: 'Convert the data to the dtype that the message names.',
  },
  GHOSTNET_DISPOSED: {
    meaning: 'A tensor or a model is used after dispose(), or after its memory was transferred away.',
    remedy: 'Dispose of it after its last use, or create it again.',
  },
  GHOSTNET_ABORTED: {
    meaning: 'The AbortSignal of the call fired before the work began, or while a download ran.',
    remedy: 'Nothing: the work was dropped as asked. The reason of the signal is in `cause`.',
  },
  GHOSTNET_FILE_NOT_FOUND: {
    meaning: 'A file does not exist.',
    remedy: 'Check the path; relative paths start at the working directory.',
  },
  GHOSTNET_FILE_UNREADABLE: {
    meaning: 'A file exists but can not be read.',
    remedy: 'Check its permissions, and that it is a file and not a folder.',
  },
  GHOSTNET_FILE_UNWRITABLE: {
    meaning: 'A file can not be written.',
    remedy: 'Check that its folder exists, is writable and has space left.',
  },
  GHOSTNET_UNKNOWN_FORMAT: {
    meaning: 'A weights file is in no format that this package knows.',
    remedy: 'Pass a safetensors file, or convert it with the tool that wrote it.',
  },
  GHOSTNET_UNSUPPORTED_FORMAT: {
    meaning: 'A weights file is in a format that is recognised and not supported.',
    remedy: 'Save its state_dict as safetensors or with torch.save, as the message says.',
  },
  GHOSTNET_MALFORMED_FILE: {
    meaning: 'A weights file breaks the rules of its own format.',
    remedy: 'Fetch or write the file again; it is damaged or was cut off.',
  },
  GHOSTNET_PARAMETERS_MISMATCH: {
    meaning: 'The named parameters of a file are not those of the network.',
    remedy: 'Load a GhostNet checkpoint; the message lists what is missing, unexpected or of another shape.',
  },
  GHOSTNET_UNKNOWN_MODEL: {
    meaning: 'No trained weights are registered under a name.',
    remedy: 'Use one of the names that the message lists, or pass a weights file of your own.',
  },
  GHOSTNET_UNSUPPORTED_MODEL: {
    meaning: 'Trained weights are registered under a name, but their network is not built in this version.',
    remedy: 'Use the weights of a GhostNet V1, `ghostnet_100` for example.',
  },
  GHOSTNET_UNSUPPORTED_LAYER: {
    meaning: 'The engine of a device has no kernels for a layer of the network.',
    remedy: "Load the model with `backend: 'reference'`, which runs every layer on the CPU.",
  },
  GHOSTNET_DOWNLOAD_FAILED: {
    meaning: 'Weights could not be downloaded: the server, the network or a proxy failed.',
    remedy:
      'Run it again, what has arrived is kept; behind a proxy set HTTPS_PROXY, for a mirror set GHOSTNET_MIRROR.',
  },
  GHOSTNET_DOWNLOAD_MISMATCH: {
    meaning: 'What a server sent is not the registered file: its length, its checksum or its kind differs.',
    remedy:
      'Check GHOSTNET_MIRROR and the proxy variables: something between here and the source answers for it.',
  },
  GHOSTNET_CACHE_UNWRITABLE: {
    meaning: 'The cache folder for downloaded weights can not be written.',
    remedy: 'Point GHOSTNET_CACHE to a folder that can be written and has space left.',
  },
  GHOSTNET_OFFLINE: {
    meaning: 'Weights are not in the cache, and downloads are switched off.',
    remedy:
      'Unset GHOSTNET_OFFLINE or leave out the option offline, or bring the file into the cache by other means.',
  },
  GHOSTNET_NOT_PULLED: {
    meaning: 'Published weights are named that have not been downloaded to this machine.',
    remedy: 'Run `npx ghostnet pull <name>` first.',
  },
  GHOSTNET_IMAGE_UNDECODABLE: {
    meaning: 'An image can not be decoded.',
    remedy: 'Pass a JPEG, PNG, WebP, AVIF, GIF or TIFF that is complete.',
  },
  GHOSTNET_UNSUPPORTED_PRECISION: {
    meaning: 'A model is asked to compute in a precision that this processor, or any, has no kernels for.',
    remedy: "Leave the option precision out, or set it to 'float32', which runs on every processor.",
  },
  GHOSTNET_UNSUPPORTED_PLATFORM: {
    meaning: 'There is no prebuilt binary for this operating system and processor.',
    remedy: 'Use one of the systems that the message names, or build a clone on this one.',
  },
  GHOSTNET_UNSUPPORTED_LIBC: {
    meaning:
      'This Linux has another C library than glibc, musl as a rule (Alpine), and LibTorch is made for glibc.',
    remedy: 'Use an image with glibc, `node:24-slim` instead of `node:24-alpine` for example.',
  },
  GHOSTNET_SYSTEM_TOO_OLD: {
    meaning: 'The glibc or the libstdc++ of this system is older than the prebuilt binaries need.',
    remedy:
      'Use a newer system: Debian 10, Ubuntu 20.04, RHEL 8 and what came after them have what is needed.',
  },
  GHOSTNET_LIBTORCH_NOT_INSTALLED: {
    meaning: 'The package that brings LibTorch to this platform, an optional dependency, is not installed.',
    remedy:
      'Install again with optional dependencies, `npm install --include=optional`; where a lock file from another system leaves ' +
      'it out, remove the lock file and node_modules first. Or set LIBTORCH to the folder of a LibTorch.',
  },
  GHOSTNET_LIBTORCH_NOT_FOUND: {
    meaning: 'There is no LibTorch where one was named.',
    remedy:
      'Set LIBTORCH to the folder of a LibTorch distribution, or unset it to use the one that is installed.',
  },
  GHOSTNET_LIBTORCH_VERSION: {
    meaning: 'A LibTorch was found, but not of the version that the native part was built for.',
    remedy: 'Point LIBTORCH to the version that the message names, or unset it.',
  },
  GHOSTNET_LIBTORCH_CONFLICT: {
    meaning: 'The process has opened another version of LibTorch already, and there can be only one.',
    remedy:
      'Use one version of ghostnet in the process (`npm ls ghostnet` shows which are installed), or a child process for each.',
  },
  GHOSTNET_LIBRARY_MISSING: {
    meaning: 'A shared library that the native part needs is not there.',
    remedy: 'Remove node_modules and install again; a library of the system comes with its package manager.',
  },
  GHOSTNET_ADDON_NOT_FOUND: {
    meaning: 'The native part of the package is missing.',
    remedy: 'Remove node_modules and install again; in a clone run `npm run compile`.',
  },
  GHOSTNET_ADDON_UNLOADABLE: {
    meaning: 'The native part of the package, or a library it needs, can not be opened.',
    remedy: 'Read the system linker error in the message; `npx ghostnet doctor` prints what was tried.',
  },
  GHOSTNET_CUDA_NOT_INSTALLED: {
    meaning: 'A GPU is asked for, and the part of the package that runs on GPUs is not there.',
    remedy:
      'Use a version of the package that has it for this platform, or build it in a clone with `npm run build:cuda`; ' +
      "or leave out the device, or pass 'auto'.",
  },
  GHOSTNET_CUDA_UNAVAILABLE: {
    meaning: 'A GPU is asked for, and none of that number can be used: no driver, no GPU, or fewer of them.',
    remedy:
      "Install NVIDIA's driver (`nvidia-smi` must list the GPU), check CUDA_VISIBLE_DEVICES, in a container pass the GPU " +
      "in; or leave out the device, or pass 'auto'.",
  },
  GHOSTNET_CUDA_UNSUPPORTED: {
    meaning: 'A GPU is older than the kernels of this package: they need compute capability 8.0.',
    remedy:
      "Use an Ampere GPU (A100, RTX 30) or one that came after; or leave out the device, or pass 'auto'.",
  },
  GHOSTNET_CUDA_FAILED: {
    meaning: 'The GPU, or its driver, failed while it was used.',
    remedy:
      'Read the words of CUDA in the message; after an error of the hardware the process has to be started anew.',
  },
  GHOSTNET_OUT_OF_MEMORY: {
    meaning: 'Memory for a tensor, a model or a run could not be had.',
    remedy: 'Use smaller batches or images, or dispose of tensors and models that are no longer needed.',
  },
  GHOSTNET_INTERNAL: {
    meaning: 'Something failed that should not: a defect of this package or of LibTorch.',
    remedy: 'Report it with the message and the output of `ghostnet doctor`.',
  },
} as const satisfies Record<string, { meaning: string; remedy: string }>;

/** A stable code that says which kind of thing went wrong; the full list is in `docs/errors.md`. */
export type ErrorCode = keyof typeof errorCatalogue;

/** Further facts of an error. */
export interface ErrorDetails {
  /** The value that was wrong, in words. */
  readonly found?: string | undefined;
  /** What would have been right, in words. */
  readonly expected?: string | undefined;
  /** What to do about it; the remedy of the code when not given. */
  readonly remedy?: string | undefined;
  /** The error or the reason behind this one. */
  readonly cause?: unknown;
}

const brand = Symbol.for('ghostnet.GhostNetError');

/**
 * The one error class of the package. `instanceof` knows the errors of every copy of the package in the process.
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
  /** Which kind of error this is. Stable between releases; messages are not. */
  readonly code: ErrorCode;
  /** @internal What was wrong, a phrase. */
  readonly what: string;
  /** The value that was wrong, where there is one. */
  readonly found: string | undefined;
  /** What was expected instead, where that can be said. */
  readonly expected: string | undefined;
  /** What to do about it. */
  readonly remedy: string;

  static override [Symbol.hasInstance](value: unknown): boolean {
    // A class that extends this one is known by its prototype, as any other.
    if (this !== GhostNetError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && brand in value;
  }

  /**
   * @param code - the kind of error
   * @param what - what was wrong, a phrase without a full stop
   * @param details - the value found, what was expected, what to do, the cause
   */
  constructor(code: ErrorCode, what: string, details: ErrorDetails = {}) {
    const remedy = details.remedy ?? errorCatalogue[code].remedy;
    const sentences = [`${what}.`];
    if (details.expected !== undefined) sentences.push(`Expected ${details.expected}.`);
    if (details.found !== undefined) sentences.push(`Found ${details.found}.`);
    sentences.push(remedy);
    super(sentences.join(' '), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.what = what;
    this.found = details.found;
    this.expected = details.expected;
    this.remedy = remedy;
  }
}
