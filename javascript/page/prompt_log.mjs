// Prompt logs: exports of chat channels, filtered and counted, then their pictures with captions.

import { RunBar } from "./bar.mjs";
import { beginStep } from "./begin_step.mjs";
import { ChosenPaths } from "./chosen_paths.mjs";
import { button, debounced, h, put, say, show } from "./dom.mjs";
import { Follower, hasEnded } from "./follow.mjs";
import { Form } from "./form.mjs";
import { columnPickers } from "./log_columns.mjs";
import { folded, Notices, Tables } from "./report.mjs";
import { counted, number } from "./words.mjs";

const WORDS =
  "Exports of chat channels as CSV, with the prompt between ** and **, and links to pictures. First count what the " +
  "filters leave: nothing is downloaded then, and the counts follow each change. Then take the pictures: captions are " +
  "written beside them, and starting again goes on where it ended.";
const FILES = [".csv", ".tsv"];
const QUIET_MILLISECONDS = 1000;

export function section(context, stop) {
  return new PromptLog(context, stop);
}

class PromptLog {
  constructor(context, stop) {
    Object.assign(this, { context, stop, folder: null });
    const isWatched = () => this.element.getClientRects().length > 0;
    this.follower = new Follower(context, () => this.update(), { isWatched });
    this.bar = new RunBar({ id: "trainer-log-bar" });
    this.notices = new Notices();
    this.tables = new Tables({ open: true, title: "What is in it" });
    this.columns = columnPickers(context);
    this.form = new Form(context.about.steps.promptlog.options, {
      id: "promptlog",
      context,
      skip: ["files", "pictures"],
      pickers: this.columns.pickers,
      onChange: () => this.changed(),
    });
    this.chosen = new ChosenPaths(context, {
      label: "Files of the prompt log",
      without: (name) => `Don't read ${name}`,
      start: () => stop.folder,
      onChange: () => this.keep(),
    });
    this.again = debounced(() => this.countAgain(), QUIET_MILLISECONDS);
    this.element = this.layout();
  }

  layout() {
    this.trouble = h("p", { class: "trainer-error", role: "alert", hidden: true });
    this.left = h("p", { class: "trainer-log-left", role: "status" });
    this.count = button("Count what is left", () => this.begin("count"), { kind: "primary", id: "trainer-log-count" });
    this.download = button("Download the pictures", () => this.begin("download"), { id: "trainer-log-download" });
    this.local = button("Take them from my folder", () => this.begin("folder"), { id: "trainer-log-local" });
    const end = () => this.follower.ask("stop").catch((error) => this.context.tell(error));
    this.cancel = button("Stop", end, { kind: "danger" });
    this.outcome = h("div", { class: "trainer-row" });
    const add = (title, settings) => () => this.chosen.choose({ title, ...settings });
    const choosing = h(
      "div",
      { class: "trainer-row" },
      button("Add a CSV file…", add("Choose a CSV file", { files: FILES }), { id: "trainer-log-file" }),
      button("Add a folder of them…", add("Choose a folder with CSV files", {})),
    );
    const parts = [
      h("p", { class: "trainer-quiet" }, WORDS),
      choosing,
      this.chosen.element,
      this.columns.element,
      this.trouble,
      this.form.element,
      h("div", { class: "trainer-row" }, this.count, this.download, this.local, this.cancel),
      this.bar.element,
      this.left,
      this.outcome,
      this.notices.element,
      this.tables.element,
    ];
    return folded("Prompt logs: chat exports with prompts and pictures", parts, { id: "trainer-prompt-log" });
  }

  /** `wish.logs` are files that have just been sent here. */
  show(wish) {
    const { files = [], ...options } = this.context.form.promptLog ?? {};
    this.chosen.show([...files, ...(wish?.logs ?? [])]);
    this.form.fill(options);
    if (wish?.logs?.length) {
      this.keep();
    }
    if (this.context.form.promptLogRun) {
      this.follower.follow(this.context.form.promptLogRun);
    }
    this.element.open ||= this.chosen.paths.length > 0;
    this.columns.look(this.chosen.paths[0] ?? null);
    this.showState();
  }

  hide() {
    this.follower.pause();
    this.again.cancel();
  }

  end() {
    this.follower.end();
    this.again.cancel();
  }

  keep() {
    this.context.form.promptLog = { files: this.chosen.paths, ...this.form.values() };
    this.columns.look(this.chosen.paths[0] ?? null);
    this.context.save();
    this.showState();
  }

  changed() {
    this.keep();
    if (this.follower.run) {
      this.again();
    }
  }

  /** Other filters on the same files are counted at once: the engine has kept them as a table. */
  async countAgain() {
    const { run, config } = this.follower;
    const isSame = JSON.stringify(config?.files) === JSON.stringify(this.chosen.paths);
    if (run?.state === "finished" && config?.pictures === "count" && isSame) {
      await this.begin("count");
    }
  }

  complain(complaints) {
    const isAboutFiles = ({ path }) => path === "files" || path === "";
    const mine = complaints.filter(isAboutFiles).map(({ message }) => message);
    say(this.trouble, mine.join(" "));
    show(this.trouble, mine.length > 0);
    this.form.setComplaints(complaints.filter((each) => !isAboutFiles(each)), { all: true });
  }

  async begin(pictures) {
    this.again.cancel();
    const config = { ...this.form.values(), files: this.chosen.paths, pictures };
    await beginStep(this, "promptlog", config, "promptLogRun");
  }

  update() {
    const { run, record } = this.follower;
    this.bar.update(this.follower);
    this.notices.update(this.follower);
    if (record.tables.length) {
      this.tables.update(this.follower); // while files are read, what was counted before stays
    }
    this.tables.element.classList.toggle("trainer-old", !hasEnded(run));
    const result = run.state === "finished" ? record.result : null;
    if (result) {
      const { messages, pictures } = result;
      const isEmpty = pictures === 0;
      say(
        this.left,
        `${counted(messages, "message")} left, with ${counted(pictures, "picture")}.${isEmpty ? " Loosen the filters." : ""}`,
      );
    }
    const folder = result?.folder ?? null;
    if (folder !== this.folder) {
      put(this.outcome, folder && this.made(folder, result));
    }
    this.folder = folder;
    this.showState();
  }

  made(folder, { taken, known, left_out: leftOut }) {
    const missing = leftOut ? `; ${number(leftOut)} could not be taken` : "";
    const look = () => {
      this.stop.open("look");
      return this.stop.take(folder);
    };
    return [
      h("p", { class: "trainer-grow" }, `${counted(taken + known, "picture")} in ${folder}${missing}`),
      button("Look at them", look, { kind: "primary", id: "trainer-log-look" }),
      button("Use them for training", () => this.stop.useFolder(folder, true)),
    ];
  }

  showState() {
    const { run } = this.follower;
    const isBusy = Boolean(run) && !hasEnded(run);
    const hasFolder = Boolean(this.form.values().folder);
    for (const each of [this.count, this.download, this.local]) {
      each.disabled = isBusy || !this.chosen.paths.length;
      each.title = this.chosen.paths.length ? "" : "Add a CSV file first.";
    }
    this.local.disabled ||= !hasFolder;
    this.local.title ||= hasFolder ? "" : "Name your folder in the option “Folder” first.";
    show(this.cancel, isBusy);
    show(this.bar.element, isBusy || ["failed", "stopped", "interrupted"].includes(run?.state));
    show(this.tables.element, Boolean(run) && this.tables.body.childElementCount > 0);
  }
}
