// Elements and words that rows, axis and overview share. Texts are set as text, never as markup.
const SVG = "http://www.w3.org/2000/svg";
const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
const looks = { kinds: {}, states: {}, icons: "" };

export function useLooks(region) {
  Object.assign(looks, JSON.parse(region.dataset.looks), { icons: region.dataset.icons });
}

export function element(tag, className = "", ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

export function svg(tag, attributes = {}) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

export function icon(name = "circle") {
  const made = svg("svg", { class: "i", "aria-hidden": "true" });
  made.append(svg("use"));
  if (name) setIcon(made, name);
  return made;
}

export const iconAddress = (name) => `${looks.icons}#${name}`;

export function setIcon(made, name) {
  const use = made.firstChild, address = iconAddress(name);
  if (use.getAttribute("href") !== address) use.setAttribute("href", address);
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function kindOf(row) {
  const [name, word] = looks.kinds[row.kind] ?? [row.icon || "circle", row.kind];
  return { icon: row.icon || name, word: row.kind === "loop" ? "Loop" : word };
}

// As the server says it: a question that waits is a hand, a timer that runs ticks.
export function stateOf(row) {
  if (row.stands) return [row.stands.icon, row.stands.word, row.stands.tone];
  if (row.kind === "question") return ["hand", row.word, "wait"];
  if (row.kind === "timer" && !row.end) return ["timer", row.word, "run"];
  const [name, word, tone] = looks.states[row.state] ?? (row.state === "retrying" ? ["rotate-ccw", "Retrying", "warn"] : ["circle", row.state, "mute"]);
  return [name, row.word || word, tone];
}

export const isMoment = (row) => ["signal", "exit", "marker"].includes(row.kind);
export const isOpen = (row) => row.end === undefined || row.end === null;

// 340 ms, 4.2 s, 3 min 5 s, 2 h 14 min: as `duration` of the server's templates.
export function duration(seconds) {
  if (seconds < 1) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return parts(Math.round(seconds)).slice(0, 2).filter(([count]) => count).map(([count, word]) => `${count} ${word}`).join(" ");
}

function parts(total) {
  const found = [];
  for (const [word, size] of UNITS) {
    const count = Math.floor(total / size);
    total %= size;
    if (count || found.length) found.push([count, word]);
  }
  return found;
}

// A place on the axis: whole units, and the fraction only where steps are shorter than a second.
export function offset(ms, step) {
  if (ms === 0) return "0";
  if (step < 1000 && ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(step < 10 ? 3 : step < 100 ? 2 : step < 1000 ? 1 : 0))} s`;
  return parts(Math.round(ms / 1000)).slice(0, step < 1000 ? 4 : 3).filter(([count]) => count).map(([count, word]) => `${count} ${word}`).join(" ");
}
