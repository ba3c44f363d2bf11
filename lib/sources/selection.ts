import { formatOf } from './formats.js';
import type { RawPath } from './raw-path.js';

/** What a walk takes from the folder in which it is. */
export interface Selection {
  /** Whether a file is listed, passed over but counted, or of no concern. */
  judge(name: RawPath): 'list' | 'count' | 'ignore';
  /** What is taken from a folder below, or undefined if the walk does not go there. */
  enter(name: RawPath): Selection | undefined;
  /** Notes a folder that is about to be walked with this selection. @returns false if it has been before */
  isNew(folder: string): boolean;
}

/** The images in a folder and below: files with the extensions of pictures, without hidden files and folders. */
export class Images implements Selection {
  readonly #walked = new Set<string>();
  readonly #withDocuments: boolean;

  /** @param withDocuments - whether SVG is an image, too */
  constructor(withDocuments: boolean) {
    this.#withDocuments = withDocuments;
  }

  judge(name: RawPath): 'list' | 'count' | 'ignore' {
    if (name.startsWith('.')) return 'ignore';
    const format = formatOf(name, this.#withDocuments);
    if (format === 'read') return 'list';
    return format === 'unread' ? 'count' : 'ignore';
  }

  enter(name: RawPath): Selection | undefined {
    return name.startsWith('.') ? undefined : this;
  }

  isNew(folder: string): boolean {
    const before = this.#walked.size;
    return this.#walked.add(folder).size > before;
  }
}
