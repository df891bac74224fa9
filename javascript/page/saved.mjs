// The files that a run saved: which epoch, whether the WebUI lists them, and their phrase to copy.

import { bringToPrompt } from "./copying.mjs";
import { button, h, put, show } from "./dom.mjs";
import { networkName, phraseFor } from "./phrases.mjs";
import { fileName } from "./words.mjs";

/** `update(follower)` shows the networks saved so far, the newest on top. */
export class SavedFiles {
  constructor(context) {
    this.context = context;
    this.known = new Map(); // path -> {shown, why}
    this.rows = h("tbody");
    this.why = h("p", { class: "trainer-quiet" });
    this.none = h("p", { class: "trainer-quiet" }, "The first file is saved with the first epoch, or with “Save now”.");
    this.compare = button("Compare epochs", () => this.openCompare(), {
      kind: "primary",
      id: "trainer-compare-epochs",
    });
    const heads = ["Epoch", "Step", "File", "In the WebUI's list", ""].map((text) => h("th", { scope: "col" }, text));
    this.table = h("table", { class: "trainer-table" }, h("thead", {}, h("tr", {}, heads)), this.rows);
    const head = h("div", { class: "trainer-row" }, h("h3", { class: "trainer-grow" }, "Saved files"), this.compare);
    this.element = h(
      "section",
      { class: "trainer-card" },
      head,
      this.none,
      h("div", { class: "trainer-scroll" }, this.table),
      this.why,
    );
  }

  update({ id, run, record }) {
    if (id !== this.id) {
      this.known.clear();
    }
    Object.assign(this, { id, run });
    const there = new Map((run.networks ?? []).map((network) => [network.path, network]));
    const gone = (path) => there.has(path) && !there.get(path).exists;
    this.files = record.networks.map((file) => ({ ...file, isGone: gone(file.path) })).reverse();
    this.draw();
    this.ask(id);
  }

  /** Ask again which of them the WebUI lists. */
  forget() {
    this.known.clear();
    this.askedFor = null;
  }

  draw() {
    const usable = this.files.filter((file) => !file.isGone);
    show(this.none, !this.files.length);
    show(this.table, this.files.length > 0);
    this.compare.disabled = !usable.length;
    this.compare.title = usable.length ? "" : "There is no file yet to compare.";
    const reasons = this.reasons();
    const text = JSON.stringify([this.files, reasons, this.run.chosen, [...this.known]]);
    if (text === this.drawn) {
      return;
    }
    this.drawn = text;
    put(
      this.rows,
      this.files.map((file) => this.row(file, reasons.size > 1)),
    );
    put(this.why, reasons.size === 1 && [...reasons][0]);
  }

  /** Why files are not listed, each reason once. */
  reasons() {
    const told = this.files
      .map((file) => [file, this.known.get(file.path)])
      .filter(([, known]) => known && !known.shown && known.why);
    return new Set(told.map(([file, { why }]) => why.replace(fileName(file.path), "the file")));
  }

  row(file, isEachExplained) {
    const isChosen = this.run.chosen === file.path;
    const name = h(
      "td",
      { title: file.path, class: "trainer-file" },
      isChosen && h("span", { class: "trainer-star", title: "Chosen" }, "★ "),
      networkName(file.path),
    );
    const known = this.known.get(file.path);
    let listed = known ? (known.shown ? "yes" : isEachExplained ? `no: ${known.why}` : "no") : "…";
    listed = file.isGone ? "the file is gone" : listed;
    const phrase = phraseFor(this.run.output ?? "lora", file.path);
    const copyIt = phrase && button("Copy phrase", async () => this.context.toast(await bringToPrompt(phrase)), {
      kind: "plain",
      title: `${phrase} for a prompt`,
      disabled: file.isGone,
    });
    const cells = [file.isWithin ? `in ${file.epoch + 1}` : file.epoch, file.step].map((value) =>
      h("td", { class: "trainer-number" }, String(value)),
    );
    return h("tr", {}, cells, name, h("td", {}, listed), h("td", {}, copyIt));
  }

  async ask(id) {
    const wanted = this.files.filter((file) => !file.isGone && !this.known.has(file.path));
    if (!wanted.length || this.isAsking) {
      return;
    }
    this.isAsking = true;
    try {
      for (const { path } of wanted) {
        const told = await this.context.api.get(this.context.route("runs", id, "shown"), { path });
        if (id !== this.id) {
          break;
        }
        this.known.set(path, told);
      }
      this.draw();
    } catch {
      // the server is away, which the page says; asked again with the next change
    } finally {
      this.isAsking = false;
    }
  }

  openCompare() {
    return this.context.go("compare", {
      run: this.id,
      networks: this.files
        .filter((file) => !file.isGone)
        .map((file) => file.path)
        .reverse(),
    });
  }
}
