// The timeline of a run: rows of its source, laid out in a pool, on an axis, followed while the run goes on.
import { Axis } from "./axis.js";
import { Children } from "./children.js";
import { Details } from "./details.js";
import { Filters } from "./filters.js";
import { Heights } from "./heights.js";
import { lanes } from "./lanes.js";
import { Memory } from "./memory.js";
import { outline } from "./outline.js";
import { Overview } from "./overview.js";
import { MOST, Pool } from "./pool.js";
import { Reading } from "./reading.js";
import { Scale } from "./scale.js";
import { Source } from "./source.js";
import { setText } from "./words.js";

const OVERSCAN = 360; // pixels drawn beyond the view
const $ = (id) => document.getElementById(id);

export class Timeline {
  constructor(region) {
    this.region = region;
    this.list = $("tl-rows");
    this.opened = new Set();
    this.spread = new Set();
    this.items = [];
    this.here = "";
    this.drawn = 0;
    this.frame = 0;
    this.pill = $("tl-new");
    this.#make();
    this.memory = new Memory(region.dataset.run);
    this.kept = this.memory.restore();
    this.source.ask();
  }

  #make() {
    const tell = { told: (changes) => this.#told(changes), failed: () => this.#tellLive() };
    this.source = new Source(this.region.dataset.home, tell);
    this.children = new Children({ told: (changes) => this.#childTold(changes), failed: () => this.#tellLive() });
    this.heights = new Heights();
    this.scale = new Scale();
    this.details = new Details((key) => this.#grown(key));
    this.filters = new Filters($("tl-filters"), () => this.#filtered());
    this.pool = new Pool(this.list);
    this.reading = new Reading(this.list, this.region.querySelector(".tl-top"), this.heights);
  }

  // -- the first answer: the pool takes over from the server's rows -------------------------------
  #begin() {
    for (const each of this.list.querySelectorAll(".tl-item > details[open]")) this.opened.add(each.id.slice("row-details-".length));
    const focused = this.list.contains(document.activeElement) ? document.activeElement.closest(".tl-item") : null;
    this.refocus = Boolean(focused);
    if (focused) this.here = focused.id.slice("row-".length);
    this.list.classList.add("pooled");
    this.list.replaceChildren();
    this.pooled = true;
    this.axis = new Axis($("tl-scale"), this.scale, { zoomed: () => this.#redraw(), expand: () => this.#setIdle(true) });
    this.overview = new Overview(this.region.querySelector(".tl-top").firstElementChild, (place) => { this.reading.go(place); this.draw(); });
    this.sizes = new ResizeObserver((all) => this.#resized(all));
    this.#recall();
    this.#listen();
  }

  #recall() {
    const kept = this.kept ?? {};
    for (const key of kept.opened ?? []) this.opened.add(key);
    for (const key of kept.spread ?? []) this.spread.add(key);
    for (const [key, height] of kept.heights ?? []) this.heights.measured.set(key, height);
    if (kept.zoom) this.scale.zoom = kept.zoom;
    this.scale.idle = Boolean(kept.idle);
    this.here ||= kept.here ?? "";
    this.first = kept.held ?? null;
    if (this.first) history.scrollRestoration = "manual";
  }

  #save() {
    const held = this.reading.anchor(null);
    this.memory.save({
      opened: [...this.opened], spread: [...this.spread], zoom: this.scale.zoom, idle: this.scale.idle, here: this.here,
      heights: [...this.heights.measured], held: held ? { key: held.key, y: held.y } : null,
    });
  }

  // -- what the server tells -----------------------------------------------------------------------
  #told({ fresh, moved, first }) {
    if (!this.source.head) return this.#tellLive();
    if (!this.pooled) this.#begin();
    const ended = this.region.hasAttribute("data-open") && !this.source.head.open;
    this.region.toggleAttribute("data-open", Boolean(this.source.head.open));
    setText($("tl-count"), `${this.source.head.events} event${this.source.head.events === 1 ? "" : "s"}`);
    $("tl-idle").hidden = !(this.source.head.gaps ?? []).length && !this.scale.idle;
    if (moved || first) this.filters.offer(new Set([...this.source.rows.values()].map((row) => row.kind)));
    this.#tellLive();
    this.#tellRun(ended);
    if (!first) this.#unfold(fresh);
    this.#lay({ fresh: first ? [] : fresh, moved: moved || first });
    if (this.refocus) this.pool.of(this.here)?.summary.focus({ preventScroll: true });
    this.refocus = false;
    if (first && this.first) this.#return();
  }

  // Rows that became a loop while one of them is open or has the focus go on being seen.
  #unfold(fresh) {
    const loops = new Set(fresh.map(String).filter((id) => id.startsWith("L") && !this.spread.has(id)));
    if (!loops.size) return;
    for (const key of [...this.opened, this.#focused()?.key ?? ""]) {
      const loop = this.source.rows.get(Number(key))?.loop;
      if (loop && loops.has(String(loop))) this.spread.add(String(loop));
    }
  }

  #childTold() {
    this.#tellLive();
    this.#lay({ fresh: [], moved: true });
  }

  // The head of the page hears of a new state that no event of the feed told.
  #tellRun(ended) {
    const said = JSON.stringify(this.source.head.state ?? null);
    const changed = this.said !== undefined && this.said !== said;
    this.said = said;
    if (changed || ended) this.telling ||= setTimeout(() => { // a run that goes on fast changes its state many times a second
      this.telling = 0;
      document.body.dispatchEvent(new CustomEvent("run-state"));
    }, ended ? 0 : 1000);
  }

  #tellLive() {
    const failing = this.source.failures || [...this.children.sources.values()].some((each) => each.followed && each.failures);
    $("tl-live").hidden = !failing && !this.source.refused;
    setText($("tl-live"), this.source.refused || "Not live");
    $("tl-live").title = "The console does not answer; it is asked again and again.";
  }

