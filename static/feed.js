// The live page: puts new rows on top, keeps them back while paused, and never moves what is being read.
(() => {
  "use strict";
  const list = document.getElementById("feed");
  const pause = document.getElementById("pause");
  const pill = document.getElementById("feed-new");
  if (!list || "older" in list.dataset) return; // a page of the past stays as it is
  const LIMIT = 500;
  const kinds = list.dataset.kinds ? list.dataset.kinds.split(" ") : [];
  let held = [];
  let paused = false;

  const reading = () => paused || window.scrollY > 240;

  function add(events) {
    for (const event of events) {
      if (document.getElementById(`feed-${event.id}`)) continue;
      list.insertAdjacentHTML("afterbegin", event.html);
      list.firstElementChild.classList.add("fresh");
    }
    while (list.children.length > LIMIT) list.lastElementChild.remove();
    document.getElementById("feed-empty")?.remove();
    list.dispatchEvent(new CustomEvent("feed-row", { bubbles: true }));
  }

  function release() {
    add(held);
    held = [];
    pill.hidden = true;
  }

  document.body.addEventListener("feed", ({ detail }) => {
    if (kinds.length && !kinds.includes(detail.kind)) return;
    if (!reading()) return add([detail]);
    held.push(detail);
    pill.textContent = `${held.length} new`;
    pill.hidden = false;
  });
  pill.addEventListener("click", () => { scrollTo({ top: 0 }); if (!paused) release(); else toggle(); });
  addEventListener("scroll", () => { if (held.length && !reading()) release(); }, { passive: true });

  function toggle() {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.querySelector("span").textContent = paused ? "Resume" : "Pause";
    if (!paused) release();
  }
  pause?.addEventListener("click", toggle);
})();
