/** Which rung: the rule of `chasqui`'s own `models/policy.py`, as far as nothing has been measured yet. */
import { Curve } from "./model.js";
import { clamp } from "./table.js";

const TIE = 0.02; // a rung within this share of the best chance is as good as the best

/** Probability that each rung keeps the target. */
export function chance({ model, mean, deviation }: Curve, target: string): Float64Array {
  const chances = new Float64Array(model.rungs.length).fill(1);
  model.metrics.forEach((metric, row) => {
    const asked = model.targets[target][metric];
    if (asked === null) return;
    for (let k = 0; k < chances.length; k++) {
      const lacking = (working(metric, asked) - mean[row][k]) / Math.max(deviation[row][k], 1e-6);
      chances[k] *= 1 - below(lacking, model.quantiles[metric]);
    }
  });
  return chances;
}

/** The place on the ladder to encode at: the cheapest likely enough, else the cheapest of the likeliest. */
export function first(curve: Curve, target: string): number {
  const chances = chance(curve, target);
  const enough = Math.min(curve.model.policy[target].level, Math.max(...chances) * (1 - TIE));
  return chances.findIndex((p) => p >= enough);
}

/** A score in the space where errors are about equally large everywhere. */
function working(metric: string, value: number): number {
  if (metric !== "estoi") return value;
  const p = clamp(value, 0.01, 0.999);
  return Math.log(p / (1 - p));
}

/** A score as people know it. */
export function natural(metric: string, value: number): number {
  return metric === "estoi" ? 1 / (1 + Math.exp(-value)) : clamp(value, 1, 5);
}

/** Share of calibration residuals below a value; past the ends it goes on falling off as a Gaussian does. */
function below(value: number, quantiles: readonly number[]): number {
  const count = quantiles.length;
  const edge = 1 / (count + 1);
  const past = (end: number) => edge * Math.exp(-0.5 * Math.max(value * value - end * end, 0));
  if (value < quantiles[0]) return past(quantiles[0]);
  if (value > quantiles[count - 1]) return 1 - past(quantiles[count - 1]);
  let k = count - 1;
  while (quantiles[k] > value) k--;
  const step = quantiles[k + 1] - quantiles[k];
  return edge * (k + 1 + (k < count - 1 && step > 0 ? (value - quantiles[k]) / step : 0));
}
