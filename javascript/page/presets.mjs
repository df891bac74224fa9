// Presets of one step: those that ship and the user's own; choosing one, keeping one, deleting an own one.

import { path } from "./api.mjs";
import { merged, without } from "./configs.mjs";
import { ask } from "./dialogs.mjs";
import { button, h, put, say, show } from "./dom.mjs";

const ABOUT = "Keeps every option that differs from its default, under a name of yours, in this project.";

/**
 * `settings`: step, form (a Form), kept: an object in the autosave, where the chosen preset is remembered, changed():
 * after the form was filled. A preset replaces what the one before it brought; what the user gave besides stays.
 */
export class Presets {
  constructor(context, settings) {
    Object.assign(this, { context, list: [], ...settings });
    this.id = `trainer-${this.step}-preset`;
    this.select = h("select", { id: this.id, class: "trainer-input", onchange: () => this.choose(this.select.value) });
    this.help = h("span", { class: "trainer-quiet trainer-grow" });
    this.erase = button("Delete preset", () => this.remove(), { kind: "plain" });
    const keep = button("Save as preset…", () => this.keep(), { id: `${this.id}-save` });
    const label = h("label", { for: this.id }, "Preset");
    this.element = h("div", { class: "trainer-row trainer-presets" }, label, this.select, keep, this.erase, this.help);
    this.load().catch((error) => context.tell(error));
  }

  get chosen() {
    return this.list.find((preset) => preset.name === this.kept.preset?.name) ?? null;
  }

  async load() {
    const { presets } = await this.context.api.get(this.context.route("presets"));
    this.list = presets.filter((preset) => preset.step === this.step);
    this.draw();
  }

  draw() {
    const group = (label, list) =>
      list.length ? h("optgroup", { label }, list.map((preset) => h("option", { value: preset.name }, preset.name))) : null;
    const none = h("option", { value: "" }, "none");
    const own = this.list.filter((preset) => !preset.shipped);
    put(this.select, none, group("Yours", own), group("Shipped", this.list.filter((preset) => preset.shipped)));
    this.select.value = this.chosen?.name ?? "";
    show(this.erase, Boolean(this.chosen && !this.chosen.shipped));
    const told = this.context.about.presets?.[this.step]?.find((each) => each.name === this.chosen?.name);
    say(this.help, this.chosen?.help ?? told?.help ?? "");
  }

  route(name) {
    return `${this.context.route("presets")}/${path(this.step, name)}`;
  }

  async choose(name) {
    const before = { config: this.form.values(), preset: this.kept.preset };
    try {
      const brought = name ? (await this.context.api.get(this.route(name))).config : {};
      const own = without(before.config, before.preset?.config ?? {});
      this.take(merged(own, brought), name ? { name, config: brought } : undefined);
    } catch (error) {
      this.draw();
      this.context.tell(error);
      return;
    }
    this.say(name ? `The preset ${name} is filled in.` : "What the preset had set is back at its defaults.", before);
  }

  /** Fills the form with what is no preset: a recipe, another run's settings, the demo. */
  replace(config, sentence) {
    const before = { config: this.form.values(), preset: this.kept.preset };
    this.take(config, undefined);
    this.say(sentence, before);
  }

  /** Says what was filled in, with the way back to what was there `before`. */
  say(sentence, before) {
    const undo = { label: "Undo", act: () => this.take(before.config, before.preset) };
    this.silence?.();
    this.silence = this.context.toast(sentence, "info", Object.keys(before.config).length ? undo : null);
  }

  take(config, preset) {
    this.kept.preset = preset;
    this.form.fill(config);
    this.draw();
    this.changed();
  }

  async keep() {
    const name = h("input", { type: "text", id: `${this.id}-name`, class: "trainer-input", maxlength: "60" });
    name.value = this.chosen && !this.chosen.shipped ? this.chosen.name : "";
    const said = h("p", { class: "trainer-error", role: "alert", hidden: true });
    const config = this.form.values();
    const send = async () => {
      try {
        await this.context.api.put(this.route(name.value.trim()), { config });
        return true;
      } catch (error) {
        say(said, error.message);
        show(said, true);
        return false;
      }
    };
    const about = h("p", { class: "trainer-quiet" }, ABOUT);
    const label = h("label", { class: "trainer-stacked", for: name.id }, "Name", name);
    const choices = [{ label: "Save", value: "save" }];
    const check = () => Boolean(name.value.trim()) && send();
    if ((await ask(this.context, { title: "Save as preset", body: [about, label, said], choices, check })) === null) return;
    this.kept.preset = { name: name.value.trim(), config };
    this.context.save();
    await this.load();
  }

  async remove() {
    const { name } = this.chosen;
    const config = this.kept.preset.config;
    try {
      await this.context.api.del(this.route(name));
      this.kept.preset = undefined;
      this.context.save();
      await this.load();
    } catch (error) {
      this.context.tell(error);
      return;
    }
    const undo = async () => {
      await this.context.api.put(this.route(name), { config }).catch((error) => this.context.tell(error));
      await this.load();
    };
    this.context.toast(`The preset ${name} is deleted.`, "info", { label: "Undo", act: undo });
  }
}
