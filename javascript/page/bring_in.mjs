// Pictures and captions out of folders, archives and tables, copied into one folder of the project.

import { RunBar } from "./bar.mjs";
import { beginStep } from "./begin_step.mjs";
import { ChosenPaths } from "./chosen_paths.mjs";
import { button, h, put, show } from "./dom.mjs";
import { Follower, hasEnded } from "./follow.mjs";
import { Form } from "./form.mjs";
import { folded, Tables } from "./report.mjs";
import { counted } from "./words.mjs";

const WORDS =
  "Folders, zip archives, parquet files, single pictures, and tables of captions: metadata.jsonl, metadata.csv and " +
  "kohya's .json. All that can be used is copied into one folder of the project; what can't is named below. " +
  "Yours stay untouched, and starting again goes on where it ended.";
const FILES = [".zip", ".parquet", ".jsonl", ".csv", ".json"];

export function section(context, stop) {
  return new BringIn(context, stop);
}

class BringIn {
  constructor(context, stop) {
    Object.assign(this, { context, stop, folder: null });
    const isWatched = () => this.element.getClientRects().length > 0;
    this.follower = new Follower(context, () => this.update(), { isWatched });
    this.bar = new RunBar({ id: "trainer-import-bar" });
    this.tables = new Tables({ open: true, title: "What came of it" });
    const options = context.about.steps.import.options;
    this.form = new Form(options, { id: "import", context, skip: ["source"], onChange: () => this.keep() });
    this.chosen = new ChosenPaths(context, {
      label: "What is brought in",
      without: (name) => `Don't bring in ${name}`,
      start: () => stop.folder,
      onChange: () => this.keep(),
    });
    this.element = this.layout();
  }

  layout() {
    this.trouble = h("p", { class: "trainer-error", role: "alert", hidden: true });
    this.start = button("Bring in", () => this.begin(), { kind: "primary", id: "trainer-import" });
    const end = () => this.follower.ask("stop").catch((error) => this.context.tell(error));
    this.cancel = button("Stop", end, { kind: "danger" });
    this.outcome = h("div", { class: "trainer-row" });
    const add = (title, settings) => () => this.chosen.choose({ title, ...settings });
    return h(
      "section",
      { class: "trainer-card trainer-column", id: "trainer-bring-in" },
      h("p", { class: "trainer-quiet" }, WORDS),
      h(
        "div",
        { class: "trainer-row" },
        button("Add a folder…", add("Choose a folder to bring in", {}), { id: "trainer-import-folder" }),
        button("Add an archive or table…", add("Choose a file to bring in", { files: FILES })),
        h("span", { class: "trainer-quiet" }, "Or drop a .zip, .parquet, .csv or .json file anywhere here."),
      ),
      this.chosen.element,
      this.trouble,
      folded("Options", [this.form.element], { id: "trainer-import-options" }),
      h("div", { class: "trainer-row" }, this.start, this.cancel),
      this.bar.element,
      this.outcome,
      this.tables.element,
    );
  }

  /** `wish.sources` are files and folders that have just been sent here. */
  show(wish) {
    const { source = [], ...options } = this.context.form.bring ?? {};
    this.chosen.show([...source, ...(wish?.sources ?? [])]);
    this.form.fill(options);
    if (wish?.sources?.length) {
      this.keep();
    }
    if (this.context.form.brought) {
      this.follower.follow(this.context.form.brought);
    }
    this.showState();
  }

  hide() {
    this.follower.pause();
  }

  end() {
    this.follower.end();
  }

  keep() {
    this.context.form.bring = { source: this.chosen.paths, ...this.form.values() };
    this.context.save();
    this.showState();
  }

  complain(complaints) {
    const isAboutSource = ({ path }) => path === "source" || path === "";
    const mine = complaints.filter(isAboutSource);
    put(this.trouble, mine.map(({ message }) => message).join(" "));
    show(this.trouble, mine.length > 0);
    this.form.setComplaints(complaints.filter((each) => !isAboutSource(each)), { all: true });
  }

  async begin() {
    await beginStep(this, "import", { ...this.form.values(), source: this.chosen.paths }, "brought");
  }

  update() {
    const { run, record } = this.follower;
    this.bar.update(this.follower);
    this.tables.update(this.follower);
    const folder = run.state === "finished" ? record.result?.folder : null;
    if (folder !== this.folder) {
      put(this.outcome, folder && this.made(folder, record.result));
    }
    this.folder = folder;
    this.showState();
  }

  made(folder, { pictures, left }) {
    const notes = left ? `; ${counted(left, "note")} below` : "";
    const look = () => {
      this.stop.open("look");
      return this.stop.take(folder);
    };
    return [
      h("p", { class: "trainer-grow" }, `${counted(pictures, "picture")} in ${folder}${notes}`),
      button("Look at them", look, { kind: "primary", id: "trainer-import-look" }),
      button("Use them for training", () => this.stop.useFolder(folder, true)),
    ];
  }

  showState() {
    const { run } = this.follower;
    const isBusy = Boolean(run) && !hasEnded(run);
    this.start.disabled = isBusy || !this.chosen.paths.length;
    this.start.title = this.chosen.paths.length ? "" : "Add a folder or an archive first.";
    show(this.cancel, isBusy);
    show(this.bar.element, Boolean(run) && run.state !== "vanished");
    show(this.tables.element, Boolean(run) && this.follower.record.tables.length > 0);
  }
}
