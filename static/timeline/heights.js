// Where each item of the list lies: all are as high as a closed row, but for those that were opened and measured.
export class Heights {
  constructor() {
    this.base = 34;
    this.measured = new Map(); // key to height
    this.items = [];
    this.index = new Map(); // key to place
    this.taller = []; // [place, what it is taller by, what all before it are taller by]
  }

  get total() {
    const last = this.taller.at(-1);
    return this.items.length * this.base + (last ? last[1] + last[2] : 0);
  }

  lay(items, isTall) {
    this.items = items;
    this.index = new Map(items.map((item, place) => [item.key, place]));
    this.isTall = isTall;
    this.#stack();
  }

  // True when it changed anything.
  measure(key, height) {
    if (Math.abs((this.measured.get(key) ?? 0) - height) < 0.5) return false;
    this.measured.set(key, height);
    this.#stack();
    return true;
  }

  setBase(height) {
    if (!height || Math.abs(height - this.base) < 0.5) return false;
    this.base = height;
    this.#stack();
    return true;
  }

  #stack() {
    this.taller = [];
    const found = [];
    for (const [key, height] of this.measured) {
      const place = this.index.get(key);
      if (place !== undefined && this.isTall?.(key)) found.push([place, Math.max(0, height - this.base)]);
    }
    let before = 0;
    for (const [place, extra] of found.sort((a, b) => a[0] - b[0])) {
      this.taller.push([place, extra, before]);
      before += extra;
    }
  }

  top(place) {
    let low = 0, high = this.taller.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.taller[middle][0] < place) low = middle + 1;
      else high = middle;
    }
    const last = this.taller[low - 1];
    return place * this.base + (last ? last[1] + last[2] : 0);
  }

  at(y) {
    let low = 0, high = this.items.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.top(middle) <= y) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }
}
