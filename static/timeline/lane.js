// The node of one lane: all its rows in one picture; a click on one goes to it in the list.
import { element, icon, isMoment, isOpen, setIcon, setText, svg } from "./words.js";

const NEAR = 6; // pixels beside a row that still mean it

export class LaneNode {
  constructor() {
    this.item = null;
    this.icon = element("span", "tl-kind", icon("layers"));
    this.name = element("a", "tl-name");
    this.more = element("span", "tl-summary");
    this.track = svg("svg", { class: "tl-track", "aria-hidden": "true", focusable: "false" });
    this.hover = svg("title");
    this.count = element("span", "tl-took");
    this.details = element("div", "tl-row", element("span", "tl-label", this.icon, this.name, this.more), this.track, element("span", "tl-state", this.count));
    this.summary = this.name;
    this.node = element("li", "tl-item tl-lane", this.details);
    this.node.setAttribute("role", "listitem");
    this.node.tlRow = this;
    this.track.addEventListener("pointermove", (event) => { setText(this.hover, this.at(event.clientX)?.label ?? ""); });
  }

  show(item, place, total, top, look) {
    this.node.style.transform = `translateY(${top}px)`;
    this.node.setAttribute("aria-posinset", place + 1);
    this.node.setAttribute("aria-setsize", total);
    if (this.item === item && this.drawn === look.drawn) return;
    [this.item, this.drawn, this.look] = [item, look.drawn, look];
    const { rows, name, human } = item.lane, failed = rows.filter((row) => row.tone === "bad").length;
    this.node.id = item.key;
    this.details.className = `tl-row t-${human ? "wait human" : failed ? "bad" : "mute"}`;
    setIcon(this.icon.firstChild, human ? "users" : "layers");
    setText(this.name, name);
    this.name.href = `#row-${rows[0].id}`;
    setText(this.more, rows.length === 1 ? rows[0].label ?? "" : "");
    setText(this.count, `${rows.length} ${rows.length === 1 ? "row" : "rows"}${failed ? `, ${failed} failed` : ""}`);
    this.#draw(rows, look);
  }

  // Rows that lie on one pixel are one stroke, so that a lane of thousands is a few hundred strokes at most.
  #draw(rows, look) {
    const width = look.width, strokes = new Map();
    this.spots = [];
    let last = null;
    for (const row of rows) {
      const from = look.scale.place(row.start) / 100 * width, to = isMoment(row) ? from : look.scale.place(isOpen(row) ? look.now : row.end) / 100 * width;
      if (to < -10 || from > width + 10) continue;
      this.spots.push([from, to, row]);
      if (last && last.tone === row.tone && from - last.to < 2) { last.to = Math.max(last.to, to); continue; }
      last = { from, to: Math.max(to, from + 1), tone: row.tone ?? "mute" };
      if (!strokes.has(last.tone)) strokes.set(last.tone, []);
      strokes.get(last.tone).push(last);
    }
    const paths = [...strokes].map(([tone, spans]) => svg("path", { class: `t-${tone} tl-span`, d: spans.map((each) => `M${each.from.toFixed(1)} 14H${each.to.toFixed(1)}`).join("") }));
    this.track.replaceChildren(this.hover, ...paths);
  }

  // The row nearest to a place on the screen.
  at(x) {
    const left = this.track.getBoundingClientRect().left, at = x - left;
    let found = null, best = NEAR;
    for (const [from, to, row] of this.spots ?? []) {
      const off = at < from ? from - at : at > to ? at - to : 0;
      if (off < best) [found, best] = [row, off];
    }
    return found;
  }

  free() { this.item = null; }
}
