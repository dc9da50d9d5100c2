// Decodes every .opus file of a folder with and without Opus's neural enhancers: file.none.f32, file.lace.f32 and
// file.nolace.f32 beside it (mono float32 at 48 kHz), and prints the processor seconds of each as JSON.
//
// node bench/nolace.mjs MODULES FOLDER        (MODULES: the node_modules that hold ogg-opus-decoder; see nolace.py)
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, folder] = process.argv.slice(2);
const { OggOpusDecoder } = await import(pathToFileURL(resolve(modules, "ogg-opus-decoder", "index.js")));

const seconds = {};
for (const how of ["none", "lace", "nolace"]) {
  const decoder = new OggOpusDecoder({ speechQualityEnhancement: how, forceStereo: false });
  await decoder.ready;
  seconds[how] = 0;
  for (const name of readdirSync(folder).filter((name) => name.endsWith(".opus")).sort()) {
    const file = new Uint8Array(readFileSync(join(folder, name)));
    const before = process.cpuUsage();
    const { channelData, errors } = await decoder.decodeFile(file);
    const { user, system } = process.cpuUsage(before);
    seconds[how] += (user + system) / 1e6;
    if (errors.length) throw new Error(`${name}: ${errors[0].message}`);
    const sound = channelData[0];
    writeFileSync(join(folder, name.replace(/opus$/, `${how}.f32`)), Buffer.from(sound.buffer, sound.byteOffset, sound.byteLength));
    await decoder.reset();
  }
  decoder.free();
}
console.log(JSON.stringify(seconds));
