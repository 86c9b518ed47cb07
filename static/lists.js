// Lists that live: rows come and go without moving what somebody reads, and menus of choices say what is chosen.
(() => {
  "use strict";
  const AWAY = 40; // pixels: whoever has scrolled so far into a list reads

  // -- menus of choices ------------------------------------------------------------------------
  function tell(menu) {
    const words = [...menu.querySelectorAll("input:checked")].map((box) => box.dataset.word);
    const said = menu.querySelector("[data-chosen]");
    said.textContent = words.length > 2 ? `${words.length} chosen` : words.join(", ") || menu.dataset.choices;
  }
  document.addEventListener("change", (event) => {
    const menu = event.target.closest?.("[data-choices]");
    if (menu) tell(menu);
  });
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.activeElement?.closest("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  // -- rows: while somebody reads, those that are there change in place; new ones are counted above ------
  const newsOf = (list) => document.getElementById(`${list.id}-news`);
  const rowsOf = (list) => [...list.querySelectorAll("tr[data-row]")];

  function isRead(list) {
    const body = list.querySelector("tbody");
    if (!body || !newsOf(list)) return false;
    return body.contains(document.activeElement) || list.getBoundingClientRect().top < -AWAY;
  }

  function show(list, count) {
    const news = newsOf(list);
    news.hidden = !count;
    news.querySelector("span").textContent = `${count} new`;
  }

  // The answer with the rows that are shown, in their order: each as it is now, or as it was where it is on a later page by now.
  function held(list, text) {
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById(list.id);
    const body = fresh?.querySelector("tbody");
    if (!body) return null;
    const now = new Map(rowsOf(fresh).map((row) => [row.id, row]));
    const shown = rowsOf(list);
    const known = new Set(shown.map((row) => row.id));
    const count = [...now.keys()].filter((id) => !known.has(id)).length;
    body.replaceChildren(...shown.map((row) => now.get(row.id) ?? row.cloneNode(true)));
    return { count, text: fresh.outerHTML };
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    const list = event.detail.target, by = event.detail.requestConfig?.triggeringEvent?.type ?? "";
    if (event.detail.xhr.status !== 200 || !list?.id || event.detail.requestConfig?.elt !== list) return;
    if (!by.startsWith("feed-") && by !== "every" || !isRead(list)) return newsOf(list) && show(list, 0);
    const kept = held(list, event.detail.serverResponse);
    if (!kept) return;
    event.detail.serverResponse = kept.text;
    show(list, kept.count);
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-news]");
    if (!button) return;
    document.activeElement?.blur();
    scrollTo({ top: 0 });
    document.body.dispatchEvent(new CustomEvent(`feed-${button.dataset.news}`));
  });
})();
