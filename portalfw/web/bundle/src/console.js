// A screen in a page: `show(box)` asks the method of data-api for a ticket, opens the WebSocket that the ticket is for and
// shows with noVNC what comes. Above the screen stands what it is at, and what one can do; over it, why nothing is shown.
import RFB from "@novnc/novnc";
import { call } from "./script/calls.js";
import { element, icon } from "./script/page.js";
import { keysOf } from "./script/keysyms.js";

const STREAM = "/console/stream";
const ENDED = 4000; // code of a WebSocket whose screen is gone
const KEY_PAUSE = 12; // ms between pasted keys: guests read their keyboard controller one key at a time
const OFF = "It does not run, so there is nothing to see. This connects by itself once it does.";
const LOST = "The connection was lost.";

export function show(box) {
  new Screen(box).connect(box.dataset.ticket);
}

class Screen {
  constructor(box) {
    this.box = box;
    this.rfb = null;
    this.typing = false;
    this.waits = false; // for what it shows to be there again
    this.build();
    box.addEventListener("portal:refresh", () => this.waits && this.connect());
    box.addEventListener("keydown", (event) => this.leave(event), true);
    for (const name of ["focusin", "focusout"]) box.addEventListener(name, () => setTimeout(() => this.marks()));
    document.addEventListener("htmx:afterSwap", () => box.isConnected || this.rfb?.disconnect());
    document.addEventListener("fullscreenchange", () => this.marks());
  }

  build() {
    this.state = element("span", { className: "console-state" });
    this.state.setAttribute("role", "status");
    this.hint = element("span", { className: "console-hint" });
    this.keys = button("Ctrl Alt Del", "command", () => this.rfb.sendCtrlAltDel());
    this.paste = button("Paste", "clipboard", () => this.askText());
    this.fit = button("Fit", "arrows-angle-expand", () => this.setFit(!this.rfb.scaleViewport), "Fit to the window");
    this.full = button("Full screen", "fullscreen", () => this.setFull());
    this.again = button("Reconnect", "arrow-clockwise", () => this.connect());
    const tools = element("span", { className: "console-tools" }, this.keys, this.paste, this.fit, this.full, this.again);
    tools.setAttribute("role", "group");
    tools.setAttribute("aria-label", "Console");
    this.target = element("div", { className: "console-screen" });
    this.cover = element("div", { className: "console-cover" });
    this.box.append(element("div", { className: "console-bar" }, this.state, this.hint, tools), element("div", { className: "console-stage" }, this.target, this.cover));
    this.marks();
  }

