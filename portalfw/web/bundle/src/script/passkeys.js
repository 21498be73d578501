// Passkeys: the portal gives a challenge, the browser lets somebody choose or make a passkey, the portal judges the answer.
import { busy, call, post } from "./actions.js";
import { check, clearErrors, showError, showFailure, values } from "./form.js";
import { toastAfterwards } from "./toasts.js";

const RENEW = 240_000; // ms; a challenge lives for 300 s, and the offer in the name field waits for as long as the page is open
const REFUSED = {
  InvalidStateError: "This device has a passkey of yours already.",
  SecurityError: "The browser does not allow passkeys at this address.",
};
const LEFT = { add: "No passkey was made. Try again.", "sign-in": "No passkey was chosen. Try again, or sign in with your password." };
const ACCOUNT = "/system/Account";

let waiting; // the browser answers one question at a time; asking anew withdraws the last one

export function startPasskeys() {
  const form = document.querySelector("form[data-passkey]");
  if (!form) return;
  if (!window.PublicKeyCredential) return explain(form, "This browser has no passkeys here.");
  if (location.origin !== form.dataset.origin) return explain(form);
  const act = form.dataset.passkey === "add" ? add : signIn;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(form);
  });
  if (act === signIn) offer(form);
}

/** Say in place of the button why there is none. */
function explain(form, why) {
  const note = document.querySelector("[data-passkey-note]");
  if (why) note.textContent = why;
  note.hidden = false;
  (form.closest("[data-passkey-part]") ?? form).hidden = true;
}

async function signIn(form) {
  await working(form, () => answer(form));
}

/** Offer passkeys in the list that the browser shows at the name field, where it can. */
async function offer(form) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  const renewal = setTimeout(() => offer(form), RENEW);
  try {
    await answer(form, { mediation: "conditional" });
  } catch {
    clearTimeout(renewal); // nobody has asked for this, so nobody is told that it failed; the button is still there
  }
}

async function answer(form, how = {}) {
  const signal = only();
  const options = resultOf(await post("/login/passkey/options", {}));
  const credential = await navigator.credentials.get({ publicKey: decoded(options), signal, ...how });
  form.elements.credential.value = JSON.stringify(encoded(credential));
  form.submit();
}

async function add(form) {
  if (!check(form)) return;
  await working(form, async () => {
    const { name, current } = values(form);
    const options = resultOf(await call("system/passkeys/begin", { current }));
    const credential = await navigator.credentials.create({ publicKey: decoded(options), signal: only() });
    resultOf(await call("system/passkeys/enrol", { name, credential: encoded(credential) }));
    toastAfterwards("Passkey added: sign in with it from now on");
    location.assign(ACCOUNT);
  });
}

function resultOf({ result, failure }) {
  if (failure) throw Object.assign(new Error(failure.message), { failure });
  return result;
}

/** Show that the form works, and what went wrong, next to its field if there is one. */
async function working(form, work) {
  const button = form.querySelector("button:not([type=button])");
  if (button.hasAttribute("aria-busy")) return;
  clearErrors(form);
  const settle = busy(button);
  try {
    await work();
  } catch (error) {
    if (error.name !== "AbortError") tell(form, error);
  } finally {
    settle();
  }
}

function tell(form, error) {
  const words = error.name === "NotAllowedError" ? LEFT[form.dataset.passkey] : (REFUSED[error.name] ?? error.message);
  if (showError(form, error.failure?.detail?.argument, error.message)) form.querySelector("[aria-invalid]").focus();
  else showFailure(form, words, error.failure?.id);
}

function only() {
  waiting?.abort();
  waiting = new AbortController();
  return waiting.signal;
}

/** Options as the browser takes them: what is bytes comes as base64url. */
function decoded(options) {
  const described = (found) => ({ ...found, id: bytes(found.id) });
  const ready = { ...options, challenge: bytes(options.challenge) };
  if (options.user) ready.user = described(options.user);
  if (options.allowCredentials) ready.allowCredentials = options.allowCredentials.map(described);
  if (options.excludeCredentials) ready.excludeCredentials = options.excludeCredentials.map(described);
  return ready;
}

/** A credential as JSON, as PublicKeyCredential.toJSON() gives it in browsers that have it. */
function encoded({ id, rawId, type, authenticatorAttachment, response }) {
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"].filter((name) => response[name]);
  const texts = Object.fromEntries(parts.map((name) => [name, text(response[name])]));
  return { id, rawId: text(rawId), type, authenticatorAttachment, response: { ...texts, transports: response.getTransports?.() } };
}

function bytes(base64url) {
  return Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
