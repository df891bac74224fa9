// Short messages at the page's edge that go by themselves, some with one thing to do, such as Undo.

import { button, h } from "./dom.mjs";

const SECONDS = { info: 6, error: 15 };
const SECONDS_WITH_ACTION = 12;
const MOST = 3;

/** A place for messages. `say(sentence, kind, action)`: kind "info" or "error"; action {label, act}. */
export class Toasts {
  constructor() {
    this.element = h("div", { class: "trainer-toasts", role: "status", "aria-live": "polite" });
  }

  say(sentence, kind = "info", action = null) {
    const toast = h("div", { class: `trainer-toast trainer-toast-${kind}` }, h("span", {}, sentence));
    const close = () => toast.remove();
    if (action) {
      toast.append(button(action.label, async () => { close(); await action.act(); }, { kind: "plain" }));
    }
    toast.append(button("×", close, { kind: "plain", "aria-label": "Close this message" }));
    const seconds = action ? Math.max(SECONDS_WITH_ACTION, SECONDS[kind] ?? 0) : (SECONDS[kind] ?? SECONDS.info);
    let timer = setTimeout(close, seconds * 1000);
    toast.addEventListener("pointerenter", () => clearTimeout(timer));
    toast.addEventListener("pointerleave", () => { timer = setTimeout(close, seconds * 1000); });
    this.element.append(toast);
    while (this.element.children.length > MOST) this.element.firstChild.remove();
    return close;
  }
}
