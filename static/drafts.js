// Keeps what is typed into forms with data-draft on the server, a moment after the last key and when the page is left.
// Passwords and files stay here. A form is sent only when no saving is under way, so that no draft outlives what was sent.
(() => {
  "use strict";
  const PAUSE = 1200;
  const timers = new Map();
  const saving = new Map();

  function fields(form) {
    const data = new FormData(form);
    const secret = new Set(data.getAll("typed_secret"));
    const kept = new URLSearchParams();
    for (const [name, value] of data) {
      if (typeof value === "string" && (!secret.has(name) || name === "typed_secret")) kept.append(name, value);
    }
    kept.append("typed_form", form.dataset.draft);
    return kept;
  }

  function save(form, leaving = false) {
    clearTimeout(timers.get(form));
    timers.delete(form);
    const body = fields(form);
    const sent = fetch("/drafts/", { method: "POST", body, keepalive: leaving && body.toString().length < 60000, signal: AbortSignal.timeout(10000) })
      .catch(() => { /* away: the next key tries again, and the form still stands here */ })
      .finally(() => { if (saving.get(form) === sent) saving.delete(form); });
    saving.set(form, sent);
  }

  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-draft]");
    if (!form) return;
    clearTimeout(timers.get(form));
    timers.set(form, setTimeout(save, PAUSE, form));
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    clearTimeout(timers.get(form));
    timers.delete(form);
    const busy = saving.get(form);
    if (!busy) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const again = () => { saving.delete(form); form.requestSubmit(event.submitter); };
    Promise.race([busy, new Promise((resolve) => setTimeout(resolve, 3000))]).then(again);
  }, true);

  // Who closes a dialog has been asked whether to discard what is typed there.
  document.addEventListener("close", (event) => {
    const form = event.target.querySelector?.("form[data-draft]");
    if (form?.dataset.dirty !== "yes") return;
    clearTimeout(timers.get(form));
    timers.delete(form);
    const body = fields(form);
    Promise.resolve(saving.get(form)).then(() => fetch("/drafts/discard/", { method: "POST", body, redirect: "manual" })).catch(() => {});
  }, true);

  function flush() {
    for (const form of [...timers.keys()]) if (form.isConnected) save(form, true);
  }
  document.addEventListener("visibilitychange", () => { if (document.hidden) flush(); });
  addEventListener("pagehide", flush);

  // A page out of the browser's memory may be somebody else's by now: a log-in renews the token.
  const token = () => document.cookie.split("; ").find((each) => each.startsWith(`${document.body.dataset.csrf}=`))?.split("=")[1] ?? "";
  const drawn = token();
  addEventListener("pageshow", (event) => { if (event.persisted && token() !== drawn) location.reload(); });
})();
