import { createHash } from 'node:crypto';

const style = `
:root { color-scheme: light dark; --line: #8886; --bar: #3b82f6; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; }
#drop { display: block; border: 2px dashed var(--line); border-radius: 12px; padding: 2.5rem 1rem; text-align: center; cursor: pointer; }
#drop.over, #drop:focus-within { border-color: var(--bar); }
#drop input { position: absolute; opacity: 0; width: 1px; height: 1px; }
[hidden] { display: none !important; }
.options { display: flex; gap: 1rem; flex-wrap: wrap; margin: 1rem 0; }
.options label { display: flex; gap: .5rem; align-items: center; }
#top { width: 4rem; }
article { display: grid; grid-template-columns: 9rem 1fr; gap: 1rem; border-top: 1px solid var(--line); padding: 1rem 0; }
article img { max-width: 9rem; max-height: 9rem; border-radius: 6px; }
article h2 { font-size: 1rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
ol { list-style: none; margin: 0; padding: 0; }
li { display: grid; grid-template-columns: 1fr 6rem 3.5rem; gap: .5rem; align-items: center; }
li span:last-child { text-align: right; font-variant-numeric: tabular-nums; }
meter { width: 100%; }
.error { color: #b91c1c; }
@media (prefers-color-scheme: dark) { .error { color: #fca5a5; } }
@media (max-width: 30rem) { article { grid-template-columns: 1fr; } }
`;

const script = `
const byId = (id) => document.getElementById(id);
const results = byId('results');
const headersOf = () => byId('token').value ? { authorization: 'Bearer ' + byId('token').value } : {};
async function listModels() {
  const response = await fetch('v2/repository/index', { method: 'POST', headers: headersOf() });
  byId('secret').hidden = response.status !== 401 && !byId('token').value;
  if (!response.ok) return;
  const names = new Set((await response.json()).map(({ name }) => name));
  byId('models').hidden = names.size < 2;
  byId('model').replaceChildren(...[...names].reverse().map((name) => new Option(name)));
}
byId('token').onchange = listModels;
void listModels();
async function classify(file) {
  const article = document.createElement('article');
  const picture = document.createElement('img');
  picture.alt = '';
  picture.src = URL.createObjectURL(file);
  picture.onload = picture.onerror = () => URL.revokeObjectURL(picture.src);
  const text = document.createElement('div');
  const heading = document.createElement('h2');
  heading.textContent = file.name;
  const body = document.createElement('p');
  body.textContent = '…';
  text.append(heading, body);
  article.append(picture, text);
  results.prepend(article);
  const query = new URLSearchParams({ topK: byId('top').value });
  if (byId('model').value) query.set('model', byId('model').value);
  try {
    const response = await fetch('classify?' + query, {
      method: 'POST', body: file, headers: headersOf(),
    });
    const answer = await response.json();
    if (response.status === 401) byId('secret').hidden = false;
    if (!response.ok) throw new Error(answer.error);
    const list = document.createElement('ol');
    for (const { label, score } of answer.classes) {
      const row = document.createElement('li');
      const name = document.createElement('span');
      name.textContent = label;
      const bar = document.createElement('meter');
      bar.value = score;
      const share = document.createElement('span');
      share.textContent = (100 * score).toFixed(1) + ' %';
      row.append(name, bar, share);
      list.append(row);
    }
    body.replaceWith(list);
  } catch (error) {
    body.className = 'error';
    body.textContent = error.message;
  }
}
const all = (files) => { for (const file of files) void classify(file); };
byId('file').onchange = ({ target }) => { all(target.files); target.value = ''; };
const drop = byId('drop');
addEventListener('dragover', (event) => { event.preventDefault(); drop.className = 'over'; });
addEventListener('dragleave', () => { drop.className = ''; });
addEventListener('drop', (event) => { event.preventDefault(); drop.className = ''; all(event.dataTransfer.files); });
addEventListener('paste', ({ clipboardData }) => { all(clipboardData.files); });
`;

/** A page to drop a picture on. It loads nothing from elsewhere. */
export const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>GhostNet</title>
<style>${style}</style>
</head>
<body>
<h1>GhostNet</h1>
<label id="drop">Drop pictures here, paste them, or choose files <input id="file" type="file" accept="image/*" multiple></label>
<div class="options">
<label>Classes <input id="top" type="number" min="1" value="5"></label>
<label id="models" hidden>Model <select id="model"><option value=""></option></select></label>
<label id="secret" hidden>Token <input id="token" type="password" autocomplete="off"></label>
</div>
<div id="results" aria-live="polite"></div>
<script>${script}</script>
</body>
</html>
`;

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Scripts and styles of the page alone, and no frame around it. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; img-src blob:; connect-src 'self'; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
};
