import { html, nothing, type Html } from './html.js';
import { percent } from './numbers.js';

/** A larger matrix is unreadable: the most frequent confusions are listed all the same. */
const mostInMatrix = 30;
const mostListed = 15;

/** Which classes are taken for which. */
export function confusions(labels: readonly string[], counts: readonly (readonly number[])[]): Html {
  if (labels.length === 0) return nothing;
  return html`<section aria-labelledby="confusions">
    <h2 id="confusions">Confusions</h2>
    ${list(labels, counts)} ${labels.length <= mostInMatrix ? matrix(labels, counts) : nothing}
  </section>`;
}

function list(labels: readonly string[], counts: readonly (readonly number[])[]): Html {
  const pairs = counts.flatMap((row, own) => {
    const images = row.reduce((sum, count) => sum + count, 0);
    return row.flatMap((count, given) =>
      count === 0 || own === given ? [] : [{ own, given, count, images }],
    );
  });
  if (pairs.length === 0) return html`<p>No image was given a wrong class.</p>`;
  pairs.sort((a, b) => b.count - a.count || a.own - b.own);
  const rest = pairs.length - mostListed;
  return html`<ol class="pairs">
      ${pairs
        .slice(0, mostListed)
        .map(
          ({ own, given, count, images }) =>
            html`<li>
              <b>${labels[own] ?? ''}</b> taken for <b>${labels[given] ?? ''}</b>: ${count} of ${images}
              (${percent(count / images)})
            </li> `,
        )}
    </ol>
    ${rest > 0 ? html`<p>And ${rest} more pairs.</p>` : nothing}`;
}

function matrix(labels: readonly string[], counts: readonly (readonly number[])[]): Html {
  return html`<div class="scroll" role="region" tabindex="0" aria-label="Matrix of confusions">
    <table class="matrix">
      <caption>
        Images of each class (row) that were given each class (column)
      </caption>
      <thead>
        <tr>
          <th scope="col">Is \\ given</th>
          ${labels.map((label) => html`<th scope="col"><span>${label}</span></th>`)}
        </tr>
      </thead>
      <tbody>
        ${labels.map(
          (label, own) =>
            html`<tr>
              <th scope="row">${label}</th>
              ${(counts[own] ?? []).map((count, given) => cell(count, counts[own] ?? [], own === given))}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}

function cell(count: number, row: readonly number[], isRight: boolean): Html {
  if (count === 0) return html`<td class="none">0</td>`;
  const images = row.reduce((sum, value) => sum + value, 0);
  // Strong enough to be seen, never so strong that the number is not.
  const strength = Math.round(12 + (48 * count) / images);
  return html`<td class="${isRight ? 'right' : 'wrong'}" style="--strength: ${strength}%">${count}</td>`;
}
