// Builds what the console serves but does not write itself: CodeMirror, htmx with idiomorph, the icon sprite.
// The results are committed, so that neither `make run` nor `make test` needs npm.
import { build } from "esbuild";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

const vendor = "../static/vendor";
const icons = [
  "activity", "alarm-clock", "archive", "ban", "bell", "box", "check", "chevron-down", "chevron-right", "circle", "circle-alert",
  "circle-check", "circle-dashed", "circle-dot", "circle-help", "circle-pause", "circle-play", "circle-slash", "circle-stop", "circle-x",
  "clock", "code", "copy", "cpu", "database", "diamond", "external-link", "file-code", "folder", "git-branch", "git-compare", "hand",
  "history", "hourglass", "house", "inbox", "info", "list", "loader-circle", "log-out", "menu", "message-square", "monitor", "moon",
  "network", "octagon-alert", "octagon-x", "package", "pause", "play", "plus", "radio", "refresh-cw", "repeat", "rotate-ccw", "save",
  "search", "send", "server", "settings", "shield", "skull", "sun", "table", "timer", "trash-2", "triangle-alert", "user", "users",
  "workflow", "x", "zap", "git-fork", "arrow-down", "arrow-up-right", "signal", "square-function", "text-cursor-input", "wifi", "wifi-off",
  "corner-down-right", "arrow-left", "arrow-right", "zoom-in", "zoom-out", "filter", "keyboard", "braces", "layers", "unplug", "undo-2",
];

function licence(name) {
  for (const file of ["LICENSE", "LICENSE.md", "LICENSE.txt"]) {
    try {
      return readFileSync(`node_modules/${name}/${file}`, "utf8").trim();
    } catch { /* the next spelling */ }
  }
  throw new Error(`${name} carries no licence text`);
}

function version(name) {
  return JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
}

function symbol(name) {
  const svg = readFileSync(`node_modules/lucide-static/icons/${name}.svg`, "utf8");
  const body = svg.replace(/<!--[^]*?-->/g, "").replace(/<svg[^>]*>/, "").replace("</svg>", "").replace(/\s+/g, " ").trim();
  return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" ` +
    `stroke-linecap="round" stroke-linejoin="round">${body}</symbol>`;
}

mkdirSync(vendor, { recursive: true });
await build({
  entryPoints: ["editor.mjs"], outfile: `${vendor}/codemirror.js`, bundle: true, minify: true,
  format: "iife", globalName: "WippyEditor", target: "es2022", legalComments: "none",
});
copyFileSync("node_modules/htmx.org/dist/htmx.min.js", `${vendor}/htmx.js`);
copyFileSync("node_modules/idiomorph/dist/idiomorph-ext.min.js", `${vendor}/idiomorph-ext.js`);
copyFileSync("node_modules/axe-core/axe.min.js", "../tests/browser/axe.min.js");
writeFileSync("../static/icons.svg", `<svg xmlns="http://www.w3.org/2000/svg">\n${icons.map(symbol).join("\n")}\n</svg>\n`);

const shipped = [
  "htmx.org", "idiomorph", "lucide-static", "@codemirror/autocomplete", "@codemirror/commands", "@codemirror/lang-json",
  "@codemirror/language", "@codemirror/legacy-modes", "@codemirror/lint", "@codemirror/search",
  "@codemirror/state", "@codemirror/view", "@lezer/common", "@lezer/highlight", "@lezer/json", "@lezer/lr", "crelt", "style-mod",
  "w3c-keyname", "@marijn/find-cluster-break",
];
const notes = shipped.map((name) => `## ${name} ${version(name)}\n\n${licence(name)}`);
writeFileSync(`${vendor}/LICENSES.md`, `# Third-party code served by the console\n\nWritten by frontend/build.mjs.\n\n${notes.join("\n\n")}\n`);
