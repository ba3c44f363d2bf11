// The Open Inference Protocol, version 2 (github.com/kserve/open-inference-protocol), apart from its encodings.

/** A tensor of a request. */
export interface RequestTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** Row-major: little-endian bytes, or values: of JSON, whose lists may be nested as the shape is, or of gRPC. */
  readonly content: Uint8Array | readonly unknown[];
}

/** An output that a request asks for. */
export interface RequestedOutput {
  readonly name: string;
  /** Whether it is answered as bytes behind the JSON. */
  readonly isBinary: boolean;
  /** Classes of Triton's classification extension; 0 for the tensor itself. */
  readonly classes: number;
}

export interface InferenceRequest {
  readonly id: string | undefined;
  readonly inputs: readonly RequestTensor[];
  readonly outputs: readonly RequestedOutput[] | undefined;
  /** Whether outputs are binary if it names none. */
  readonly isBinary: boolean;
  /** How long the client waits, in milliseconds; undefined if it does not say. */
  readonly timeoutMs: number | undefined;
}

/** A tensor of a response. */
export interface ResponseTensor {
  readonly name: string;
  readonly datatype: 'FP32' | 'BYTES';
  readonly shape: readonly number[];
  readonly values: Float32Array | readonly string[];
  readonly isBinary: boolean;
}
