// What the parts of the section Clean share: options, a button that has the engine go through the folder, and its run.

import { RunBar } from "./bar.mjs";
import { button, h, show } from "./dom.mjs";
import { Follower, hasEnded } from "./follow.mjs";
import { Form } from "./form.mjs";

const NEEDS_A_LOOK = ["failed", "stopped", "interrupted"];

/**
 * Whoever extends it gives `config()`, which is asked for besides the folder, and `update()` for news of the run.
 * `kept` is where the project's form keeps the options, `step` the engine's step and where the form notes its run.
 */
export class FolderPart {
  constructor(context, stop, { step, kept, skip, act }) {
    Object.assign(this, { context, stop, step, kept });
    const isWatched = () => this.element.getClientRects().length > 0;
    this.follower = new Follower(context, () => this.update(), { isWatched });
    this.bar = new RunBar({ id: `trainer-${step}-bar` });
    const options = context.about.steps[step].options;
    this.form = new Form(options, { id: step, context, skip, onChange: () => this.keep() });
    this.make = button(act, () => this.start(), { kind: "primary", id: `trainer-${step}` });
    const end = () => this.follower.ask("stop").catch((error) => context.tell(error));
    this.cancel = button("Stop", end, { kind: "danger", hidden: true });
    this.said = h("p", { class: "trainer-finding-summary", role: "status" });
    this.list = h("div", { class: "trainer-findings" });
  }

  keep() {
    this.context.form[this.kept] = this.form.values();
    this.context.save();
  }

  /** The run of this step that the project's form notes, and its folder. */
  get noted() {
    return this.context.form[this.step];
  }

  show() {
    if (this.noted) {
      this.follower.follow(this.noted.run);
    }
    this.showState();
  }

  hide() {
    this.follower.pause();
  }

  end() {
    this.follower.end();
  }

  async start() {
    const config = { ...this.form.values(), ...this.config(), folder: this.stop.folder };
    const complain = (complaints) => this.form.setComplaints(complaints, { all: true });
    const run = await this.stop.begin(this.step, config, complain);
    if (run) {
      this.context.form[this.step] = { run: run.id, folder: config.folder };
      this.context.save();
      this.follower.follow(run.id);
    }
    this.showState();
  }

  showState() {
    const { run } = this.follower;
    const isBusy = Boolean(run) && !hasEnded(run);
    const { folder } = this.stop;
    this.make.disabled = isBusy || !folder;
    this.make.title = folder ? "" : "Choose a folder first.";
    show(this.cancel, isBusy);
    show(this.bar.element, isBusy || NEEDS_A_LOOK.includes(run?.state));
    const isOther = Boolean(this.noted) && this.noted.folder !== folder;
    this.list.classList.toggle("trainer-old", isBusy || isOther);
  }
}
