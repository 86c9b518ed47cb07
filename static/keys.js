// The keyboard: `/` search, `?` help, Ctrl-K palette, j and k over rows. No key decides anything.
(() => {
  "use strict";
  const typing = (target) => target.closest?.("input, textarea, select, [contenteditable=true], .cm-editor, [data-editor]");
  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent);

  function move(step) {
    if (!document.dispatchEvent(new CustomEvent("row-step", { detail: step, cancelable: true }))) return; // a list that has more rows than nodes
    const all = rows();
    if (!all.length) return;
    const now = all.findIndex((row) => row.classList.contains("here"));
    const next = all[Math.min(Math.max(now + step, 0), all.length - 1)];
    all[now]?.classList.remove("here");
    next.classList.add("here");
    const link = next.matches("a, summary") ? next : next.querySelector("a[href], summary");
    link?.focus();
    next.scrollIntoView({ block: "nearest" });
  }

  function search() {
    const box = document.querySelector("[data-search]");
    if (box) { box.focus(); box.select(); } else window.wippy.open("palette");
  }

  const plain = { "/": search, "?": () => window.wippy.open("help"), j: () => move(1), k: () => move(-1) };

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      return window.wippy.open("palette");
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    const action = plain[event.key];
    if (!action || !document.getElementById("help")) return;
    event.preventDefault();
    action();
  });

  // The palette: arrows move over its links, Enter opens the first when none has the focus.
  document.getElementById("palette")?.addEventListener("keydown", (event) => {
    const links = [...event.currentTarget.querySelectorAll("#palette-list a")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && links.length) {
      event.preventDefault();
      links[(links.indexOf(document.activeElement) + step + links.length) % links.length].focus();
    } else if (event.key === "Enter" && event.target.matches("input") && links.length) {
      event.preventDefault();
      links[0].click();
    }
  });
})();
