import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const page = fileURLToPath(new URL('../../docs/deploying.md', import.meta.url));

/** The blocks of code of a section of docs/deploying.md: of each its language, its text, and the file that its first line names. */
export function blocksOf(section) {
  const text = readFileSync(page, 'utf8');
  const [, content] = new RegExp(`^## ${section}$(.*?)(?=^## |$(?![^]))`, 'ms').exec(text) ?? [];
  if (content === undefined) throw new Error(`docs/deploying.md has no section ${section}`);
  return [...content.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => ({
    language,
    code,
    file: /^(?:\/\/|#) (\S+)\n/.exec(code)?.[1],
  }));
}

/** The files of a section. @returns an object of texts by paths */
export function filesOf(section) {
  const named = blocksOf(section).filter(({ file }) => file !== undefined);
  return Object.fromEntries(named.map(({ file, code }) => [file, code]));
}

/** The lines for the shell of a section. */
export function commandsOf(section) {
  return blocksOf(section)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ code }) => code.trim().split('\n'));
}
