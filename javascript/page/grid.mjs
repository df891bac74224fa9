// The grid of a comparison: headings that stay in sight, pictures as they are made, each to be opened large.

import { button, h, put } from "./dom.mjs";
import { hasEnded } from "./follow.mjs";
import { Zoom } from "./zoom.mjs";

const SIDES = { min: 96, max: 384, value: 160 };

/**
 * What each row of a grid draws with: [{network (null: the model alone), strength}]. The plan says so; one that was made
 * by an older version does not, then it follows from the settings, unless these name folders.
 */
export function rowNetworks(plan, config) {
  if (plan.networks) {
    return plan.networks.map((network, place) => ({ network, strength: plan.strengths?.[place] ?? 1 }));
  }
  const { networks = [], strengths = [1], models = [] } = config ?? {};
  const one = [
    { network: null, strength: 0 },
    ...networks.flatMap((network) => strengths.map((strength) => ({ network, strength }))),
  ];
  const all = [null, ...models].flatMap(() => one);
  return plan.rows.map((_, place) => (all.length === plan.rows.length ? all[place] : { network: null, strength: 0 }));
}

/** `onUse(network, strength)` is called for "use this epoch"; `isChosen(network)` says which has a star. */
export class Grid {
  constructor(context, { onUse, isChosen }) {
    Object.assign(this, { context, onUse, isChosen, cells: new Map() });
    this.zoom = new Zoom(context, {
      actions: (item) => item.use && button("Use this epoch", item.use, { kind: "primary" }),
    });
    this.side = h("input", {
      type: "range",
      ...SIDES,
      step: 16,
      id: "trainer-grid-side",
      "aria-label": "Size of the pictures",
      oninput: () => this.resize(),
    });
    this.table = h("table", { class: "trainer-grid" });
    const control = h("label", { class: "trainer-row trainer-quiet" }, "Size of the pictures", this.side);
    this.element = h(
      "section",
      { class: "trainer-column" },
      control,
      h("div", { class: "trainer-grid-frame", tabindex: "0", role: "region", "aria-label": "Comparison" }, this.table),
    );
    this.resize();
  }

  resize() {
    this.table.style.setProperty("--trainer-side", `${this.side.value}px`);
  }

  /** Draw what is new of the followed comparison. */
  update(follower) {
    const { id, record, config } = follower;
    if (!record.plan) {
      put(this.table);
      this.plan = null;
      return;
    }
    if (this.plan !== record.plan || this.id !== id || this.config !== config) {
      Object.assign(this, { plan: record.plan, id, config, rows: rowNetworks(record.plan, config) });
      this.draw();
    }
    const isRunning = !hasEnded(follower.run);
    for (const cell of record.cells.values()) {
      this.fill(cell);
    }
    this.table.classList.toggle("trainer-grid-drawing", isRunning);
  }

  draw() {
    const { rows, columns } = this.plan;
    const size = this.config?.sizes?.[0]?.split?.("x").map(Number) ?? [
      this.config?.width ?? 1,
      this.config?.height ?? 1,
    ];
    this.table.style.setProperty("--trainer-shape", `${size[0]} / ${size[1]}`);
    this.cells.clear();
    const heads = columns.map((label) =>
      h("th", { scope: "col", title: label }, h("span", { class: "trainer-grid-label" }, label)),
    );
    const body = rows.map((label, row) =>
      h(
        "tr",
        { "data-row": row },
        this.head(label, row),
        columns.map((_, column) => this.empty(row, column)),
      ),
    );
    put(
      this.table,
      h("thead", {}, h("tr", {}, h("td", { class: "trainer-grid-corner" }), heads)),
      h("tbody", {}, body),
    );
    this.mark();
  }

  head(label, row) {
    const { network, strength } = this.rows[row];
    const use = network && button("Use this epoch", () => this.onUse(network, strength), { "data-network": network });
    const star = h("span", { class: "trainer-star", hidden: true, title: "Chosen" }, "★ ");
    return h(
      "th",
      { scope: "row" },
      h("span", { class: "trainer-grid-label", title: network ?? label }, star, label),
      use,
    );
  }

  empty(row, column) {
    const cell = h("td", {}, h("div", { class: "trainer-picture trainer-picture-empty" }));
    this.cells.set(`${row}-${column}`, { element: cell, path: null });
    return cell;
  }

  /** Put stars at the rows that are chosen. */
  mark() {
    this.table.querySelectorAll("tr[data-row]").forEach((line) => {
      const { network } = this.rows[Number(line.dataset.row)];
      const isChosen = Boolean(network) && this.isChosen(network);
      line.querySelector(".trainer-star").hidden = !isChosen;
      line.classList.toggle("trainer-chosen", isChosen);
    });
  }

  fill({ row, column, path }) {
    const known = this.cells.get(`${row}-${column}`);
    if (!known || known.path === path) {
      return;
    }
    known.path = path;
    const words = `${this.plan.rows[row]}: ${this.plan.columns[column]}`;
    const picture = h("img", { src: this.source(path), loading: "lazy", alt: words });
    put(
      known.element,
      h(
        "button",
        { type: "button", class: "trainer-picture", title: words, onclick: () => this.open(row, column) },
        picture,
      ),
    );
  }

  source(path) {
    return this.context.api.address(this.context.route("runs", this.id, "file"), { path });
  }

  open(row, column) {
    const cells = [...this.follower().cells.values()].sort(
      (one, other) => one.row - other.row || one.column - other.column,
    );
    const items = cells.map((cell) => this.item(cell));
    this.zoom.open(
      items,
      cells.findIndex((cell) => cell.row === row && cell.column === column),
    );
  }

  item({ row, column, path, parameters }) {
    const { network, strength } = this.rows[row];
    return {
      row,
      column,
      source: this.source(path),
      title: this.plan.rows[row],
      subtitle: this.plan.columns[column],
      text: parameters,
      use: network ? () => this.use(network, strength) : null,
    };
  }

  /** From a large picture: first back to the grid, since messages show on the page. */
  use(network, strength) {
    this.zoom.close();
    this.onUse(network, strength);
  }
}
