/** What a lesson will weigh, told before anything is uploaded: features, prediction and rung of each segment. */
import { cut, LONGEST, SHORTEST } from "./cut.js";
import { PhoneError } from "./errors.js";
import { NAMES, Summary } from "./features.js";
import { BLOCK, Frames, LEVEL, PACKET, PACKETS, PAD, RATE, ROW, FRAME } from "./frames.js";
import { Loudness } from "./loudness.js";
import { Curve, curve, Model } from "./model.js";
import { first, natural } from "./policy.js";
import { sum } from "./table.js";

/** What browsers and Node have alike; the library of neither is wanted for one name. */
declare function setTimeout(later: () => void): unknown;

const LOUDNESS = -19; // LUFS, of every master
const SILENT_DBFS = LOUDNESS - 25; // this far under the programme nobody follows anything on a phone
const SPOKEN = 8; // packets, half a second: from here on a segment is more than silence
const MARGIN = LONGEST + SHORTEST; // packets that may wait for their segment

/** Sound as an AudioBuffer has it. */
export interface Sound {
  readonly sampleRate: number;
  readonly length: number;
  readonly numberOfChannels: number;
  getChannelData(channel: number): Float32Array;
}

/** What is chosen for one segment and target. */
export interface Choice {
  readonly rung: string;
  readonly bytes: number;
  /** Predicted scores by metric; empty for silence, and where nothing could be predicted. */
  readonly scores: Readonly<Record<string, number>>;
}

/** One segment, on the grid of packets of 60 ms. */
export interface Segment {
  readonly startPacket: number;
  readonly packets: number;
  readonly kind: "speech" | "silence";
  /** False where the features were no use, and the rung is the one that is safe for nearly all. */
  readonly predicted: boolean;
  /** Every column of NAMES. */
  readonly features: Float64Array;
  readonly curve: Curve | null;
  readonly choices: Readonly<Record<string, Choice>>;
}

/** What the lesson will cost. */
export interface Estimate {
  readonly seconds: number;
  readonly segments: readonly Segment[];
  /** Bytes of the Opus file per target, container included. */
  readonly bytes: Readonly<Record<string, number>>;
}

/** Samples of one channel as a Sound. */
export const sound = (samples: Float32Array, sampleRate: number): Sound => ({
  sampleRate,
  length: samples.length,
  numberOfChannels: 1,
  getChannelData: () => samples,
});

/** Takes samples as they come, 48 kHz mono; memory does not grow but for the segments themselves. */
export class Estimator {
  readonly segments: Segment[] = [];
  private readonly frames = new Frames();
  private readonly summary = new Summary(LONGEST);
  private readonly x = new Float64Array(BLOCK + 2 * PAD);
  private readonly rows = new Float64Array((MARGIN + PACKETS) * ROW);
  private readonly levels = new Float64Array(MARGIN + PACKETS);
  private readonly columns: readonly number[];
  private filled = PAD; // of x
  private waiting = 0; // packets in rows
  private samples = 0;
  private start = 0;

  /** @param gain factor that brings the recording to −19 LUFS, see `gainOf`. */
  constructor(
    private readonly model: Model,
    private readonly gain: number,
  ) {
    this.columns = model.features.map((name) => NAMES.indexOf(name));
  }

  /** More samples. @throws PhoneError "number" */
  feed(samples: ArrayLike<number>): void {
    for (let k = 0; k < samples.length; k++) {
      const value = samples[k] * this.gain;
      if (!Number.isFinite(value)) notFinite(this.samples + k);
      this.x[this.filled++] = value;
      if (this.filled === this.x.length) this.block(PACKETS, false);
    }
    this.samples += samples.length;
  }

  /** No more samples: what the lesson will cost. @throws PhoneError "empty" */
  finish(): Estimate {
    if (!this.samples) throw new PhoneError("empty", "there are no samples");
    while (this.filled > PAD) {
      const packets = Math.min(PACKETS, Math.ceil((this.filled - PAD) / PACKET));
      const last = this.filled <= PAD + BLOCK;
      this.x.fill(0, this.filled);
      this.block(packets, last);
    }
    const bytes: Record<string, number> = {};
    for (const target of Object.keys(this.model.targets)) {
      bytes[target] = this.segments.reduce((sum, segment) => sum + segment.choices[target].bytes, container(this.start));
    }
    return { seconds: this.samples / RATE, segments: this.segments, bytes };
  }

  private block(packets: number, last: boolean): void {
    this.frames.block(this.x, this.rows, this.waiting);
    for (let p = this.waiting; p < this.waiting + packets; p++) this.levels[p] = this.level(p);
    this.waiting += packets;
    this.x.copyWithin(0, BLOCK);
    this.filled = Math.max(PAD, this.filled - BLOCK);
    for (let size = 1; size && this.waiting; ) {
      size = cut(this.levels, this.waiting, last);
      if (size) this.take(size);
    }
  }

  private level(packet: number): number {
    return 10 * Math.log10(sum(6, (k) => 10 ** (this.rows[packet * ROW + k * FRAME + LEVEL] / 10)) / 6);
  }

