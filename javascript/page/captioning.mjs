// Captions written by models: who says what, the models there are, the run, and what it wrote.

import { RunBar } from "./bar.mjs";
import { button, h, put, say, show } from "./dom.mjs";
import { Follower, hasEnded } from "./follow.mjs";
import { Form } from "./form.mjs";
import { CaptionModels } from "./caption_models.mjs";
import { folded, Tables } from "./report.mjs";
import { counted } from "./words.mjs";

const WORDS =
  "A model looks at each picture and writes tags, a sentence, or both. Captions that are there stay unless you say " +
  "otherwise, and all that is written can be seen first.";

/** A part of the section Captions. */
export function section(context, stop) {
  return new Captioning(context, stop);
}

class Captioning {
  constructor(context, stop) {
    Object.assign(this, { context, stop, told: null });
    const isWatched = () => this.element.getClientRects().length > 0;
    this.follower = new Follower(context, () => this.update(), { isWatched });
    this.bar = new RunBar({ id: "trainer-caption-bar" });
    this.tables = new Tables({ title: "What was written" });
    const options = context.about.steps.caption.options;
    this.form = new Form(options, { id: "caption", context, skip: ["folder", "only", "dry_run"], onChange: () => this.keep() });
    this.models = new CaptionModels(context, (model) => this.useModel(model));
    this.element = this.layout();
    this.ended = stop.gallery.onChange(() => this.showState());
  }

  layout() {
    this.try = button("Show first", () => this.start(true), { id: "trainer-caption-try" });
    this.write = button("Write captions", () => this.start(false), { kind: "primary", id: "trainer-caption-write" });
    const end = () => this.follower.ask("stop").catch((error) => this.context.tell(error));
    this.cancel = button("Stop", end, { kind: "danger" });
    this.meant = h("p", { class: "trainer-quiet", role: "status" });
    this.said = h("p", { role: "status" });
    this.shown = h("ul", { class: "trainer-said", "aria-label": "Captions" });
    const acts = h("div", { class: "trainer-row" }, this.write, this.try, this.cancel);
    const parts = [
      h("p", { class: "trainer-quiet" }, WORDS), this.models.element, this.form.element, this.meant, acts,
      this.bar.element, this.said, this.shown, this.tables.element,
    ];
    return folded("Write captions with a model", parts, { id: "trainer-captioning" });
  }

  show() {
    this.form.fill(this.context.form.captioning ?? {});
    this.models.show();
    if (this.context.form.captioned) {
      this.follower.follow(this.context.form.captioned);
    }
    this.showState();
  }

  hide() {
    this.follower.pause();
    this.models.hide();
  }

  end() {
    this.follower.end();
    this.models.end();
    this.ended();
  }

  keep() {
    this.context.form.captioning = this.form.values();
    this.context.save();
  }

  /** Have this model write. */
  useModel({ kind, name, isTagger, hosted }) {
    const half = isTagger ? "tagger" : "describer";
    this.form.fill({ ...this.form.values(), [half]: hosted ? { type: kind } : { type: kind, model: name } });
    this.keep();
    this.context.toast(`${name} writes ${isTagger ? "the tags" : "the sentences"} now.`);
  }

  async start(dry) {
    const chosen = this.stop.gallery.selected();
    const config = {
      ...this.form.values(), folder: this.stop.folder, dry_run: dry, ...(chosen.length ? { only: chosen } : {}),
    };
    const run = await this.stop.begin("caption", config, (complaints) => this.form.setComplaints(complaints, { all: true }));
    if (run) {
      this.context.form.captioned = run.id;
      this.context.save();
      this.told = null;
      this.stop.captions.isWriting = !dry;
      put(this.shown, null);
      this.follower.follow(run.id);
    }
    setTimeout(() => this.showState()); // after the button's own end
  }

  update() {
    const { run, record, id } = this.follower;
    this.bar.update(this.follower);
    this.tables.update(this.follower);
    if (hasEnded(run) && this.told !== id) {
      this.told = id;
      this.tell(run, record.result).catch((error) => this.context.tell(error));
    }
    this.showState();
  }

  /** What the run did, and each new caption; the gallery is told of those that were written. */
  async tell(run, result) {
    const { lines } = await this.context.api.get(this.context.route("runs", run.id, "captioned"));
    const of = (did) => lines.filter((line) => line.did === did).length;
    const failed = of("failed");
    const parts = [
      of("written") && `${counted(of("written"), "caption")} written`,
      of("shown") && `${counted(of("shown"), "caption")} shown, none written yet`,
      of("kept") && `${counted(of("kept"), "picture")} kept the caption that was there`,
      failed && `${counted(failed, "picture")} without a new caption`,
    ].filter(Boolean);
    say(this.said, run.state === "failed" ? "" : parts.join("; "));
    put(this.shown, lines.filter((line) => line.did !== "kept").map(item));
    const written = lines.filter((line) => line.did === "written").map((line) => line.file);
    if (written.length && result?.folder === this.stop.folder) {
      await this.stop.captions.look();
    }
    this.stop.captions.isWriting = false;
  }

  showState() {
    const { run } = this.follower;
    const isBusy = Boolean(run) && !hasEnded(run);
    for (const act of [this.write, this.try]) act.disabled = isBusy || !this.stop.folder;
    show(this.cancel, isBusy);
    show(this.bar.element, Boolean(run) && !["vanished", "finished"].includes(run.state));
    const chosen = this.stop.gallery.selected().length;
    say(this.meant, chosen ? `Only the ${counted(chosen, "chosen picture")}.` : "All pictures of the folder.");
  }
}

function item({ file, did, after, why }) {
  const text = did === "failed" ? h("span", { class: "trainer-error" }, why) : h("span", {}, after);
  return h("li", {}, h("b", {}, file), " ", text);
}
