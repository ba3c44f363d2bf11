import type { ClassScore } from '../pipeline/index.js';

/** The result of one image, as it is stored. */
export interface ResultRow {
  /** What identifies the result: a hash of the content of the image, the model and the options. 64 hexadecimal digits. */
  readonly key: string;
  /** The image in words: its path, or its URL without the query. Of several images with the same content, one of them. */
  readonly image: string;
  /** The SHA-256 of the content of the image. */
  readonly content: string;
  /** The fingerprint of the model. */
  readonly model: string;
  /** The best classes, best first, if the pipeline classifies. */
  readonly classes?: readonly ClassScore[];
  /** The embedding, float32, if the pipeline embeds. */
  readonly embedding?: readonly number[];
}

/** A place for results. Each key has one row, however often it is written. */
export interface ResultSink {
  /** In words, without a password. */
  readonly name: string;
  /** Whether a result is there, so that it need not be computed. Absent where to ask costs more than it saves. */
  has?(key: string): boolean;
  /**
   * Writes a result unless its key is there. Resolves when it is kept, whatever happens to this process.
   *
   * @returns whether the row is new
   * @throws `GhostNetError` `GHOSTNET_SERVICE_FAILED`, `GHOSTNET_FILE_UNWRITABLE`: worth another attempt
   */
  write(row: ResultRow): Promise<boolean>;
  /** Writes what was given, and closes files and connections. */
  close(): Promise<void>;
}
