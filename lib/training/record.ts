/** What the file of a trained model says of its training: a few words and numbers, under names of its own. */
export type TrainingRecord = Readonly<Record<string, string | number>>;

/** The most entries of a record, and characters of one, that are read. */
const mostEntries = 64;
const longestEntry = 1000;

/** The words and numbers of a description that anybody may have written; the rest of it is left out. */
export function readRecord(given: Readonly<Record<string, unknown>>): TrainingRecord {
  const entries = Object.entries(given).slice(0, mostEntries);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string | number] => {
      const [name, value] = entry;
      if (name.length > longestEntry) return false;
      return typeof value === 'string' ? value.length <= longestEntry : Number.isFinite(value);
    }),
  );
}

/** A record without what is not known, numbers of six digits. */
export function recordOf(given: Readonly<Record<string, string | number | undefined>>): TrainingRecord {
  const entries = Object.entries(given).flatMap(([name, value]) => {
    if (value === undefined || (typeof value === 'number' && !Number.isFinite(value))) return [];
    return [
      [
        name,
        typeof value === 'number' ? Number(value.toPrecision(6)) : value.slice(0, longestEntry),
      ] as const,
    ];
  });
  return Object.fromEntries(entries);
}
