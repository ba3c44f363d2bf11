/** The metrics in a text of Prometheus' exposition format. */
export interface Exposition {
  /** Types, by the name of the metric. */
  readonly types: ReadonlyMap<string, string>;
  readonly help: ReadonlyMap<string, string>;
  /** Values, by the name and the labels as they are written. */
  readonly values: ReadonlyMap<string, number>;
}

const label = /[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"/;
const sample = new RegExp(`^([a-zA-Z_:][\\w:]*)(\\{${label.source}(?:,${label.source})*\\})? (\\S+)$`);
const comment = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/;

/** Reads each line, and throws if one is not of the format, or comes twice. */
export function parseExposition(text: string): Exposition {
  const types = new Map<string, string>();
  const help = new Map<string, string>();
  const values = new Map<string, number>();
  let family = '';
  const put = <T>(map: Map<string, T>, key: string, value: T): void => {
    if (map.has(key)) throw new Error(`twice: ${key}`);
    map.set(key, value);
  };
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, kind, described, words] = comment.exec(line) ?? [];
    if (kind !== undefined) {
      family = described ?? '';
      put(kind === 'TYPE' ? types : help, family, words ?? '');
      continue;
    }
    const [, name = '', labels = '', number = ''] = sample.exec(line) ?? [];
    const suffixes = types.get(family) === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    if (!suffixes.some((suffix) => name === `${family}${suffix}`)) throw new Error(`no sample: ${line}`);
    if (number === '' || !Number.isFinite(Number(number))) throw new Error(`no number: ${line}`);
    put(values, `${name}${labels}`, Number(number));
  }
  return { types, help, values };
}
