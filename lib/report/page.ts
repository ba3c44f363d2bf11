import { charts } from './charts.js';
import { classes } from './classes.js';
import { confusions } from './confusion.js';
import { html, Html, nothing } from './html.js';
import { mistakes } from './mistakes.js';
import { style } from './style.js';
import type { Report } from './types.js';

/** The most warnings that a page names. */
const mostWarnings = 50;

/**
 * A report as one page of HTML, which needs nothing else: no network, no script. For a telephone, a wide screen, light and dark, a
 * keyboard and a screen reader.
 */
export function reportPage(report: Report): string {
  const { title, summary, figures, facts, warnings } = report;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        />
        <title>${title}</title>
        <style>
          ${new Html(style)}
        </style>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          <p>${summary}</p>
          <dl class="figures">
            ${figures.map(
              ([name, value]) =>
                html`<div>
                  <dt>${name}</dt>
                  <dd>${value}</dd>
                </div> `,
            )}
          </dl>
          ${charts(report.charts)} ${classes(report.classes)}
          ${confusions(
            report.classes.map(({ label }) => label),
            report.confusion,
          )}
          ${mistakes(report.mistakes)} ${warningList(warnings)}
          <section aria-labelledby="settings">
            <h2 id="settings">Settings</h2>
            <dl class="facts">
              ${facts.map(
                ([name, value]) =>
                  html`<dt>${name}</dt>
                    <dd>${value}</dd> `,
              )}
            </dl>
          </section>
        </main>
      </body>
    </html> `;
  // The indentation of the source is of no use to a reader.
  return page.text.replace(/\n\s+/g, '\n').trimStart();
}

function warningList(warnings: readonly string[]): Html {
  if (warnings.length === 0) return nothing;
  const rest = warnings.length - mostWarnings;
  return html`<section aria-labelledby="warnings">
    <h2 id="warnings">Images left out</h2>
    <ul class="warnings">
      ${warnings.slice(0, mostWarnings).map((warning) => html`<li>${warning}</li> `)}
    </ul>
    ${rest > 0 ? html`<p>And ${rest} more.</p>` : nothing}
  </section>`;
}