  /** Open the screen: with the ticket that the page has, or another. */
  async connect(ticket) {
    this.close();
    this.tell("Connecting …", "wait");
    this.say("Asking for the screen …");
    const secret = ticket || (await this.newTicket());
    if (!secret || !this.box.isConnected) return;
    const address = new URL(`${STREAM}?ticket=${encodeURIComponent(secret)}`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.addEventListener("message", (event) => this.socket === socket && typeof event.data === "string" && this.heard(socket, JSON.parse(event.data)));
    socket.addEventListener("close", (event) => this.socket === socket && this.ended(event.reason || LOST, "Not connected", event.code === ENDED));
  }

  async newTicket() {
    const { result, failure } = await call(this.box.dataset.api, JSON.parse(this.box.dataset.given));
    if (typeof result === "string") return new URL(result, location.href).searchParams.get("ticket");
    if (failure) this.ended(failure.message);
    else this.ended(OFF, "Off", true);
    return null;
  }

  /** What the portal says before the screen speaks. */
  heard(socket, { state, node, typing }) {
    if (state === "asking") this.say(`Asking ${node} for the screen …`);
    if (state !== "open") return;
    this.typing = typing;
    const rfb = new RFB(this.target, socket);
    this.rfb = rfb;
    rfb.viewOnly = !typing;
    rfb.scaleViewport = true;
    rfb.background = "transparent";
    rfb.addEventListener("connect", () => this.connected());
  }

  connected() {
    this.cover.hidden = true;
    this.tell(this.typing ? "Connected" : "Connected, to look only", "on");
    const canvas = this.target.querySelector("canvas");
    canvas.setAttribute("aria-label", `${this.box.getAttribute("aria-label")}. Press Ctrl Alt Shift to leave it with the keyboard.`);
    canvas.setAttribute("role", "application");
    canvas.tabIndex = 0;
    this.marks();
  }

  /** Show why there is nothing to see; with `waits`, what it shows may soon be there again. */
  ended(reason, state = "Not connected", waits = false) {
    this.close();
    this.waits = waits;
    this.tell(state, "");
    this.say(reason, true);
  }

  close() {
    this.waits = false;
    const socket = this.socket;
    this.socket = null;
    this.rfb?.disconnect();
    this.rfb = null;
    socket?.close();
    this.target.replaceChildren();
    this.marks();
  }

  tell(text, look) {
    this.state.textContent = text;
    this.state.dataset.look = look;
  }

  /** Put words over the screen, with a way on if it has ended. */
  say(text, ended = false) {
    this.cover.hidden = false;
    this.cover.replaceChildren(element("p", { textContent: text }));
    if (!ended) return;
    const again = element("button", { className: "btn btn-default", type: "button", textContent: "Connect again" });
    again.addEventListener("click", () => this.connect());
    this.cover.append(again);
  }

  /** What can be done now. */
  marks() {
    const on = Boolean(this.rfb);
    const inside = this.target.contains(document.activeElement);
    this.hint.textContent = !on || !this.typing ? "" : inside ? "Ctrl Alt Shift leaves the screen" : "Click the screen to type";
    for (const one of [this.keys, this.paste]) one.disabled = !on || !this.typing;
    for (const one of [this.fit, this.full]) one.disabled = !on;
    this.fit.setAttribute("aria-pressed", String(!on || this.rfb.scaleViewport));
    this.full.setAttribute("aria-pressed", String(document.fullscreenElement === this.box));
  }

  setFit(fit) {
    this.rfb.scaleViewport = fit;
    this.rfb.clipViewport = !fit;
    this.rfb.dragViewport = false;
    this.marks();
  }

  async setFull() {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await this.box.requestFullscreen();
    this.rfb?.focus();
  }

  /** The keys of the screen go to the machine, Tab too; these three lead out of it. */
  leave(event) {
    if (!(event.ctrlKey && event.altKey && event.shiftKey) || !this.target.contains(event.target)) return;
    event.preventDefault();
    event.stopPropagation();
    this.rfb?.blur();
    this.keys.focus();
  }

  askText() {
    const field = element("textarea", { className: "form-control", rows: 4, name: "text" });
    field.setAttribute("aria-label", "Text to type");
    const form = element("form", { method: "dialog" },
      element("div", { className: "dialog-head" }, element("h2", { textContent: "Type a text" }), element("p", { textContent: "It is sent as keys of a US keyboard, one after the other." })),
      element("div", { className: "dialog-body" }, element("div", { className: "field" }, field)),
      element("div", { className: "dialog-foot" },
        element("button", { className: "btn btn-default", value: "", textContent: "Cancel" }),
        element("button", { className: "btn btn-primary", value: "type", textContent: "Type it" })));
    const dialog = element("dialog", { className: "dialog" }, form);
    dialog.setAttribute("aria-label", "Type a text");
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (dialog.returnValue === "type") this.type(field.value);
    });
    this.box.append(dialog);
    dialog.showModal();
    field.focus();
  }

  async type(text) {
    const { keys, unknown } = keysOf(text);
    const rfb = this.rfb;
    rfb?.focus();
    for (const { key, code, shift } of keys) {
      if (!rfb || this.rfb !== rfb) return;
      if (shift) rfb.sendKey(0xffe1, "ShiftLeft", true);
      rfb.sendKey(key, code);
      if (shift) rfb.sendKey(0xffe1, "ShiftLeft", false);
      await new Promise((done) => setTimeout(done, KEY_PAUSE));
    }
    if (unknown) this.tell(`Connected; ${unknown} signs are on no US keyboard and were left out`, "on");
  }
}

function button(label, picture, act, title = label) {
  const made = element("button", { className: "btn btn-quiet btn-sm", type: "button", title }, icon(picture), element("span", { textContent: label }));
  made.setAttribute("aria-label", title);
  made.addEventListener("click", act);
  return made;
}
