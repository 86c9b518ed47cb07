// Time to percent of the track: along the server's knots, idle gaps collapsed or shown, zoomed to a range or whole.
const NARROWEST = 1; // milliseconds

export class Scale {
  constructor() {
    this.zoom = null; // {from, to} in milliseconds since the run began; null shows all
    this.idle = false; // whether idle gaps are as wide as they were long
    this.gaps = [];
    this.set({ began: Date.now(), now: Date.now() + 1, ended: null, knots: [], gaps: [] }, Date.now() + 1);
  }

  // `now`: the server's clock at this moment. The last stretch of an open run grows with it.
  set(head, now) {
    this.head = head;
    this.began = head.began;
    const drawn = (head.ended ?? head.now) - head.began;
    this.whole = Math.max(1, head.ended ? drawn : Math.max(drawn, now - head.began));
    this.knots = this.idle || (head.knots ?? []).length < 2 ? [[0, 0], [this.whole, 100]] : this.#grown(head.knots);
    this.gaps = this.idle ? [] : head.gaps ?? [];
    [this.low, this.high] = this.zoom ? [this.raw(this.zoom.from), this.raw(this.zoom.to)] : [0, 100];
  }

  #grown(knots) {
    const last = knots.length - 1;
    return knots.map(([offset, percent], index) => [index === last ? Math.max(this.whole, offset) : offset, percent]);
  }

  // Percent of the whole picture.
  raw(offset) {
    const knots = this.knots;
    let low = 0, high = knots.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (knots[middle][0] <= offset) low = middle;
      else high = middle;
    }
    const [a, from] = knots[low], [b, to] = knots[high];
    return b > a ? from + (to - from) * Math.min(1, Math.max(0, (offset - a) / (b - a))) : to;
  }

  invert(percent) {
    const knots = this.knots;
    for (let i = 1; i < knots.length; i += 1) {
      const [a, from] = knots[i - 1], [b, to] = knots[i];
      if (percent <= to && to > from) return a + (b - a) * Math.max(0, percent - from) / (to - from);
    }
    return this.whole;
  }

  seen(percent) { return 100 * (percent - this.low) / (this.high - this.low); }

  // Percent of the track, a little beyond its ends for what lies outside.
  place(time) { return Math.max(-20, Math.min(120, this.seen(this.raw(time - this.began)))); }

  // What time lies at a share (0 to 1) of the track, in milliseconds since the run began.
  offsetAt(share) { return this.invert(this.low + (this.high - this.low) * share); }

  // Shows the shares `from` to `to` of what is shown now.
  look(from, to) {
    const width = Math.min(100, (this.high - this.low) * (to - from));
    const start = Math.min(100 - width, Math.max(0, this.low + (this.high - this.low) * from));
    const a = this.invert(start), b = this.invert(start + width);
    if (width > 99.5) this.zoom = null;
    else if (b - a >= NARROWEST) this.zoom = { from: a, to: b };
  }
}
