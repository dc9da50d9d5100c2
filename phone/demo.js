// The page that tells a teacher what a class will weigh. The measuring is in dist/; here it is only shown.
import { estimate, PhoneError, read } from "./dist/chasqui-phone.js";

const MODEL = "../src/chasqui/models/phone/model.json";
const MB = 1e6; // operators sell decimal megabytes
const PACK = 100 * MB;
/** Decoded sound takes 12 MB per minute and channel: of a longer class the beginning is measured. */
const MOST_S = 20 * 60;
/** Up to these bits per second a part wears colour 0, 1, 2 …, as in the report of a class. */
const STEPS = [5500, 6000, 8000, 10000, 14000, 24000];

const WORDS = {
  es: {
    understood: ["Se entiende", "Voz sencilla, como por teléfono"],
    comfortable: ["Se entiende y se escucha con comodidad", "Sin cansar"],
    clear: ["Se escucha con claridad", "Cercana a la grabación"],
    before: "La grabación hoy",
    fits: (n) => (n === 1 ? "1 clase por paquete de 100 MB" : `${n} clases por paquete de 100 MB`),
    fitsNone: "No cabe en un paquete de 100 MB",
    speech: "voz",
    silence: "silencio",
    estoi: "se entiende (ESTOI)",
    visqol: "suena bien (ViSQOL)",
    unsure: "no se pudo predecir: se toma un ajuste seguro",
    readout: "Toque o recorra la imagen.",
    upTo: (kbps) => `hasta ${kbps} kb/s`,
    over: (kbps) => `más de ${kbps} kb/s`,
    rate: (kbps) => `${kbps} kb/s en promedio`,
    whole: "Se midió la grabación entera.",
    part: (minutes) => `La clase es larga: se midieron sus primeros ${minutes} minutos y se calculó el resto.`,
    alt: (parts) => `El sonido de la clase en ${parts} partes, coloreadas según los datos que necesita cada una.`,
    empty: "Este archivo no tiene sonido.",
    short: "La grabación dura menos de medio segundo: no hay nada que medir.",
    silence_: "En esta grabación no se oye nada.",
    number: "El sonido de este archivo está dañado y no se puede medir.",
    rate_: "Este navegador no pudo preparar el sonido para medirlo.",
    model: "El modelo de esta página no corresponde a su programa. Vuelva a cargar la página.",
    decode: "No se pudo abrir el archivo. Puede estar dañado, o no tener sonido que este navegador conozca.",
    long: "La clase dura demasiado para medirla en un teléfono. Pruebe con un fragmento.",
    load: "No se pudo cargar el modelo. Revise la conexión y vuelva a intentar.",
  },
  en: {
    understood: ["Understood", "A plain voice, as on the telephone"],
    comfortable: ["Understood, and comfortable to hear", "Does not tire"],
    clear: ["Clear", "Close to the recording"],
    before: "The recording today",
    fits: (n) => (n === 1 ? "1 class per pack of 100 MB" : `${n} classes per pack of 100 MB`),
    fitsNone: "Does not fit into a pack of 100 MB",
    speech: "voice",
    silence: "silence",
    estoi: "understood (ESTOI)",
    visqol: "sounds good (ViSQOL)",
    unsure: "could not be predicted: a safe setting is taken",
    readout: "Touch or walk along the picture.",
    upTo: (kbps) => `up to ${kbps} kb/s`,
    over: (kbps) => `over ${kbps} kb/s`,
    rate: (kbps) => `${kbps} kb/s on average`,
    whole: "The whole recording was measured.",
    part: (minutes) => `The class is long: its first ${minutes} minutes were measured, and the rest was calculated.`,
    alt: (parts) => `The sound of the class in ${parts} parts, coloured by the data that each needs.`,
    empty: "There is no sound in this file.",
    short: "The recording is shorter than half a second: there is nothing to measure.",
    silence_: "Nothing can be heard in this recording.",
    number: "The sound in this file is damaged and cannot be measured.",
    rate_: "This browser could not prepare the sound for measuring.",
    model: "The model of this page does not belong to its program. Load the page again.",
    decode: "The file could not be opened. It may be damaged, or hold no sound that this browser knows.",
    long: "The class is too long to be measured on a phone. Try with a part of it.",
    load: "The model could not be loaded. Check the connection and try again.",
  },
};
/** Keys of WORDS for codes that other words have taken. */
const CODES = { silence: "silence_", rate: "rate_" };

const $ = (id) => document.getElementById(id);
const state = { lang: "es", target: "understood", found: null, peaks: [], at: null, wrong: null, turn: 0 };
const say = (key, ...values) => {
  const word = WORDS[state.lang][key];
  return typeof word === "function" ? word(...values) : word;
};

async function loadModel() {
  const inside = $("model");
  if (inside) return read(JSON.parse(inside.textContent));
  const answer = await fetch(MODEL);
  if (!answer.ok) throw new Error("load");
  return read(await answer.json());
}

