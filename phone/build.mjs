// Builds dist/chasqui-phone.js: one small module out of src/. `make phone` installs what this needs and runs it.
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const source = readdirSync(join(here, "src")).map((name) => readFileSync(join(here, "src", name), "utf8")).join("\n");

/** Names of private members, which nobody outside can know, so that they may become short. */
function shortened() {
  const all = (pattern) => new Set(Array.from(source.matchAll(pattern), ([, name]) => name));
  const hidden = all(/private (?:readonly )?(\w+)/g);
  // One that is somebody else's name too keeps it: of JSON, of what callers see, of the language.
  const known = all(/(?<!private (?:readonly )?)\b(?:readonly )?\b(\w+)\??: /g);
  for (const owner of [Math, Array, Array.prototype, Number, Object, Map.prototype, Uint8Array, Uint8Array.__proto__.prototype]) {
    Object.getOwnPropertyNames(owner).forEach((name) => known.add(name));
  }
  return [...hidden].filter((name) => !known.has(name)).sort();
}

await build({
  entryPoints: [join(here, "src", "index.ts")],
  outfile: process.argv[2] ?? join(here, "dist", "chasqui-phone.js"),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2020",
  charset: "utf8",
  legalComments: "none",
  mangleProps: new RegExp(`^(${shortened().join("|")})$`),
  banner: { js: "// Chasqui for phones, MIT. Built from phone/src by `make phone`: change it there." },
  absWorkingDir: here,
});
