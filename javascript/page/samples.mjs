// The previews of a run: a row for each time they were drawn, newest on top, a column for each prompt.

import { h, put } from "./dom.mjs";
import { madeIn } from "./phrases.mjs";
import { Zoom } from "./zoom.mjs";

/** `update(follower)` draws what is new; a picture opens large. */
export class Samples {
  constructor(context) {
    this.context = context;
    this.zoom = new Zoom(context);
    this.rows = h("div", { class: "trainer-samples" });
    this.none = h("p", { class: "trainer-quiet" });
    this.element = h("section", { class: "trainer-card" }, h("h3", {}, "Samples"), this.none, this.rows);
  }

  update({ id, config, record }) {
    const prompts = config?.previews?.prompts ?? [];
    const rows = [...record.samples.values()].sort((one, other) => other.step - one.step);
    this.items = rows.flatMap((row, place) =>
      row.pictures.map((picture) => this.item(id, row, place, picture, prompts)),
    );
    this.none.hidden = rows.length > 0;
    this.none.textContent =
      config && !prompts.length
        ? "This run draws no samples, as it has no preview prompts."
        : "The first samples come with the first epoch, or with “Sample now” after the step.";
    const columns = Math.max(
      prompts.length,
      ...rows.flatMap((row) => row.pictures.map((picture) => picture.number)),
      0,
    );
    this.rows.style.setProperty("--trainer-columns", columns);
    put(
      this.rows,
      rows.length > 0 && this.heading(columns, prompts),
      rows.map((row, place) => this.row(row, place, columns)),
    );
  }

  item(id, row, place, picture, prompts) {
    return {
      row: place,
      column: picture.number,
      source: this.context.api.address(this.context.route("runs", id, "file"), { path: picture.path }),
      title: `${madeIn(row)}, step ${row.step}`,
      subtitle: prompts[picture.number - 1] ?? `Prompt ${picture.number}`,
    };
  }

  heading(columns, prompts) {
    const words = Array.from({ length: columns }, (_, place) => prompts[place] ?? `Prompt ${place + 1}`);
    return [
      h("div", { class: "trainer-samples-corner" }),
      ...words.map((prompt) => h("div", { class: "trainer-samples-prompt", title: prompt }, prompt)),
    ];
  }

  row(row, place, columns) {
    const cells = Array.from({ length: columns }, (_, column) => this.cell(place, column + 1));
    return [
      h("div", { class: "trainer-samples-epoch" }, h("b", {}, madeIn(row)), h("span", {}, `step ${row.step}`)),
      ...cells,
    ];
  }

  cell(row, column) {
    const at = this.items.findIndex((item) => item.row === row && item.column === column);
    if (at < 0) {
      return h("div", { class: "trainer-picture trainer-picture-empty" });
    }
    const { source, title, subtitle } = this.items[at];
    const picture = h("img", { src: source, loading: "lazy", alt: `${title}: ${subtitle}` });
    return h(
      "button",
      {
        type: "button",
        class: "trainer-picture",
        title: `${title}: ${subtitle}`,
        onclick: () => this.zoom.open(this.items, at),
      },
      picture,
    );
  }
}
