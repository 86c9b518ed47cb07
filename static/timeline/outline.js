// Which rows stand in the list and in which order: filters applied, loops folded, children opened in place.
import { isOpen } from "./words.js";

const FAILED = ["failed", "timed_out", "terminated"];

// As `is_shown` of the server does it, so that a link with filters shows the same without JavaScript.
export function passes(row, wanted) {
  if (row.own && !wanted.own) return false;
  if (wanted.kind ? row.kind !== wanted.kind : row.kind === "task" && !["failed", "timed_out"].includes(row.state)) return false;
  if (wanted.only === "failed" && !FAILED.includes(row.state)) return false;
  if (wanted.only === "pending" && !isOpen(row)) return false;
  return !wanted.find || `${row.label ?? ""} ${row.entry ?? ""} ${row.summary ?? ""} ${row.from ?? ""}`.toLowerCase().includes(wanted.find.toLowerCase());
}

export const narrows = (wanted) => Boolean(wanted.find || wanted.only || wanted.kind);

function sorted(source, descending) {
  const all = [...source.rows.values()];
  const place = (row) => row.order ?? row.start;
  all.sort((a, b) => place(a) - place(b) || (a.kind === "loop" ? -1 : b.kind === "loop" ? 1 : 0) || (a.id < 0) - (b.id < 0) || a.id - b.id);
  return descending ? all.reverse() : all;
}

// `spread`: keys of loops and children that are opened. `children(row)`: the source of a child that is.
// An item: {key, row, source, depth, twist: "", "loop" or "child", spread}; or {key, said} for a line of text.
export function outline(source, wanted, spread, children, prefix = "", depth = 0) {
  const items = [], members = new Map(), flat = narrows(wanted);
  const rows = sorted(source, wanted.order === "desc");
  for (const row of rows) {
    if (!row.loop || flat) continue;
    if (!members.has(row.loop)) members.set(row.loop, []);
    members.get(row.loop).push(row);
  }
  for (const row of rows) {
    if (row.kind === "loop" ? flat : row.loop && !flat) continue;
    if (row.kind !== "loop" && !passes(row, wanted)) continue;
    if (row.kind === "loop" && !passes(source.rows.get(Number(String(row.id).slice(1))) ?? row, wanted)) continue; // as its first row
    add(row, depth);
  }

  function add(row, at) {
    const key = `${prefix}${row.id}`, twist = twistOf(row), open = Boolean(twist) && spread.has(key);
    items.push({ key, row, source, depth: at, twist, spread: open });
    if (!open) return;
    if (twist === "loop") for (const member of members.get(row.id) ?? []) add(member, at + 1);
    else addChild(row, key, at + 1);
  }

  function addChild(row, key, at) {
    const child = children(row, key);
    if (child.refused) items.push({ key: `${key}/said`, said: child.refused, depth: at });
    else if (child.head === null) items.push({ key: `${key}/said`, said: "Fetching the child's rows…", depth: at });
    else items.push(...outline(child, { ...wanted, find: "", kind: "", only: "" }, spread, children, `${key}/`, at));
  }

  return items;
}

export function twistOf(row) {
  if (row.kind === "loop") return "loop";
  return row.kind === "child" && row.href && row.child?.[1] ? "child" : "";
}
