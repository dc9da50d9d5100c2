/** Integrated loudness (ITU-R BS.1770-4), as `clean` measures it, so that the gain is the one it will apply. */

import { sum } from "./table.js";

const HOP = 4800;
const ABSOLUTE = -70;
const RELATIVE = -10;
/** Shelf, then high-pass, at 48 kHz: b0 b1 b2 a1 a2 (BS.1770-4, tables 1 and 2). */
const K = [
  [1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585],
  [1, -2, 1, -1.99004745483398, 0.99007225036621],
];
const BINS = 100; // of a LU: ten hours weigh as much as ten seconds

export class Loudness {
  private readonly state = new Float64Array(4);
  private readonly recent = new Float64Array(4);
  private readonly count = new Float64Array(100 * BINS + 1);
  private readonly energy = new Float64Array(100 * BINS + 1);
  private hops = 0;
  private samples = 0;
  private sum = 0;

  /** More samples at 48 kHz. */
  add(x: Float32Array): void {
    const s = this.state;
    const [[b0, b1, b2, a1, a2], [, , , c1, c2]] = K;
    for (let k = 0; k < x.length; k++) {
      const shelf = b0 * x[k] + s[0];
      s[0] = b1 * x[k] - a1 * shelf + s[1];
      s[1] = b2 * x[k] - a2 * shelf;
      const y = shelf + s[2];
      s[2] = -2 * shelf - c1 * y + s[3];
      s[3] = shelf - c2 * y;
      this.sum += y * y;
      if (++this.samples === HOP) this.hop();
    }
  }

  /** In LUFS; −∞ where everything lies under −70, or is shorter than 0.4 s. */
  integrated(): number {
    const mean = this.above(0);
    return this.above(Math.max(0, Math.ceil((mean + RELATIVE - ABSOLUTE) * BINS)));
  }

  private hop(): void {
    this.recent[this.hops++ % 4] = this.sum / HOP;
    this.sum = this.samples = 0;
    if (this.hops < 4) return;
    const power = Math.max(sum(4, (k) => this.recent[k]) / 4, 1e-12);
    const at = Math.floor((lufs(power) - ABSOLUTE) * BINS);
    if (at < 0 || at > 100 * BINS) return;
    this.count[at]++;
    this.energy[at] += power;
  }

  private above(from: number): number {
    const total = (of: Float64Array) => sum(of.length - from, (k) => of[from + k]);
    return lufs(total(this.energy) / total(this.count) || 0);
  }
}

const lufs = (power: number): number => -0.691 + 10 * Math.log10(power);
