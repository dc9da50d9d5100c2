"use strict";
// Everything here is a comfort: without it the page still plays, shows and tells the same.
(() => {
  const byId = (id) => document.getElementById(id);
  const minutes = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;

  // Compare: one button for three takes of the same seconds; switching keeps the position.
  const ab = byId("ab");
  const picks = [...ab.querySelectorAll("input[name=take]")];
  const sound = (pick) => pick.parentElement.querySelector("audio");
  const where = byId("where");
  const voice = byId("voice");
  let now = sound(picks.find((pick) => pick.checked));
  const show = () => {
    ab.classList.toggle("playing", !now.paused);
    where.value = now.currentTime;
    byId("clock").textContent = minutes(now.currentTime);
  };
  ab.classList.add("live");
  ab.querySelector(".transport").hidden = false;
  for (const pick of picks) {
    pick.hidden = false;
    const own = sound(pick);
    own.controls = false;
    own.addEventListener("timeupdate", () => own === now && show());
    own.addEventListener("ended", () => { own.currentTime = 0; show(); });
    pick.addEventListener("change", () => {
      const running = !now.paused;
      const at = now.currentTime;
      now.pause();
      now = own;
      now.currentTime = at;
      if (running) now.play();
      show();
    });
  }
  byId("go").addEventListener("click", () => {
    voice.pause();
    if (now.paused) now.play().then(show, show);
    else now.pause();
    show();
  });
  where.addEventListener("input", () => { now.currentTime = Number(where.value); });
  voice.addEventListener("play", () => { now.pause(); show(); });

  for (const chapter of document.querySelectorAll(".chapters a")) {
    chapter.addEventListener("click", () => {
      voice.currentTime = Number(chapter.dataset.at);
      voice.play().catch(() => {});
    });
  }

  // The picture: read a part by pointing, hear it by tapping, walk with the arrow keys.
  const picture = byId("picture");
  const hits = [...picture.querySelectorAll(".hit")];
  const readout = byId("readout");
  let at = -1;
  const tell = (n) => {
    if (at >= 0) hits[at].classList.remove("on");
    at = n;
    hits[at].classList.add("on");
    readout.textContent = hits[at].firstElementChild.textContent;
  };
  const hear = () => {
    voice.currentTime = Number(hits[at].dataset.at);
    voice.play().catch(() => {});
  };
  hits.forEach((hit, n) => {
    hit.addEventListener("pointerenter", () => tell(n));
    hit.addEventListener("click", () => { tell(n); hear(); });
  });
  picture.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) tell(Math.min(Math.max(at + step, 0), hits.length - 1));
    else if (event.key === "Enter" && at >= 0) hear();
    else return;
    event.preventDefault();
  });
  const head = byId("head");
  voice.addEventListener("timeupdate", () => {
    const x = String((voice.currentTime / voice.duration) * 1440);
    head.setAttribute("x1", x);
    head.setAttribute("x2", x);
  });
})();
