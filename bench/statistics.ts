/** The middle value; the lower of the two for an even count. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The smallest value that so large a share of all does not exceed; of fewer than a hundred, 0.99 is the largest. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** How often theirs goes into ours, by the medians. */
export function ratio(ours: readonly number[], theirs: readonly number[]): number {
  return Math.round((median(ours) / median(theirs)) * 100) / 100;
}
