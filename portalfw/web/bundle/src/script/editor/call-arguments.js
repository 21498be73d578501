// What a macro call in the text says, argument by argument and as the macro takes them (Macro.bind in portalfw/wiki/macro.py),
// and where it stands, so that a form can show it and change it.
import { yamlLanguage } from "@codemirror/lang-yaml";

/**
 * @typedef {{value: string, word?: import("./call-words.js").Word, pair?: Pair, body?: boolean}} Given
 * `value` is what a form shows; it stands in a word of the first line, in a pair of the body, or is the whole body.
 * @typedef {{key: string, from: number, to: number, value: {from: number, to: number, type: string} | null}} Pair
 */

/** @returns {Map<string, Given>} what the call gives to the macro's arguments; what is none of them is left out */
export function argumentsOf(macro, call, text) {
  const names = macro.arguments.map(({ name }) => name);
  const given = new Map();
  for (const word of call.words) if (word.key && names.includes(word.key)) given.set(word.key, { value: word.value, word });
  const pairs = call.body ? pairsOf(text, call.body) : [];
  if (isBody(names, pairs, call, text)) given.set("body", { value: dedented(text.slice(call.body.from, call.body.to)), body: true });
  else for (const pair of pairs) if (names.includes(pair.key)) given.set(pair.key, { value: shown(text, pair), pair });
  const free = names.filter((name) => !given.has(name) && name !== "body");
  for (const word of call.words) {
    if (!word.key && free.length) given.set(free.shift(), { value: word.value, word });
  }
  return given;
}

/** A body that is no mapping of the macro's own arguments is one argument. */
function isBody(names, pairs, call, text) {
  if (!call.body || !names.includes("body") || !text.slice(call.body.from, call.body.to).trim()) return false;
  return !pairs.length || pairs.some(({ key }) => key === "body" || !names.includes(key));
}

/** @returns {Pair[]} the lines of a body that is a mapping */
export function pairsOf(text, { from, to }) {
  const top = yamlLanguage.parser.parse(text.slice(from, to)).topNode.getChild("Document")?.getChild("BlockMapping");
  return (top?.getChildren("Pair") ?? []).map((node) => {
    const key = node.getChild("Key");
    const value = node.lastChild.name === "Key" || node.lastChild.name === ":" ? null : node.lastChild;
    return {
      key: text.slice(from + key.from, from + key.to),
      from: from + node.from,
      to: from + node.to,
      value: value && { from: from + value.from, to: from + value.to, type: value.name },
    };
  });
}

/** A pair's value as one reads it: text without its quotes, YAML without its indentation. */
function shown(text, { value }) {
  if (!value) return "";
  const written = text.slice(value.from, value.to);
  if (value.type === "QuotedLiteral") return unquoted(written);
  if (value.type === "BlockLiteral") return /^\|-?\s*\n/.test(written) ? dedented(written.slice(written.indexOf("\n") + 1)) : written;
  return dedented(text.slice(linesOf(text, value), value.to));
}

function unquoted(written) {
  if (written.startsWith("'")) return written.slice(1, -1).replaceAll("''", "'");
  try {
    return JSON.parse(written);
  } catch {
    return written; // an escape that only YAML knows
  }
}

/** Where what is shown of YAML begins: lines of their own whole, as their blanks count, without a remark behind the key. */
function linesOf(text, { from, type }) {
  const start = text.lastIndexOf("\n", from - 1) + 1;
  if (!text.slice(start, from).trim()) return start;
  return type.startsWith("Block") ? text.indexOf("\n", from) + 1 : from;
}

/** @returns {string} lines without the blanks that all begin with, and without empty ones around them */
export function dedented(lines) {
  const inner = lines.replace(/^\s*\n/, "").trimEnd();
  return inner.split("\n").map((line) => line.slice(indentOf(inner).length)).join("\n");
}

/** @returns {string} the blanks that every line begins with */
export function indentOf(lines) {
  const blanks = lines.split("\n").filter((line) => line.trim()).map((line) => line.match(/^[ \t]*/)[0]);
  return blanks.reduce((least, one) => (one.length < least.length ? one : least), blanks[0] ?? "");
}
