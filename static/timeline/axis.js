// The axis above the rows: labels at round times that never overlap, breaks for collapsed gaps; zoomed by keys, wheel and dragging.
import { duration, element, offset, svg } from "./words.js";

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, ...[1, 2, 5, 10, 30].map((n) => n * SECOND), ...[1, 2, 5, 10, 30].map((n) => n * MINUTE),
  ...[1, 2, 6, 12].map((n) => n * HOUR), ...[1, 2, 7, 14, 28, 91, 182, 364].map((n) => n * DAY),
];
const APART = 14; // pixels between labels
const brush = document.createElement("canvas").getContext("2d");

export class Axis {
  // `zoomed()` hears when the view changed, `expand()` when a break was clicked.
  constructor(box, scale, { zoomed, expand }) {
    Object.assign(this, { box, scale, zoomed, expand });
    this.picture = box.querySelector("svg");
    this.range = element("div", "tl-range");
    this.range.hidden = true;
    box.append(this.range);
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "Time axis: plus and minus zoom, arrows move, 0 shows all");
    brush.font = `11px ${getComputedStyle(box).fontFamily}`;
    this.#listen();
  }

  draw() {
    const width = this.box.clientWidth;
    if (!width) return;
    const parts = [...this.#breaks(width), ...this.#ticks(width)];
    this.picture.replaceChildren(...parts);
  }

  #label(x, text, anchor) {
    const made = svg("text", { class: "tl-tick-text", x: x.toFixed(1), y: 11, "text-anchor": anchor });
    made.textContent = text;
    return made;
  }

  #ticks(width) {
    const parts = [], end = this.scale.head.open && this.scale.high > 99.99 ? "now" : "";
    let free = -APART, limit = width;
    if (end) {
      parts.push(this.#label(width, end, "end"));
      limit = width - brush.measureText(end).width - APART;
    }
    for (const [at, step] of this.#moments(width)) {
      const x = this.scale.seen(this.scale.raw(at)) / 100 * width, text = offset(at, step), wide = brush.measureText(text).width;
      const anchor = x < wide / 2 ? "start" : x > width - wide / 2 ? "end" : "middle";
      const left = anchor === "start" ? x : anchor === "end" ? x - wide : x - wide / 2;
      if (left < free || left + wide > limit) continue;
      free = left + wide + APART;
      parts.push(svg("line", { class: "tl-tick", x1: x.toFixed(1), x2: x.toFixed(1), y1: 16, y2: 24 }), this.#label(x, text, anchor));
    }
    return parts;
  }

  // Round moments within each stretch between the gaps, as [milliseconds since the beginning, step].
  *#moments(width) {
    const { knots } = this.scale;
    for (let i = 1; i < knots.length; i += 1) {
      const [a, low] = knots[i - 1], [b, high] = knots[i];
      if (this.#isGap(low, high) || high <= low || this.scale.seen(high) < 0 || this.scale.seen(low) > 100) continue;
      const perPixel = (b - a) / ((this.scale.seen(high) - this.scale.seen(low)) / 100 * width);
      const wide = (each) => (Math.max(40, ...[1, 2].map((n) => brush.measureText(offset(Math.max(each, (Math.floor(b / each) + 1 - n) * each), each)).width)) + APART + 2) * perPixel;
      const step = STEPS.find((each) => each >= wide(each)) ?? STEPS.at(-1) * Math.ceil(wide(STEPS.at(-1)) / STEPS.at(-1));
      const [from, to] = [Math.max(a, this.scale.offsetAt(0)), Math.min(b, this.scale.offsetAt(1))];
      for (let at = Math.ceil(from / step) * step; at <= to; at += step) yield [at, step];
    }
  }

  #isGap(low, high) { return this.scale.gaps.some(([from, to]) => from <= low + 0.01 && high <= to + 0.01); }

  #breaks(width) {
    return this.scale.gaps.flatMap(([low, high, seconds]) => {
      const [a, b] = [low, high].map((each) => this.scale.seen(each) / 100 * width);
      if (b < 0 || a > width) return [];
      const middle = (a + b) / 2, line = svg("line", { class: "tl-gap", x1: a, x2: b, y1: 20, y2: 20 });
      const mark = svg("path", { class: "tl-break", d: `M${middle - 5} 24l4-9M${middle + 1} 24l4-9` });
      const title = svg("title");
      title.textContent = `${duration(seconds)} without an event: click to show idle time`;
      mark.append(title);
      return [line, mark];
    });
  }

  // -- zoom ------------------------------------------------------------------------------------
  zoom(factor, around = 0.5) {
    this.scale.look(around - around * factor, around + (1 - around) * factor);
    this.zoomed();
  }

  pan(share) {
    this.scale.look(share, 1 + share);
    this.zoomed();
  }

  whole() {
    this.scale.zoom = null;
    this.zoomed();
  }

  #listen() {
    this.box.addEventListener("keydown", (event) => this.#key(event));
    this.box.addEventListener("dblclick", () => this.whole());
    this.box.addEventListener("pointerdown", (event) => this.#drag(event));
    this.box.addEventListener("click", (event) => { if (event.target.closest(".tl-break")) this.expand(); });
  }

  wheel(event) {
    if (!(event.ctrlKey || event.altKey)) return;
    event.preventDefault();
    const { left, width } = this.box.getBoundingClientRect();
    this.zoom(event.deltaY > 0 ? 1.25 : 0.8, Math.min(1, Math.max(0, (event.clientX - left) / width)));
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = {
      "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2), 0: () => this.whole(),
      ArrowLeft: () => this.pan(-0.2), ArrowRight: () => this.pan(0.2), Home: () => this.pan(-1e6), End: () => this.pan(1e6),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }

  #drag(event) {
    if (event.button !== 0 || event.target.closest(".tl-break")) return;
    const { left, width } = this.box.getBoundingClientRect(), from = event.clientX - left;
    const span = (each) => [from, each.clientX - left].map((x) => Math.min(width, Math.max(0, x))).sort((a, b) => a - b);
    const move = (each) => {
      const [a, b] = span(each);
      Object.assign(this.range.style, { left: `${a}px`, width: `${b - a}px` });
      this.range.hidden = b - a < 4;
    };
    const stop = (each) => {
      for (const name of ["pointermove", "pointerup", "pointercancel"]) removeEventListener(name, name === "pointermove" ? move : stop);
      this.range.hidden = true;
      const [a, b] = span(each);
      if (each.type === "pointerup" && b - a >= 4) { this.scale.look(a / width, b / width); this.zoomed(); }
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", stop);
    addEventListener("pointercancel", stop);
  }
}
