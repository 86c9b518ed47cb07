// The code editor: CodeMirror 6 put over a textarea, which stays the form's field and works alone without JavaScript.
import { autocompletion, closeBrackets, closeBracketsKeymap, completeAnyWord, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, indentOnInput, indentUnit, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { lua } from "@codemirror/legacy-modes/mode/lua";
import { yaml } from "@codemirror/legacy-modes/mode/yaml";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const languages = { lua: () => StreamLanguage.define(lua), json, yaml: () => StreamLanguage.define(yaml) };

// Colours are the page's own variables, so that a change of theme needs no new editor.
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.controlKeyword, tags.definitionKeyword], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--code-number)" },
  { tag: [tags.comment], color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [tags.standard(tags.variableName), tags.function(tags.variableName), tags.propertyName], color: "var(--code-name)" },
]);

const look = EditorView.theme({
  "&": { backgroundColor: "var(--surface)", color: "var(--ink)", fontSize: "0.8125rem", borderRadius: "7px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6", minHeight: "var(--editor-min, 12rem)", maxHeight: "var(--editor-max, 75vh)" },
  ".cm-content": { caretColor: "var(--ink)", paddingBlock: "8px" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--surface-2)", color: "var(--ink-3)", border: "none", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--accent) 8%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 28%, transparent)",
  },
  ".cm-panels, .cm-tooltip": { backgroundColor: "var(--surface-2)", color: "var(--ink)", borderColor: "var(--line)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--surface-2)", color: "var(--ink-2)", border: "1px solid var(--line)" },
});

function basics(language) {
  return [
    lineNumbers(), highlightActiveLineGutter(), highlightSpecialChars(), history(), foldGutter(), drawSelection(), indentOnInput(),
    bracketMatching(), closeBrackets(), highlightActiveLine(), highlightSelectionMatches(), indentUnit.of("    "),
    (languages[language] ?? languages.lua)(), syntaxHighlighting(colours), look, EditorState.tabSize.of(4),
  ];
}

// style-mod writes a <style> element into a document, which our content security policy forbids; in a shadow
// root it uses adopted style sheets, which the policy allows.
function shadow(host) {
  return host.shadowRoot ?? host.attachShadow({ mode: "open" });
}

/** Puts an editor into `host`; `options.onChange(text)` hears each change. Esc then Tab leaves it (CodeMirror's own way out). */
export function create(host, { text, language, label, readOnly, onChange, onSave }) {
  const root = shadow(host);
  return new EditorView({
    root, parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        keymap.of([{ key: "Mod-s", preventDefault: true, run: () => (onSave?.(), true) }]),
        basics(language), lintGutter(), autocompletion({ override: [completeAnyWord] }),
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap, ...lintKeymap, indentWithTab]),
        EditorState.readOnly.of(Boolean(readOnly)),
        EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
        EditorView.updateListener.of((update) => update.docChanged && onChange?.(update.state.doc.toString())),
      ],
    }),
  });
}

/** Marks problems, a list of {line, message}; a line outside the text falls to its nearest end. */
export function mark(view, problems) {
  const doc = view.state.doc;
  const diagnostics = problems.map(({ line, message }) => {
    const at = doc.line(Math.min(Math.max(line || 1, 1), doc.lines));
    return { from: at.from, to: at.to, severity: "error", message };
  });
  view.dispatch(setDiagnostics(view.state, diagnostics));
  if (problems[0]?.line) view.dispatch({ selection: { anchor: diagnostics[0].from }, scrollIntoView: true });
}

/** Replaces the whole text. */
export function replace(view, text) {
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
}