  #return() {
    const place = this.heights.index.get(this.first.key);
    if (place !== undefined) scrollBy({ top: this.list.getBoundingClientRect().top + this.heights.top(place) - this.first.y, behavior: "instant" });
    this.first = null;
    this.reading.touched = true;
    this.draw();
  }

  // -- laying out ------------------------------------------------------------------------------------
  #filtered() {
    this.#lay({ fresh: [], moved: true });
    clearTimeout(this.announcing);
    this.announcing = setTimeout(() => window.wippy.announce(`${this.items.length} ${this.items.length === 1 ? "row" : "rows"}`), 600);
  }

  #lay({ fresh, moved }) {
    const descending = this.filters.wanted.order === "desc";
    const follows = this.reading.isAtEnd(descending), focused = this.#focused();
    const held = follows ? null : this.reading.anchor(focused);
    if (moved) {
      this.items = this.#arranged();
      this.children.keep(this.spread);
      this.heights.lay(this.items, (key) => this.opened.has(key));
    }
    this.drawn += 1;
    this.scale.set(this.source.head, this.source.now());
    $("tl-none").hidden = this.items.length > 0;
    this.#fit();
    this.overview.fit(this.items, this.list);
    this.reading.restore(held);
    if (follows && moved && fresh.length) this.reading.toEnd(descending);
    this.draw();
    this.axis.draw();
    if (focused && document.activeElement === document.body) this.#refocus(focused);
    if (fresh.length) this.#tellNew(fresh, follows);
  }

  #arranged() {
    if (this.filters.wanted.lane) return lanes(this.source, this.filters.wanted, this.source.now());
    return outline(this.source, this.filters.wanted, this.spread, (row, key) => this.children.of(row, key));
  }

  #fit() {
    this.list.style.height = `${this.heights.total}px`;
  }

  #focused() {
    const inside = this.list.contains(document.activeElement) ? this.pool.itemOf(document.activeElement) : null;
    return inside && { key: inside.key };
  }

  // The row that had the focus is gone: the one in its place has it now.
  #refocus({ key }) {
    const node = this.pool.of(key) ?? this.pool.of(this.items[this.heights.at(this.reading.view().from)]?.key);
    node?.summary.focus({ preventScroll: true });
  }

  draw() {
    if (!this.pooled) return;
    this.#enter();
    const { from, to } = this.reading.view(), { items, heights } = this;
    const first = heights.at(from - OVERSCAN), last = items.length ? Math.min(heights.at(to + OVERSCAN), first + MOST - 6) : -1;
    const places = new Set();
    for (let place = first; place <= last; place += 1) places.add(place);
    for (const row of this.pool.held()) {
      const place = heights.index.get(row.item.key);
      if (place !== undefined) places.add(place);
    }
    this.pool.show(items, [...places].sort((a, b) => a - b), (place) => heights.top(place), this.#look());
    this.#watchSizes();
    this.overview.show(items, heights.at(from), Math.max(heights.at(from), heights.at(to - 1)));
    this.#trimNew(from, to);
  }

  #look() {
    return {
      scale: this.scale, width: this.axis.box.clientWidth, now: this.source.now(), drawn: this.drawn, here: this.here,
      opened: (key) => this.opened.has(key), detail: (item) => this.details.of(item),
      away: (node) => this.details.away(node), back: (parent, node) => this.details.back(parent, node),
      settled: () => this.details.settled(),
    };
  }

  #later() {
    this.frame ||= requestAnimationFrame(() => { this.frame = 0; this.draw(); });
  }

  #redraw() {
    this.drawn += 1;
    this.region.toggleAttribute("data-zoomed", Boolean(this.scale.zoom));
    this.scale.set(this.source.head, this.source.now());
    this.axis.draw();
    this.draw();
  }

  #setIdle(idle) {
    this.scale.idle = idle;
    $("tl-idle").setAttribute("aria-pressed", String(idle));
    this.#redraw();
  }

  // -- heights -----------------------------------------------------------------------------------------
  #watchSizes() {
    for (const row of this.pool.used.values()) {
      if (this.watched?.has(row)) continue;
      (this.watched ??= new WeakSet()).add(row);
      this.sizes.observe(row.details);
    }
  }

  #resized(all) {
    const found = all.map((entry) => [entry.target.closest(".tl-item")?.tlRow, entry.target.offsetHeight]);
    this.#anchored(() => {
      let changed = false;
      for (const [row, height] of found) {
        if (!row?.item || !height) continue;
        if (this.opened.has(row.item.key)) changed = this.heights.measure(row.item.key, height + 1) || changed;
        else changed = this.heights.setBase(height + 1) || changed;
      }
      return changed;
    });
  }

  #grown(key) {
    const row = this.pool.of(key);
    if (row && this.opened.has(key)) this.#resized([{ target: row.details }]);
  }

  #anchored(change) {
    const held = this.reading.anchor(this.#focused());
    if (!change()) return;
    this.#fit();
    this.reading.restore(held);
    this.draw();
  }

  // -- new rows out of view ------------------------------------------------------------------------------
  #tellNew(fresh, follows) {
    if (follows) return this.reading.fresh.clear();
    for (const id of fresh) {
      const place = this.heights.index.get(String(id));
      if (place !== undefined) this.reading.fresh.add(String(id));
    }
    const { from, to } = this.reading.view();
    this.#trimNew(from, to);
  }

  // `from` and `to`: what is in view; not measured again, which would lay the page out in the midst of drawing.
  #trimNew(from, to) {
    for (const key of this.reading.fresh) {
      const place = this.heights.index.get(key), top = place === undefined ? -1 : this.heights.top(place);
      if (place === undefined || (top >= from - this.heights.base && top < to)) this.reading.fresh.delete(key);
    }
    const count = this.reading.fresh.size;
    this.pill.hidden = !count;
    if (count) setText(this.pill, `${count} new`);
  }

  // -- acts -------------------------------------------------------------------------------------------------
  setOpen(key, open) {
    if (open) this.opened.add(key);
    else this.opened.delete(key);
    this.#anchored(() => { this.heights.lay(this.items, (each) => this.opened.has(each)); return true; });
  }

  setSpread(key) {
    if (!this.spread.delete(key)) this.spread.add(key);
    this.#lay({ fresh: [], moved: true });
  }

  step(by) {
    const focused = this.#focused()?.key ?? this.here, was = this.heights.index.get(focused);
    const start = was ?? this.heights.at(this.reading.view().from) - (by > 0 ? 1 : 0);
    const place = Math.min(this.items.length - 1, Math.max(0, start + by));
    if (this.items[place]) this.show(this.items[place].key);
  }

  #listen() {
    this.list.addEventListener("click", (event) => this.#click(event));
    this.region.addEventListener("click", (event) => this.#button(event));
    this.region.addEventListener("wheel", (event) => this.axis.wheel(event), { passive: false });
    document.addEventListener("row-step", (event) => { event.preventDefault(); this.step(event.detail); });
    document.addEventListener("selectionchange", () => this.pool.select());
    addEventListener("scroll", () => { this.reading.touched = true; this.#later(); }, { passive: true });
    addEventListener("resize", () => { this.#later(); this.axis.draw(); });
    addEventListener("pagehide", () => this.#save());
    new ResizeObserver(() => this.#pushed()).observe($("run"));
    setInterval(() => this.#tick(), 1000);
  }

  #click(event) {
    if (this.filters.wanted.lane) return this.#leaveLanes(event);
    const twist = event.target.closest(".tl-twist"), summary = event.target.closest(".tl-row"), item = this.pool.itemOf(event.target);
    if (!item || !(twist || summary)) return;
    event.preventDefault();
    if (twist) this.setSpread(item.key);
    else this.setOpen(item.key, !this.opened.has(item.key));
  }

  // A row that was chosen in a lane is shown in the list, opened.
  #leaveLanes(event) {
    const node = event.target.closest(".tl-item")?.tlRow;
    const row = event.target.closest("a") ? node?.item.lane.rows[0] : event.target.closest(".tl-track") && node?.at(event.clientX);
    if (!row) return;
    event.preventDefault();
    this.filters.leaveLanes();
    if (row.loop) this.spread.add(String(row.loop));
    this.opened.add(String(row.id));
    this.#lay({ fresh: [], moved: true });
    this.show(String(row.id));
  }

  show(key) {
    const place = this.heights.index.get(key);
    if (place === undefined) return;
    this.here = key;
    this.reading.reveal(place);
    this.draw();
    this.pool.of(key)?.summary.focus({ preventScroll: true });
  }

  #button(event) {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.pan) this.axis.pan(0.4 * button.dataset.pan);
    if (button.dataset.zoom) this.axis.zoom(button.dataset.zoom > 0 ? 0.5 : 2);
    if (button.id === "tl-idle") this.#setIdle(!this.scale.idle);
    if (button !== this.pill) return;
    this.reading.fresh.clear();
    this.reading.touched = true;
    this.reading.toEnd(this.filters.wanted.order === "desc");
    this.draw();
  }

  // What stands above became higher or lower: who reads rows goes on reading them.
  #pushed() {
    const top = this.list.getBoundingClientRect().top + scrollY, moved = top - (this.top ?? top);
    this.top = top;
    if (moved && this.inside) scrollBy({ top: moved, behavior: "instant" });
    this.#later();
  }

  // Within the rows it is done here, and not by the browser as well, which can't tell rows that are filled anew.
  #enter() {
    this.inside = this.list.getBoundingClientRect().top < this.reading.under;
    document.documentElement.style.overflowAnchor = this.inside ? "none" : "";
  }

  // Open rows and "now" move on.
  #tick() {
    if (document.hidden || !this.source.head?.open) return;
    this.scale.set(this.source.head, this.source.now());
    if (!this.scale.zoom) {
      this.drawn += 1;
      this.axis.draw();
    }
    this.draw();
  }

  hint() {
    this.source.ask();
    this.children.ask();
  }
}
