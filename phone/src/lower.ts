/**
 * 48 kHz to 16 kHz, low-passed as the server does it: flat to 7/8 of the band, then a raised cosine to nothing.
 *
 * The server transforms 12 s at once; here windows of 128 ms overlap by 32 ms. The filter's ringing has fallen to
 * 10⁻⁶ of its peak by the 16 ms that are thrown away on both sides, so the samples agree to that.
 */
import { Fft } from "./fft.js";
import { table } from "./table.js";

const SIZE = 2048; // samples of a window at 16 kHz
const TOP = SIZE / 2;
const GUARD = SIZE / 8; // 16 ms on both sides
/** Samples at 48 kHz that one window needs before and after the 96 ms that it gives. */
export const REACH = 3 * GUARD;
/** Samples at 48 kHz by which windows advance. */
export const ADVANCE = 3 * (SIZE - 2 * GUARD);

export class Lower {
  private readonly parts = [0, 1, 2].map(() => new Fft(SIZE));
  private readonly cos = table(SIZE + 1, (k) => Math.cos((2 * Math.PI * k) / (3 * SIZE)));
  private readonly sin = table(SIZE + 1, (k) => Math.sin((2 * Math.PI * k) / (3 * SIZE)));
  private readonly keep = table(
    TOP + 1,
    (k) => (0.5 + 0.5 * Math.cos(Math.PI * Math.max(0, (8 * k) / TOP - 7))) / 3,
  );

  /** Lowers x[at − REACH … at + ADVANCE + REACH) into the ADVANCE / 3 samples from out[to] on. */
  window(x: Float64Array, at: number, out: Float64Array, to: number): void {
    const { cos, sin, keep, parts } = this;
    const [a, b, c] = parts;
    parts.forEach((part, r) => part.forward(x, at - REACH + r, 3));
    // The lower third of a transform of 6144 samples, out of three of 2048.
    for (let k = 0; k <= TOP; k++) {
      const re = a.re[k] + b.re[k] * cos[k] + b.im[k] * sin[k] + c.re[k] * cos[2 * k] + c.im[k] * sin[2 * k];
      const im = a.im[k] + b.im[k] * cos[k] - b.re[k] * sin[k] + c.im[k] * cos[2 * k] - c.re[k] * sin[2 * k];
      a.re[k] = re * keep[k];
      a.im[k] = im * keep[k];
    }
    a.inverse(out, to, GUARD, SIZE - 2 * GUARD);
  }
}
