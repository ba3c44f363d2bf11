/** The style of a page: readable from a telephone to a wide screen, in light and dark, without anything from elsewhere. */
export const style = `
:root { color-scheme: light dark; --back: #fff; --text: #1b1f24; --faint: #59636e; --line: #d1d9e0; --panel: #f6f8fa;
  --first: #0969da; --second: #b35900; --right: #1a7f37; --wrong: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --back: #0d1117; --text: #e6edf3; --faint: #9198a1; --line: #3d444d;
  --panel: #161b22; --first: #58a6ff; --second: #f0883e; --right: #3fb950; --wrong: #ff7b72; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 70rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; }
p { max-width: 45rem; margin: 0 0 .75rem; }
a { color: var(--first); }
:focus-visible { outline: 3px solid var(--first); outline-offset: 2px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1.25rem 0; }
.figures div { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; }
.figures dt { color: var(--faint); font-size: .85rem; }
.figures dd { margin: 0; font-size: 1.35rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: right; }
thead th { color: var(--faint); font-weight: 600; font-size: .85rem; vertical-align: bottom; }
th:first-child { text-align: left; max-width: 12rem; overflow-wrap: break-word; }
tbody th { font-weight: 500; }
caption { width: min(100%, calc(100vw - 2rem)); text-align: left; color: var(--faint); font-size: .85rem; padding-bottom: .5rem; }
.share { position: relative; min-width: 5rem; }
.share .bar { position: absolute; inset: 15% auto 15% 0; background: var(--first); opacity: .22; border-radius: .2rem; }
.share .value { position: relative; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1.5rem; }
figure { margin: 0; }
figcaption { font-weight: 600; margin-bottom: .25rem; }
svg { width: 100%; max-width: 34rem; display: block; overflow: visible; }
svg text { fill: var(--faint); font-size: 11px; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .chosen { stroke: var(--faint); stroke-width: 1; stroke-dasharray: 2 3; }
svg polyline { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; }
svg circle { fill: currentColor; }
.line-0 { color: var(--first); }
.line-1 { color: var(--second); }
svg .line-1 polyline { stroke-dasharray: 6 3; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; padding: 0; margin: .25rem 0; font-size: .9rem; }
.legend li::before { content: ''; display: inline-block; width: 1.4rem; margin-right: .4rem; vertical-align: middle;
  border-top: 3px solid currentColor; }
.legend .line-1::before { border-top-style: dashed; }
summary { cursor: pointer; color: var(--faint); font-size: .9rem; }
.pairs { padding-left: 1.6rem; margin: 0 0 1.25rem; }
.matrix td { min-width: 2.4rem; text-align: center; border: 1px solid var(--line); }
.matrix thead th span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 10rem; overflow: hidden;
  text-align: left; white-space: nowrap; text-overflow: ellipsis; }
.matrix thead th { text-align: center; }
.matrix th:first-child { position: sticky; left: 0; background: var(--back); z-index: 1; text-align: left; max-width: 8rem; }
.matrix .none { color: var(--faint); }
.matrix .right { background: color-mix(in srgb, var(--right) var(--strength), var(--back)); }
.matrix .wrong { background: color-mix(in srgb, var(--wrong) var(--strength), var(--back)); }
.mistakes { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: 1rem; list-style: none; padding: 0; }
.mistakes li { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem; min-width: 0; }
.mistakes img, .mistakes .absent { width: 100%; aspect-ratio: 1; object-fit: contain; display: grid; place-items: center;
  color: var(--faint); background: var(--back); border-radius: .25rem; }
.mistakes p { margin: .5rem 0 0; font-size: .9rem; overflow-wrap: anywhere; }
.mistakes .name { color: var(--faint); font-size: .75rem; line-height: 1.3; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; }
.facts dt { color: var(--faint); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.warnings li { overflow-wrap: anywhere; }
@media (max-width: 30rem) { th, td { padding: .3rem .4rem; } }
@media print { .scroll { overflow: visible; } details { display: none; } }
`;
