/**
 * One row of numbers per segment: the server's columns by the server's names.
 *
 * Only columns that do not change with the gain, need nothing above 8 kHz, no pitch and no voice detector: those that
 * a model for phones may ask for.
 */
import { CEPSTRA, FLOOR, FRAME, LEVEL, LOGMEL, LOGMELS, MFCC, ROW, SECOND, SECONDS, SHAPES, SPREAD } from "./frames.js";
import { sum } from "./table.js";

/** The version of the definitions that these columns follow: `FEATURE_VERSION` of the server. */
export const VERSION = "segments-2";

const ACTIVE_DB = 40; // frames further below the loudest one say nothing about the voice
const REACH = 4; // a slope is the regression over so many frames on both sides
const DELTAS = 13;
const SPECTRAL = ["zero_crossings", "centroid_hz", "flatness", "rolloff85_hz", "flux", "slope_db_per_octave"];

const two = (index: number): string => String(index).padStart(2, "0");
const each = (count: number, name: string, kind: string): string[] =>
  Array.from({ length: count }, (_, index) => `${name}_${two(index)}_${kind}`);

/** Names of the columns, in the order of `Summary.values`. */
export const NAMES: readonly string[] = [
  "dynamic_range_db",
  ...SPECTRAL.map((name) => `${name}_mean`),
  ...SPECTRAL.map((name) => `${name}_std`),
  ...SECOND,
  ...each(MFCC, "mfcc", "mean"), ...each(MFCC, "mfcc", "std"),
  "active_share", "level_skew", "level_delta_std_db", "spread_hz_mean", "spread_hz_std",
  ...each(LOGMEL, "logmel", "mean"), ...each(LOGMEL, "logmel", "std"), ...each(LOGMEL, "logmel", "p10"),
  ...each(DELTAS, "mfcc", "delta_std"),
];

/** Sums up the packets of segments of at most `most` packets. */
export class Summary {
  readonly values = new Float64Array(NAMES.length);
  private at = 0;
  private rows: Float64Array = new Float64Array(0);
  private first = 0;
  private stop = 0;
  private count = 0; // values in `column`
  private readonly column: Float64Array;
  private readonly sorted: Float64Array;
  private readonly loud: Uint8Array;

  constructor(most: number) {
    this.column = new Float64Array(6 * most);
    this.sorted = new Float64Array(6 * most);
    this.loud = new Uint8Array(6 * most);
  }

  /** The features of packets `first` to `stop` (exclusive) of `rows`; good until the next call. */
  of(rows: Float64Array, first: number, stop: number): Float64Array {
    this.rows = rows;
    this.first = first;
    this.stop = stop;
    this.at = 0;
    const level = this.levels();
    this.frames(SHAPES, SPECTRAL.length);
    for (let k = 0; k < SECOND.length; k++) this.put(this.load(SECONDS + k, 1).mean());
    this.frames(CEPSTRA, MFCC);
    this.swings();
    this.frames(SPREAD, 1);
    this.bands(level);
    for (let k = 0; k < DELTAS; k++) this.put(this.frame(CEPSTRA + k).slope().active().deviation());
    return this.values;
  }

  private put(value: number): void {
    this.values[this.at++] = value;
  }

  private levels(): number {
    this.frame(LEVEL);
    let top = -Infinity;
    let power = 0;
    for (let k = 0; k < this.count; k++) {
      top = Math.max(top, this.column[k]);
      power += 10 ** (this.column[k] / 10);
    }
    for (let k = 0; k < this.count; k++) this.loud[k] = Number(this.column[k] > top - ACTIVE_DB);
    this.sort();
    this.put(this.percentile(95) - this.percentile(5));
    return 10 * Math.log10(power / this.count + FLOOR);
  }

  /** Mean, then deviation, of neighbouring columns over the active frames. */
  private frames(column: number, count: number): void {
    for (let k = 0; k < count; k++) this.put(this.frame(column + k).active().mean());
    for (let k = 0; k < count; k++) this.put(this.frame(column + k).active().deviation());
  }

  /** How much of the time something is heard, how lopsided the levels are, how fast they change. */
  private swings(): void {
    const mean = this.frame(LEVEL).mean();
    const wide = this.deviation();
    this.put(sum(this.count, (k) => this.loud[k]) / this.count);
    this.put(wide > 1e-3 ? sum(this.count, (k) => (this.column[k] - mean) ** 3) / this.count / wide ** 3 : 0);
    this.put(this.slope().active().deviation());
  }

  private bands(level: number): void {
    for (let k = 0; k < LOGMEL; k++) this.put(this.frame(LOGMELS + k).active().mean() - level);
    for (let k = 0; k < LOGMEL; k++) this.put(this.frame(LOGMELS + k).active().deviation());
    for (let k = 0; k < LOGMEL; k++) this.put(this.frame(LOGMELS + k).sort().percentile(10) - level);
  }

  // --- a column of numbers, and what is asked of it --------------------------------------------------------------

  private load(offset: number, each: number): this {
    this.count = 0;
    for (let p = this.first; p < this.stop; p++) {
      for (let k = 0; k < each; k++) this.column[this.count++] = this.rows[p * ROW + offset + k * FRAME];
    }
    return this;
  }

  private frame(column: number): this {
    return this.load(column, 6);
  }

  private active(): this {
    let kept = 0;
    for (let k = 0; k < this.count; k++) if (this.loud[k]) this.column[kept++] = this.column[k];
    this.count = kept;
    return this;
  }

  /** Change per frame: the regression over ±REACH frames, edges repeated. */
  private slope(): this {
    const { column, sorted, count } = this;
    sorted.set(column.subarray(0, count));
    for (let n = 0; n < count; n++) {
      const change = (k: number) => k * (sorted[Math.min(n + k, count - 1)] - sorted[Math.max(n - k, 0)]);
      column[n] = sum(REACH + 1, change) / 60;
    }
    return this;
  }

  private mean(): number {
    return sum(this.count, (k) => this.column[k]) / this.count;
  }

  private deviation(): number {
    const mean = this.mean();
    return Math.sqrt(sum(this.count, (k) => (this.column[k] - mean) ** 2) / this.count);
  }

  private sort(): this {
    this.sorted.set(this.column.subarray(0, this.count));
    this.sorted.subarray(0, this.count).sort();
    return this;
  }

  private percentile(percent: number): number {
    const place = ((this.count - 1) * percent) / 100;
    const low = Math.floor(place);
    const high = Math.min(low + 1, this.count - 1);
    return this.sorted[low] + (place - low) * (this.sorted[high] - this.sorted[low]);
  }
}
