// Clean copies of a folder's pictures: their options, making them, and where they lie then.

import { RunBar } from "./bar.mjs";
import { button, h, put, show } from "./dom.mjs";
import { Follower, hasEnded } from "./follow.mjs";
import { Form } from "./form.mjs";
import { folded } from "./report.mjs";
import { counted } from "./words.mjs";

const WORDS =
  "Optional: makes copies that are scaled and cropped as shown, with captions beside them. Yours stay untouched. " +
  "Training scales and crops by itself where you skip this.";

/** The part of the section Crop: the stop's own, since its options say how the pictures are shown. */
export function section(context, { preparing }) {
  const show = () => preparing.showState();
  return { element: preparing.element, show, hide: () => {}, end: () => {} };
}

/**
 * The step `prepare` as a fold. `stop` is the stop around it: config() all that is filled in, begin(step, config) starts
 * it, changed() after each change of an option, take(folder) looks at a folder, useFolder(folder, true) trains on it.
 */
export class Preparing {
  constructor(context, stop) {
    Object.assign(this, { context, stop });
    const isWatched = () => this.element.getClientRects().length > 0;
    this.follower = new Follower(context, () => this.update(), { isWatched });
    this.bar = new RunBar({ id: "trainer-prepare-bar" });
    const options = context.about.steps.prepare.options;
    this.form = new Form(options, { id: "prepare", context, skip: ["folder"], onChange: () => stop.changed() });
    this.element = this.layout();
  }

  layout() {
    this.make = button("Prepare copies", () => this.start(), { kind: "primary", id: "trainer-prepare" });
    const end = () => this.follower.ask("stop").catch((error) => this.context.tell(error));
    this.cancel = button("Stop", end, { kind: "danger" });
    this.outcome = h("div", { class: "trainer-row" });
    const acts = h("div", { class: "trainer-row" }, this.make, this.cancel);
    const parts = [h("p", { class: "trainer-quiet" }, WORDS), this.form.element, acts, this.bar.element, this.outcome];
    return folded("Prepare: scale, crop and caption copies", parts, { id: "trainer-prepare-fold", open: true });
  }

  /** Show these options, and the copies that were made last. */
  show(config) {
    if (config) {
      this.form.fill(config);
    }
    if (this.context.form.prepared) {
      this.follower.follow(this.context.form.prepared);
    }
  }

  /** Put complaints at the options; opens the fold where there are some. */
  complain(complaints) {
    this.form.setComplaints(complaints, { all: true });
    this.element.open ||= complaints.length > 0;
  }

  async start() {
    const run = await this.stop.begin("prepare", this.stop.config());
    if (run) {
      this.context.form.prepared = run.id;
      this.context.save();
      this.follower.follow(run.id);
    }
    setTimeout(() => this.showState()); // after the button's own end
  }

  update() {
    const { run, record } = this.follower;
    this.bar.update(this.follower);
    this.showState();
    const folder = run.state === "finished" ? record.result?.folder : null;
    if (folder !== this.folder) {
      put(this.outcome, folder && this.made(record.result));
    }
    this.folder = folder;
  }

  made({ folder, pictures, made, masks }) {
    const padding = masks ? ", with masks that keep the padding from being learned" : "";
    const back = button("Take them back", () => this.takeBack(), {
      id: "trainer-take-back",
      title: "Moves the copies that were made now into the bin beside their folder; your pictures stay",
    });
    return [
      h("p", { class: "trainer-grow" }, `${counted(pictures, "copy", "copies")} in ${folder}${padding}`),
      made ? back : null,
      button("Look at them", () => this.stop.take(folder)),
      button("Use them for training", () => this.stop.useFolder(folder, true, masks), { kind: "primary" }),
    ];
  }

  /** Move the copies of the last run into the bin. */
  async takeBack() {
    try {
      const route = this.context.route("runs", this.follower.id, "take-back");
      const { moved, failures, bin } = await this.context.api.post(route, {});
      const left = failures.length ? ` ${counted(failures.length, "copy", "copies")} stayed: ${failures[0].reason}` : "";
      put(this.outcome, h("p", { class: "trainer-grow" }, `${counted(moved, "copy", "copies")} moved to ${bin}.${left}`));
    } catch (error) {
      this.context.tell(error);
    }
  }

  showState() {
    const { run } = this.follower;
    const isBusy = Boolean(run) && !hasEnded(run);
    this.make.disabled = isBusy || !this.stop.config().folder;
    show(this.cancel, isBusy);
    show(this.bar.element, Boolean(run) && run.state !== "vanished");
  }
}
