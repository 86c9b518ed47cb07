// The timeline's axis: moves "now" on, zooms and pans. Rows come from the server; without this they are drawn just as well.
(() => {
  "use strict";
  let view = { low: 0, high: 100 };
  const chart = () => document.getElementById("timeline");

  // Time to percent, along the server's knots; the last knot of an open run is now.
  function scale(tl) {
    const began = Number(tl.dataset.began);
    const knots = JSON.parse(tl.dataset.knots);
    const drawn = Number(tl.dataset.now) - began;
    const now = tl.hasAttribute("data-open") ? Math.max(Date.now() - began, drawn) : drawn;
    const stretch = stretched(knots, now, drawn);
    return { now: began + now, at: (time) => zoomed(along(stretch, time - began)) };
  }

  function stretched(knots, now, drawn) {
    if (now <= drawn || knots.length < 2) return knots;
    const last = knots.length - 1;
    return knots.map(([offset, percent], index) => [index === last ? now : offset, percent]);
  }

  function along(knots, offset) {
    for (let i = 1; i < knots.length; i += 1) {
      const [a, low] = knots[i - 1];
      const [b, high] = knots[i];
      if (offset <= b) return b > a ? low + (high - low) * Math.max(0, offset - a) / (b - a) : high;
    }
    return 100;
  }

  const zoomed = (percent) => Math.max(-20, Math.min(120, 100 * (percent - view.low) / (view.high - view.low)));

  function draw() {
    const tl = chart();
    if (!tl) return;
    const { now, at } = scale(tl);
    const place = (value) => `${at(value === "now" ? now : Number(value)).toFixed(3)}%`;
    for (const part of tl.querySelectorAll("[data-a]")) {
      if (part.tagName === "line") {
        part.setAttribute("x1", place(part.dataset.a));
        part.setAttribute("x2", place(part.dataset.b));
      } else {
        part.setAttribute("x", place(part.dataset.a));
      }
    }
    for (const gap of tl.querySelectorAll("[data-from]")) {
      gap.setAttribute("x1", `${zoomed(Number(gap.dataset.from))}%`);
      gap.setAttribute("x2", `${zoomed(Number(gap.dataset.to))}%`);
    }
    for (const part of tl.querySelectorAll("[data-p]")) {
      const x = `${zoomed(Number(part.dataset.p)).toFixed(3)}%`;
      for (const name of part.tagName === "line" ? ["x1", "x2"] : ["x"]) part.setAttribute(name, x);
    }
  }

  // -- zoom and pan ----------------------------------------------------------------------------
  function look(low, high) {
    const width = Math.min(100, Math.max(0.5, high - low));
    const start = Math.min(Math.max(0, low), 100 - width);
    view = { low: start, high: start + width };
    draw();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-zoom], [data-pan]");
    if (!button) return;
    const width = view.high - view.low;
    if (button.dataset.pan) return look(view.low + width * 0.4 * button.dataset.pan, view.high + width * 0.4 * button.dataset.pan);
    const grow = button.dataset.zoom > 0 ? -width / 4 : width / 2;
    look(view.low - grow, view.high + grow);
  });

  // -- new rows below the screen ----------------------------------------------------------------
  let known = new Set();
  const ids = () => [...document.querySelectorAll(".tl-item")].map((row) => row.id);

  function count() {
    const fresh = ids().filter((id) => !known.has(id));
    const below = fresh.filter((id) => document.getElementById(id).getBoundingClientRect().top > innerHeight);
    const pill = document.querySelector("[data-new]");
    known = new Set(ids());
    if (!pill || !below.length) return;
    pill.textContent = `${below.length} new`;
    pill.hidden = false;
    pill.onclick = () => { pill.hidden = true; document.getElementById(below[0])?.scrollIntoView({ block: "center" }); };
  }

  // An open row whose payload was loaded is fetched again when the row moves on, while it stays open.
  function renew() {
    for (const detail of document.querySelectorAll("details[open] [data-again][data-loaded]")) {
      delete detail.dataset.loaded;
      window.htmx.trigger(detail, "again");
    }
  }

  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id !== "run") return;
    count();
    draw();
    renew();
  });
  document.addEventListener("htmx:beforeSwap", () => { if (!known.size) known = new Set(ids()); });
  setInterval(() => { if (!document.hidden && chart()?.hasAttribute("data-open")) draw(); }, 1000);
  known = new Set(ids());
  draw();
})();
