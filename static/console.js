// Small behaviours of every page: theme, copying, dialogs, forms that hold unsaved work, and how htmx swaps.
(() => {
  "use strict";
  const root = document.documentElement;
  const $ = (selector, from = document) => from.querySelector(selector);

  // -- theme -----------------------------------------------------------------------------------
  function toggleTheme() {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* private mode: this page only */ }
  }

  // -- announcements and copying ---------------------------------------------------------------
  function announce(text) {
    const box = $("#announce");
    if (box) box.textContent = text;
  }

  async function copy(button) {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      return announce("Copying is not allowed here");
    }
    announce("Copied");
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 1200);
  }

  // A page that is shown once is left at the address of what comes after it, for whoever loads it again.
  const next = $("[data-address]")?.dataset.address;
  if (next) window.history.replaceState(null, "", next);

  // -- dialogs ---------------------------------------------------------------------------------
  function open(id) {
    const dialog = document.getElementById(id);
    if (!dialog.open) dialog.showModal();
    if (id === "palette") document.body.dispatchEvent(new Event("open-palette"));
  }

  const dirty = (form) => form.dataset.dirty === "yes";

  function mayLeave(dialog) {
    return ![...dialog.querySelectorAll("form")].some(dirty) || confirm("Discard what you have typed?");
  }

  document.addEventListener("cancel", (event) => {
    if (event.target.matches?.("dialog") && !mayLeave(event.target)) event.preventDefault();
  }, true);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button, a");
    if (event.target.matches("dialog") && mayLeave(event.target)) event.target.close();
    if (!button) return;
    if (button.hasAttribute("data-theme-toggle")) toggleTheme();
    if (button.dataset.copy !== undefined) copy(button);
    if (button.dataset.open) open(button.dataset.open);
    if (button.dataset.close) closeNearest(button);
    if (button.hasAttribute("data-back")) history.back();
  });
  document.querySelectorAll("[data-back]").forEach((button) => { button.hidden = false; }); // without script the browser's own does

  function closeNearest(button) {
    const target = button.closest(button.dataset.close);
    if (!target) return;
    if (!target.matches("dialog")) target.remove();
    else if (mayLeave(target)) target.close();
  }

  // -- forms: unsaved work, and one submission at a time ---------------------------------------
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form");
    if (form?.method === "post") form.dataset.dirty = "yes";
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.hasAttribute("hx-post") || "again" in form.dataset) return; // a list of the admin stays when it sends a file
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    form.dataset.dirty = "";
  });
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));
  addEventListener("beforeunload", (event) => {
    if ([...document.querySelectorAll("form[data-guard]")].some(dirty)) event.preventDefault();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });

  // -- lists within forms: their buttons change the list alone, and leave the rest as it was typed --------
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[name$=':do']");
    if (!button || !window.htmx) return;
    event.preventDefault();
    const list = button.closest(".rows");
    const half = list.querySelector("input:invalid"); // a date that is typed in part would be gone
    if (half) return half.reportValidity();
    button.form.dataset.dirty = "yes";
    button.setAttribute("hx-encoding", "multipart/form-data");
    htmx.ajax("POST", button.form.action, { source: button, target: list, select: `#${CSS.escape(list.id)}`, swap: "outerHTML", values: { [button.name]: button.value } });
  });

  // -- groups that may be left out: what is typed in one makes it be there; unticked, it is left out --------
  function setGroup(group, there) {
    const box = group.querySelector(":scope > legend > .has > input");
    if (!box) return;
    box.checked = there;
    group.querySelector(":scope > input[name$=':drawn']").value = there ? "1" : "out";
  }

  document.addEventListener("input", (event) => {
    const box = event.target.matches(".has > input");
    const group = event.target.closest(".group");
    if (box) setGroup(group, event.target.checked);
    for (let around = box ? group.parentElement.closest(".group") : group; around; around = around.parentElement.closest(".group")) setGroup(around, true);
  });

  // -- rows that are chosen for one act; the page goes on refreshing, and what is chosen stays --------
  const picks = (form) => [...document.querySelectorAll(`[data-pick][form="${form}"]`)];

  function tellPicked(form) {
    const told = $(`[data-picked="${form}"]`), all = picks(form), chosen = all.filter((box) => box.checked).length;
    if (told) told.textContent = chosen ? `${chosen} chosen` : told.dataset.none ?? "Choose questions that take the same answer.";
    const every = $(`[data-pick-all="${form}"]`);
    if (every) [every.checked, every.indeterminate] = [chosen > 0 && chosen === all.length, chosen > 0 && chosen < all.length];
  }

  document.addEventListener("change", (event) => {
    const box = event.target, every = box.dataset?.pickAll;
    if (every) picks(every).forEach((each) => { each.checked = box.checked; });
    if (every || box.matches?.("[data-pick]")) tellPicked(every ?? box.getAttribute("form"));
  });
  document.addEventListener("htmx:afterSettle", () => { const box = $("[data-pick-all]"); if (box) tellPicked(box.dataset.pickAll); });

  // -- htmx ------------------------------------------------------------------------------------
  const FIRST = ":is(input:not([type=hidden], [type=checkbox], [type=radio]), select, textarea):not([disabled], [hidden])"; // the first field to fill in
  const swappedDialog = (target) => target?.id === "dialog";

  document.addEventListener("htmx:afterSwap", (event) => {
    if (swappedDialog(event.detail.target)) {
      const dialog = $("#dialog");
      if (dialog.children.length) open("dialog");
      else if (dialog.open) dialog.close();
      ($("[aria-invalid=true], [autofocus]", dialog) ?? $(FIRST, dialog))?.focus();
    } else if (event.detail.requestConfig?.verb === "post" && event.detail.xhr.status < 400 && $("#dialog")?.open && !event.detail.select) { // a list within it selects itself
      $("#dialog").close();
    }
  });

  document.addEventListener("htmx:afterSettle", (event) => { // what stands above an open form says whether it can be sent
    const button = event.target.id === "standing" && $("#send-answer");
    if (button && !button.form.matches(".htmx-request")) button.disabled = "over" in event.target.dataset;
  });

  // A message goes with its cause: that nobody answers with the next answer, an error of an address when that one answers well.
  const SILENT = "(silence)";
  let cause = "";
  document.addEventListener("htmx:sendError", () => { notice("The console does not answer. Your input is kept; try again in a moment."); cause = SILENT; });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { xhr, requestConfig: { path, verb } = {}, target } = event.detail, asked = `${verb} ${path}`;
    if (!xhr?.status) return;
    if (xhr.status < 400 && (cause === SILENT || cause === asked)) {
      if (target?.id !== "messages") $("#messages")?.replaceChildren();
      cause = "";
    } else if (xhr.status >= 400 && target?.id === "messages") cause = asked;
  });

  // Once filters can be used again, nothing says that they could not.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status >= 400 || !event.detail.requestConfig?.elt?.matches("form[role=search]")) return;
    document.querySelectorAll("#messages .note.error").forEach((note) => note.remove());
  });

  function notice(text) {
    const note = document.createElement("div");
    note.className = "note error";
    note.textContent = text;
    $("#messages")?.replaceChildren(note);
  }

  // A refresh must not undo what the reader did: opened details, loaded payloads, typed text, the form's own key.
  const kept = (old) => old.nodeType === 1 && (old.matches("[data-own], [data-pick], [data-pick-all]") || old.matches("[data-keep][data-loaded]") || (old.matches("form") && dirty(old)) || old.matches("form.htmx-request"));
  Object.assign(Idiomorph.defaults, { ignoreActiveValue: true });
  Object.assign(Idiomorph.defaults.callbacks, {
    beforeNodeMorphed: (old, fresh) => {
      // Of what has the focus nothing within is morphed, because of fields: a button goes on with its new words.
      if (old === document.activeElement && old.matches("button, a")) old.replaceChildren(...fresh.cloneNode(true).childNodes);
      return !kept(old);
    },
    beforeAttributeUpdated: (name, node) => {
      if (name === "open" && node.matches("details")) return false;
      if (name === "value" && node.matches("input[name=key]")) return false;
      return !(name === "class" && node.classList.contains("here")) && name !== "data-local";
    },
  });
  // Where tabs do not fit, the one that one has gone to is in sight; who scrolls them afterwards is left alone.
  let shown = "";
  function showTabs() {
    const tab = $(".tabs > [aria-current]");
    if (!tab || tab.href === shown) return;
    shown = tab.href;
    tab.parentElement.scrollLeft += Math.max(0, tab.getBoundingClientRect().right - tab.parentElement.getBoundingClientRect().right);
  }
  showTabs();

  document.addEventListener("htmx:afterSettle", (event) => {
    showTabs();
    const keeper = event.target.closest?.("[data-keep]");
    if (keeper) keeper.dataset.loaded = "yes";
  });

  window.wippy = { announce, open, notice };

  // -- parts that stay folded as the reader left them --------------------------------------------
  for (const part of document.querySelectorAll("details[data-remember]")) {
    const name = `folded ${part.dataset.remember}`;
    try { if (localStorage.getItem(name)) part.open = false; } catch { /* private mode */ }
    part.addEventListener("toggle", () => { try { part.open ? localStorage.removeItem(name) : localStorage.setItem(name, "1"); } catch { /* as above */ } });
  }
})();
