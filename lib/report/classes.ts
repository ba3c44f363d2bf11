import { html, nothing, type Html } from './html.js';
import { percent } from './numbers.js';
import type { ClassRow } from './types.js';

/** How well each class is found, the weakest first. */
export function classes(rows: readonly ClassRow[]): Html {
  if (rows.length === 0) return nothing;
  const sorted = [...rows].sort((a, b) => strength(a) - strength(b));
  return html`<section aria-labelledby="classes">
    <h2 id="classes">Classes</h2>
    <p>
      The weakest first. <b>Precision</b>: of the images that were given the class, the share that is of it.
      <b>Recall</b>: of the images of the class, the share that was given it.
    </p>
    <div class="scroll" role="region" tabindex="0" aria-labelledby="classes">
      <table>
        <thead>
          <tr>
            <th scope="col">Class</th>
            <th scope="col">Images</th>
            <th scope="col">Precision</th>
            <th scope="col">Recall</th>
          </tr>
        </thead>
        <tbody>
          ${sorted.map(
            ({ label, images, precision, recall }) =>
              html`<tr>
                <th scope="row">${label}</th>
                <td>${images}</td>
                ${share(precision)} ${share(recall)}
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

/** The harmonic mean of precision and recall; a class that is not judged comes last. */
function strength({ images, precision, recall }: ClassRow): number {
  if (images === 0) return 2;
  return recall === 0 || Number.isNaN(precision) ? 0 : (2 * precision * recall) / (precision + recall);
}

function share(value: number): Html {
  const width = Number.isFinite(value) ? 100 * value : 0;
  return html`<td class="share">
    <span class="bar" style="width: ${width.toFixed(1)}%"></span><span class="value">${percent(value)}</span>
  </td>`;
}
