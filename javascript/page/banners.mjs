// What concerns the whole page: the server away, a login wanted, the engine's set-up, notes, another window's change.

import { button, h, put, say, show } from "./dom.mjs";
import { EngineBanner } from "./setup.mjs";

const AWAY = "The trainer's server does not answer. The page tries again by itself; a running training is not touched.";

export class Banners {
  constructor(context) {
    this.context = context;
    this.away = h("div", { class: "trainer-banner trainer-banner-error", role: "alert", hidden: true });
    this.unsaved = h("div", { class: "trainer-banner trainer-banner-error", role: "alert", hidden: true });
    this.other = h("div", { class: "trainer-banner", role: "status", hidden: true });
    this.notes = h("div", { class: "trainer-banner", role: "status", hidden: true });
    this.engine = new EngineBanner(context);
    this.element = h("div", { class: "trainer-banners" }, this.away, this.unsaved, this.other, this.engine.element, this.notes);
    context.api.onTrouble((error) => this.trouble(error));
  }

  /** Begins to follow what the server says. */
  begin() {
    this.trouble(this.context.api.trouble);
    this.context.onNow((now) => {
      this.engine.update(now);
      const notes = now.notes ?? [];
      const text = notes.join("\n");
      if (text !== this.noted) put(this.notes, notes.map((note) => h("p", {}, note)));
      this.noted = text;
      show(this.notes, notes.length > 0);
    });
  }

  /** Says that the server is away or wants a login; null: all is well. */
  trouble(error) {
    if (error) say(this.away, error.status === 401 ? error.message : AWAY);
    show(this.away, Boolean(error));
  }

  /** Says that the form can't be saved; null: it can. */
  saving(error) {
    const isOurs = error && !error.isAway && error.status !== 401;
    if (isOurs) say(this.unsaved, `What you fill in can't be saved: ${error.message}`);
    show(this.unsaved, Boolean(isOurs));
  }

  /** Says that another window changed the form. */
  elsewhere(load, keep) {
    const done = (act) => () => {
      this.forget();
      act();
    };
    put(
      this.other,
      h("p", {}, "This project's settings were changed in another window. What was saved last counts."),
      button("Show those", done(load), { kind: "primary" }),
      button("Keep mine", done(keep)),
    );
    show(this.other, true);
  }

  /** Takes the note about another window away. */
  forget() {
    show(this.other, false);
  }
}
