// The node of one row: made once, filled with whatever item stands in its place, and patched where that changes.
import { duration, element, icon, isMoment, isOpen, kindOf, setIcon, setText, stateOf } from "./words.js";
import { Track } from "./track.js";

export class RowNode {
  constructor() {
    this.item = null;
    this.row = null;
    this.drawn = -1;
    this.#build();
    this.node.tlRow = this;
  }

  #build() {
    this.kind = element("span", "tl-kind", icon(""), element("span", "sr"));
    this.name = element("span", "tl-name");
    this.attempt = element("span", "tag warn", icon("rotate-ccw"), element("span"));
    this.count = element("span", "tag");
    this.failed = element("span", "tag warn");
    this.summaryText = element("span", "tl-summary");
    this.label = element("span", "tl-label", this.kind, this.name, this.attempt, this.count, this.failed, this.summaryText);
    this.track = new Track();
    this.status = element("span", "status", icon(""), element("span"));
    this.time = element("time");
    this.took = element("span", "tl-took", this.time);
    this.summary = element("summary", "tl-row", this.label, this.track.node, element("span", "tl-state", this.status, this.took));
    this.details = element("details", "", this.summary);
    this.details.dataset.row = "";
    this.twist = element("button", "tl-twist", icon("chevron-right"));
    this.twist.type = "button";
    this.said = element("p", "tl-said hint");
    this.node = element("li", "tl-item", this.twist, this.details);
    this.node.setAttribute("role", "listitem");
  }

  // `look`: {scale, now, drawn (a number that grows when the axis changes), here, opened(key), detail(item)}.
  show(item, place, total, top, look) {
    const other = this.item === null || this.item.key !== item.key;
    this.node.style.transform = `translateY(${top}px)`;
    this.#set("aria-posinset", place + 1);
    this.#set("aria-setsize", total);
    if (item.said !== undefined) return this.#say(item);
    if (this.said.isConnected) this.said.replaceWith(this.twist, this.details);
    if (other || this.row !== item.row || this.item.spread !== item.spread || this.item.depth !== item.depth) this.#fill(item, look);
    if (other || this.row !== item.row || this.drawn !== look.drawn) this.track.show(item.row, look.scale, look.now);
    [this.item, this.row, this.drawn] = [item, item.row, look.drawn];
    this.details.classList.toggle("here", look.here === item.key);
    this.#open(item, look);
  }

  #set(name, value) {
    const text = String(value);
    if (this.node.getAttribute(name) !== text) this.node.setAttribute(name, text);
  }

  #say(item) {
    [this.item, this.row] = [item, null];
    if (!this.said.isConnected) this.node.replaceChildren(this.said);
    setText(this.said, item.said);
    this.said.style.paddingInlineStart = `${32 + item.depth * 18}px`;
    this.node.id = `row-${item.key}`;
  }

  #fill(item, look) {
    const { row } = item;
    this.node.id = `row-${item.key}`;
    this.node.dataset.state = row.state;
    this.details.id = `row-details-${item.key}`;
    this.summary.className = `tl-row t-${row.tone || "mute"}${row.lane === "human" ? " human" : ""}`;
    this.label.style.paddingInlineStart = item.depth ? `${item.depth * 18}px` : "";
    this.#words(row);
    this.#state(row, look);
    this.#twisting(item);
  }

  #words(row) {
    const kind = kindOf(row), failing = row.failure && (isOpen(row) || row.state !== "completed");
    this.kind.title = kind.word;
    setIcon(this.kind.firstChild, kind.icon);
    setText(this.kind.lastChild, kind.word);
    setText(this.name, row.label ?? "");
    this.attempt.hidden = !(row.attempt > 1);
    if (row.attempt > 1) {
      this.attempt.title = `attempt ${row.attempt}`;
      setText(this.attempt.lastChild, String(row.attempt));
    }
    this.count.hidden = row.kind !== "loop";
    this.failed.hidden = !row.failed;
    setText(this.count, row.count ? `${row.count}×` : "");
    setText(this.failed, row.failed ? `${row.failed} failed` : "");
    const text = failing ? row.failure : row.summary ?? "";
    setText(this.summaryText, text);
    this.summaryText.classList.toggle("tl-failure", Boolean(failing));
    this.summaryText.hidden = !text;
    this.label.title = [row.label, row.summary, failing ? row.failure : ""].filter(Boolean).join(" · ");
  }

  #state(row) {
    const [name, word, tone] = stateOf(row);
    this.status.className = `status t-${tone}`;
    setIcon(this.status.firstChild, name);
    setText(this.status.lastChild, word);
    this.#time(row);
  }

  #time(row) {
    const [how, at] = timeOf(row);
    if (!how) {
      this.time.removeAttribute("datetime");
      this.time.removeAttribute("data-time");
      this.time.title = "";
      this.time.className = "";
      return setText(this.time, duration((row.median ?? (row.end ?? row.start) - row.start) / 1000));
    }
    this.time.dateTime = new Date(at).toISOString();
    this.time.dataset.time = how;
    this.time.title = "";
    this.time.className = "";
    window.wippy.drawTime(this.time);
  }

  #twisting(item) {
    this.twist.hidden = !item.twist;
    if (!item.twist) return;
    this.twist.style.left = item.depth ? `${5 + item.depth * 18}px` : "";
    this.twist.setAttribute("aria-expanded", String(item.spread));
    this.twist.setAttribute("aria-label", item.twist === "loop" ? `The ${item.row.count ?? ""} rows of ${item.row.label}` : `The rows of child ${item.row.label}`);
  }

  #open(item, look) {
    const open = look.opened(item.key);
    if (this.details.open !== open) this.details.open = open;
    const wanted = open ? look.detail(item) : null;
    const there = this.details.children[1] ?? null;
    if (there === wanted) return;
    if (there) look.away(there);
    if (wanted) look.back(this.details, wanted);
  }

  free(look) {
    const there = this.details.children[1];
    if (there) look.away(there);
    [this.item, this.row] = [null, null];
  }
}

// How the time of a row is told: ["until", ms] and so on; [""] for how long it took.
function timeOf(row) {
  if (row.deadline && isOpen(row)) return [["timer", "activity"].includes(row.kind) ? "until" : "deadline", row.deadline];
  if (isMoment(row)) return ["clock", row.start];
  return isOpen(row) && row.kind !== "loop" ? ["since", row.start] : [""];
}
