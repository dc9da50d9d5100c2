/**
 * What is measured on each block of 12 s: frames of 10 ms, and what each second is like.
 *
 * The same grids, windows and definitions as the server's, down to what happens at the edges of a block. Everything a
 * packet of 60 ms has goes into one row of numbers. Pitch, and spectra above 8 kHz, are left to the server: the model
 * for phones does without.
 */
import { Fft, hann, powerScale } from "./fft.js";
import { ADVANCE, Lower, REACH } from "./lower.js";
import { sum, table } from "./table.js";

export const RATE = 48000;
export const PACKET = 2880;
export const PACKETS = 200;
export const BLOCK = PACKETS * PACKET;
/** Samples that a block needs of its neighbours. */
export const PAD = ADVANCE + REACH;
export const FLOOR = 1e-10;

export const MFCC = 20;
export const LOGMEL = 24;
const MELS = 40;
const FFT = 512;
const WINDOW = 400;
const HOP = 160;
const HERTZ = 16000 / FFT;
/** Columns of a frame. */
export const LEVEL = 0;
export const SHAPES = 1; // zero crossings, centroid, flatness, roll-off, flux, slope
export const CEPSTRA = 7;
export const SPREAD = CEPSTRA + MFCC;
export const LOGMELS = SPREAD + 1;
export const FRAME = LOGMELS + LOGMEL;
/** A packet's row: its 6 frames, then what its second is like. */
export const SECONDS = 6 * FRAME;
export const SECOND = ["modulation_4hz", "steadiness", "flux_variance", "low_energy_share", "modulation_2hz", "modulation_8hz", "modulation_16hz"];
export const ROW = SECONDS + SECOND.length;
const MODULATIONS = [[0, 3, 6], [4, 1, 2], [5, 7, 11], [6, 12, 22]]; // column, first and last whole Hz

const log10 = Math.log10;

export class Frames {
  private readonly lower = new Lower();
  private readonly narrow = new Fft(FFT);
  private readonly high = new Float64Array((BLOCK + 2 * ADVANCE) / 3);
  private readonly frame = new Float64Array(WINDOW);
  private readonly window = hann(WINDOW);
  private readonly scale = powerScale(FFT, this.window);
  private readonly power = new Float64Array(FFT / 2 + 1);
  private readonly roots = Array.from({ length: 6 }, () => new Float64Array(FFT / 2 + 1));
  private readonly mels = triangles(MELS);
  private readonly bands = triangles(LOGMEL);
  private readonly energies = new Float64Array(100 * MELS);
  private readonly logs = new Float64Array(MELS);
  private readonly alike = new Float64Array(6 * PACKETS);
  private readonly dct = cosines();
  private readonly slope = slopeWeights();
  private readonly waves = table(100, (k) => Math.cos((2 * Math.PI * k) / 100));

  /** Measures x[PAD … PAD + BLOCK) with its neighbours; rows of PACKETS packets into `rows`, from packet `to` on. */
  block(x: Float64Array, rows: Float64Array, to: number): void {
    for (let k = 0; k <= BLOCK / ADVANCE + 1; k++) {
      this.lower.window(x, REACH + k * ADVANCE, this.high, (k * ADVANCE) / 3);
    }
    for (let n = 0; n < 6 * PACKETS; n++) {
      const at = (to + Math.floor(n / 6)) * ROW + (n % 6) * FRAME;
      this.level(x, PAD + n * 480, rows, at);
      this.spectrum(n, rows, at);
      if (n === 1) rows[to * ROW + SHAPES + 4] = rows[at + SHAPES + 4]; // the first has none before it
      if (n % 100 === 99) this.keepMels(Math.floor(n / 100), rows, to);
    }
    this.likeness(rows, to);
  }

  private level(x: Float64Array, from: number, rows: Float64Array, at: number): void {
    rows[at + LEVEL] = 10 * log10(sum(480, (k) => x[from + k] ** 2) / 480 + FLOOR);
  }

  private spectrum(n: number, rows: Float64Array, at: number): void {
    const { high, frame, narrow, power, window } = this;
    const from = ADVANCE / 3 + n * HOP;
    let crossings = 0;
    for (let k = from; k < from + HOP; k++) if (high[k] < 0 !== high[k + 1] < 0) crossings++;
    rows[at + SHAPES] = crossings / HOP;
    for (let k = 0; k < WINDOW; k++) frame[k] = high[from - 120 + k] * window[k]; // centred on its 10 ms
    narrow.forward(frame, 0, 1, WINDOW);
    for (let k = 0; k <= FFT / 2; k++) power[k] = (narrow.re[k] ** 2 + narrow.im[k] ** 2) * this.scale;
    this.shapes(n, rows, at);
    this.cepstra(n % 100, rows, at);
  }

  /** Centroid, flatness, roll-off, flux, slope and spread; and how like the spectrum is to the one 50 ms before. */
  private shapes(n: number, rows: Float64Array, at: number): void {
    const { power, slope } = this;
    const roots = this.roots[n % 6];
    let total = 0;
    let first = 0;
    let second = 0;
    let logs = 0;
    let tilt = 0;
    for (let k = 1; k <= FFT / 2; k++) {
      const p = power[k] + FLOOR / FFT; // the floor makes silence flat instead of undefined
      const log = Math.log(p);
      const hertz = k * HERTZ;
      total += p;
      first += p * hertz;
      second += p * hertz * hertz;
      logs += log;
      tilt += log * slope[k];
      roots[k] = Math.sqrt(p);
    }
    const length = Math.sqrt(total);
    let below = 0;
    let lower = 0;
    for (let k = 1; k <= FFT / 2; k++) {
      lower += roots[k] ** 2;
      if (lower < 0.85 * total) below = k;
      roots[k] /= length;
    }
    const centroid = first / total;
    rows[at + SHAPES + 1] = centroid;
    rows[at + SHAPES + 2] = Math.exp(logs / (FFT / 2)) / (total / (FFT / 2));
    rows[at + SHAPES + 3] = Math.min(below + 1, FFT / 2) * HERTZ;
    rows[at + SHAPES + 4] = n ? 1 - dot(roots, this.roots[(n + 5) % 6]) : 0;
    rows[at + SHAPES + 5] = tilt;
    rows[at + SPREAD] = Math.sqrt(Math.max(second / total - centroid * centroid, 0));
    this.alike[n] = 1;
    if (n > 4) this.alike[n - 5] = dot(roots, this.roots[(n + 1) % 6]);
  }

