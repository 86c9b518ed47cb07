// Notices of the browser while a page is open: asked for by a button of the preferences, fetched when something happens.
(() => {
  "use strict";
  if (!("Notification" in window) || document.body.dataset.feed === undefined) return;
  const KINDS = ["WAITING", "QUESTION", "EXIT"];
  let timer = 0;

  // By its whole name: a console on another port of this host has a cookie of its own.
  const token = () => document.cookie.split("; ").find((each) => each.startsWith(`${document.body.dataset.csrf}=`))?.split("=")[1] ?? "";

  async function fetchNew() {
    if (Notification.permission !== "granted") return;
    const answer = await fetch("/notifications/new/", { method: "POST", headers: { "X-CSRFToken": token() } }).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    for (const notice of (await answer.json()).notices) show(notice);
  }

  function show({ id, title, body, url }) {
    const shown = new Notification(title, { body, tag: id });
    shown.addEventListener("click", () => { window.focus(); location.assign(url); shown.close(); });
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(fetchNew, 500);
  }

  document.body.addEventListener("feed", (event) => { if (KINDS.includes(event.detail.kind)) soon(); });
  setInterval(fetchNew, 60_000); // what is due soon or overdue comes without an event

  const words = { granted: "This browser shows notices.", denied: "This browser was told to show none: change it in its settings for this site.", default: "" };
  function tell() {
    const button = document.querySelector("[data-notices]");
    if (!button) return;
    button.hidden = Notification.permission !== "default";
    const said = document.querySelector("[data-notices-said]");
    if (words[Notification.permission]) said.textContent = words[Notification.permission];
  }
  document.addEventListener("click", async (event) => {
    if (!event.target.closest?.("[data-notices]")) return;
    await Notification.requestPermission();
    tell();
  });
  tell();
})();
