import { describe, expect, it } from 'vitest';

import { reportPage, type Report } from '../../lib/report/index.js';

const hostile = `<script>alert("1")</script>'&`;
const report: Report = {
  title: 'Training of 2 classes',
  summary: `A summary ${hostile}`,
  figures: [['Right', '50 %']],
  facts: [['from', hostile]],
  charts: [
    {
      title: 'Loss',
      places: 'epoch',
      at: ['1', '2', '3'],
      series: [
        { name: 'training', values: [1, 0.5, 0.25] },
        { name: 'validation', values: [NaN, 0.8, 0.7] },
      ],
      chosen: 1,
    },
    {
      title: 'Right',
      places: 'epoch',
      at: ['1', '2', '3'],
      series: [{ name: 'validation', values: [0.9, 1, 1] }],
      isShare: true,
    },
  ],
  classes: [
    { label: 'cat', images: 4, precision: 1, recall: 0.75 },
    { label: hostile, images: 4, precision: NaN, recall: 0 },
  ],
  confusion: [
    [3, 1],
    [4, 0],
  ],
  mistakes: [
    {
      thumbnail: 'data:image/webp;base64,AAAA',
      name: hostile,
      label: 'cat',
      predicted: hostile,
      score: 0.9,
      ownScore: 0.1,
    },
    { thumbnail: undefined, name: 'b.jpg', label: 'cat', predicted: 'dog', score: 0.8, ownScore: 0.2 },
  ],
  warnings: [hostile],
};

describe('the page of a report', () => {
  const page = reportPage(report);

  it('needs nothing from elsewhere, and no script', () => {
    expect(page.startsWith('<!doctype html>')).toBe(true);
    const addresses = [
      ...page.matchAll(/(?:src|href|xlink:href|action|data)\s*=\s*"([^"]*)"|url\(([^)]*)\)|@import/gi),
    ];
    expect(addresses.map(([, address]) => address)).toEqual(['data:image/webp;base64,AAAA']);
    expect(page).not.toMatch(/https?:|<script|<link|<iframe|\son\w+=/i);
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`);
  });

  it('shows text of others as text', () => {
    expect(page).not.toContain('<script>');
    expect(
      page.split('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;').length,
    ).toBeGreaterThanOrEqual(8);
  });

  it('has tables with headers and captions, pictures with words, and no trap for a keyboard', () => {
    for (const [table] of page.matchAll(/<table[\s\S]*?<\/table>/g)) {
      expect(table).toMatch(/<th scope="col">/);
      expect(table).toMatch(/<th scope="row">/);
    }
    expect([...page.matchAll(/<svg[^>]*role="img"[^>]*aria-label="[^"]+"/g)]).toHaveLength(2);
    expect([...page.matchAll(/<img(?![^>]*\salt=)/g)]).toEqual([]);
    // What scrolls can be reached and has a name.
    for (const [region] of page.matchAll(/<div class="scroll"[^>]*>/g))
      expect(region).toMatch(/role="region" tabindex="0" aria-label(ledby)?="[^"]+"/);
    const headings = [...page.matchAll(/<h(\d)/g)].map(([, level]) => level);
    expect(headings[0]).toBe('1');
    expect(headings.slice(1).every((level) => level === '2')).toBe(true);
    for (const [, id] of page.matchAll(/aria-labelledby="([^"]+)"/g)) expect(page).toContain(`id="${id}"`);
  });

  it('draws lines at the heights of their values, with gaps where there are none', () => {
    const lines = [...page.matchAll(/<polyline points="([^"]*)"/g)].map(([, points = '']) =>
      points.split(' ').map((point) => point.split(',').map(Number)),
    );
    expect(lines.map((line) => line.length)).toEqual([3, 2, 3]);
    const [[first = [], second = [], third = []] = []] = lines;
    // 1, 0.5 and 0.25: the second step is half of the first.
    expect(((third[1] ?? 0) - (second[1] ?? 0)) / ((second[1] ?? 0) - (first[1] ?? 0))).toBeCloseTo(0.5, 1);
    expect(page).toContain('Loss: training from 1 to 0.25; validation from 0.8 to 0.7');
  });

  it('lists the weakest class and the most frequent confusion first', () => {
    const rows = [...page.matchAll(/<th scope="row">([^<]*)<\/th>/g)].map(([, name]) => name);
    expect(rows.indexOf('cat')).toBeGreaterThan(rows.findIndex((name) => name?.startsWith('&lt;script')));
    expect(page.indexOf('4 of 4')).toBeLessThan(page.indexOf('1 of 4'));
    expect(page).toContain('(100.0 %)');
  });

  it('has no matrix of many classes, but their confusions', () => {
    const labels = Array.from({ length: 200 }, (_, index) => `class ${index}`);
    const many = reportPage({
      ...report,
      classes: labels.map((label) => ({ label, images: 2, precision: 0.5, recall: 0.5 })),
      confusion: labels.map((_, own) =>
        labels.map((__, given) => Number(given === own || given === (own + 1) % 200)),
      ),
    });
    expect(many).not.toContain('class="matrix"');
    expect(many).toContain('And 185 more pairs.');
    expect(many.length).toBeLessThan(200_000);
  });

  it('leaves out what is not there', () => {
    const bare = reportPage({
      ...report,
      charts: [],
      classes: [],
      confusion: [],
      mistakes: [],
      warnings: [],
    });
    expect([...bare.matchAll(/<h2[^>]*>([^<]*)/g)].map(([, text]) => text)).toEqual(['Settings']);
  });
});
