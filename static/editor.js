// Puts CodeMirror over the text areas of code, marks problems at their lines, and keeps drafts over an expired session.
(() => {
  "use strict";
  const { create, mark, replace } = window.WippyEditor;
  const views = new Map();

  // -- reading ---------------------------------------------------------------------------------
  for (const box of document.querySelectorAll("[data-view]")) {
    const text = box.querySelector("pre").textContent;
    const host = document.createElement("div");
    host.className = "editor-host";
    box.replaceChildren(host);
    create(host, { text, language: box.dataset.view, label: "Source", readOnly: true });
  }

  // -- editing ---------------------------------------------------------------------------------
  const form = document.querySelector("form.editor");
  if (!form) return;

  for (const area of form.querySelectorAll("textarea[data-editor]")) {
    const host = document.createElement("div");
    host.className = "editor-host";
    host.dataset.for = area.name;
    area.hidden = true;
    area.after(host);
    const label = form.querySelector(`label[for="${area.id}"]`);
    label?.addEventListener("click", () => views.get(area.name).focus());
    views.set(area.name, create(host, {
      text: area.value, language: area.dataset.editor, label: label?.textContent.trim() ?? area.name,
      onChange: (text) => { area.value = text; form.dataset.dirty = "yes"; remember(); },
      onSave: () => form.requestSubmit(),
    }));
  }

  const problems = JSON.parse(document.getElementById("problems")?.textContent ?? "[]") ?? [];
  const field = (problem) => (problem.field === "fields" ? "fields_text" : "source");
  for (const [name, view] of views) {
    const mine = problems.filter((problem) => problem.line && field(problem) === name);
    if (mine.length) mark(view, mine);
  }
  for (const link of document.querySelectorAll("a[data-line]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const view = views.get(link.dataset.field === "fields" ? "fields_text" : "source");
      const at = view.state.doc.line(Math.min(Number(link.dataset.line), view.state.doc.lines));
      view.dispatch({ selection: { anchor: at.from }, scrollIntoView: true });
      view.focus();
    });
  }

  // -- drafts ----------------------------------------------------------------------------------
  const key = `draft:${form.dataset.draft}`;
  const names = ["source", "fields_text", "message"];
  const current = () => Object.fromEntries(names.map((name) => [name, form.elements[name].value]));
  const store = {
    get: () => { try { return JSON.parse(sessionStorage.getItem(key)); } catch { return null; } },
    set: (value) => { try { sessionStorage.setItem(key, JSON.stringify(value)); } catch { /* full or forbidden */ } },
    drop: () => { try { sessionStorage.removeItem(key); } catch { /* forbidden */ } },
  };
  const served = JSON.stringify(current());
  let dropped = false;

  function remember() {
    if (!dropped) store.set({ base: form.elements.base.value, text: current() });
  }

  function put(text) {
    for (const name of names) {
      form.elements[name].value = text[name];
      const view = views.get(name);
      if (view) replace(view, text[name]);
    }
  }

  function offer(draft) {
    const note = document.createElement("div");
    note.className = "note info";
    note.innerHTML = "<div><b>Your unsaved draft was brought back.</b> <button class='btn small' type='button'>Discard it</button></div>";
    note.querySelector("button").addEventListener("click", () => { put(JSON.parse(served)); store.drop(); form.dataset.dirty = ""; note.remove(); });
    form.before(note);
    put(draft.text);
    form.dataset.dirty = "yes";
  }

  const draft = store.get();
  const unsent = !document.querySelector("[role=alert]");
  if (draft && unsent && draft.base === form.elements.base.value && JSON.stringify(draft.text) !== served) offer(draft);
  else if (draft && unsent) store.drop();
  form.elements.message.addEventListener("input", remember);
  form.querySelector("a.quiet")?.addEventListener("click", () => { dropped = true; store.drop(); });
})();
