// Draws the timeline of a run's page: takes over from the server's rows and follows the run.
import { Timeline } from "./timeline.js";
import { useLooks } from "./words.js";

const region = document.getElementById("timeline");
if (region?.dataset.home) {
  useLooks(region);
  const timeline = new Timeline(region);
  document.body.addEventListener(`feed-run-${region.dataset.run}`, () => timeline.hint());
  document.addEventListener("visibilitychange", () => { if (!document.hidden) timeline.hint(); });
  addEventListener("online", () => timeline.hint());
}

// A page whose history could not be had, and now can: its rows come with the page.
document.addEventListener("htmx:afterSettle", () => {
  const now = document.getElementById("timeline");
  if (now && !now.firstElementChild) location.reload();
});
