/** Numbers in a row: the few things that are done with them everywhere. */

/** `size` numbers, each from its index. */
export const table = (size: number, value: (index: number) => number): Float64Array =>
  new Float64Array(size).map((_, index) => value(index));

/** The sum of what `value` makes of 0 to `size` − 1. */
export function sum(size: number, value: (index: number) => number): number {
  let total = 0;
  for (let k = 0; k < size; k++) total += value(k);
  return total;
}

/** `value`, kept within two bounds. */
export const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));
