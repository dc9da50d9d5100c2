/** A model from its JSON, checked to the last length; and what it says about a segment. */
import { PhoneError } from "./errors.js";
import { NAMES, VERSION } from "./features.js";
import { clamp, sum, table } from "./table.js";

export const FORMAT = "phone-1";
const WIDEBAND_BPS = 9000; // under it libopus codes voice in narrowband: scores rise within each of the two, not across

interface Layer {
  readonly w: readonly (readonly number[])[];
  readonly b: readonly number[];
  readonly act: "relu" | null;
}

/** What `model.json` holds. Units and order: docs/phone.md. */
export interface Model {
  readonly format: string;
  readonly name: string;
  readonly version: string;
  readonly feature_version: string;
  readonly features: readonly string[];
  readonly mean: readonly number[];
  readonly scale: readonly number[];
  readonly clip: number;
  readonly layers: readonly Layer[];
  readonly rungs: readonly string[];
  readonly bitrates: readonly number[];
  readonly metrics: readonly string[];
  readonly targets: Readonly<Record<string, Readonly<Record<string, number | null>>>>;
  readonly deviation: readonly (readonly number[])[];
  readonly quantiles: Readonly<Record<string, readonly number[]>>;
  readonly policy: Readonly<Record<string, { readonly level: number; readonly constant: string }>>;
}

/** What one segment will probably score at every rung, and weigh. */
export interface Curve {
  readonly model: Model;
  /** Per metric and rung, ESTOI in logits and ViSQOL in points. */
  readonly mean: readonly Float64Array[];
  readonly deviation: readonly Float64Array[];
  /** Payload bytes of the segment per rung. */
  readonly sizes: Float64Array;
}

/**
 * The model in a parsed `model.json`.
 *
 * @throws PhoneError "model": another format, a part that is missing or of another length, an unknown feature.
 */
export function read(json: unknown): Model {
  const model = json as Model;
  must(model && model.format === FORMAT, `format ${FORMAT} expected, not ${String(model && model.format)}`);
  must(model.feature_version === VERSION, `features ${VERSION} expected, not ${model.feature_version}`);
  const rungs = texts(model.rungs, "rungs");
  const metrics = texts(model.metrics, "metrics");
  const unknown = texts(model.features, "features").filter((name) => !NAMES.includes(name));
  must(!unknown.length, `features that are not computed here: ${unknown.join(", ")}`);
  numbers(model.mean, model.features.length, "mean");
  numbers(model.scale, model.features.length, "scale");
  must(Math.min(...model.scale, model.clip) > 0, "scale and clip are not all positive");
  numbers(model.bitrates, rungs.length, "bitrates");
  layers(model, (metrics.length + 1) * rungs.length + 1);
  must(Array.isArray(model.deviation) && model.deviation.length === metrics.length, "deviation: one row per metric");
  for (const row of model.deviation) numbers(row, rungs.length, "deviation");
  for (const metric of metrics) rising((model.quantiles || {})[metric], `quantiles of ${metric}`);
  must(Object.keys(model.targets || {}).length > 0, "targets are missing");
  for (const target of Object.keys(model.targets)) {
    const levels = (model.policy || {})[target];
    must(levels && levels.level > 0 && levels.level < 1 && rungs.includes(levels.constant), `policy of ${target}`);
    for (const metric of metrics) {
      const asked = model.targets[target][metric];
      must(asked === null || Number.isFinite(asked), `target ${target}: ${metric}`);
    }
  }
  return model;
}

function layers(model: Model, outputs: number): void {
  must(Array.isArray(model.layers) && model.layers.length > 0, "layers are missing");
  let width = model.features.length;
  for (const { w, b, act } of model.layers) {
    must(Array.isArray(w) && w.length > 0, "a layer without weights");
    for (const row of w) numbers(row, width, "weights");
    numbers(b, (width = w.length), "bias");
    must(act === null || act === "relu", `activation ${String(act)}`);
  }
  must(width === outputs, `${width} outputs, ${outputs} expected`);
}

function numbers(list: readonly number[], length: number, name: string): void {
  const good = Array.isArray(list) && list.length === length && list.every(Number.isFinite);
  must(good, `${name}: ${length} numbers expected`);
}

function rising(list: readonly number[] | undefined, name: string): void {
  must(Array.isArray(list) && list.length > 2, `${name} are missing`);
  numbers(list, list.length, name);
  must(list.every((value, k) => !k || value >= list[k - 1]), `${name} fall`);
}

function texts(list: readonly string[], name: string): readonly string[] {
  must(Array.isArray(list) && list.length > 0 && list.every((text) => typeof text === "string"), `${name}: names expected`);
  return list;
}

function must(condition: unknown, why: string): asserts condition {
  if (!condition) throw new PhoneError("model", why);
}

/** What the net puts out for features in the model's order, as its .tflite does. */
export function outputs(model: Model, features: ArrayLike<number>): Float64Array {
  const { mean, scale, clip } = model;
  let x = table(mean.length, (k) => clamp((features[k] - mean[k]) / scale[k], -clip, clip));
  for (const { w, b, act } of model.layers) {
    const from = x;
    x = table(b.length, (k) => {
      const y = b[k] + sum(from.length, (i) => w[k][i] * from[i]);
      return act ? Math.max(0, y) : y;
    });
  }
  return x;
}

/** The curve of a segment of that length, or null where it cannot be told: a number that is not finite. */
export function curve(model: Model, features: ArrayLike<number>, seconds: number): Curve | null {
  const out = outputs(model, features);
  if (!out.every(Number.isFinite)) return null;
  const count = model.rungs.length;
  const wide = model.bitrates.findIndex((bitrate) => bitrate >= WIDEBAND_BPS);
  const difficulty = Math.exp(clamp(out[out.length - 1], -1.5, 1.5)); // no model may call itself certain
  const part = (row: number) => out.slice(row * count, (row + 1) * count);
  const sizes = part(model.metrics.length).map((log) => Math.exp(clamp(log, 0, 12)) * seconds);
  return {
    model,
    mean: model.metrics.map((_, row) => climb(part(row), wide)),
    deviation: model.deviation.map((row) => table(count, (k) => row[k] * difficulty)),
    sizes: climb(sizes, 0),
  };
}

/** Never falling, but where wideband begins. */
function climb(values: Float64Array, wide: number): Float64Array {
  for (let k = 1; k < values.length; k++) if (k !== wide) values[k] = Math.max(values[k], values[k - 1]);
  return values;
}
