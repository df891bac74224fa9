// The doctor: has the engine check a folder of pictures, and shows each finding with what mends it.

import { RunBar } from "./bar.mjs";
import { merged } from "./configs.mjs";
import { button, h, put, say, show } from "./dom.mjs";
import { FindingCard } from "./finding_card.mjs";
import { Follower, hasEnded } from "./follow.mjs";
import { Form } from "./form.mjs";
import { counted } from "./words.mjs";

const WORDS =
  "Looks at every picture and caption for what would harm a training, and at the set as a whole. " +
  "Nothing is changed until you press a button, and nothing is deleted: pictures go to a bin beside the folder and can be brought back.";
// What the stop's own options say already, and what the training says.
const FROM_CROP = ["captions", "buckets", "background"];
const SKIP = ["folder", ...FROM_CROP];

/** The doctor's part of the section Clean. */
export function section(context, stop) {
  return new Checking(context, stop);
}

class Checking {
  constructor(context, stop) {
    Object.assign(this, { context, stop, shown: null });
    const isWatched = () => this.element.getClientRects().length > 0;
    this.follower = new Follower(context, () => this.update(), { isWatched });
    this.bar = new RunBar({ id: "trainer-check-bar" });
    this.form = new Form(context.about.steps.check.options, {
      id: "check",
      context,
      skip: SKIP,
      onChange: () => this.keep(),
    });
    this.element = this.layout();
    this.fill();
  }

  layout() {
    this.make = button("Check the pictures", () => this.start(), { kind: "primary", id: "trainer-check" });
    const end = () => this.follower.ask("stop").catch((error) => this.context.tell(error));
    this.cancel = button("Stop", end, { kind: "danger", hidden: true });
    this.said = h("p", { class: "trainer-finding-summary", role: "status" });
    this.list = h("div", { class: "trainer-findings", id: "trainer-findings" });
    const title = h("h3", {}, "What the doctor finds");
    const acts = h("div", { class: "trainer-row" }, this.make, this.cancel, this.said);
    const words = h("p", { class: "trainer-quiet" }, WORDS);
    const parts = [title, words, this.form.element, acts, this.bar.element, this.list];
    return h("section", { class: "trainer-card trainer-column", "aria-label": "What the doctor finds" }, parts);
  }

  /** What was filled in before; at first the words and the batch size of the training. */
  fill() {
    const { batch_size: batch, dataset } = this.context.form.train ?? {};
    const ofTraining = Object.entries({ batch_size: batch, trigger: dataset?.trigger, repeats: dataset?.repeats });
    const told = Object.fromEntries(ofTraining.filter(([, value]) => value !== undefined));
    this.form.fill(this.context.form.checking ?? told);
  }

  keep() {
    this.context.form.checking = this.form.values();
    this.context.save();
  }

  show() {
    if (this.context.form.check) {
      this.follower.follow(this.context.form.check.run);
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
    const ofCrop = Object.entries(this.stop.config()).filter(([name]) => FROM_CROP.includes(name));
    const config = { ...this.form.values(), ...Object.fromEntries(ofCrop), folder: this.stop.folder };
    const run = await this.stop.begin("check", config, (complaints) => this.form.setComplaints(complaints, { all: true }));
    if (run) {
      this.context.form.check = { run: run.id, folder: config.folder };
      this.context.save();
      this.follower.follow(run.id);
    }
    this.showState();
  }

  update() {
    const { run, id } = this.follower;
    this.bar.update(this.follower);
    this.showState();
    if (run.state === "finished" && this.shown !== id) {
      this.shown = id;
      this.read(id);
    }
  }

  async read(id) {
    try {
      const { findings } = await this.context.api.get(this.context.route("runs", id, "findings"));
      if (id === this.follower.id) {
        this.showFindings(findings);
      }
    } catch (error) {
      this.shown = null;
      this.context.tell(error);
    }
  }

  showFindings(findings) {
    const { folder } = this.context.form.check;
    const bad = findings.filter(({ level }) => level !== "info").length;
    const pictures = counted(this.follower.record.result?.count ?? 0, "picture");
    const found = findings.length ? counted(findings.length, "finding") : "nothing to complain of";
    say(this.said, `${pictures}: ${found}${bad ? `, ${bad} of which would harm` : ""}.`);
    put(this.list, findings.map((finding) => new FindingCard(finding, this.acts(folder)).element));
  }

  /** What the buttons of findings in that folder do. */
  acts(folder) {
    return {
      context: this.context,
      folder,
      thumb: (file) => this.thumb(folder, file),
      look: () => (this.isLookedAt(folder) ? this.stop.gallery.run : ""),
      list: (files, title, section) => this.alone(folder, files, title, section),
      refresh: (files) => this.isLookedAt(folder) && this.stop.gallery.refresh(files),
      option: (config) => this.option(folder, config),
    };
  }

  isLookedAt(folder) {
    return Boolean(this.stop.gallery.run) && this.context.form.look?.folder === folder;
  }

  /** The address of a picture's small copy; null where the gallery has none. */
  thumb(folder, file) {
    const n = this.isLookedAt(folder) ? this.stop.gallery.places.get(file) : undefined;
    return n === undefined ? null : this.stop.gallery.source(n);
  }

  /** Show these pictures alone, in a section that shows pictures; looks at the folder first where that was not done. */
  async alone(folder, files, title, section = "look") {
    await this.stop.open(section);
    if (!this.isLookedAt(folder)) {
      await new Promise((resolve) => {
        const stop = this.stop.onLooked(() => resolve(stop()));
        this.stop.take(folder);
      });
    }
    if (files.length) {
      await this.stop.gallery.showFiles(files, title);
    }
  }

  /** Fill an option in at the stop Train, together with the folder, and go there. */
  option(folder, config) {
    const train = merged(this.context.form.train ?? {}, merged(config, { dataset: { folder } }));
    this.context.form.train = train;
    this.context.save();
    return this.context.go("train", { config: train });
  }

  showState() {
    const { run } = this.follower;
    const isBusy = Boolean(run) && !hasEnded(run);
    const { folder } = this.stop;
    this.make.disabled = isBusy || !folder;
    this.make.title = folder ? "" : "Choose a folder first.";
    show(this.cancel, isBusy);
    show(this.bar.element, isBusy || ["failed", "stopped", "interrupted"].includes(run?.state));
    const isOther = Boolean(this.context.form.check) && this.context.form.check.folder !== folder;
    this.list.classList.toggle("trainer-old", isBusy || isOther);
  }
}
