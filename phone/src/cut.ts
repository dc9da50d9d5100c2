/**
 * Where to cut: the phone's own rule, simple and fixed. The server hears voices and cuts better; it decides again.
 *
 * A segment ends 4 to 15 s after it began, where it is quietest, near 8 s rather than far: of all ends, the one with
 * the least loudness beside it (0 to 1 between the softest and the loudest in reach) and the least odd length. Where no
 * more than 15 s are left, the end of the recording is one of them, and is as good as a silence.
 */

export const SHORTEST = 67; // packets of 60 ms: 4 s, 8 s, 15 s
export const LONGEST = 250;
const USUAL = 133;
const ODD_LENGTH = 0.15; // what 4 or 15 s cost, as on the server
const LEAST_RANGE_DB = 6; // a steady sound has no pauses worth looking for

/** Packets of the next segment, or 0 when more have to be known first. `levels` in dB of the packets from its start. */
export function cut(levels: Float64Array, count: number, last: boolean): number {
  if (!last && count < LONGEST + SHORTEST) return 0;
  if (count < 2 * SHORTEST) return count;
  const most = Math.min(LONGEST, count - SHORTEST);
  let low = Infinity;
  let high = -Infinity;
  for (let end = SHORTEST; end <= most; end++) {
    const beside = Math.max(levels[end - 1], levels[end]);
    low = Math.min(low, beside);
    high = Math.max(high, beside);
  }
  let best = count <= LONGEST ? count : 0;
  let least = best ? odd(count) : Infinity;
  for (let end = SHORTEST; end <= most; end++) {
    const loud = (Math.max(levels[end - 1], levels[end]) - low) / Math.max(high - low, LEAST_RANGE_DB);
    if (loud + odd(end) < least) {
      least = loud + odd(end);
      best = end;
    }
  }
  return best;
}

const odd = (size: number): number =>
  ODD_LENGTH * ((size - USUAL) / (size < USUAL ? USUAL - SHORTEST : LONGEST - USUAL)) ** 2;
