// What must hold over a soak.

const mb = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;

/** @returns a check: its name, and the sentence that says what is wrong, if something is */
const check = (name, isSo, otherwise) => ({ name, problem: isSo ? undefined : otherwise });

function growth(samples, name, title, most) {
  const values = samples.map((sample) => sample[name]);
  if (values.includes(undefined)) return { name: title, skipped: 'this C library does not tell' };
  // From the second block on: until then, caches fill and allocators take what they need.
  const grown = values.at(-1) - values[1];
  return check(
    `${title} grows by less than ${mb(most)}: ${mb(grown)}`,
    grown < most,
    `it grows by ${mb(grown)}: ${values.map(mb).join(', ')}`,
  );
}

/** Names with their numbers, for people. */
function inWords(names) {
  const counts = new Map();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${count} ${name}`).join(', ');
}

function equal(samples, name) {
  const [first, ...others] = samples.map((sample) => inWords(sample[name]));
  const other = others.find((value) => value !== first);
  return check(
    `${samples[0][name].length} ${name}, always the same`,
    other === undefined,
    `${first}; then ${other}`,
  );
}

/**
 * By what share the processor's time for an image changes: in milliseconds, or in units of the control workload, whichever changes
 * less. Images that take longer change both; another speed of the machine changes the first alone, and a disturbed control the second.
 */
function changeOfSpeed(first, last) {
  const [absolute, relative] = ['milliseconds', 'relative'].map((unit) => last[unit] / first[unit] - 1);
  if (Math.sign(absolute) !== Math.sign(relative)) return 0;
  return Math.abs(absolute) < Math.abs(relative) ? absolute : relative;
}

/**
 * @param samples - of the blocks
 * @param limits - bytes of growth from the second block on, and the share by which the speed may change
 * @returns {{ name: string, problem?: string | undefined, skipped?: string }[]} the checks, with what is wrong, if something is
 */
export function judge(samples, { blocks, live, resident, speed }) {
  const { faults } = samples.at(-1);
  const change = changeOfSpeed(samples[0].speed, samples.at(-1).speed);
  return [
    check('every promise settles once, as it should', faults.length === 0, faults.join('\n')),
    check(`all ${blocks} blocks are run`, samples.length === blocks, `only ${samples.length}`),
    growth(samples, 'malloc', 'malloc in use', live),
    growth(samples, 'heap', "V8's heap after a collection", live),
    growth(samples, 'external', 'external memory', live),
    growth(samples, 'rss', 'resident memory', resident),
    equal(samples, 'threads'),
    equal(samples, 'descriptors'),
    check(
      `the processor's time for an image changes by less than ${(100 * speed).toFixed(0)} %: ${(100 * change).toFixed(1)} %`,
      Math.abs(change) < speed,
      samples
        .map(
          ({ speed: { milliseconds, relative } }) => `${milliseconds.toFixed(2)} ms (${relative.toFixed(5)})`,
        )
        .join(', '),
    ),
  ];
}
