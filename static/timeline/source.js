// A run's rows as the server tells them: once whole, then only what changed since the cursor. Asks again while the run goes on.
const CALM = 2500;
const WORST = 30_000;
const PATIENCE = 30_000;

export class Source {
  // `home`: the run's address, ending in a slash. `told(changes)` hears of each answer, `failed(seconds)` of each failure.
  constructor(home, { told, failed }) {
    Object.assign(this, { home, told, failed, rows: new Map(), head: null, refused: "", failures: 0, skew: 0 });
    this.cursor = "";
    this.asking = null;
    this.again = false;
    this.timer = 0;
    this.followed = true;
  }

  get isOpen() { return this.head === null || this.head.open; }

  now() { return Date.now() + this.skew; }

  ask() {
    if (this.asking) {
      this.again = true;
      return this.asking;
    }
    clearTimeout(this.timer);
    this.asking = this.#fetch().finally(() => this.#next());
    return this.asking;
  }

  stop() {
    this.followed = false;
    clearTimeout(this.timer);
  }

  follow() {
    this.followed = true;
    return this.ask();
  }

  #next() {
    this.asking = null;
    if (this.again) {
      this.again = false;
      this.ask();
    } else if (this.followed && !this.refused && (this.isOpen || this.failures) && !document.hidden) {
      this.timer = setTimeout(() => this.ask(), this.failures ? Math.min(WORST, CALM * 2 ** this.failures) * (0.75 + Math.random() / 2) : CALM);
    }
  }

  async #fetch() {
    try {
      const answer = await fetch(`${this.home}timeline.json${this.cursor ? `?after=${encodeURIComponent(this.cursor)}` : ""}`, {
        headers: { Accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(PATIENCE),
      });
      if (answer.status === 403 || answer.status === 404) return this.#refuse(answer.status);
      if (answer.status !== 304 && (!answer.ok || answer.redirected)) throw new Error(`answer ${answer.status}`);
      this.#take(answer.status === 304 ? { rows: [] } : await answer.json());
    } catch (error) {
      this.failures += 1;
      this.failed(error);
    }
  }

  #refuse(status) {
    this.refused = status === 403 ? "You may not see this run." : "There is no history of this run.";
    this.told({ fresh: [], changed: new Set(), first: false });
  }

  #take(data) {
    const first = this.head === null;
    this.failures = 0;
    if (data.cursor !== undefined) this.cursor = data.cursor;
    if (data.now) this.skew = data.now - Date.now();
    if (data.began !== undefined) {
      const { rows, gone, ...head } = data;
      this.head = head;
    }
    const merged = this.#merge(data);
    this.#stand(merged.changed);
    this.told({ ...merged, moved: merged.moved || merged.changed.size > 0, first });
  }

  // The row of an open run says how the run stands, as the head of the page does: Retrying, Waiting for a person and so on.
  #stand(changed) {
    const row = this.rows.get(1), stands = this.head?.state;
    if (row?.kind !== "workflow" || row.end || !stands?.word || row.stands?.key === stands.key) return;
    this.rows.set(1, { ...row, stands, tone: stands.tone });
    changed.add(1);
  }

  // Rows that say the same stay the same objects, so that nothing drawn of them is drawn again.
  #merge({ whole, rows = [], gone = [] }) {
    const before = this.rows, changed = new Set(), fresh = [];
    if (whole) this.rows = new Map();
    for (const id of gone) if (this.rows.delete(id)) changed.add(id);
    for (const row of rows) {
      const old = before.get(row.id);
      const same = old !== undefined && JSON.stringify(old) === JSON.stringify(row);
      this.rows.set(row.id, same ? old : row);
      if (same) continue;
      changed.add(row.id);
      if (old === undefined) fresh.push(row.id);
    }
    const fewer = whole && this.rows.size < before.size + fresh.length;
    return { fresh, changed, moved: changed.size > 0 || fewer };
  }
}
