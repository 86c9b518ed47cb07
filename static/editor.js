// Puts CodeMirror over the text areas of code and marks problems at their lines.
(() => {
  "use strict";
  const { create, mark } = window.WippyEditor;
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
      onChange: (text) => { area.value = text; area.dispatchEvent(new Event("input", { bubbles: true })); },
      onSave: () => form.requestSubmit(),
    }));
  }

  // -- a new entry: what is suggested follows the kind, as long as nobody has written over it --------------
  const suggested = JSON.parse(document.getElementById("suggested")?.textContent ?? "null");
  const kind = suggested && form.querySelector("[name=kind]");
  let shown = suggested?.[kind.value];
  kind?.addEventListener("change", () => {
    const next = suggested[kind.value] ?? { source: "", fields_text: "" };
    for (const [name, view] of views) {
      const { doc } = view.state;
      if (doc.toString() === shown?.[name]) view.dispatch({ changes: { from: 0, to: doc.length, insert: next[name] } });
    }
    shown = next;
  });

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
})();
