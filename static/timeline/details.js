// What is inside opened rows: fetched when a row is first opened, kept while it is out of view, fetched anew when its row changes.
import { element } from "./words.js";

export class Details {
  // `grown(key)` hears when a part has new content.
  constructor(grown) {
    this.grown = grown;
    this.returned = [];
    this.parts = new Map(); // key to {node, row, asked, scrolled}
  }

  of(item) {
    let part = this.parts.get(item.key);
    if (!part) {
      const node = element("div", "tl-detail", element("p", "hint", "Fetching the details…"));
      part = { node, row: null, asking: false, scrolled: [] };
      node.tlPart = part;
      this.parts.set(item.key, part);
    }
    if (part.row !== item.row) this.#fetch(item, part);
    return part.node;
  }

  forget(key) { this.parts.delete(key); }

  async #fetch(item, part) {
    if (part.asking) return;
    const { row } = item;
    Object.assign(part, { row, asking: true });
    const html = await this.#html(item).catch(() => null);
    part.asking = false;
    if (html === null) this.#sorry(item, part);
    else this.#fill(part.node, html);
    this.grown(item.key);
  }

  async #html({ source, row }) {
    const address = row.kind === "loop" ? null : row.id < 0 ? `${source.home}rows/question/${-row.id}/` : `${source.home}rows/${row.id}/`;
    if (address === null) return loopText(row);
    const answer = await fetch(address, { headers: { "HX-Request": "true" }, cache: "no-store" });
    if (!answer.ok || answer.redirected) throw new Error(`answer ${answer.status}`);
    return answer.text();
  }

  // Morphed, so that a selection, the focus and scrolled parts within stay.
  #fill(node, html) {
    if (html instanceof Node) node.replaceChildren(html);
    else {
      Idiomorph.morph(node, html, { morphStyle: "innerHTML" });
      htmx.process(node);
    }
    window.wippy.drawTimes(node);
  }

  #sorry(item, part) {
    part.row = null;
    const again = element("button", "btn small", "Try again");
    again.type = "button";
    again.addEventListener("click", () => this.#fetch(item, part));
    if (!part.node.querySelector("dl, .failure")) part.node.replaceChildren(element("p", "hint", "The console does not answer. "), again);
  }

  // A part that leaves the document keeps what in it was scrolled to.
  away(node) {
    node.tlPart.scrolled = [...node.querySelectorAll("pre, .scroll")].filter((each) => each.scrollTop || each.scrollLeft)
      .map((each) => [each, each.scrollTop, each.scrollLeft]);
    node.remove();
  }

  back(parent, node) {
    parent.append(node);
    this.returned.push(node);
  }

  // Once those that came back stand in the document, they are scrolled to where they were.
  settled() {
    for (const node of this.returned.splice(0)) for (const [each, top, left] of node.tlPart.scrolled) each.scrollTo({ top, left, behavior: "instant" });
  }
}

function loopText(row) {
  const list = element("dl", "kv");
  const span = (ms) => (ms === undefined ? "" : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
  const facts = [["Rows", row.count], ["Failed", row.failed], ["Running", row.running], ["Shortest", span(row.min)], ["Median", span(row.median)], ["Longest", span(row.max)]];
  for (const [name, value] of facts) if (value) list.append(element("dt", "", name), element("dd", "", String(value)));
  return list;
}
