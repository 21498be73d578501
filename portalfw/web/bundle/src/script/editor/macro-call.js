// How a macro call is written: on one line while its values fit there, else with a YAML body.

/** @param {FormData} form values by argument; empty ones are left out */
export function callOf(macro, form) {
  const given = macro.arguments.map(({ name }) => [name, String(form.get(name) ?? "").trim()]).filter(([, value]) => value);
  const body = given.find(([name]) => name === "body")?.[1];
  const rest = given.filter(([name]) => name !== "body");
  const short = rest.filter(([name, value]) => !isLarge(macro, name, value));
  const long = rest.filter(([name, value]) => isLarge(macro, name, value));
  const first = ["{{" + macro.name, ...short.map(([name, value]) => `${name}:${quoted(value)}`)].join(" ");
  if (!body && !long.length) return `${first}}}`;
  const lines = body ? [body] : long.map(([name, value]) => (value.includes("\n") ? `${name}:\n${indented(value)}` : `${name}: ${value}`));
  return `${first}\n${lines.join("\n")}\n}}`;
}

function isLarge(macro, name, value) {
  const type = macro.arguments.find((one) => one.name === name).type;
  return value.includes("\n") || (/an object|a list/.test(type) && /[[{:]/.test(value));
}

/** Values with blanks or marks stand in quotes, which are written twice within. */
function quoted(value) {
  return /^[^\s'"{},]+$/.test(value) ? value : `"${value.replaceAll('"', '""')}"`;
}

function indented(text) {
  return text.split("\n").map((line) => `  ${line}`).join("\n");
}
