// The keys of a US keyboard that type a text: X11's keysym and the place of the key, with or without Shift.

const ROWS = [
  ["`1234567890-=", "~!@#$%^&*()_+", ["Backquote", "Digit1", "Digit2", "Digit3", "Digit4", "Digit5", "Digit6", "Digit7", "Digit8", "Digit9", "Digit0", "Minus", "Equal"]],
  ["[]\\;',./ ", '{}|:"<>? ', ["BracketLeft", "BracketRight", "Backslash", "Semicolon", "Quote", "Comma", "Period", "Slash", "Space"]],
];
const OTHERS = { "\n": { key: 0xff0d, code: "Enter" }, "\t": { key: 0xff09, code: "Tab" } };

const KEYS = new Map(Object.entries(OTHERS));
for (const letter of "abcdefghijklmnopqrstuvwxyz") add(letter, letter.toUpperCase(), `Key${letter.toUpperCase()}`);
for (const [plain, shifted, codes] of ROWS) codes.forEach((code, index) => add(plain[index], shifted[index], code));

function add(plain, shifted, code) {
  KEYS.set(shifted, { key: shifted.charCodeAt(0), code, shift: true });
  KEYS.set(plain, { key: plain.charCodeAt(0), code });
}

/** @returns {{keys: {key: number, code: string, shift?: boolean}[], unknown: number}} `unknown`: signs on no key */
export function keysOf(text) {
  const signs = [...text.replaceAll("\r\n", "\n")];
  const keys = signs.map((sign) => KEYS.get(sign)).filter(Boolean);
  return { keys, unknown: signs.length - keys.length };
}
