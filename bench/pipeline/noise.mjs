/** Standard deviation of the noise, in levels of 255: files of about 2.6 MB on average. */
const strength = 5;
const steps = 2 ** 20;

let normal;

/** About normally distributed values, the same ones everywhere. */
function values() {
  if (normal !== undefined) return normal;
  normal = new Float32Array(steps);
  let state = 1;
  for (let index = 0; index < steps; index++) {
    let sum = 0;
    for (let part = 0; part < 4; part++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      sum += state / 2 ** 32 - 0.5;
    }
    normal[index] = sum * Math.sqrt(3) * strength;
  }
  return normal;
}

/**
 * Adds the same noise to the three channels of each pixel, as a sensor does after its colours are smoothed.
 *
 * @param {Uint8Array} pixels RGB
 * @param {number} seed a whole number: images with different seeds get different noise
 * @returns {Uint8ClampedArray}
 */
export function noisy(pixels, seed) {
  const noise = values();
  const result = new Uint8ClampedArray(pixels.length);
  // A stride that is odd visits every value once before it repeats.
  let at = (seed * 40_503) % steps;
  const stride = 2 * seed + 1;
  for (let index = 0; index < pixels.length; index += 3) {
    const added = noise[at];
    result[index] = pixels[index] + added;
    result[index + 1] = pixels[index + 1] + added;
    result[index + 2] = pixels[index + 2] + added;
    at = (at + stride) % steps;
  }
  return result;
}
