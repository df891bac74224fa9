// The stop with all runs of the project and the queue.

import { Poll } from "./api.mjs";
import { ask } from "./dialogs.mjs";
import { button, h, put, show } from "./dom.mjs";
import { QueueList } from "./queue.mjs";
import { bytes, counted, duration, figure, fileName, isAtWork, moment, stateWord } from "./words.mjs";

const LOOK_SECONDS = 2;
const NONE =
  "No runs yet in this project. They appear here once you start a training, a comparison or a preparation of pictures.";
const CAN_UNDO = "It is moved to the trainer's bin; right afterwards you can still undo it.";
const HEADS = ["Name", "Step", "State", "Started", "Best held-out loss", "Chosen epoch", ""];

export function runsStop(context) {
  return new RunsStop(context);
}

class RunsStop {
  constructor(context) {
    Object.assign(this, { context, runs: [], chosen: {}, drawn: "", poll: null });
    this.queue = new QueueList(context);
    this.body = h("tbody");
    const heads = HEADS.map((head) => h("th", { scope: "col" }, head || h("span", { class: "trainer-unseen" }, "Actions")));
    this.table = h("table", { class: "trainer-table trainer-runs", id: "trainer-runs" }, h("thead", {}, h("tr", {}, heads)), this.body);
    this.none = h("p", { class: "trainer-quiet", hidden: true }, NONE);
    this.element = h("div", { class: "trainer-column" }, this.queue.element, h("h2", {}, "Runs"), this.table, this.none);
    this.stops = [context.onNow((now) => this.queue.update(now))];
  }

  show() {
    this.poll ??= new Poll(() => this.look(), LOOK_SECONDS);
    this.poll.soon();
  }

  hide() {
    this.poll?.stop();
    this.poll = null;
  }

  end() {
    this.stops.forEach((stop) => stop());
  }

  async look() {
    const { api, route } = this.context;
    const [{ runs }, { chosen }] = await Promise.all([api.look(route("runs")), api.look(route("chosen"))]);
    const key = JSON.stringify([runs, chosen]);
    if (key === this.drawn) return;
    this.drawn = key;
    Object.assign(this, { runs, chosen });
    this.draw();
  }

