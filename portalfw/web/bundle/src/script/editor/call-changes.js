// Writes a form's values back into a macro call: only what was changed, where it stands. Other words, expressions, comments
// and arguments that the macro does not have stay as they are written.
import { argumentsOf, indentOf, pairsOf } from "./call-arguments.js";
import { indented, isLarge, isYaml, pairOf, wordOf } from "./macro-call.js";

/**
 * @param {Map<string, string>} wanted changed values by argument; an empty one takes the argument away
 * @returns {{changes?: {from: number, to?: number, insert?: string}[], problem?: string}}
 */
export function changesOf(macro, call, text, wanted) {
  const given = argumentsOf(macro, call, text);
  const writing = { macro, call, text, indent: blanksBefore(text, call.from) };
  const values = [...wanted].map(([name, value]) => ({ name, value: value.trimEnd(), old: given.get(name) }));
  const changes = values.filter(({ old }) => old).flatMap((one) => changeOf(writing, one));
  const rest = values.filter(({ name, value, old }) => value && (!old || (old.word && isLarge(macro, name, value))));
  const long = rest.filter(({ name, value }) => name === "body" || isLarge(macro, name, value));
  const taken = long.length && call.body && (given.get("body")?.body || long.some(({ name }) => name === "body"));
  if (taken) return { problem: `There is a body already; ${long[0].name} would need another.` };
  const short = rest.filter((one) => !long.includes(one)).map(({ name, value }) => ` ${wordOf(name, value)}`);
  if (short.length) changes.push({ from: call.wordsEnd, insert: short.join("") });
  if (long.length) changes.push(added(writing, long));
  return { changes: [...changes, ...named(given, wanted)] };
}

function changeOf(writing, { name, value, old }) {
  if (old.body) return [{ from: writing.call.body.from, to: writing.call.body.to, insert: value && bodyText(writing, value) }];
  return old.pair ? pairChange(writing, name, value, old.pair) : wordChange(writing, name, value, old.word);
}

function bodyText({ call, text }, value) {
  return `${indented(value, indentOf(text.slice(call.body.from, call.body.to)))}\n`;
}

function wordChange({ macro, call, text }, name, value, word) {
  if (value && !isLarge(macro, name, value)) return [{ from: word.at, to: word.to, insert: wordOf("", value, word.quote) }];
  const before = call.words[call.words.indexOf(word) - 1]?.to ?? call.nameEnd;
  return [{ from: text.slice(before, word.from).includes(",") ? word.from : before, to: word.to }];
}

/** What stands by its place gets its name once what stands before it is gone. */
function named(given, wanted) {
  const placed = [...given].filter(([, { word }]) => word && !word.key);
  const gone = placed.findIndex(([name]) => wanted.get(name)?.trim() === "");
  return gone < 0 ? [] : placed.slice(gone + 1).filter(([name]) => wanted.get(name) !== "").map(([name, { word }]) => ({ from: word.from, insert: `${name}:` }));
}

function pairChange({ macro, text }, name, value, pair) {
  const indent = blanksBefore(text, pair.from);
  if (!value) return [{ from: pair.from - indent.length, to: lineEnd(text, pair.to) }];
  const lines = text.slice(pair.from, pair.to).includes("\n");
  const inner = lines ? indentOf(text.slice(text.indexOf("\n", pair.from) + 1, pair.to)) : `${indent}  `;
  if (lines && value.includes("\n") && /^Block/.test(pair.value.type)) {
    return [{ from: text.indexOf("\n", pair.from) + 1, to: pair.to, insert: indented(value, inner) }];
  }
  const kept = !value.includes("\n") && !isYaml(macro, name) && pair.value?.type === "QuotedLiteral";
  if (kept) return [{ from: pair.value.from, to: pair.value.to, insert: requoted(value, text[pair.value.from]) }];
  return [{ from: pair.from, to: pair.to, insert: pairOf(macro, name, value, inner) }];
}

function requoted(value, quote) {
  return quote === "'" ? `'${value.replaceAll("'", "''")}'` : JSON.stringify(value);
}

/** New pairs at the end of the body, or a body for them. */
function added({ macro, call, text, indent }, long) {
  const first = call.body && pairsOf(text, call.body)[0];
  const base = first ? blanksBefore(text, first.from) : indent;
  const lines = long.map(({ name, value }) => (name === "body" ? indented(value, base) : base + pairOf(macro, name, value, `${base}  `))).join("\n");
  if (call.body) return { from: call.body.to, insert: `${lines}\n` };
  const behind = text.slice(call.to, lineEnd(text, call.to)).trim() ? "\n" : "";
  return { from: call.to - 2, to: call.to, insert: `\n${lines}\n${indent}}}${behind}` };
}

/** The blanks that the line of `at` begins with. */
function blanksBefore(text, at) {
  return text.slice(text.lastIndexOf("\n", at - 1) + 1).match(/^[ \t]*/)[0];
}

/** The position behind the end of the line. */
function lineEnd(text, at) {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end + 1;
}
