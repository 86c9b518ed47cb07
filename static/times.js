// Times in the viewer's zone, durations that go on and deadlines that count down; the server writes UTC.
(() => {
  "use strict";
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
  const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

  function span(seconds) {
    const total = Math.max(0, Math.round(seconds));
    const first = units.findIndex(([, size]) => total >= size);
    if (first < 0) return "0 s";
    const [word, size] = units[first];
    const rest = units[first + 1] && Math.floor((total % size) / units[first + 1][1]);
    return `${Math.floor(total / size)} ${word}` + (rest ? ` ${rest} ${units[first + 1][0]}` : "");
  }

  const coarse = (seconds) => span(seconds).split(" ").slice(0, 2).join(" ");

  function absolute(at) {
    const near = Math.abs(Date.now() - at) < 12 * 3600e3 && at.getDate() === new Date().getDate();
    const year = at.getFullYear() === new Date().getFullYear() ? "" : ` ${at.getFullYear()}`;
    return near ? clock.format(at) : `${day.format(at)}${year}, ${clock.format(at).slice(0, 5)}`;
  }

  function words(element, at) {
    const seconds = (at - Date.now()) / 1000;
    switch (element.dataset.time) {
      case "ago": return seconds > -5 ? "just now" : `${coarse(-seconds)} ago`;
      case "since": return span(-seconds);
      case "deadline": return seconds >= 0 ? `due in ${span(seconds)}` : `overdue by ${span(-seconds)}`;
      case "until": return seconds >= 0 ? `in ${span(seconds)}` : "now";
      case "clock": return `${clock.format(at)}.${String(at.getMilliseconds()).padStart(3, "0")}`;
      default: return absolute(at);
    }
  }

  function draw(element) {
    const at = new Date(element.getAttribute("datetime"));
    if (Number.isNaN(+at)) return;
    const text = words(element, at);
    if (element.textContent !== text) element.textContent = text;
    if (!element.title) element.title = full.format(at);
    if (element.dataset.time === "deadline") element.classList.toggle("late", at < Date.now());
  }

  function drawAll(from = document) {
    from.querySelectorAll("time[data-time]").forEach(draw);
    from.querySelectorAll("[data-zone]").forEach((element) => { element.textContent = zone; });
  }

  document.cookie = `zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax`; // for forms: what a time is drawn in
  Object.assign(window.wippy, { drawTime: draw, drawTimes: drawAll });
  drawAll();
  document.addEventListener("htmx:afterSettle", () => drawAll());
  document.addEventListener("feed-row", (event) => drawAll(event.target));
  setInterval(() => {
    if (!document.hidden) document.querySelectorAll("time[data-time=ago], time[data-time=since], time[data-time=deadline], time[data-time=until]").forEach(draw);
  }, 1000);
})();
