import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { noise } from './numbers.js';
import { toSharp } from './pictures.js';

/** A PNG of one colour with some noise, so that each has other bytes. */
export async function speckled(colour: readonly number[], seed: number, side = 40): Promise<Buffer> {
  const values = noise(side * side * 3, seed + 1);
  const data = Uint8Array.from(values, (value, at) =>
    Math.max(0, Math.min(255, (colour[at % 3] ?? 0) + 40 * value)),
  );
  return toSharp({ data, width: side, height: side }).png().toBuffer();
}

/** The colours of the classes of a {@link LabelledFolder}. */
export const colours: Readonly<Record<string, readonly number[]>> = {
  blue: [40, 60, 220],
  green: [30, 200, 60],
  red: [220, 40, 40],
};

/** A temporary folder with a folder of images for each class. */
export class LabelledFolder implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'ghostnet-train-test-'));

  /** A path in it. */
  at(path: string): string {
    return join(this.root, path);
  }

  write(path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    writeFileSync(this.at(path), content);
  }

  /** @param each - images of each class */
  static async of(classes: readonly string[], each: number): Promise<LabelledFolder> {
    const folder = new LabelledFolder();
    for (const [number, name] of classes.entries()) {
      for (let index = 0; index < each; ++index)
        folder.write(
          `${name}/${index}.png`,
          await speckled(colours[name] ?? [128, 128, 128], 100 * number + index),
        );
    }
    return folder;
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
