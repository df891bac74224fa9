// What is filled in, kept by the server per project: saved soon after each change, and at last when the page is left.

import { path } from "./api.mjs";
import { debounced, on } from "./dom.mjs";

const QUIET_MILLISECONDS = 500;
const LOOK_MILLISECONDS = 5000;

/** One project's form. `form` is plain data that anybody may change; `save()` after a change. */
export class Autosave {
  constructor(api, project, { onElsewhere, onError }) {
    Object.assign(this, { api, project, onElsewhere, onError });
    this.route = `${path("projects", project)}/form`;
    this.form = {};
    this.known = "{}";
    this.sending = null;
    this.save = debounced(() => this.send(), QUIET_MILLISECONDS);
    this.stops = [on(window, "pagehide", () => this.leave())];
  }

  /** Reads the form from the server. */
  async load() {
    const { form } = await this.api.get(this.route);
    this.take(form ?? {});
    clearInterval(this.timer);
    this.timer = setInterval(() => this.look(), LOOK_MILLISECONDS);
    return this.form;
  }

  /** Takes another window's form in place of what is here. */
  take(form) {
    this.form = form;
    this.known = JSON.stringify(form);
  }

  /** Ends the autosave, with what is not saved yet. */
  async end() {
    clearInterval(this.timer);
    this.stops.forEach((stop) => stop());
    if (this.save.isDue()) {
      this.save.cancel();
      await this.send();
    }
  }

  async send() {
    const text = JSON.stringify(this.form);
    if (text === this.known || this.sending) {
      if (this.sending) this.save();
      return;
    }
    this.sending = this.api.put(this.route, { form: this.form });
    try {
      await this.sending;
      this.known = text;
      this.onError(null);
    } catch (error) {
      this.onError(error);
      this.save();
    } finally {
      this.sending = null;
    }
  }

  leave() {
    if (!this.save.isDue() && !this.sending) return;
    this.save.cancel();
    this.api.leave(this.route, { form: this.form });
  }

  /** Looks whether another window saved something else meanwhile; the newest saved wins, so the user has to know. */
  async look() {
    if (document.hidden || this.api.trouble || this.isBusy()) return;
    const before = this.known;
    const { form } = await this.api.get(this.route).catch(() => ({ form: null }));
    if (form === null || this.isBusy() || this.known !== before) return;
    const text = JSON.stringify(form);
    if (text === this.known) return;
    this.known = text;
    this.onElsewhere(form);
  }

  isBusy() {
    return Boolean(this.save.isDue() || this.sending || JSON.stringify(this.form) !== this.known);
  }
}
