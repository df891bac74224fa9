// The captions of the folder as one file: kohya's metadata or Hugging Face's.

import { RunBar } from "./bar.mjs";
import { button, h, put, show } from "./dom.mjs";
import { Follower, hasEnded } from "./follow.mjs";
import { Form } from "./form.mjs";
import { folded } from "./report.mjs";
import { counted } from "./words.mjs";

export function section(context, stop) {
  return new Exporting(context, stop);
}

class Exporting {
  constructor(context, stop) {
    Object.assign(this, { context, stop });
    const isWatched = () => this.element.getClientRects().length > 0;
    this.follower = new Follower(context, () => this.update(), { isWatched });
    this.bar = new RunBar({ id: "trainer-export-bar" });
    const options = context.about.steps.export.options;
    this.form = new Form(options, { id: "export", context, skip: ["folder"], onChange: () => this.keep() });
    this.start = button("Write the file", () => this.begin(), { id: "trainer-export" });
    this.said = h("p", { role: "status" });
    this.element = folded(
      "Write the captions as one file",
      [this.form.element, h("div", { class: "trainer-row" }, this.start), this.bar.element, this.said],
      { id: "trainer-export-fold" },
    );
    show(this.bar.element, false);
  }

  show() {
    this.form.fill(this.context.form.export ?? {});
  }

  hide() {
    this.follower.pause();
  }

  end() {
    this.follower.end();
  }

  keep() {
    this.context.form.export = this.form.values();
    this.context.save();
  }

  async begin() {
    const config = { ...this.form.values(), folder: this.stop.folder };
    const complain = (complaints) => this.form.setComplaints(complaints, { all: true });
    const run = await this.stop.begin("export", config, complain);
    if (run) {
      this.follower.follow(run.id);
    }
  }

  update() {
    const { run, record } = this.follower;
    this.bar.update(this.follower);
    show(this.bar.element, run.state !== "finished");
    const { file, pictures, without } = (run.state === "finished" && record.result) || {};
    const lacking = without ? `, ${without} of them without a caption` : "";
    put(this.said, file && `${counted(pictures, "picture")}${lacking} written to ${file}`);
    this.start.disabled = !hasEnded(run);
  }
}
