// The rows of a run packed side by side: each lane holds rows that do not overlap, people's rows have lanes of their own.
import { isMoment, isOpen } from "./words.js";
import { passes } from "./outline.js";

// Items for the pool: {key, lane: {name, rows}}, people first.
export function lanes(source, wanted, now) {
  const rows = [...source.rows.values()].filter((row) => !["loop", "workflow", "exit"].includes(row.kind) && passes(row, wanted));
  rows.sort((a, b) => a.start - b.start);
  const people = pack(rows.filter((row) => row.lane === "human"), now), others = pack(rows.filter((row) => row.lane !== "human"), now);
  return [...people.map((each, place) => item("people", place, each, people.length > 1 ? `People ${place + 1}` : "People")),
    ...others.map((each, place) => item("lane", place, each, `Lane ${place + 1}`))];
}

const item = (kind, place, rows, name) => ({ key: `${kind}-${place}`, depth: 0, lane: { name, rows, human: kind === "people" } });

const endOf = (row, now) => (isMoment(row) ? row.start : isOpen(row) ? now : row.end);

// Greedy: a row goes into the lane that has been free the longest, into a new one when none is free. A heap would be for more lanes than one can look at.
function pack(rows, now) {
  const found = [], ends = [];
  for (const row of rows) {
    let place = ends.findIndex((end) => end <= row.start);
    if (place < 0) place = ends.push(0) - 1;
    (found[place] ??= []).push(row);
    ends[place] = endOf(row, now);
  }
  return found;
}
