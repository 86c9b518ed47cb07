// The filters above the rows: they act at once, and the address keeps them.
const NAMES = ["find", "kind", "only", "own", "order", "lane"];

export class Filters {
  constructor(form, changed) {
    this.form = form;
    this.#fromAddress();
    this.wanted = this.#read();
    let timer = 0;
    const act = () => {
      clearTimeout(timer);
      const wanted = this.#read();
      if (JSON.stringify(wanted) === JSON.stringify(this.wanted)) return;
      this.wanted = wanted;
      this.#keep();
      changed(wanted);
    };
    form.addEventListener("submit", (event) => { event.preventDefault(); act(); });
    form.addEventListener("change", act);
    form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(act, 120); });
  }

  #read() {
    const data = new FormData(this.form);
    return Object.fromEntries(NAMES.map((name) => [name, String(data.get(name) ?? "").trim()]));
  }

  #fromAddress() {
    const asked = new URLSearchParams(location.search);
    for (const name of NAMES) {
      const field = this.form.elements[name], value = asked.get(name) ?? "";
      if (field.type === "checkbox") field.checked = Boolean(value);
      else field.value = value;
      if (field.value !== value && field.tagName === "SELECT") field.add(new Option(value, value, true, true));
    }
  }

  #keep() {
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(this.wanted)) {
      if (value) url.searchParams.set(name, value);
      else url.searchParams.delete(name);
    }
    url.searchParams.delete("all");
    history.replaceState(history.state, "", url);
  }

  leaveLanes() {
    this.form.elements.lane.checked = false;
    this.wanted = this.#read();
    this.#keep();
  }

  // A kind that came up since the page was drawn can be chosen.
  offer(kinds) {
    const select = this.form.elements.kind, known = new Set([...select.options].map((option) => option.value));
    for (const kind of [...kinds].sort()) if (!known.has(kind) && kind !== "loop") select.add(new Option(kind, kind));
  }
}
