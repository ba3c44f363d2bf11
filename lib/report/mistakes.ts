import { html, nothing, type Html } from './html.js';
import { percent } from './numbers.js';
import type { MistakeFigure } from './types.js';

/** The images with wrong classes, the most certain first. */
export function mistakes(all: readonly MistakeFigure[]): Html {
  if (all.length === 0) return nothing;
  return html`<section aria-labelledby="mistakes">
    <h2 id="mistakes">Worst mistakes</h2>
    <p>The images of the validation whose wrong class had the highest score. Some may have a wrong label.</p>
    <ul class="mistakes">
      ${all.map(figure)}
    </ul>
  </section>`;
}

function figure({ thumbnail, name, label, predicted, score, ownScore }: MistakeFigure): Html {
  const picture =
    thumbnail === undefined
      ? html`<span class="absent">no picture</span>`
      : html`<img src="${thumbnail}" alt="" loading="lazy" />`;
  return html`<li>
    ${picture}
    <p><b>${predicted}</b> ${percent(score)}<br />is <b>${label}</b> ${percent(ownScore)}</p>
    <p class="name">${name}</p>
  </li> `;
}
