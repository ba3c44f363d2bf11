import { quantile } from '../statistics.mjs';

/**
 * The least similarity at the lower tenth of the small photos. Swapped colours, a missing crop, a wrong aspect ratio or a missing
 * normalisation give at most 0.7; another rounding of the crop gives 0.97.
 */
const leastSimilarity = 0.9;

/**
 * How well the classes of contenders agree with the first one's.
 *
 * @param {number[][][]} all of each contender: logarithms of the scores of all classes, for each photo
 * @returns {{ sameClass: number, photos: number, similarity: { median: number, p10: number } }[]} the similarity of two
 * contenders on a photo is the cosine of the angle between their scores, of each of which the mean over the photos is taken off
 */
export function agreementOf(all) {
  const [expected] = all;
  const mean = expected[0].map((_, index) => average(expected.map((row) => centred(row)[index])));
  const deviations = all.map((rows) =>
    rows.map((row) => centred(row).map((value, index) => value - mean[index])),
  );
  return deviations.map((rows) => {
    const cosines = rows.map((row, photo) => cosine(row, deviations[0][photo]));
    const same = rows.filter((row, photo) => largest(row) === largest(deviations[0][photo]));
    return {
      sameClass: same.length,
      photos: rows.length,
      similarity: { median: quantile(cosines, 0.5), p10: quantile(cosines, 0.1) },
    };
  });
}

/** @throws {Error} if a contender does something else than ours with the photos */
export function checkAgreement(title, { similarity }) {
  // Written so that NaN fails too.
  if (similarity.p10 >= leastSimilarity) return;
  throw new Error(
    `${title} does not classify the photos as ghostnet does: at a tenth of them the similarity of the scores is at most ` +
      `${similarity.p10.toFixed(3)}, less than ${leastSimilarity}`,
  );
}

/** Without the constant that the softmax adds to all classes. */
function centred(row) {
  const mean = average(row);
  return row.map((value) => value - mean);
}

function average(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function cosine(one, other) {
  const dot = (a, b) => a.reduce((sum, value, index) => sum + value * b[index], 0);
  return dot(one, other) / Math.sqrt(dot(one, one) * dot(other, other));
}

function largest(row) {
  return row.indexOf(Math.max(...row));
}
