// Files and folders that were chosen one after another, each with a button that takes it off the list.

import { browse } from "./dialogs.mjs";
import { button, h, put } from "./dom.mjs";
import { fileName } from "./words.mjs";

/** `label` names the list, `without(name)` the button beside each; `start()` is where one begins to look. */
export class ChosenPaths {
  constructor(context, { label, without, start, onChange }) {
    Object.assign(this, { context, without, start, onChange, paths: [] });
    this.element = h("ul", { class: "trainer-sources", "aria-label": label });
  }

  show(paths) {
    this.paths = [...new Set(paths)];
    put(this.element, this.paths.map((path) => this.item(path)));
  }

  change(paths) {
    this.show(paths);
    this.onChange();
  }

  /** Have one more chosen; `settings` are those of `browse`. */
  async choose(settings) {
    const path = await browse(this.context, { start: this.paths.at(-1) ?? this.start(), ...settings });
    if (path !== null && !this.paths.includes(path)) {
      this.change([...this.paths, path]);
    }
  }

  item(path) {
    const name = fileName(path);
    const remove = () => this.change(this.paths.filter((other) => other !== path));
    return h(
      "li",
      { class: "trainer-row" },
      h("b", {}, name),
      h("span", { class: "trainer-quiet trainer-grow" }, path),
      button("Remove", remove, { kind: "plain", "aria-label": this.without(name) }),
    );
  }
}