/** Seconds, from the file's own header where the browser can read it, else 0. */
function duration(file) {
  return new Promise((resolve) => {
    const audio = new Audio();
    const end = () => {
      URL.revokeObjectURL(audio.src);
      resolve(Number.isFinite(audio.duration) ? audio.duration : 0);
    };
    audio.preload = "metadata";
    audio.onloadedmetadata = audio.onerror = end;
    audio.src = URL.createObjectURL(file);
  });
}

/** The sound at 48 kHz, whatever its rate in the file; of a long class the beginning. */
async function decode(file) {
  const seconds = await duration(file);
  const part = seconds > MOST_S ? file.slice(0, Math.ceil((file.size * MOST_S) / seconds)) : file;
  try {
    const buffer = await new OfflineAudioContext(1, 1, 48000).decodeAudioData(await part.arrayBuffer());
    return { buffer, seconds: part === file ? buffer.duration : seconds };
  } catch {
    throw new Error(part === file ? "decode" : "long"); // some files cannot be read without their end
  }
}

async function measure(file) {
  const turn = ++state.turn;
  Object.assign(state, { found: null, wrong: null, at: null });
  $("name").textContent = file.name;
  $("work").hidden = false;
  $("done").value = 0;
  show();
  try {
    const model = await loadModel().catch((error) => {
      throw error instanceof PhoneError ? error : new Error("load");
    });
    const { buffer, seconds } = await decode(file);
    const found = await estimate(buffer, model, (share) => turn === state.turn && ($("done").value = share));
    if (turn !== state.turn) return; // another file was chosen meanwhile
    const share = seconds / found.seconds;
    state.peaks = peaks(buffer, 720);
    state.found = { ...found, model, size: file.size, whole: seconds, share: share > 1.01 ? share : 1 };
  } catch (error) {
    if (turn !== state.turn) return;
    state.wrong = error instanceof PhoneError ? (CODES[error.code] ?? error.code) : error.message;
    if (!WORDS.es[state.wrong]) throw error;
  } finally {
    if (turn === state.turn) {
      $("work").hidden = true;
      show();
    }
  }
}

function peaks(buffer, columns) {
  const samples = buffer.getChannelData(0);
  return Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * samples.length) / columns);
    const to = Math.floor(((column + 1) * samples.length) / columns);
    let most = 0;
    for (let k = from; k < to; k += 4) most = Math.max(most, Math.abs(samples[k]));
    return most;
  });
}

const megabytes = (bytes) => {
  const mb = bytes / MB;
  if (mb >= 100) return `${mb.toFixed(0)} MB`;
  if (mb >= 10) return `${mb.toFixed(1)} MB`;
  return mb >= 0.01 ? `${mb.toFixed(2)} MB` : `${(bytes / 1000).toFixed(1)} kB`;
};
const soles = (pen) => {
  if (pen <= 0) return "S/ 0";
  if (pen >= 0.0095) return `S/ ${pen.toFixed(2)}`;
  return pen >= 0.00095 ? `S/ ${pen.toFixed(3)}` : "S/ 0.001";
};
const clock = (seconds) => {
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = String(Math.floor(whole / 60) % 60).padStart(hours ? 2 : 1, "0");
  return `${hours ? `${hours}:` : ""}${minutes}:${String(whole % 60).padStart(2, "0")}`;
};
const price = () => Math.max(0, Number($("price").value) || 0);
const weight = (target) => state.found.bytes[target] * state.found.share;
const rateOf = (rung) => state.found.model.bitrates[state.found.model.rungs.indexOf(rung)];
const colourOf = (rung) => {
  const at = STEPS.findIndex((step) => rateOf(rung) <= step);
  return getComputedStyle(document.documentElement).getPropertyValue(`--c${at < 0 ? STEPS.length : at}`);
};

function show() {
  document.documentElement.lang = state.lang;
  document.title = `${document.querySelector(`h1 [lang=${state.lang}]`).textContent} · Chasqui`;
  for (const button of document.querySelectorAll("[data-lang]")) {
    button.setAttribute("aria-pressed", String(button.dataset.lang === state.lang));
  }
  $("wrong").hidden = !state.wrong;
  $("wrong").textContent = state.wrong ? say(state.wrong) : "";
  $("result").hidden = !state.found;
  if (!state.found) return;
  showTargets();
  showStrip();
  const minutes = Math.round(state.found.seconds / 60);
  for (const lang of ["es", "en"]) {
    const { whole, part } = WORDS[lang];
    $(`whole-${lang}`).textContent = state.found.share > 1 ? part(minutes) : whole;
  }
}

