// Writes the page for teachers as one file that works from a disk or a message, without a network: `make phone`.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "..", "build", "cuanto-pesa.html");
const model = process.argv[3] ?? join(here, "..", "src", "chasqui", "models", "phone", "model.json");

const { outputFiles } = await build({
  entryPoints: [join(here, "demo.js")],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2020",
  charset: "utf8",
  write: false,
});
// Inside <script> only an end tag could end it early; neither part has a use for one.
const inside = (text) => text.replaceAll("</", "<\\/");
const weights = `<script type="application/json" id="model">${inside(JSON.stringify(JSON.parse(readFileSync(model, "utf8"))))}</script>`;
const page = readFileSync(join(here, "demo.html"), "utf8").replace(
  '<script type="module" src="demo.js"></script>',
  () => `${weights}\n<script type="module">${inside(outputFiles[0].text)}</script>`,
);
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, page);
