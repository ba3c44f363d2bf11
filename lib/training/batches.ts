/** The numbers of the samples of each step of an epoch, in the order of the epoch. */
export function batchesOf(order: readonly number[], batchSize: number): readonly (readonly number[])[] {
  return Array.from({ length: stepsOf(order.length, batchSize) }, (_, step) => {
    const isLast = step === stepsOf(order.length, batchSize) - 1;
    return order.slice(step * batchSize, isLast ? undefined : (step + 1) * batchSize);
  });
}

/**
 * The steps of an epoch. A last sample that is alone joins the batch before it: a batch normalisation cannot learn from one value.
 *
 * @param count - of the samples, at least 2
 */
export function stepsOf(count: number, batchSize: number): number {
  const whole = Math.floor(count / batchSize);
  return count % batchSize > 1 ? whole + 1 : Math.max(whole, 1);
}
