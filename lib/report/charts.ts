import { html, nothing, type Html } from './html.js';
import { percent, short } from './numbers.js';
import type { Chart, Series } from './types.js';

// In units of the picture, which is as wide as a telephone: there its text has the size of the page's.
const [width, height] = [360, 220];
const edge = { left: 46, right: 12, top: 12, bottom: 34 };

/** Lines as pictures, each with its numbers as a table for whoever does not see it. */
export function charts(all: readonly Chart[]): Html {
  const drawn = all.filter(({ at }) => at.length > 1);
  if (drawn.length === 0) return nothing;
  return html`<section aria-labelledby="curves">
    <h2 id="curves">Curves</h2>
    <div class="charts">${drawn.map(chart)}</div>
  </section>`;
}

function chart(given: Chart): Html {
  const { title, places, at, series, isShare = false } = given;
  const inWords = isShare ? percent : short;
  const rows = at.map(
    (place, index) =>
      html`<tr>
        <th scope="row">${place}</th>
        ${series.map(({ values }) => html`<td>${inWords(values[index] ?? NaN)}</td>`)}
      </tr> `,
  );
  return html`<figure>
    <figcaption>${title}</figcaption>
    ${picture(given)}
    <ul class="legend">
      ${series.map(({ name }, index) => html`<li class="line-${index}">${name}</li>`)}
    </ul>
    <details>
      <summary>Numbers</summary>
      <div class="scroll" role="region" tabindex="0" aria-label="Numbers of ${title}">
        <table>
          <thead>
            <tr>
              <th scope="col">${places}</th>
              ${series.map(({ name }) => html`<th scope="col">${name}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${rows}
          </tbody>
        </table>
      </div>
    </details>
  </figure>`;
}

function picture({ title, places, at, series, isShare = false, chosen }: Chart): Html {
  const ticks = ticksOf(series, isShare);
  const [low = 0, high = 1] = [ticks[0], ticks.at(-1)];
  const x = (index: number): number =>
    edge.left + ((width - edge.left - edge.right) * index) / Math.max(1, at.length - 1);
  const y = (value: number): number =>
    height - edge.bottom - ((height - edge.top - edge.bottom) * (value - low)) / (high - low);
  const every = Math.ceil(at.length / 6);
  const inWords = isShare ? (value: number) => `${Number((100 * value).toFixed(2))} %` : short;
  const end = width - edge.right;
  return html`<svg
    viewBox="0 0 ${width} ${height}"
    role="img"
    aria-label="${describe(title, series, inWords)}"
  >
    ${ticks.map(
      (tick) =>
        html`<line class="grid" x1="${edge.left}" x2="${end}" y1="${y(tick)}" y2="${y(tick)}" />
          <text x="${edge.left - 6}" y="${y(tick) + 4}" text-anchor="end">${inWords(tick)}</text> `,
    )}
    ${at.map((place, index) =>
      index % every === 0
        ? html`<text x="${x(index)}" y="${height - edge.bottom + 15}" text-anchor="middle">${place}</text> `
        : nothing,
    )}
    <text class="axis" x="${(edge.left + end) / 2}" y="${height - 4}" text-anchor="middle">${places}</text>
    ${
      chosen === undefined
        ? nothing
        : html`<line
            class="chosen"
            x1="${x(chosen)}"
            x2="${x(chosen)}"
            y1="${edge.top}"
            y2="${height - edge.bottom}"
          />`
    }
    ${series.map((line, index) => lineOf(line, index, x, y))}
  </svg>`;
}

function lineOf(
  { values }: Series,
  index: number,
  x: (index: number) => number,
  y: (value: number) => number,
): Html {
  const points = values.flatMap((value, place) =>
    Number.isFinite(value) ? [`${x(place).toFixed(1)},${y(value).toFixed(1)}`] : [],
  );
  const dots = points.length > 40 ? [] : points;
  return html`<g class="line-${index}">
    <polyline points="${points.join(' ')}" />
    ${dots.map((point) => {
      const [cx = '', cy = ''] = point.split(',');
      return html`<circle cx="${cx}" cy="${cy}" r="2.5" />`;
    })}
  </g>`;
}

/** Round numbers from below the smallest value to above the largest, at most seven. */
function ticksOf(series: readonly Series[], isShare: boolean): number[] {
  const values = series.flatMap((line) => line.values.filter(Number.isFinite));
  const [least, most] = values.length === 0 ? [0, 1] : [Math.min(...values), Math.max(...values)];
  const span = Math.max(most - least, isShare ? 0.02 : Math.abs(most) * 0.02, 1e-9);
  const power = 10 ** Math.floor(Math.log10(span / 5));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= span / 5) ?? 10);
  const first = Math.max(0, Math.floor(least / step));
  const last = Math.max(first + 1, Math.ceil(most / step));
  const ticks = Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
  return isShare ? ticks.filter((tick) => tick <= 1) : ticks;
}

function describe(title: string, series: readonly Series[], inWords: (value: number) => string): string {
  const lines = series.map(({ name, values }) => {
    const known = values.filter(Number.isFinite);
    if (known.length === 0) return `${name}: no values`;
    return `${name} from ${inWords(known[0] ?? NaN)} to ${inWords(known.at(-1) ?? NaN)}`;
  });
  return `${title}: ${lines.join('; ')}`;
}
