// Asks the built module in Node: a job as JSON on stdin, what it says as JSON on stdout. Used by the tests beside it.
import { readFileSync } from "node:fs";
import { argv, stdin, stdout } from "node:process";
import { pathToFileURL } from "node:url";

const phone = await import(pathToFileURL(argv[2]).href);
let text = "";
for await (const part of stdin) text += part;
const job = JSON.parse(text);

const plain = (_, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);

function pcm(path) {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

const JOBS = {
  names: () => phone.NAMES,
  read: () => phone.read(job.model).name,
  outputs: () => job.rows.map((row) => phone.outputs(phone.read(job.model), row)),
  choose: () => {
    const model = phone.read(job.model);
    return job.rows.map((row) => {
      const curve = phone.curve(model, row, job.seconds);
      const told = (target) => [target, { chance: phone.chance(curve, target), rung: phone.first(curve, target) }];
      return { ...Object.fromEntries(Object.keys(model.targets).map(told)), sizes: curve.sizes };
    });
  },
  container: () => job.packets.map(phone.container),
  loudness: () => {
    const loudness = new phone.Loudness();
    loudness.add(pcm(job.pcm));
    return loudness.integrated();
  },
  estimate: () => phone.estimate(phone.sound(pcm(job.pcm), job.rate), phone.read(job.model)),
  /** Fed in pieces of odd sizes. */
  stream: () => {
    const samples = pcm(job.pcm);
    const estimator = new phone.Estimator(phone.read(job.model), job.gain);
    for (let at = 0, size = 1; at < samples.length; at += size, size = (size * 7 + 13) % 50021) {
      estimator.feed(samples.subarray(at, at + size));
    }
    return estimator.finish();
  },
  /** Seconds of processor time and bytes held while `minutes` go through. */
  endure: () => {
    const samples = pcm(job.pcm);
    const estimator = new phone.Estimator(phone.read(job.model), 1);
    const held = [];
    const before = process.cpuUsage();
    for (let fed = 0; fed < job.minutes * 60 * 48000; fed += samples.length) {
      estimator.feed(samples);
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      held.push(heapUsed + arrayBuffers);
    }
    const { user, system } = process.cpuUsage(before);
    return { seconds: (user + system) / 1e6, held, segments: estimator.segments.length };
  },
};

try {
  stdout.write(JSON.stringify({ gave: await JOBS[job.do]() }, plain));
} catch (error) {
  if (!(error instanceof phone.PhoneError)) throw error;
  stdout.write(JSON.stringify({ code: error.code, why: error.message }));
}
