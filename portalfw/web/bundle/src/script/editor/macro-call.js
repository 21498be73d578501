// How a macro call is written: on one line while its values fit there, else with a YAML body.
import { expressionEnd } from "./call-words.js";

/** @param {Map<string, string>} given values by argument; empty ones are left out */
export function callOf(macro, given) {
  const values = macro.arguments.map(({ name }) => [name, (given.get(name) ?? "").trim()]).filter(([, value]) => value);
  const body = values.find(([name]) => name === "body")?.[1];
  const rest = values.filter(([name]) => name !== "body");
  const long = rest.filter(([name, value]) => isLarge(macro, name, value));
  const short = rest.filter((one) => !long.includes(one));
  const first = ["{{" + macro.name, ...short.map(([name, value]) => wordOf(name, value))].join(" ");
  if (!body && !long.length) return `${first}}}`;
  const lines = body ? [body] : long.map(([name, value]) => pairOf(macro, name, value));
  return `${first}\n${lines.join("\n")}\n}}`;
}

/** Whether a value needs the body: it has lines, or is YAML. */
export function isLarge(macro, name, value) {
  return value.includes("\n") || (isYaml(macro, name) && /[[{:]/.test(value) && !isExpression(value));
}

/** Whether what is written for an argument in the body is YAML, not mere text. */
export function isYaml(macro, name) {
  return name === "body" || /an object|a list/.test(macro.arguments.find((one) => one.name === name)?.type ?? "");
}

const isExpression = (value) => value.startsWith("${") && expressionEnd(value, 0) === value.length;

/** One value on the call's first line. */
export function wordOf(name, value, quote = "") {
  return `${name ? `${name}:` : ""}${quoted(value, quote)}`;
}

/** Values with blanks or marks stand in quotes, which are written twice within, but not in an expression. */
function quoted(value, quote) {
  if (!quote && (/^[^\s'"{},]+$/.test(value) || isExpression(value))) return value;
  const mark = quote || '"';
  let written = "";
  for (let at = 0; at < value.length; ) {
    const end = (value.startsWith("${", at) && expressionEnd(value, at)) || at + 1;
    written += end > at + 1 ? value.slice(at, end) : value[at] === mark ? mark + mark : value[at];
    at = end;
  }
  return mark + written + mark;
}

/** One value in the call's body, its further lines indented. */
export function pairOf(macro, name, value, indent = "  ") {
  if (value.includes("\n")) return `${name}:${isYaml(macro, name) ? "" : " |-"}\n${indented(value, indent)}`;
  return `${name}: ${isYaml(macro, name) ? value : scalar(macro, name, value)}`;
}

/** Text as YAML reads it back as text; numbers and truth as they are. */
function scalar(macro, name, value) {
  const { type = "" } = macro.arguments.find((one) => one.name === name) ?? {};
  const plain = /text|API/.test(type) ? /^(?!(true|false|yes|no|on|off|null)$)[\p{L}_$/][^#]*$/iu : /./;
  return plain.test(value) && !/:(\s|$)/.test(value) ? value : `'${value.replaceAll("'", "''")}'`;
}

export function indented(text, indent) {
  return text.split("\n").map((line) => (line ? indent + line : line)).join("\n");
}
