// The picture of a row on its track: pale while queued, solid at work, dashed to now while open, hollow for timers, a cap at the end.
import { iconAddress, isMoment, isOpen, svg } from "./words.js";

const CAPS = { completed: "check", failed: "x", timed_out: "alarm-clock", canceled: "ban", terminated: "x", fired: "check" };

export class Track {
  constructor() {
    this.node = svg("svg", { class: "tl-track", "aria-hidden": "true", focusable: "false" });
    this.lines = ["tl-queued", "tl-bar", "tl-hole"].map((name) => svg("line", { class: name, y1: "50%", y2: "50%" }));
    this.cap = svg("svg", { class: "tl-cap", y: "50%", overflow: "visible" });
    this.cap.append(svg("circle", { r: 7 }), svg("use", { x: -4.5, y: -4.5, width: 9, height: 9 }));
    this.diamond = svg("svg", { class: "tl-diamond", y: "50%", overflow: "visible" });
    this.diamond.append(svg("path", { d: "M0-7 7 0 0 7-7 0z" }));
  }

  show(row, scale, now) {
    const wanted = isMoment(row) ? this.#moment(row, scale) : this.#bars(row, scale, now);
    const there = this.node.childNodes;
    if (there.length !== wanted.length || wanted.some((part, place) => there[place] !== part)) this.node.replaceChildren(...wanted);
  }

  #moment(row, scale) {
    this.diamond.setAttribute("x", `${scale.place(row.start).toFixed(3)}%`);
    return [this.diamond];
  }

  #bars(row, scale, now) {
    const end = row.end ?? now, queued = row.state === "scheduled";
    const begun = row.started ?? (queued ? end : row.start);
    const parts = [], [pale, bar, hole] = this.lines;
    if (begun > row.start) parts.push(this.#line(pale, scale, row.start, begun));
    if (!queued) parts.push(this.#line(bar, scale, begun, end));
    bar.setAttribute("class", `tl-bar ${row.kind === "timer" ? "tl-timer" : row.kind === "loop" ? "tl-many" : isOpen(row) ? "tl-pending" : ""}`);
    if (row.kind === "timer") parts.push(this.#line(hole, scale, begun, end));
    if (!isOpen(row) && CAPS[row.state]) parts.push(this.#end(row, scale));
    return parts;
  }

  #line(line, scale, from, to) {
    line.setAttribute("x1", `${scale.place(from).toFixed(3)}%`);
    line.setAttribute("x2", `${scale.place(to).toFixed(3)}%`);
    return line;
  }

  #end(row, scale) {
    this.cap.setAttribute("x", `${scale.place(row.end).toFixed(3)}%`);
    this.cap.lastChild.setAttribute("href", iconAddress(CAPS[row.state]));
    return this.cap;
  }
}
