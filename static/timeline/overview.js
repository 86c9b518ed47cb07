// All rows of a long list in one strip, each as a sliver in the colour of its state; a click, dragging and keys move the view.
const RANK = { bad: 5, warn: 4, wait: 3, run: 2, mute: 0, ok: 1 };
export const FROM = 500; // rows

export class Overview {
  // `go(place)`: brings a row to the top of the view.
  constructor(before, go) {
    this.node = document.createElement("canvas");
    this.node.className = "tl-map";
    this.node.tabIndex = 0;
    this.node.hidden = true;
    for (const [name, value] of [["role", "slider"], ["aria-label", "Overview of all rows"], ["aria-orientation", "horizontal"], ["aria-valuemin", 1]]) this.node.setAttribute(name, value);
    before.before(this.node);
    Object.assign(this, { go, items: [], first: 0, last: 0, size: [0, 0] });
    this.#listen();
  }

  // Stands above a list that is long, or has become long: then without moving the rows below it.
  fit(items, list) {
    const hidden = items.length <= FROM, later = this.fitted && hidden !== this.node.hidden;
    const top = later ? list.getBoundingClientRect().top : 0;
    [this.node.hidden, this.fitted] = [hidden, true];
    if (later) scrollBy({ top: list.getBoundingClientRect().top - top, behavior: "instant" });
  }

  // `items` of the list, of which `first` to `last` are in view.
  show(items, first, last) {
    if (this.node.hidden || (items === this.items && first === this.first && last === this.last && !this.stale)) return;
    if (items !== this.items || this.stale) this.picture = null;
    Object.assign(this, { items, first, last, stale: false });
    this.node.setAttribute("aria-valuemax", items.length);
    this.node.setAttribute("aria-valuenow", first + 1);
    this.node.setAttribute("aria-valuetext", `rows ${first + 1} to ${last + 1} of ${items.length}`);
    this.#paint();
  }

  // The rows are painted when they change; as the view moves, only its frame is.
  #paint() {
    const ratio = devicePixelRatio || 1, [width, height] = this.size; // told, for to measure would lay the page out once more
    if (!width) return;
    this.picture ??= this.#picture(width, height, ratio);
    if (this.node.width !== this.picture.width) [this.node.width, this.node.height] = [this.picture.width, this.picture.height];
    const brush = this.node.getContext("2d");
    brush.setTransform(1, 0, 0, 1, 0, 0);
    brush.clearRect(0, 0, this.node.width, this.node.height);
    brush.drawImage(this.picture, 0, 0);
    brush.scale(ratio, ratio);
    this.#frame(brush, width, height);
  }

  #picture(width, height, ratio) {
    const made = Object.assign(document.createElement("canvas"), { width: width * ratio, height: height * ratio });
    const brush = made.getContext("2d");
    this.colours = Object.fromEntries([...Object.keys(RANK), "accent"].map((tone) => [tone, this.#colour(tone)]));
    brush.scale(ratio, ratio);
    this.#columns(width).forEach((tone, x) => {
      if (!tone) return;
      brush.fillStyle = this.colours[tone] ?? this.colours.mute;
      const low = tone === "ok" || tone === "mute" ? 0.35 : 0.1;
      brush.fillRect(x, height * low, 1, height * (1 - low));
    });
    return made;
  }

  #frame(brush, width, height) {
    const from = this.first / this.items.length * width, wide = Math.max(6, (this.last - this.first + 1) / this.items.length * width);
    brush.strokeStyle = this.colours.accent;
    brush.lineWidth = 2;
    brush.strokeRect(Math.min(from, width - wide) + 1, 1, wide - 2, height - 2);
  }

  // The telling state of each pixel's rows.
  #columns(width) {
    const tones = new Array(Math.round(width)).fill("");
    this.items.forEach((item, place) => {
      const x = Math.min(tones.length - 1, Math.floor(place / this.items.length * tones.length)), tone = item.row?.tone ?? "mute";
      if (!tones[x] || RANK[tone] > RANK[tones[x]]) tones[x] = tone;
    });
    return tones;
  }

  // A colour of the page's tokens, which know light from dark: read from an element that has it.
  #colour(tone) {
    this.probe ??= this.node.parentElement.appendChild(Object.assign(document.createElement("span"), { hidden: true }));
    this.probe.style.color = `var(--${tone})`;
    return getComputedStyle(this.probe).color;
  }

  renew() {
    this.stale = true;
    this.show(this.items, this.first, this.last);
  }

  #listen() {
    const at = (event) => {
      const { left, width } = this.node.getBoundingClientRect();
      const seen = this.last - this.first, place = Math.round((event.clientX - left) / width * this.items.length - seen / 2);
      this.go(Math.min(this.items.length - 1, Math.max(0, place)));
    };
    this.node.addEventListener("pointerdown", (event) => { this.node.setPointerCapture(event.pointerId); at(event); });
    this.node.addEventListener("pointermove", (event) => { if (event.buttons & 1) at(event); });
    this.node.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(([entry]) => {
      this.size = [entry.contentRect.width, entry.contentRect.height];
      this.renew();
    }).observe(this.node);
    new MutationObserver(() => this.renew()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.renew());
  }

  #key(event) {
    const screen = Math.max(1, this.last - this.first), tenth = Math.ceil(this.items.length / 10);
    const to = {
      ArrowRight: this.first + screen, ArrowDown: this.first + screen, ArrowLeft: this.first - screen, ArrowUp: this.first - screen,
      PageDown: this.first + tenth, PageUp: this.first - tenth, Home: 0, End: this.items.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.go(Math.min(this.items.length - 1, Math.max(0, to)));
  }
}
