/** The q-quantile of the values, interpolated between neighbours. */
export function quantile(values, q) {
  const sorted = Float64Array.from(values).sort();
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.ceil(position);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
}

export function median(values) {
  return quantile(values, 0.5);
}

export function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Median, 10th and 90th percentile. */
export function spread(values) {
  return { median: median(values), p10: quantile(values, 0.1), p90: quantile(values, 0.9) };
}
