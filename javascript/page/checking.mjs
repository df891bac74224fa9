// The doctor: has the engine check a folder of pictures, and shows each finding with what mends it.

import { merged } from "./configs.mjs";
import { h, put, say } from "./dom.mjs";
import { FindingCard } from "./finding_card.mjs";
import { FolderPart } from "./folder_part.mjs";
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

class Checking extends FolderPart {
  constructor(context, stop) {
    super(context, stop, { step: "check", kept: "checking", skip: SKIP, act: "Check the pictures" });
    this.shown = null;
    this.element = this.layout();
    this.fill();
  }

  layout() {
    this.list.id = "trainer-findings";
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

  config() {
    return Object.fromEntries(Object.entries(this.stop.config()).filter(([name]) => FROM_CROP.includes(name)));
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
    const { folder } = this.noted;
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
}
