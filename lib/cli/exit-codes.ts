/** The exit codes of the command line; also listed in `docs/cli.md` and in the help of each command. */
export const ExitCode = {
  /** Success. */
  ok: 0,
  /** Some images could not be classified; the others were. */
  someFailed: 1,
  /** Wrong usage, or nothing to do. */
  usage: 2,
  /** The model or the package cannot be used. */
  unusable: 3,
  /** The results could not be written. */
  unwritable: 4,
} as const;

/** The last part of the help of a command. @param meanings - of the codes that the command ends with */
export function exitCodesInWords(meanings: Readonly<Record<number, string>>): string {
  return ['', 'Exit codes:', ...Object.entries(meanings).map(([code, words]) => `  ${code}  ${words}`)].join(
    '\n',
  );
}

/** The same for commands that read a model and print results. */
export const exitCodeHelp = exitCodesInWords({
  0: 'success',
  1: 'some images could not be classified; the others were',
  2: 'wrong usage, or nothing to do',
  3: 'the model or the package cannot be used',
  4: 'the results cannot be written to standard output',
});
