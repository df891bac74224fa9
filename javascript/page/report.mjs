// What a run says besides figures: notices, tables, and its log.

import { h, put, say, show } from "./dom.mjs";
import { hasEnded } from "./follow.mjs";
import { moment } from "./words.mjs";

const LOG_SECONDS = 3;

/** Something to be unfolded under a title. */
export function folded(title, children, attributes = {}) {
  const summary = h("summary", {}, h("span", { class: "trainer-fold-title" }, title));
  return h(
    "details",
    { class: "trainer-fold", ...attributes },
    summary,
    h("div", { class: "trainer-fold-body trainer-folded" }, children),
  );
}

/** A table of text as the engine reports it. */
export function table({ title, columns, rows }) {
  const isNumber = (text) => /^[\d.,]+$/.test(text);
  const isOfNumbers = (place) => rows.length > 0 && rows.every((row) => isNumber(row[place]));
  const heads = columns.map((text, place) => h("th", { scope: "col", class: isOfNumbers(place) && "trainer-number" }, text));
  const cell = (text) => h("td", { class: isNumber(text) ? "trainer-number" : "" }, text);
  const body = rows.map((row) => h("tr", {}, row.map(cell)));
  const head = columns.some(Boolean) && h("thead", {}, h("tr", {}, heads));
  return h("table", { class: "trainer-table" }, h("caption", {}, title), head, h("tbody", {}, body));
}

/** Notices, the newest on top; warnings stand out. */
export class Notices {
  constructor() {
    this.list = h("ul", { class: "trainer-notices" });
    this.element = h("section", { class: "trainer-card" }, h("h3", {}, "Notices"), this.list);
  }

  update({ record }) {
    show(this.element, record.notices.length > 0);
    const newest = [...record.notices].reverse();
    put(
      this.list,
      newest.map(({ time, message, level }) =>
        h(
          "li",
          { class: level === "warning" ? "trainer-warning" : "" },
          h("span", { class: "trainer-quiet" }, moment(time)),
          level === "warning" && h("b", {}, "Warning: "),
          message,
        ),
      ),
    );
  }
}

/** The engine's tables, folded. */
export class Tables {
  constructor({ open = false, title = "Tables" } = {}) {
    this.body = h("div", { class: "trainer-tables" });
    this.element = folded(title, [this.body], { open });
  }

  update({ record }) {
    show(this.element, record.tables.length > 0);
    put(this.body, record.tables.map(table));
  }
}

/** The end of the run's log, read again and again while it is open. */
export class Log {
  constructor(context) {
    this.context = context;
    this.text = h("pre", { class: "trainer-log", tabindex: "0", "aria-label": "Log" });
    this.element = folded("Log", [this.text]);
    this.element.addEventListener("toggle", () => this.update(this.follower));
  }

  update(follower) {
    this.follower = follower;
    if (!this.timer && this.element.open && follower?.run && follower.run.state !== "vanished") {
      this.read(follower);
    }
  }

  async read(follower) {
    const { id } = follower;
    try {
      const { log_tail: tail } = await this.context.api.get(this.context.route("runs", id));
      if (id === follower.id) {
        const isAtEnd = this.text.scrollHeight - this.text.scrollTop - this.text.clientHeight < 30;
        say(this.text, tail || "The log is empty.");
        this.text.scrollTop = isAtEnd ? this.text.scrollHeight : this.text.scrollTop;
      }
    } catch (error) {
      say(this.text, error.message);
    }
    if (this.element.isConnected && this.element.open && !hasEnded(follower.run)) {
      this.timer = setTimeout(() => {
        this.timer = null;
        this.update(follower);
      }, LOG_SECONDS * 1000);
    }
  }
}
