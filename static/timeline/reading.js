// Where the reader is in the list: nothing moves under their eyes when rows come, go or grow; who is at the end follows it.
const NEAR = 48; // pixels from the end that still count as at the end

export class Reading {
  // `list`: the element of the rows; `head`: what sticks above them.
  constructor(list, head, heights) {
    Object.assign(this, { list, head, heights });
    this.touched = false; // whether they have scrolled at all
    this.fresh = new Set(); // keys that came where they don't look
  }

  get under() { return Math.max(0, this.head.getBoundingClientRect().bottom); }

  // The stretch of the list that is in view, in its own pixels.
  view() {
    const top = this.list.getBoundingClientRect().top;
    return { from: Math.max(0, Math.max(this.under, 0) - top), to: Math.max(0, innerHeight - top) };
  }

  // The row to hold on to: the one with the focus if it is in view, else the first in view; null while the list's begin is in view.
  anchor(focused) {
    const { items } = this.heights, { from, to } = this.view(), top = this.list.getBoundingClientRect().top;
    if (!items.length) return null;
    const held = focused && this.heights.index.get(focused.key);
    if (held !== undefined && held !== null && this.heights.top(held) >= from && this.heights.top(held) < to) return this.#hold(held, top);
    if (top >= this.under - 1) return null;
    let place = this.heights.at(from);
    if (this.heights.top(place) < from - 1 && place + 1 < items.length && this.heights.top(place + 1) < to) place += 1;
    return this.#hold(place, top);
  }

  #hold(place, top) {
    const { items } = this.heights;
    const others = [...items.slice(place + 1, place + 40), ...items.slice(Math.max(0, place - 40), place).reverse()].map((item) => item.key);
    return { key: items[place].key, others, y: top + this.heights.top(place), placeTop: this.heights.top(place), at: new Map(others.map((key) => [key, top + this.heights.top(this.heights.index.get(key))])), loop: items[place].row?.loop };
  }

  // Scrolls so that what was held is where it was.
  restore(held) {
    if (!held) return;
    const key = [held.key, held.loop && String(held.loop), ...held.others].find((each) => each && this.heights.index.has(each));
    if (key === undefined) return;
    const was = held.at.get(key) ?? held.y, is = this.list.getBoundingClientRect().top + this.heights.top(this.heights.index.get(key));
    if (Math.abs(is - was) >= 0.5) scrollBy({ top: is - was, behavior: "instant" });
  }

  isAtEnd(descending) {
    const box = this.list.getBoundingClientRect();
    if (descending) return box.top >= this.under - NEAR;
    return this.touched && box.bottom <= innerHeight + NEAR;
  }

  toEnd(descending) {
    const box = this.list.getBoundingClientRect();
    if (descending) scrollBy({ top: box.top - this.under, behavior: "instant" });
    else if (box.bottom > innerHeight) scrollBy({ top: box.bottom - innerHeight + 8, behavior: "instant" });
  }

  // Brings a row to the top of the view.
  go(place) {
    scrollBy({ top: this.list.getBoundingClientRect().top + this.heights.top(place) - this.under, behavior: "instant" });
  }

  // Brings a row into view, moving no more than it takes.
  reveal(place) {
    const { from, to } = this.view(), top = this.heights.top(place), bottom = top + this.heights.base;
    if (top < from) scrollBy({ top: top - from - 4, behavior: "instant" });
    else if (bottom > to) scrollBy({ top: bottom - to + 12, behavior: "instant" });
  }
}
