/* The page of those who are in, on top of door.js: who they are, and what can be done next. */
(function (door) {
  "use strict";

  var at = door.at, word = door.word, show = door.show, say = door.say, ask = door.ask;
  var told = door.told, forms = door.forms;
  /* What the key for `chasqui push` may do. */
  var PUSH = ["uploads.write", "jobs.read", "lessons.read", "lessons.publish"];

  /* Shows what a form brought, and leads there. */
  function bring(name, id) {
    return function (answer) {
      told[name] = answer;
      door.redraw();
      at(id).focus();
    };
  }

  function leave() {
    door.remember(null);
    door.go("/enter");
  }

  /* --- what each form asks for, and what follows --- */

  forms.invitations = { path: "invitations", then: bring("invited", "invited") };

  forms.classes = {
    path: "classes",
    then: function (answer, form) {
      told.classes = [answer].concat(told.classes || []);
      form.reset();
      door.redraw();
    }
  };

  forms.factor = {
    path: "second-factor",
    then: bring("factor", "setting"),
    refused: door.second("old")
  };

  forms.confirm = {
    method: "PUT",
    path: "second-factor",
    then: function () {
      told.factor = null;
      bring("set", "set")(true);
    },
    refused: function (answer, form) {
      var code = form.elements.code;
      if (answer.code === "SignInRefused") door.wrong(code, code.getAttribute("data-bad"));
    }
  };

  forms.tokens = {
    path: "tokens",
    body: function () { return { name: "chasqui push", scopes: PUSH }; },
    then: bring("token", "keyed")
  };

  forms.out = {
    method: "DELETE",
    path: "sessions",
    then: leave
  };

  /* --- what is shown --- */

  door.draw = function () {
    var me = told.me, kept = door.remembered();
    if (!me) return;
    say("name", me.name || (kept.id === me.person_id ? kept.name : ""));
    say("role", word(me.role));
    say("school", told.school && word("school").replace("{name}", told.school.name));
    door.all("[data-for]", function (one) {
      one.hidden = one.getAttribute("data-for").split(" ").indexOf(me.role) < 0;
    });
    drawInvited();
    drawClasses();
    drawFactor();
    show("keyed", told.token);
    if (told.token) {
      say("key", "chasqui push clase.mp3 --server " + location.origin + " --token " + told.token.token);
    }
  };

  function drawInvited() {
    var made = told.invited;
    show("invited", made);
    if (!made) return;
    say("invited-role", word(made.role));
    say("link", made.url);
    show("here", /\/\/(localhost|127\.|\[::1\])/.test(made.url));
    at("whatsapp").href = "whatsapp://send?text=" + encodeURIComponent(word("whatsapp") + " " + made.url);
  }

  function drawClasses() {
    say("rooms", "");
    door.each(told.classes || [], function (room) {
      var line = at("rooms").appendChild(document.createElement("li"));
      line.appendChild(document.createElement("b")).textContent = room.code;
      line.appendChild(document.createTextNode(" " + room.name));
    });
  }

  function drawFactor() {
    show("setting", told.factor);
    show("factor", !told.factor);
    show("set", told.set && !told.factor);
    if (!told.factor) return;
    say("secret", "");
    door.each(told.factor.secret.match(/.{1,4}/g), function (four) {
      at("secret").appendChild(document.createElement("span")).textContent = four;
    });
    at("otpauth").href = told.factor.uri;
  }

  /* Who is it? Asked by the page for those who are in. */
  function look() {
    show("away", false);
    ask("GET", "me", null, function (status, me) {
      if (status === 401) return leave();
      if (status !== 200) {
        say("away-why", status ? me.detail || word("strange") : word("cut"));
        return show("away", true);
      }
      told.me = me;
      door.redraw();
      if (me.school_id) also("school", function (answer) { told.school = answer; });
      if (/teacher|administrator/.test(me.role)) also("classes?limit=50", function (answer) { told.classes = answer.items; });
    });
  }

  /* What goes without, when it does not come. */
  function also(path, keep) {
    ask("GET", path, null, function (status, answer) {
      if (status !== 200) return;
      keep(answer);
      door.redraw();
    });
  }

  function copy(id) {
    var done = false;
    getSelection().selectAllChildren(at(id));
    try { done = document.execCommand("copy"); } catch (_) { done = false; }
    say(id + "-calm", word(done ? "copied" : "marked"));
  }

  door.press = function (pressed) {
    var copies = pressed.getAttribute("data-copies");
    if (pressed.id === "again") look();
    if (pressed.id === "print") print();
    if (copies) copy(copies);
  };

  look();
})(window.door);
