/** What can be wrong with a sound or a model. The app says it in its own words; `code` tells which words. */

export type Code =
  | "rate" // not 48 kHz: let the browser decode at 48 kHz
  | "empty" // no samples
  | "number" // a sample that is not a finite number
  | "short" // under 0.4 s: nothing to measure
  | "silence" // nothing louder than −70 LUFS
  | "model"; // not a model this code can use

export class PhoneError extends Error {
  constructor(
    readonly code: Code,
    why: string,
  ) {
    super(why);
    this.name = "PhoneError";
  }
}
