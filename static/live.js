// The feed in the browser: one WebSocket per page, resumed from the last id seen, so nothing is missed or repeated.
// A frame is a hint: regions hear an event on <body> (`feed-runs`, `feed-run-<id>`, `feed-inbox`, ...) and fetch themselves anew.
(() => {
  "use strict";
  const page = document.body.dataset;
  if (page.feed === undefined) return;

  const words = { live: "Live", waiting: "Reconnecting", ended: "Not live" };
  const topics = {
    WAITING: ["feed-inbox"], RESUMED: ["feed-inbox"], EXIT: ["feed-inbox", "feed-exit"], DECISION: ["feed-inbox"], SIGNAL: ["feed-inbox"],
    CONTINUED: ["feed-inbox"], NODE: ["feed-fleet"], QUARANTINE: ["feed-fleet"], QUESTION: ["feed-inbox"], SERVICE: ["feed-fleet"], OPERATION: ["feed-fleet"], PROCESS_EXIT: ["feed-fleet", "feed-exit"],
    PUBLISHED: ["feed-registry"],
  };
  let last = Number(page.feed);
  let socket = null;
  let failures = 0;
  let timer = 0;
  let burst = { events: 0, exits: 0, timer: 0 };

  function show(state, text = words[state]) {
    const indicator = document.getElementById("connection");
    if (!indicator) return;
    indicator.dataset.state = state;
    indicator.textContent = text;
  }

  // -- telling the page ------------------------------------------------------------------------
  // Leading and trailing: the first event acts at once, later ones within the window act together at its end. Windows that
  // follow one another grow: of a run that goes on fast a page hears about once a second.
  const windows = new Map();
  function tell(name, pause = 300) {
    const open = windows.get(name);
    if (open) { open.again = true; return; }
    fire(name);
    const opened = { again: false };
    windows.set(name, opened);
    setTimeout(() => {
      windows.delete(name);
      if (opened.again) tell(name, Math.min(900, pause * 1.5));
    }, pause);
  }

  const unseen = new Set();
  function fire(name) {
    if (document.hidden) unseen.add(name);
    else document.body.dispatchEvent(new CustomEvent(name));
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    for (const name of unseen) document.body.dispatchEvent(new CustomEvent(name));
    unseen.clear();
    if (!socket) connect();
  });

  function names(event) {
    const run = event.run_id ? ["feed-runs", `feed-run-${event.run_id}`] : [];
    return [...run, ...(topics[event.kind] ?? [])];
  }

  function announce(events) {
    burst.events += events.length;
    burst.exits += events.filter((event) => event.kind === "EXIT").length;
    clearTimeout(burst.timer);
    burst.timer = setTimeout(() => {
      const ended = burst.exits ? `, ${burst.exits} ended` : "";
      window.wippy?.announce(`${burst.events} new ${burst.events === 1 ? "event" : "events"}${ended}`);
      burst = { events: 0, exits: 0, timer: 0 };
    }, 1200);
  }

  function receive(frame) {
    const fresh = (frame.events ?? []).filter((event) => event.id > last);
    for (const event of fresh) document.body.dispatchEvent(new CustomEvent("feed", { detail: event }));
    if (frame.cursor > last) last = frame.cursor;
    page.feed = last;
    new Set(fresh.flatMap(names)).forEach((name) => tell(name));
    if (fresh.length) announce(fresh);
  }

  // How the page's run stands, told when its history grew without an event for the feed.
  function hint(run) {
    const region = document.querySelector(`[data-run="${run.run_id}"][data-history]`);
    if (region && Number(region.dataset.history) < run.history_length) tell(`feed-run-${run.run_id}`);
  }

  // -- the socket ------------------------------------------------------------------------------
  function address() {
    const url = new URL("/ws/feed/", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("since", last);
    if (page.run) url.searchParams.set("watch", page.run);
    return url;
  }

  function connect() {
    clearTimeout(timer);
    if (socket) return;
    socket = new WebSocket(address());
    socket.addEventListener("open", () => { failures = 0; show("live"); });
    socket.addEventListener("message", (message) => {
      const frame = JSON.parse(message.data);
      if (frame.reset) return location.reload();
      if (frame.run) return hint(frame.run);
      receive(frame);
      if (frame.cursor !== undefined && socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ ack: frame.cursor }));
    });
    socket.addEventListener("close", (event) => { socket = null; closed(event.code); });
  }

  function closed(code) {
    if (code === 4401) return ended("Your session has ended. Log in again to go on.");
    if (code === 4403) return show("ended", "Not allowed");
    failures += 1;
    show("waiting", failures > 3 ? "Offline, retrying" : words.waiting);
    const pause = Math.min(15000, 250 * 2 ** failures) * (0.5 + Math.random());
    timer = setTimeout(connect, code === 4012 ? Math.min(pause, 1000) : pause);
  }

  function ended(text) {
    show("ended", "Session ended");
    window.wippy?.notice(text);
    const link = document.createElement("a");
    link.href = `${page.login}?next=${encodeURIComponent(location.pathname + location.search)}`;
    link.textContent = "Log in";
    document.querySelector("#messages .note")?.append(" ", link);
  }

  addEventListener("online", connect);
  addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
  addEventListener("pagehide", () => { socket?.close(); });
  connect();
})();
