// CodeMirror in the portal's colours: all of them variables, so that light and dark need nothing more.
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const code = "var(--bs-font-monospace)";

const look = EditorView.theme({
  "&": { height: "100%", fontSize: ".8125rem", color: "var(--bs-body-color)", backgroundColor: "var(--bs-tertiary-bg)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: code, lineHeight: "22px", fontVariantLigatures: "none" },
  ".cm-content": { padding: "8px 0 40vh", caretColor: "var(--bs-primary)" },
  ".cm-line": { padding: "0 16px 0 8px" },
  ".cm-gutters": { border: "0", color: "var(--bs-tertiary-color)", backgroundColor: "var(--bs-tertiary-bg)", fontSize: ".6875rem" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 8px 0 4px", minWidth: "28px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--ui-hover)" },
  "&.cm-focused .cm-activeLine, &.cm-focused .cm-activeLineGutter": { backgroundColor: "var(--ui-selected)" },
  ".cm-activeLineGutter": { color: "var(--bs-body-color)" },
  ".cm-cursor": { borderLeft: "2px solid var(--bs-primary)" },
  ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": { backgroundColor: "var(--bs-primary-border-subtle)" },
  ".cm-panels": { color: "var(--bs-body-color)", backgroundColor: "var(--ui-raised)", borderColor: "var(--bs-border-color)" },
  ".cm-panel.cm-search": { padding: "8px 12px", fontFamily: "var(--bs-font-sans-serif)" },
  ".cm-searchMatch": { backgroundColor: "var(--bs-highlight-bg)", outline: "none" },
  ".cm-searchMatch-selected": { outline: "2px solid var(--bs-warning)" },
  ".cm-textfield": { padding: "4px 8px", border: "1px solid var(--ui-line-strong)", borderRadius: "6px", color: "inherit", backgroundColor: "var(--ui-raised)", fontSize: ".8125rem" },
  ".cm-button": { padding: "4px 10px", border: "1px solid var(--ui-line-strong)", borderRadius: "6px", color: "inherit", background: "var(--ui-raised)", fontSize: ".8125rem" },
  ".cm-tooltip": { border: "1px solid var(--bs-border-color)", borderRadius: "10px", color: "var(--bs-body-color)", backgroundColor: "var(--ui-raised)", boxShadow: "var(--ui-shadow-2)", overflow: "hidden" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: code, fontSize: ".8125rem", padding: "6px", maxHeight: "280px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "4px 10px", borderRadius: "6px", lineHeight: "20px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { color: "var(--bs-body-color)", backgroundColor: "var(--ui-selected)" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "600", color: "var(--bs-primary-text-emphasis)" },
  ".cm-completionDetail": { marginLeft: "12px", fontStyle: "normal", fontFamily: "var(--bs-font-sans-serif)", fontSize: ".75rem", color: "var(--bs-tertiary-color)" },
  ".cm-tooltip.cm-completionInfo": { maxWidth: "360px", padding: "10px 14px", fontSize: ".75rem", lineHeight: "1.125rem", whiteSpace: "pre-wrap" },
  ".cm-diagnostic": { padding: "6px 12px", border: "0", fontSize: ".75rem", lineHeight: "1.125rem" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bs-danger) 1px", textUnderlineOffset: "4px" },
  ".cm-lint-marker-error": { content: "none" },
  ".cm-gutter-lint": { width: "10px" },
  ".cm-gutter-lint .cm-gutterElement": { padding: "0" },
  ".cm-lint-marker": { width: "6px", height: "6px", margin: "8px 2px", borderRadius: "50%", backgroundColor: "var(--bs-danger)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--ui-press)" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "var(--bs-danger-bg-subtle)" },
  ".cm-selectionMatch": { backgroundColor: "var(--ui-press)" },
  ".cm-placeholder": { color: "var(--bs-tertiary-color)" },
});

const words = HighlightStyle.define([
  { tag: [tags.heading, tags.heading1, tags.heading2, tags.heading3], color: "var(--ui-tk-head)", fontWeight: "700" },
  { tag: tags.strong, color: "var(--ui-tk-head)", fontWeight: "700" },
  { tag: tags.emphasis, fontStyle: "italic" },
  { tag: tags.strikethrough, textDecoration: "line-through" },
  { tag: [tags.link, tags.url], color: "var(--ui-tk-link)" },
  { tag: [tags.monospace, tags.string, tags.literal], color: "var(--ui-tk-str)" },
  { tag: [tags.definition(tags.propertyName), tags.propertyName, tags.attributeName], color: "var(--ui-tk-param)" },
  { tag: [tags.keyword, tags.tagName, tags.labelName], color: "var(--ui-tk-macro)" },
  { tag: [tags.comment, tags.meta, tags.quote, tags.contentSeparator, tags.processingInstruction], color: "var(--bs-tertiary-color)" },
]);

export const theme = [look, syntaxHighlighting(words)];
