// The live page: puts new rows on top, and never moves what is being read. What came while it was paused, or while the
// reader was further down, is not kept here: it is fetched from the cursor, in order, page by page.
(() => {
  "use strict";
  const list = document.getElementById("feed");
  const pause = document.getElementById("pause");
  const pill = document.getElementById("feed-new");
  const told = document.getElementById("feed-told");
  if (!list || "older" in list.dataset) return; // a page of the past stays as it is
  const LIMIT = 500;
  const asked = new URLSearchParams(location.search);
  const kinds = asked.getAll("kind").filter(Boolean);
  const narrowed = ["q", "entry", "run", "user"].some((name) => asked.get(name)); // only the server knows what matches
  let cursor = Number(list.dataset.cursor); // up to here all that matches is on the page
  let newest = cursor; // the last event that was heard of
  let waiting = 0; // what was heard of since and is wanted, as far as this page can tell
  let paused = false;
  let busy = false;
  let failed = false; // the last try; its notice goes with the next that succeeds

  const reading = () => paused || window.scrollY > 240;

  function add(events) {
    for (const event of events) {
      if (document.getElementById(`feed-${event.id}`)) continue;
      list.insertAdjacentHTML("afterbegin", event.html);
      list.firstElementChild.classList.add("fresh");
    }
    while (list.children.length > LIMIT) list.lastElementChild.remove();
    if (list.children.length) document.getElementById("feed-empty")?.remove();
    older();
    list.dispatchEvent(new CustomEvent("feed-row", { bubbles: true }));
  }

  // The way back begins below the last row that is shown, whatever was added on top and fell off below.
  function older() {
    const link = document.querySelector(".card-foot a[rel=next]");
    if (!link || !list.lastElementChild) return;
    const query = new URLSearchParams(asked);
    query.delete("since");
    query.set("before", list.lastElementChild.dataset.id);
    link.href = `?${query}`;
  }

  function show() {
    pill.textContent = narrowed ? "New events" : `${waiting} new`;
    pill.hidden = !waiting;
  }

  async function fetchAfter(id) {
    const query = new URLSearchParams(asked);
    query.delete("before");
    query.set("since", id);
    const answer = await fetch(`${list.dataset.missed}?${query}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  // Everything after the cursor, until nothing is left that was heard of: what comes meanwhile is fetched as well.
  async function catchUp() {
    if (busy) return;
    busy = true;
    let found = 0;
    let skipped = 0;
    try {
      while (cursor < newest || waiting) {
        waiting = 0;
        const page = await fetchAfter(cursor);
        if (page.skipped) { skipped += page.skipped; list.replaceChildren(); }
        add(page.events);
        found += page.events.length;
        cursor = page.cursor;
        newest = Math.max(newest, cursor);
        if (page.left) waiting = page.left;
      }
      tell(found, skipped);
      if (failed) document.getElementById("messages")?.replaceChildren();
      failed = false;
    } catch {
      window.wippy?.notice("What was missed could not be fetched. It is tried again with the next event.");
      failed = true;
      waiting = waiting || 1;
    }
    busy = false;
    show();
  }

  function tell(found, skipped) {
    if (found < 2) return;
    const more = skipped ? `; ${skipped} older ones are behind “Older events”` : "";
    told.textContent = `${found} events came meanwhile${more}`;
    if (skipped) window.wippy?.announce(told.textContent);
  }

  document.body.addEventListener("feed", ({ detail }) => {
    newest = Math.max(newest, detail.id);
    const wanted = !kinds.length || kinds.includes(detail.kind);
    if (!reading() && !busy && !waiting && !narrowed) {
      if (wanted) add([detail]);
      cursor = newest;
      return;
    }
    if (!wanted) return;
    waiting += 1;
    if (reading() || busy) return busy || show();
    catchUp();
  });

  function resume() {
    if (!reading()) catchUp();
  }
  pill.addEventListener("click", () => { scrollTo({ top: 0 }); if (paused) toggle(); else catchUp(); });
  addEventListener("scroll", () => { if (waiting) resume(); }, { passive: true });

  function toggle() {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.querySelector("span").textContent = paused ? "Resume" : "Pause";
    told.textContent = paused ? `Paused after #${cursor}` : "";
    if (!paused) { scrollTo({ top: 0 }); catchUp(); }
  }
  pause?.addEventListener("click", toggle);
})();
