// The runs of child rows that were opened in place: each a source of its own, followed while it is open.
import { Source } from "./source.js";

export class Children {
  constructor(tell) {
    this.tell = tell;
    this.sources = new Map(); // key of the child's row to its source
  }

  of(row, key) {
    let source = this.sources.get(key);
    if (source?.home !== row.href) {
      source?.stop();
      source = new Source(row.href, this.tell);
      this.sources.set(key, source);
    }
    if (!source.asked) {
      source.asked = true;
      source.follow();
    }
    return source;
  }

  // Follows those that are opened, lets the others rest.
  keep(spread) {
    for (const [key, source] of this.sources) {
      if (spread.has(key) === source.followed) continue;
      if (source.followed) source.stop();
      else source.follow();
    }
  }

  ask() {
    for (const source of this.sources.values()) if (source.followed) source.ask();
  }
}