  private take(size: number): void {
    const { model, rows, levels } = this;
    const seconds = size * 0.06;
    const loud = sum(size, (k) => Number(levels[k] > SILENT_DBFS));
    const kind = loud < Math.min(SPOKEN, size / 2) ? "silence" : "speech";
    const features = this.summary.of(rows, 0, size).slice();
    const found = curve(model, this.columns.map((column) => features[column]), seconds);
    const choices: Record<string, Choice> = {};
    for (const target of Object.keys(model.targets)) choices[target] = choose(model, found, kind, target, seconds);
    const predicted = kind === "silence" || !!found;
    this.segments.push({ startPacket: this.start, packets: size, kind, predicted, features, curve: found, choices });
    this.start += size;
    this.waiting -= size;
    rows.copyWithin(0, size * ROW);
    levels.copyWithin(0, size);
  }
}

function choose(model: Model, found: Curve | null, kind: string, target: string, seconds: number): Choice {
  const silent = kind === "silence";
  const safe = model.rungs.indexOf(model.policy[target].constant);
  const rung = silent ? 0 : found ? first(found, target) : safe;
  const scores: Record<string, number> = {};
  if (found && !silent) model.metrics.forEach((metric, row) => (scores[metric] = natural(metric, found.mean[row][rung])));
  return {
    rung: model.rungs[rung],
    bytes: Math.round(found ? found.sizes[rung] : (model.bitrates[rung] * seconds) / 8),
    scores,
  };
}

/** Ogg bytes beside the packets: headers, room for the tags, a page header per 82 packets (as `choose` counts them). */
export const container = (packets: number): number => 2 * 28 + 19 + 2 + 256 + 27 * Math.ceil((packets + 1) / 82);

/**
 * The factor that brings a recording to the loudness of every master.
 *
 * @throws PhoneError "silence"
 */
export function gainOf(loudness: Loudness): number {
  const lufs = loudness.integrated();
  if (!Number.isFinite(lufs)) throw new PhoneError("silence", "nothing in it is louder than −70 LUFS");
  return 10 ** ((LOUDNESS - lufs) / 20);
}

/**
 * What a lesson will cost, from an AudioBuffer at 48 kHz or a Float32Array wrapped by `sound`. Lets the page breathe
 * between blocks of 12 s.
 *
 * @param told hears the share that is done, 0 to 1.
 * @throws PhoneError of any code but "model".
 */
export async function estimate(from: Sound, model: Model, told: (share: number) => void = () => {}): Promise<Estimate> {
  if (!from.length) throw new PhoneError("empty", "there are no samples");
  if (from.sampleRate !== RATE) throw new PhoneError("rate", `decode at ${RATE} Hz, not ${from.sampleRate}`);
  if (from.length < 0.4 * RATE) throw new PhoneError("short", "there is less than 0.4 s of sound");
  const mono = new Mono(from);
  const loudness = new Loudness();
  await mono.each((samples, share) => {
    loudness.add(samples);
    told(share / 5); // a fifth of the work, about
  });
  const estimator = new Estimator(model, gainOf(loudness));
  await mono.each((samples, share) => {
    estimator.feed(samples);
    told((1 + 4 * share) / 5);
  });
  return estimator.finish();
}

/** The mean of all channels, in blocks; one that is in opposite phase to the first is turned round. */
class Mono {
  private readonly weights: number[];

  constructor(private readonly from: Sound) {
    const channels = this.channels();
    this.weights = channels.map((channel) => (opposed(channels[0], channel) ? -1 : 1) / channels.length);
  }

  async each(use: (samples: Float32Array, share: number) => void): Promise<void> {
    const { from, weights } = this;
    const channels = this.channels();
    const block = new Float32Array(Math.min(BLOCK, from.length));
    for (let at = 0; at < from.length; at += BLOCK) {
      const size = Math.min(BLOCK, from.length - at);
      for (let k = 0; k < size; k++) {
        let sum = 0;
        for (let c = 0; c < channels.length; c++) sum += weights[c] * channels[c][at + k];
        block[k] = sum;
      }
      for (let k = 0; k < size; k++) if (!Number.isFinite(block[k])) notFinite(at + k);
      use(block.subarray(0, size), (at + size) / from.length);
      await new Promise((resolve) => setTimeout(() => resolve(null)));
    }
  }

  private channels(): Float32Array[] {
    return Array.from({ length: this.from.numberOfChannels }, (_, channel) => this.from.getChannelData(channel));
  }
}

/** Correlation under −0.5: the sum would lose more than 3 dB. */
function opposed(a: Float32Array, b: Float32Array): boolean {
  if (a === b) return false;
  const product = (x: Float32Array, y: Float32Array) => sum(x.length, (k) => x[k] * y[k]);
  return product(a, b) < -0.5 * Math.sqrt(product(a, a) * product(b, b));
}

function notFinite(sample: number): never {
  throw new PhoneError("number", `the sample at ${(sample / RATE).toFixed(3)} s is not a finite number`);
}