function showTargets() {
  const { size, whole } = state.found;
  $("before").textContent = say("before");
  $("before-mb").textContent = `${megabytes(size)} · ${soles((size / MB) * price())}`;
  $("targets").replaceChildren(
    ...Object.keys(state.found.bytes).map((target) => {
      const bytes = weight(target);
      const [title, note] = WORDS[state.lang][target] ?? [target, ""];
      const card = document.createElement("button");
      card.type = "button";
      card.className = "target";
      card.dataset.target = target;
      card.setAttribute("aria-pressed", String(target === state.target));
      const fits = Math.floor(PACK / bytes);
      const kbps = ((bytes * 8) / whole / 1000).toFixed(1);
      card.append(
        piece("b", "", title),
        piece("span", "mb", megabytes(bytes)),
        piece("small", "", `${note} · ${say("rate", kbps)}`),
        piece("span", "pen", soles((bytes / MB) * price())),
        piece("small", "", fits ? say("fits", fits) : say("fitsNone")),
      );
      const bar = piece("span", "part", "");
      const fill = piece("i", "", "");
      fill.style.width = `${Math.min(100, (100 * bytes) / size)}%`;
      bar.append(fill);
      card.append(bar);
      card.onclick = () => {
        state.target = target;
        show();
        document.querySelector(`[data-target=${target}]`).focus();
      };
      return card;
    }),
  );
}

function piece(tag, name, text) {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

function showStrip() {
  const { segments, seconds } = state.found;
  const canvas = $("strip");
  canvas.setAttribute("aria-label", say("alt", segments.length));
  $("end").textContent = clock(seconds);
  const ratio = devicePixelRatio || 1;
  const [width, height] = [(canvas.width = canvas.clientWidth * ratio), (canvas.height = canvas.clientHeight * ratio)];
  const draw = canvas.getContext("2d");
  const loudest = Math.max(...state.peaks, 1e-3);
  segments.forEach((segment, index) => {
    const from = (segment.startPacket * 0.06 * width) / seconds;
    const to = Math.min(width, ((segment.startPacket + segment.packets) * 0.06 * width) / seconds);
    const silent = segment.kind === "silence";
    const colour = silent ? getComputedStyle(document.documentElement).getPropertyValue("--line") : colourOf(segment.choices[state.target].rung);
    draw.fillStyle = colour;
    draw.globalAlpha = index === state.at ? 0.34 : 0.14;
    draw.fillRect(from, 0, to - from, height);
    draw.globalAlpha = 1;
    draw.fillRect(from, height - 5 * ratio, to - from - ratio, 5 * ratio);
    for (let x = Math.floor(from); x < to - ratio; x++) {
      const tall = (state.peaks[Math.floor((x / width) * state.peaks.length)] / loudest) * (height - 22 * ratio);
      draw.fillRect(x, (height - 8 * ratio - tall) / 2, 1, Math.max(tall, ratio));
    }
  });
  $("readout").textContent = readout();
  showLegend();
}

function readout() {
  const segment = state.found.segments[state.at];
  if (!segment) return say("readout");
  const choice = segment.choices[state.target];
  const from = segment.startPacket * 0.06;
  const parts = [
    `${state.at + 1} · ${clock(from)}–${clock(Math.min(state.found.seconds, from + segment.packets * 0.06))}`,
    say(segment.kind),
    `${rateOf(choice.rung) / 1000} kb/s`,
    `${(choice.bytes / 1000).toFixed(1)} kB`,
  ];
  if (!segment.predicted) parts.push(say("unsure"));
  for (const [metric, score] of Object.entries(choice.scores)) {
    parts.push(`${say(metric)} ${metric === "estoi" ? score.toFixed(2) : score.toFixed(1)}`);
  }
  return parts.join(" · ");
}

function showLegend() {
  const used = new Map();
  for (const { choices, kind } of state.found.segments) {
    if (kind === "silence") continue;
    const at = STEPS.findIndex((step) => rateOf(choices[state.target].rung) <= step);
    const place = at < 0 ? STEPS.length : at;
    used.set(place, colourOf(choices[state.target].rung));
  }
  $("legend").replaceChildren(
    ...[...used.keys()].sort().map((place) => {
      const last = place === STEPS.length;
      const kbps = STEPS[last ? place - 1 : place] / 1000;
      const entry = piece("span", "", "");
      const swatch = piece("i", "", "");
      swatch.style.background = used.get(place);
      entry.append(swatch, say(last ? "over" : "upTo", kbps));
      return entry;
    }),
  );
}

function point(event) {
  if (!state.found) return;
  const box = $("strip").getBoundingClientRect();
  const packet = ((event.clientX - box.left) / box.width) * (state.found.seconds / 0.06);
  step(state.found.segments.findIndex((segment) => packet < segment.startPacket + segment.packets));
}

function step(at) {
  state.at = Math.max(0, Math.min(state.found.segments.length - 1, at));
  showStrip();
}

$("file").onchange = ({ target }) => target.files[0] && measure(target.files[0]);
$("price").oninput = () => state.found && showTargets();
$("strip").onclick = point;
$("strip").onpointermove = point;
$("strip").onkeydown = ({ key }) => {
  const way = { ArrowRight: 1, ArrowLeft: -1 }[key];
  if (way && state.found) step((state.at ?? -1) + way);
};
for (const button of document.querySelectorAll("[data-lang]")) {
  button.onclick = () => {
    state.lang = button.dataset.lang;
    show();
  };
}
for (const kind of ["dragover", "dragleave", "drop"]) {
  $("pick").addEventListener(kind, (event) => {
    event.preventDefault();
    $("pick").classList.toggle("over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files[0]) measure(event.dataTransfer.files[0]);
  });
}
addEventListener("resize", () => state.found && showStrip());
