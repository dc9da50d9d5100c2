/* The door in a browser. ES5 and XMLHttpRequest: phones that are ten years old open it. All that the server says goes in
   as text, never as HTML. */
(function () {
  "use strict";

  var API = "/api/v1/";
  /* When to say that it is slow, and when not to wait any longer. */
  var SLOW_MS = 6000, OVER_MS = 60000;
  var LINK = /chq_l_[\w-]{43}/;
  var KEPT = "chasqui";


  /* What the server told: it is shown again after a change of language. */
  var told = {};
  /* Forms that were sent and got no answer: what they asked for may have been done. */
  var cut = {};

  /* --- what stands on the page --- */

  function at(id) { return document.getElementById(id); }
  function word(name) { return at("words").getAttribute("data-" + name) || ""; }
  function show(id, wanted) { if (at(id)) at(id).hidden = !wanted; }
  function say(id, text) { if (at(id)) at(id).textContent = text || ""; }
  function each(found, visit) { for (var i = 0; i < found.length; i++) visit(found[i]); }
  function all(selector, visit) { each(document.querySelectorAll(selector), visit); }
  /* In place of this page: going back must not lead to a link that was used. */
  function go(path, part) { location.replace(path + location.search + (part || "")); }

  function wrong(input, text) {
    say(input.id + "-wrong", text);
    if (text) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }

  /* --- what this device remembers: how somebody is called --- */

  function remembered() {
    try { return JSON.parse(localStorage.getItem(KEPT)) || {}; } catch (_) { return {}; }
  }

  function remember(who) {
    try {
      if (who) localStorage.setItem(KEPT, JSON.stringify(who));
      else localStorage.removeItem(KEPT);
    } catch (_) { return; }
  }

  /* --- asking --- */

  /* Calls back with status and answer; status 0: none came. */
  function ask(method, path, body, then) {
    var request = new XMLHttpRequest();
    request.open(method, API + path);
    request.timeout = OVER_MS;
    request.setRequestHeader("Accept-Language", document.documentElement.lang);
    if (body) request.setRequestHeader("Content-Type", "application/json");
    if (told.me && told.me.csrf) request.setRequestHeader("X-CSRF-Token", told.me.csrf);
    request.onreadystatechange = function () {
      var answer;
      if (request.readyState !== 4) return;
      try { answer = JSON.parse(request.responseText); } catch (_) { answer = null; }
      then(request.status, answer || {});
    };
    request.send(body ? JSON.stringify(body) : null);
  }

  function written(form) {
    var body = {};
    each(form.elements, function (one) {
      if (one.name && one.value) body[one.name] = one.value;
    });
    return body;
  }

  /* Says beside each field what is wrong with it; whether all may go. */
  function complete(form) {
    each(form.elements, function (one) {
      var like = one.getAttribute("data-like");
      var text = one.type === "password" ? one.value : one.value.trim();
      var seen = one.offsetWidth > 0;
      if (like) wrong(one, seen && !RegExp("^(?:" + like + ")$").test(text) ? one.getAttribute("data-bad") : "");
    });
    return !lead(form);
  }

  /* To the first field that is wrong, if there is one. */
  function lead(form) {
    var first = form.querySelector("[aria-invalid]");
    if (first) first.focus();
    return first;
  }

  function submit(event) {
    var form = event.target, what = FORMS[form.id], button = form.querySelector("button");
    event.preventDefault();
    if (!what || button.disabled) return;
    say(form.id + "-wrong", "");
    if (!complete(form)) return;
    var label = button.textContent;
    var slow = setTimeout(function () { say(form.id + "-calm", word("slow")); }, SLOW_MS);
    button.disabled = true;
    button.textContent = word("busy");
    ask(what.method || "POST", what.path, what.body ? what.body(form) : written(form), function (status, answer) {
      clearTimeout(slow);
      say(form.id + "-calm", "");
      button.disabled = false;
      button.textContent = label;
      if (status >= 200 && status < 300) what.then(answer, form);
      else refused(form, status, answer);
    });
  }

  /* Which field a refusal is about. */
  var ABOUT = { WeakPassword: "password", NameTaken: "email", UnknownClass: "code" };

  function refused(form, status, answer) {
    var fields = form.elements, field, said;
    if (!status) cut[form.id] = true;
    if (answer.code === "NotSignedIn") return go("/enter");
    if (FORMS[form.id].refused && FORMS[form.id].refused(answer, form)) return;
    if (answer.code === "BadRequest") {
      for (field in answer.evidence) {
        if (fields[field]) wrong(fields[field], fields[field].getAttribute("data-bad") || answer.detail);
      }
    } else if (fields[ABOUT[answer.code]]) {
      wrong(fields[ABOUT[answer.code]], answer.detail);
    }
    if (lead(form)) return;
    said = status ? answer.detail || word("strange") : word("cut");
    say(form.id + "-wrong", said);
    at(form.id + "-wrong").focus();
  }

  /* --- what each form asks for, and what follows --- */

  function entered(answer, form) {
    var who = form.elements.name || form.elements.nickname || form.elements.email;
    remember({ id: answer.person_id, name: who.value.trim() });
    go("/me");
  }

  function withLink(form) {
    var body = written(form);
    body.link = LINK.exec(location.hash)[0];
    return body;
  }

  /* A link that is spent. After an answer that never came it may have been us. */
  function spent(answer, form) {
    var body = written(form);
    if (answer.code !== "LinkSpent") return false;
    if (!cut[form.id] || !body.email) return over();
    ask("POST", "sessions", { email: body.email, password: body.password }, function (status, answer) {
      if (status === 201) entered(answer, form);
      else if (status) over();
      else refused(form, 0, {});
    });
    return true;
  }

  function over() {
    told.spent = location.hash;
    draw();
    at("spent").focus();
    return true;
  }

  /* Shows the field of the code when the server wants one. */
  function second(id) {
    return function (answer, form) {
      if (answer.code !== "SecondFactorNeeded") return false;
      show(id, true);
      form.elements.code.focus();
      return true;
    };
  }

  var FORMS = {
    people: { path: "people", body: withLink, then: entered, refused: spent },
    renew: {
      method: "PUT",
      path: "password",
      body: withLink,
      then: function () { go("/enter", "#email"); },
      refused: spent
    },
    "class": { path: "sessions/class", then: entered },
    sessions: {
      path: "sessions",
      then: entered,
      refused: second("second")
    }
  };

  /* --- the pages --- */

  function draw() {
    if (document.querySelector("[data-link]")) drawLink();
    if (at("sessions")) drawEnter();
    door.draw();
  }

  /* A page that a link leads to: the link is in the fragment, which browsers keep to themselves. */
  function drawLink() {
    var whole = LINK.test(location.hash), used = told.spent === location.hash;
    show("missing", !whole);
    show("spent", whole && used);
    document.querySelector("[data-link]").hidden = !whole || used;
  }

  function drawEnter() {
    var name = remembered().name;
    show("known", name);
    say("who", name);
    if (location.hash === "#email") at("as-email").checked = true;
  }

  /* The same page in the other language, with all that was written. */
  function turn(link) {
    var request = new XMLHttpRequest();
    request.open("GET", link.href);
    request.onreadystatechange = function () {
      var kept = {}, fresh;
      if (request.readyState !== 4) return;
      if (request.status !== 200) return say("tongue", word("cut"));
      fresh = new DOMParser().parseFromString(request.responseText, "text/html");
      all("input, select", function (one) { kept[one.id] = [one.value, one.checked]; });
      history.replaceState(null, "", link.getAttribute("href") + location.hash);
      document.documentElement.lang = fresh.documentElement.lang;
      document.title = fresh.title;
      document.body.innerHTML = fresh.body.innerHTML;
      all("input, select", function (one) {
        one.value = kept[one.id][0];
        one.checked = kept[one.id][1];
      });
      begin();
      at("tongue").focus();
    };
    request.send();
  }

  function press(event) {
    var pressed = event.target;
    if (pressed.id === "tongue") {
      event.preventDefault();
      turn(pressed);
    } else {
      door.press(pressed);
    }
  }

  function reveal(event) {
    var box = event.target, shows = box.getAttribute("data-shows");
    if (shows) at(shows).type = box.checked ? "text" : "password";
  }

  function begin() {
    show("late", false);
    all("button", function (one) { one.disabled = false; });
    all("[data-shows]", function (one) { reveal({ target: one }); });
    draw();
  }

  /* What me.js builds on and adds to. */
  var door = {
    at: at, word: word, show: show, say: say, each: each, all: all, go: go, wrong: wrong, ask: ask, second: second,
    remembered: remembered, remember: remember, told: told, forms: FORMS, redraw: draw,
    draw: function () {},
    press: function () {}
  };
  window.door = door;

  document.addEventListener("submit", submit);
  document.addEventListener("click", press);
  document.addEventListener("change", reveal);
  window.addEventListener("hashchange", draw);
  document.addEventListener("DOMContentLoaded", begin);
})();
