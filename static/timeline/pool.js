// At most a few dozen row nodes, whatever the length of the list: those that leave the view are filled with what comes into it.
// A node that has the focus or a selection keeps its row, also out of view; nodes stand in the document in the order of their rows.
import { LaneNode } from "./lane.js";
import { RowNode } from "./row.js";

export const MOST = 110;

export class Pool {
  constructor(list) {
    this.list = list;
    this.used = new Map(); // key to node
    this.free = []; // rows
    this.freeLanes = [];
    this.ends = []; // nodes at the ends of the selection
  }

  // Shows the items of `places` (ascending).
  show(items, places, topOf, look) {
    const wanted = new Set(places.map((place) => items[place].key));
    for (const [key, node] of this.used) if (!wanted.has(key)) this.#release(key, node, look);
    const ordered = places.map((place) => this.#fill(items, place, topOf, look));
    this.#order(ordered.map((row) => row.node));
    look.settled();
    for (const row of [...this.free, ...this.freeLanes]) row.node.remove();
  }

  #fill(items, place, topOf, look) {
    const item = items[place];
    let row = this.used.get(item.key);
    if (!row) {
      row = item.lane ? this.freeLanes.pop() ?? new LaneNode() : this.free.pop() ?? new RowNode();
      this.used.set(item.key, row);
    }
    row.show(item, place, items.length, topOf(place), look);
    return row;
  }

  #release(key, row, look) {
    this.used.delete(key);
    row.free(look);
    (row instanceof LaneNode ? this.freeLanes : this.free).push(row);
  }

  // Puts the nodes in order; one that is held or open is never moved, for that would cost it its focus, or what in it was
  // scrolled: the others move around it.
  #order(nodes) {
    const open = nodes.filter((node) => node.isConnected && node.tlRow.details.open);
    const held = new Set([...open, ...this.held().map((row) => row.node)]), due = new Set(nodes);
    let next = this.list.firstChild;
    for (const node of nodes) {
      if (held.has(node) && node.isConnected) {
        while (next !== node && next !== null && !held.has(next)) {
          const after = next.nextSibling;
          if (due.has(next)) this.list.append(next);
          else next.remove();
          next = after;
        }
      }
      if (next === node) next = node.nextSibling;
      else this.list.insertBefore(node, next);
    }
  }

  // The rows that hold the focus or an end of the selection.
  held() {
    const found = new Set();
    for (const node of [document.activeElement, ...this.ends]) {
      const item = (node?.nodeType === 1 ? node : node?.parentElement)?.closest?.(".tl-item");
      if (item?.tlRow?.item && this.list.contains(item)) found.add(item.tlRow);
    }
    return [...found];
  }

  // Told when the selection changes: to look at it while rows are drawn would lay the page out once more.
  select() {
    const selection = document.getSelection();
    this.ends = selection && !selection.isCollapsed ? [selection.anchorNode, selection.focusNode] : [];
  }

  of(key) { return this.used.get(key); }

  itemOf(target) { return target.closest?.(".tl-item")?.tlRow?.item ?? null; }
}
