// What a reader had open and where they read, kept while they look at another tab of the run and come back.
export class Memory {
  constructor(run) {
    this.name = `timeline ${run}`;
  }

  save(value) {
    try { sessionStorage.setItem(this.name, JSON.stringify(value)); } catch { /* full or forbidden: forgotten */ }
  }

  // What was kept, when the reader comes from a page of the same run, by a reload or by going back.
  restore() {
    const kind = performance.getEntriesByType("navigation")[0]?.type;
    const same = document.referrer && new URL(document.referrer).pathname === location.pathname;
    if (kind === "navigate" && !same) return null;
    try { return JSON.parse(sessionStorage.getItem(this.name)); } catch { return null; }
  }
}
