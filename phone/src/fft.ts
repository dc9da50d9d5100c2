/** Fourier transforms of real signals, in double precision and without a single allocation once they are set up. */

import { sum, table } from "./table.js";

export class Fft {
  /** The spectrum: bins 0 to size / 2, written by `forward`, read by `inverse`. */
  readonly re: Float64Array;
  readonly im: Float64Array;
  private readonly half: number;
  private readonly cos: Float64Array;
  private readonly sin: Float64Array;
  private readonly swap: Uint16Array;
  private readonly a: Float64Array;
  private readonly b: Float64Array;

  /** `size` is a power of two, 4 or more. */
  constructor(readonly size: number) {
    const half = (this.half = size / 2);
    this.re = new Float64Array(half + 1);
    this.im = new Float64Array(half + 1);
    this.a = new Float64Array(half);
    this.b = new Float64Array(half);
    this.cos = table(half, (k) => Math.cos((2 * Math.PI * k) / size));
    this.sin = table(half, (k) => Math.sin((2 * Math.PI * k) / size));
    this.swap = new Uint16Array(half);
    for (let k = 1; k < half; k++) this.swap[k] = (this.swap[k >> 1] >> 1) | (k & 1 ? half >> 1 : 0);
  }

  /** Spectrum of x[from], x[from + step], …: `size` samples, of which those past `used` count as zeros. */
  forward(x: ArrayLike<number>, from: number, step = 1, used = this.size): void {
    const { half, a, b, re, im, cos, sin, swap } = this;
    for (let k = 0; k < half; k++) {
      const at = swap[k];
      a[at] = 2 * k < used ? x[from + 2 * k * step] : 0;
      b[at] = 2 * k + 1 < used ? x[from + (2 * k + 1) * step] : 0;
    }
    this.turn(a, b);
    // Even samples went in as real parts and odd ones as imaginary: take their spectra apart and join them.
    for (let k = 0; k <= half; k++) {
      const p = k & (half - 1);
      const q = (half - k) & (half - 1);
      const c = k < half ? cos[k] : -1;
      const s = k < half ? sin[k] : 0;
      const oddRe = (b[p] + b[q]) / 2;
      const oddIm = (a[q] - a[p]) / 2;
      re[k] = (a[p] + a[q]) / 2 + c * oddRe + s * oddIm;
      im[k] = (b[p] - b[q]) / 2 + c * oddIm - s * oddRe;
    }
  }

  /** The signal of the spectrum in `re` and `im`: its samples from `skip` on, `count` of them, into out[at]. */
  inverse(out: Float64Array, at: number, skip: number, count: number): void {
    const { half, a, b, re, im, cos, sin, swap } = this;
    for (let k = 0; k < half; k++) {
      const q = half - k;
      const evenRe = re[k] + re[q];
      const evenIm = im[k] - im[q];
      const r = re[k] - re[q];
      const i = im[k] + im[q];
      const to = swap[k];
      // Real and imaginary part change places: a forward transform of that is the inverse one.
      b[to] = evenRe - (sin[k] * r + cos[k] * i);
      a[to] = evenIm + (cos[k] * r - sin[k] * i);
    }
    this.turn(a, b);
    for (let k = 0; k < count; k++) {
      const from = skip + k;
      out[at + k] = (from & 1 ? a[from >> 1] : b[from >> 1]) / this.size;
    }
  }

  /** Complex transform in place of what was put in bit-reversed order (Cooley & Tukey, radix 2). */
  private turn(a: Float64Array, b: Float64Array): void {
    const { half, size, cos, sin } = this;
    for (let span = 1; span < half; span *= 2) {
      const stride = size / (2 * span);
      for (let k = 0; k < span; k++) {
        const c = cos[k * stride];
        const s = sin[k * stride];
        for (let i = k; i < half; i += 2 * span) {
          const j = i + span;
          const r = a[j] * c + b[j] * s;
          const m = b[j] * c - a[j] * s;
          a[j] = a[i] - r;
          b[j] = b[i] - m;
          a[i] += r;
          b[i] += m;
        }
      }
    }
  }
}

/** Periodic Hann window. */
export const hann = (size: number): Float64Array =>
  table(size, (k) => 0.5 - 0.5 * Math.cos((2 * Math.PI * k) / size));

/** What makes |spectrum|² of a windowed frame a power whose bins add up to the mean square of white noise. */
export const powerScale = (size: number, window: Float64Array): number =>
  2 / (size * sum(window.length, (k) => window[k] ** 2));
