// Runs before the first paint, so that a chosen theme does not flash the other one.
(() => {
  const read = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const chosen = read();
  if (chosen) document.documentElement.dataset.theme = chosen;
  document.documentElement.classList.add("js");
})();
