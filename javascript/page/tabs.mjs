// The five stops, or the sections of one, as a row of tabs: one is open, the arrow keys go along the row.

import { clear, h, on, put, say, show } from "./dom.mjs";

const NAMES = { tab: "trainer-tab", panel: "trainer-stop", label: "Trainer" };

/**
 * `stops`: [{id, title, hint}]. `onOpen(id)` is called for each wish to open another. `names`: how the ids of tabs and
 * panels begin, and what the row is called.
 */
export class Tabs {
  constructor(stops, onOpen, names = NAMES) {
    this.onOpen = onOpen;
    this.names = names;
    this.tabs = new Map(stops.map((stop, index) => [stop.id, this.makeTab(stop, index)]));
    this.panels = new Map(stops.map((stop) => [stop.id, this.makePanel(stop)]));
    const row = [...this.tabs.values()].map(({ element }) => element);
    this.row = h("div", { class: "trainer-tabs", role: "tablist", "aria-label": names.label }, row);
    this.body = h("div", { class: "trainer-stops" }, [...this.panels.values()]);
    on(this.row, "keydown", (event) => this.key(event));
  }

  makeTab(stop, index) {
    const badge = h("span", { class: "trainer-badge", hidden: true });
    const attributes = {
      type: "button", id: `${this.names.tab}-${stop.id}`, class: "trainer-tab", role: "tab", title: stop.hint,
      "aria-selected": "false", "aria-controls": `${this.names.panel}-${stop.id}`, tabindex: "-1",
      onclick: () => this.onOpen(stop.id),
    };
    const number = stop.isStep ? h("span", { class: "trainer-tab-number", "aria-hidden": "true" }, String(index + 1)) : null;
    return { element: h("button", attributes, number, stop.title, badge), badge };
  }

  makePanel(stop) {
    const attributes = { id: `${this.names.panel}-${stop.id}`, class: "trainer-stop", role: "tabpanel", hidden: true };
    return h("div", { ...attributes, "aria-labelledby": `${this.names.tab}-${stop.id}` });
  }

  /** Shows one stop's panel. */
  open(id) {
    for (const [name, { element }] of this.tabs) {
      element.setAttribute("aria-selected", String(name === id));
      element.tabIndex = name === id ? 0 : -1;
      show(this.panels.get(name), name === id);
    }
  }

  /** Puts a stop's element into its panel. */
  fill(id, element) {
    put(this.panels.get(id), element);
  }

  /** Takes all stops' elements out. */
  empty() {
    this.panels.forEach(clear);
  }

  /** A few letters at a tab, such as "34 %"; nothing takes them away. */
  badge(id, text) {
    const { badge } = this.tabs.get(id);
    say(badge, text);
    show(badge, Boolean(text));
  }

  key(event) {
    const ids = [...this.tabs.keys()];
    const at = ids.findIndex((id) => this.tabs.get(id).element === document.activeElement);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: ids.length - 1 }[event.key];
    if (at < 0 || next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const id = ids[(next + ids.length) % ids.length];
    this.tabs.get(id).element.focus();
    this.onOpen(id);
  }
}
