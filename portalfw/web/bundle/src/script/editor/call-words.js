// Reads a macro call as the portal does (portalfw/wiki/words.py, calls.py), and where each word of it stands.

const NAME = /\{\{[ \t]*([A-Za-z][\w-]*)(?::(?=[\s}]))?(?=[\s}])/y;
const KEY = /([A-Za-z_][\w-]*):(?!\/\/)[ \t]?(?=\S)/y;
const BODY_END = /^[ \t]*\}\}[ \t]*$/m;
const END = "}}";

/**
 * @typedef {{key: string | null, value: string, quote: string, from: number, at: number, to: number}} Word: `at` is where its value begins
 * @typedef {{name: string, from: number, to: number, nameEnd: number, words: Word[], wordsEnd: number, body: {from: number, to: number} | null}} Call
 * `wordsEnd` is behind the last word; `body` is the YAML after the first line.
 */

/** @returns {Call | null} the call that begins at `from`; null if there is none, or if it cannot be read */
export function readCall(text, from) {
  NAME.lastIndex = from;
  const found = NAME.exec(text);
  if (!found) return null;
  const nameEnd = NAME.lastIndex;
  const name = found[1].replaceAll("-", "_").toLowerCase();
  const first = readWords(text, nameEnd);
  if (!first) return null;
  const call = { name, from, nameEnd, words: first.words, wordsEnd: first.words.at(-1)?.to ?? nameEnd };
  if (first.closed) return { ...call, to: first.at, body: null };
  const close = text.slice(first.at).match(BODY_END);
  if (!close) return null;
  const bodyEnd = first.at + close.index;
  return { ...call, to: bodyEnd + close[0].length, body: { from: Math.min(first.at + 1, bodyEnd), to: bodyEnd } };
}

function readWords(text, start) {
  const words = [];
  let at = start;
  while (at < text.length && text[at] !== "\n") {
    if (text[at] === "," || /\s/.test(text[at])) at += 1;
    else if (text.startsWith(END, at)) return { words, at: at + END.length, closed: true };
    else {
      const word = readWord(text, at);
      if (!word) return null;
      words.push(word);
      at = word.to;
    }
  }
  return { words, at, closed: false };
}

function readWord(text, from) {
  KEY.lastIndex = from;
  const found = KEY.exec(text);
  const start = found ? KEY.lastIndex : from;
  const read = text[start] === "'" || text[start] === '"' ? quotedAt(text, start) : bareAt(text, start);
  return read && { key: found?.[1].replaceAll("-", "_") ?? null, from, at: start, ...read };
}

function bareAt(text, start) {
  let at = start;
  while (at < text.length && !/\s/.test(text[at]) && !text.startsWith(END, at) && !/^,\s/.test(text.slice(at, at + 2))) {
    at = text.startsWith("${", at) ? expressionEnd(text, at) : at + 1;
    if (!at) return null;
  }
  return { value: text.slice(start, at), quote: "", to: at };
}

/** The quote itself is written twice inside; expressions inside keep their own quotes. */
function quotedAt(text, start) {
  const quote = text[start];
  let value = "";
  let at = start + 1;
  while (at < text.length && text[at] !== "\n") {
    if (text.startsWith("${", at)) {
      const end = expressionEnd(text, at);
      if (!end) return null;
      value += text.slice(at, end);
      at = end;
    } else if (text.startsWith(quote + quote, at)) {
      value += quote;
      at += 2;
    } else if (text[at] === quote) return { value, quote, to: at + 1 };
    else value += text[at++];
  }
  return null;
}

/** @returns {number} the position behind the `}` that closes the `${` at `start`; 0 if it is not closed on its line */
export function expressionEnd(text, start) {
  let depth = 0;
  let quote = "";
  for (let at = start + 1; at < text.length && text[at] !== "\n"; at += 1) {
    const letter = text[at];
    if (quote) quote = letter === quote ? "" : quote;
    else if (letter === "'" || letter === '"') quote = letter;
    else {
      depth += (letter === "{") - (letter === "}");
      if (!depth) return at + 1;
    }
  }
  return 0;
}
