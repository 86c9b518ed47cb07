// Names for whoever types @ into a text with data-names: a list below it, by keys or the pointer. Without it one types the whole name.
(() => {
  "use strict";
  let box = null, list = null, asked = 0;

  const typed = (area) => area.value.slice(0, area.selectionStart).match(/(?:^|[^\w.@+-])@([\w.+-]*)$/)?.[1];

  function close() {
    list?.remove();
    box?.removeAttribute("aria-activedescendant");
    box?.setAttribute("aria-expanded", "false");
    list = null;
  }

  function put(name) {
    const start = typed(box), at = box.selectionStart - (start ?? "").length;
    box.setRangeText(`${name} `, at, box.selectionStart, "end");
    close();
    box.focus();
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function mark(option) {
    for (const each of list.children) each.setAttribute("aria-selected", String(each === option));
    box.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  function show(names) {
    close();
    if (!names.length) return;
    list = document.createElement("ul");
    list.className = "names";
    list.id = `${box.id}_names`;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "People to mention");
    names.forEach((name, at) => {
      const option = document.createElement("li");
      option.id = `${list.id}_${at}`;
      option.setAttribute("role", "option");
      option.textContent = name;
      option.addEventListener("mousedown", (event) => { event.preventDefault(); put(name); });
      list.append(option);
    });
    box.after(list);
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-expanded", "true"]]) box.setAttribute(name, value);
    mark(list.firstChild);
  }

  document.addEventListener("input", async (event) => {
    const area = event.target;
    if (!area.matches("textarea[data-names]")) return;
    const start = typed(area), mine = ++asked;
    box = area;
    if (start === undefined) return close();
    try {
      const answer = await fetch(`${area.dataset.names}?q=${encodeURIComponent(start)}`, { signal: AbortSignal.timeout(5000) });
      if (mine === asked && answer.ok) show((await answer.json()).names.filter((name) => name !== start));
    } catch { /* away: one types the whole name */ }
  });

  document.addEventListener("keydown", (event) => {
    if (!list || event.target !== box) return;
    const options = [...list.children], at = options.findIndex((each) => each.getAttribute("aria-selected") === "true");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) mark(options[(at + step + options.length) % options.length]);
    else if (event.key === "Enter" || event.key === "Tab") put(options[at].textContent);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);

  document.addEventListener("focusout", (event) => { if (event.target === box) close(); });
})();
