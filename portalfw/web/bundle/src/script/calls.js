// How the browser calls REST methods, with the user's own rights.

/** What is said of a call that reached nobody. */
export const SILENCE = { failure: { message: "The portal does not answer. Check the connection, then try again." } };

const PROMPT = 30_000; // ms; a connection that was cut where nobody sees it answers never

/** @typedef {{result?: unknown, failure?: {message: string, error?: string, detail?: {argument?: string}, id?: string}, task?: string}} Ended */

/** @returns {Promise<Ended>} the answer of a method, or why there is none */
export function call(address, body) {
  return post(`/restmachine/${address}`, body);
}

/** The same, but for a call that takes a while: of that only `task`, the id under which it goes on. */
export function begin(address, body) {
  return post(`/restmachine/${address}`, body, { Prefer: "respond-async" }, PROMPT);
}

/** The same as `call` for what the portal answers at once; `limit` in ms. */
export function promptly(address, body, limit = PROMPT) {
  return post(`/restmachine/${address}`, body, {}, limit);
}

/** The same as `call` for any path of the portal that answers with JSON, within `limit` ms if that is given. */
export async function post(path, body, headers = {}, limit = undefined) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", ...headers },
      body: JSON.stringify(body),
      signal: limit && AbortSignal.timeout(limit),
    });
    return answered(response.status, response.statusText, await response.text());
  } catch {
    return SILENCE;
  }
}

/** @returns {Ended} what a status and a text say */
export function answered(status, words, text) {
  const answer = parse(text);
  if (status === 202) return { task: answer };
  if (status >= 200 && status < 300) return { result: answer };
  if (status === 401) return { failure: { message: "Your session has ended. Sign in again in another tab, then try once more." } };
  return { failure: answer?.message ? answer : { message: `The portal answered ${status} ${words}.` } };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
