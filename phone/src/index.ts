/** The front door. What it decides and what it leaves to the server: docs/phone.md. */
export { PhoneError, type Code } from "./errors.js";
export { NAMES } from "./features.js";
export { Loudness } from "./loudness.js";
export { curve, outputs, read, type Curve, type Model } from "./model.js";
export { chance, first, natural } from "./policy.js";
export { container, estimate, Estimator, gainOf, sound, type Choice, type Estimate, type Segment, type Sound } from "./estimate.js";
