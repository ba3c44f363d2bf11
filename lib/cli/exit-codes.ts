/** The exit codes of the command line; `docs/cli.md` and the help of each command list them too. */
export const ExitCode = {
  /** Everything succeeded. */
  ok: 0,
  /** Some of the images could not be classified; the others were. */
  someFailed: 1,
  /** The command was used wrongly, or there was nothing to do. */
  usage: 2,
  /** The model or the package itself cannot be used. */
  unusable: 3,
} as const;

/** For the end of a command's help. */
export const exitCodeHelp = `
Exit codes:
  0  all went well
  1  some images could not be classified; the others were
  2  called wrongly, or nothing to do
  3  the model or the package cannot be used`;