  private cepstra(inSecond: number, rows: Float64Array, at: number): void {
    const { power, energies, logs, dct } = this;
    for (let m = 0; m < MELS; m++) {
      const energy = under(this.mels[m], power);
      energies[inSecond * MELS + m] = energy;
      logs[m] = Math.log(energy + FLOOR);
    }
    for (let c = 0; c < MFCC; c++) {
      rows[at + CEPSTRA + c] = sum(MELS, (m) => logs[m] * dct[c * MELS + m]);
    }
    for (let m = 0; m < LOGMEL; m++) rows[at + LOGMELS + m] = 10 * log10(under(this.bands[m], power) + FLOOR);
  }

  /** Modulation and low energy of a second whose mel energies are complete, into the rows of its packets. */
  private keepMels(second: number, rows: Float64Array, to: number): void {
    const { energies } = this;
    const found = new Float64Array(SECOND.length);
    let weights = 0;
    for (let m = 0; m < MELS; m++) {
      const root = Math.sqrt(FLOOR + sum(100, (k) => energies[k * MELS + m]));
      weights += root;
      for (const [column, low, high] of MODULATIONS) {
        const swing = sum(high - low + 1, (k) => this.swing(m, low + k));
        found[column] += Math.sqrt(swing) / root; // depth, weighted by the root of the energy
      }
    }
    for (const [column] of MODULATIONS) found[column] /= weights;
    found[3] = lowShare(energies);
    for (let p = 0; p < PACKETS; p++) {
      if (Math.floor((p * 60 + 30) / 1000) === second) rows.set(found, (to + p) * ROW + SECONDS);
    }
  }

  private swing(mel: number, hertz: number): number {
    const { energies, waves } = this;
    const part = (turn: number) => sum(100, (k) => energies[k * MELS + mel] * waves[(hertz * k + turn) % 100]);
    return part(0) ** 2 + part(75) ** 2; // a sine is a cosine a quarter later
  }

  /** Mean and deviation of each second's likeness, once all of the block is known. */
  private likeness(rows: Float64Array, to: number): void {
    for (let p = 0; p < PACKETS; p++) {
      const from = 100 * Math.floor((p * 60 + 30) / 1000);
      const mean = sum(100, (k) => this.alike[from + k]) / 100;
      rows[(to + p) * ROW + SECONDS + 1] = mean;
      rows[(to + p) * ROW + SECONDS + 2] = Math.sqrt(sum(100, (k) => (this.alike[from + k] - mean) ** 2) / 100);
    }
  }
}

/** Share of frames below half of the second's mean energy. */
function lowShare(energies: Float64Array): number {
  const loud = table(100, (n) => sum(MELS, (m) => energies[n * MELS + m]));
  const half = sum(100, (n) => loud[n]) / 200;
  return sum(100, (n) => Number(loud[n] < half)) / 100;
}

const dot = (a: Float64Array, b: Float64Array): number => sum(a.length, (k) => a[k] * b[k]);

interface Triangle {
  readonly from: number;
  readonly weights: Float64Array;
}

const under = ({ from, weights }: Triangle, power: Float64Array): number =>
  sum(weights.length, (k) => weights[k] * power[from + k]);

/** Triangles that peak at 1, equally spaced on the mel scale 2595·log10(1 + f/700) from 20 to 7600 Hz. */
function triangles(count: number): Triangle[] {
  const mel = (hertz: number) => log10(1 + hertz / 700);
  const edge = (k: number) => 700 * (10 ** (mel(20) + ((mel(7600) - mel(20)) * k) / (count + 1)) - 1);
  return Array.from({ length: count }, (_, m) => {
    const from = Math.ceil(edge(m) / HERTZ);
    const weights = [];
    for (let k = from; k * HERTZ < edge(m + 2); k++) {
      const rise = (k * HERTZ - edge(m)) / (edge(m + 1) - edge(m));
      const fall = (edge(m + 2) - k * HERTZ) / (edge(m + 2) - edge(m + 1));
      weights.push(Math.min(rise, fall));
    }
    return { from, weights: Float64Array.from(weights) };
  });
}

/** The orthonormal DCT-II that makes cepstra of log mel energies, row by row. */
const cosines = (): Float64Array =>
  table(MFCC * MELS, (k) => {
    const row = Math.floor(k / MELS);
    return Math.cos((Math.PI / MELS) * ((k % MELS) + 0.5) * row) * Math.sqrt((row ? 2 : 1) / MELS);
  });

/** Regression of dB on octaves over all bins above DC, for natural logarithms of power. */
function slopeWeights(): Float64Array {
  const octaves = table(FFT / 2 + 1, (k) => (k ? Math.log2(k * HERTZ) : 0));
  const mean = sum(octaves.length, (k) => octaves[k]) / (FFT / 2);
  const squares = sum(octaves.length, (k) => (k ? (octaves[k] - mean) ** 2 : 0));
  return octaves.map((value) => ((value - mean) / squares) * (10 / Math.LN10));
}