  draw() {
    const focused = document.activeElement?.dataset?.key;
    put(this.body, this.runs.map((run) => this.row(run)));
    show(this.table, this.runs.length > 0);
    show(this.none, this.runs.length === 0);
    if (focused) this.body.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  row(run) {
    const best = run.best_held_out;
    const cell = (...children) => h("td", {}, ...children);
    const attributes = { kind: "plain", title: `Open ${run.id}`, "data-key": `${run.id} open` };
    const name = button(run.name || run.id, () => this.open(run), attributes);
    return h("tr", { "data-run": run.id, "data-state": run.state },
      cell(name), cell(run.step), cell(this.state(run)), cell(this.started(run)),
      cell(best ? `${figure(best.value)} (epoch ${best.epoch})` : ""), cell(this.epoch(run)),
      h("td", { class: "trainer-run-acts" }, this.acts(run)));
  }

  state(run) {
    const { done, total } = run.progress ?? {};
    const share = isAtWork(run) && total ? ` ${Math.floor((100 * done) / total)} %` : "";
    const message = ["failed", "interrupted", "vanished"].includes(run.state) ? run.message : "";
    return [
      h("span", { class: `trainer-state trainer-state-${run.state}` }, stateWord(run) + share),
      message ? h("p", { class: "trainer-quiet trainer-run-message", title: message }, message.split("\n")[0]) : null,
    ];
  }

  started(run) {
    const took = run.started && run.ended ? `, ${duration(run.ended - run.started)}` : "";
    return moment(run.started ?? run.created) + took;
  }

  epoch(run) {
    const network = this.chosen[run.id]?.network ?? run.chosen;
    if (!network) return "";
    const known = run.networks?.find((each) => each.path === network);
    return h("span", { title: network }, known ? String(known.epoch) : fileName(network));
  }

  acts(run) {
    const name = run.name || run.id;
    const act = (label, what, key) =>
      button(label, what, { "data-key": `${run.id} ${key}`, "aria-label": `${label}: ${name}` });
    return h("div", { class: "trainer-row" },
      run.resumable ? act("Resume", () => this.resume(run), "resume") : null,
      run.state === "vanished" ? null : act("Clone settings", () => this.clone(run), "clone"),
      isAtWork(run) || run.state === "vanished" ? null : act("Delete…", () => this.remove(run), "delete"));
  }

  /** Each kind of run is shown where it was begun. */
  open(run) {
    const { context } = this;
    if (run.step === "compare") {
      context.go("compare", { comparison: run.id });
    } else if (run.step === "prepare") {
      context.form.prepared = run.id;
      context.save();
      context.go("pictures");
    } else {
      context.run = run.id;
      context.go("progress", run.id);
    }
  }

  async clone(run) {
    const { context } = this;
    try {
      const { config } = await context.api.get(context.route("runs", run.id));
      if (run.step === "prepare") {
        context.form.pictures = config;
        context.save();
      }
      context.go({ train: "train", compare: "compare", prepare: "pictures" }[run.step], { config });
    } catch (error) {
      context.tell(error);
    }
  }

  async resume(run) {
    try {
      const resumed = await this.context.api.post(this.context.route("runs", run.id, "resume"));
      if (resumed.place_in_queue > 1) this.context.toast(`Queued as number ${resumed.place_in_queue}: it goes on when its turn comes.`);
      this.context.askNow();
      this.open(run);
    } catch (error) {
      this.context.tell(error);
    }
  }

  async remove(run) {
    try {
      const files = await this.confirm(run);
      if (files === null) return;
      const { bin } = await this.context.api.post(this.context.route("runs", run.id, "delete"), { files });
      const undo = { label: "Undo", act: () => this.bringBack(run, bin) };
      this.context.toast(`${run.name || run.id} is deleted${files ? " with its files" : ""}.`, "info", undo);
    } catch (error) {
      this.context.tell(error);
    }
    this.refresh();
  }

  /** Asks what goes; answers whether the finished files too, or null for no. */
  async confirm(run) {
    const goes = await this.context.api.get(this.context.route("runs", run.id, "goes"));
    const size = goes.files.reduce((sum, file) => sum + file.bytes, 0);
    const box = h("input", { type: "checkbox", class: "trainer-check", id: "trainer-delete-files" });
    const item = (file) => h("span", { class: "trainer-grow", title: file.path }, fileName(file.path));
    const items = goes.files.map((file) => h("li", {}, item(file), bytes(file.bytes)));
    const also = [
      h("label", { class: "trainer-ticked", for: box.id }, box,
        `Also the ${counted(goes.files.length, "finished file")}, ${bytes(size)}:`),
      h("ul", { class: "trainer-goes" }, items),
    ];
    const folder = [
      h("p", {}, "The run's folder goes, with its log, samples, states and curve:"),
      h("p", { class: "trainer-quiet" }, `${goes.folder}${this.folderSize(goes)}`),
    ];
    const choices = [{ label: "Delete", value: "delete", kind: "danger" }];
    const body = [folder, goes.files.length ? also : [], h("p", { class: "trainer-quiet" }, CAN_UNDO)];
    const answer = await ask(this.context, { title: `Delete ${run.name || run.id}?`, body, choices });
    return answer === null ? null : box.checked;
  }

  folderSize(goes) {
    return Number.isFinite(goes.folder_bytes) ? ` (${bytes(goes.folder_bytes)})` : "";
  }

  async bringBack(run, bin) {
    await this.context.api.post(this.context.route("runs", run.id, "undelete"), { bin }).catch((error) => this.context.tell(error));
    this.refresh();
  }

  refresh() {
    this.poll?.soon();
    this.context.askNow();
  }
}
