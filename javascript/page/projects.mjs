// The project picker: which project the stops belong to, and a new one.

import { ask } from "./dialogs.mjs";
import { button, h, put, say, show } from "./dom.mjs";

/** `onChange(name)` opens a project and may refuse with an error. */
export class ProjectPicker {
  constructor(api, onChange) {
    Object.assign(this, { api, onChange, names: [], name: "" });
    this.select = h("select", { id: "trainer-project", class: "trainer-input", onchange: () => this.change() });
    const label = h("label", { for: "trainer-project" }, "Project");
    this.element = h("div", { class: "trainer-projects" }, label, this.select, button("New", () => this.ask(), {
      id: "trainer-project-new", title: "Begin a new project",
    }));
  }

  get first() {
    return this.names[0] ?? null;
  }

  has(name) {
    return this.names.includes(name) ? name : null;
  }

  async load() {
    const { projects } = await this.api.get("projects");
    this.names = projects.map((project) => project.name);
  }

  /** Shows this project as the chosen one. */
  choose(name) {
    this.name = name;
    if (!this.names.includes(name)) this.names.push(name);
    put(this.select, this.names.map((each) => h("option", { value: each }, each)));
    this.select.value = name;
  }

  async change() {
    try {
      await this.onChange(this.select.value);
    } catch (error) {
      this.select.value = this.name;
      this.context?.tell(error);
    }
  }

  async ask() {
    const name = h("input", { type: "text", class: "trainer-input", id: "trainer-project-name", maxlength: "60" });
    const said = h("p", { class: "trainer-error", role: "alert", hidden: true });
    const create = async () => {
      try {
        await this.api.post("projects", { name: name.value.trim() });
        return true;
      } catch (error) {
        say(said, error.message);
        show(said, true);
        return false;
      }
    };
    const about = h("p", { class: "trainer-quiet" }, "A project keeps its own pictures, settings, runs and presets.");
    const label = h("label", { class: "trainer-stacked", for: name.id }, "Name", name);
    const choices = [{ label: "Create", value: "create" }];
    const answer = await ask(this.context, { title: "New project", body: [about, label, said], choices, check: create });
    if (answer === null) return;
    this.names.push(name.value.trim());
    this.select.value = this.name;
    await this.onChange(name.value.trim());
  }
}
