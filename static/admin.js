// Names for what the scripts of Django's admin draw without one: fields found by typing, and hints of lists to choose from.
addEventListener("DOMContentLoaded", () => {
  "use strict";
  function name() {
    for (const box of document.querySelectorAll(".select2-container")) {
      const field = box.parentElement.querySelector("select");
      const word = document.querySelector(`label[for="${field?.id}"]`)?.textContent.replace(/:\s*$/, "").trim() || "Choose";
      for (const part of box.querySelectorAll("[role=searchbox], [role=combobox], [role=textbox]")) {
        if (part.getAttribute("aria-label") === word) continue;
        part.removeAttribute("aria-labelledby");
        part.setAttribute("aria-label", word);
      }
    }
    document.querySelectorAll(".help-tooltip[aria-label]:not([role])").forEach((hint) => hint.setAttribute("role", "img"));
  }
  name(); // the scripts draw when they come to it, before this or after
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
});
