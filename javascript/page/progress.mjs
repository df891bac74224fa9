// The stop Progress: follows one training from its first event on, and asks it to stop, save, sample or go on.

import { RunBar } from "./bar.mjs";
import { Changes } from "./changes.mjs";
import { Chart } from "./chart.mjs";
import { button, h, put, say, show } from "./dom.mjs";
import { Follower } from "./follow.mjs";
import { Log, Notices, Tables } from "./report.mjs";
import { Samples } from "./samples.mjs";
import { SavedFiles } from "./saved.mjs";
import { fileName, isAtWork, moment, stateWord } from "./words.mjs";

const NOT_RUNNING = "The run is not running.";
const REQUESTS = [
  {
    id: "stop",
    label: "Stop",
    kind: "danger",
    why: (run) => (run.state === "stopping" ? "It stops after this step." : needs(isAtWork(run), NOT_RUNNING)),
  },
  {
    id: "save",
    label: "Save now",
    why: (run) => needs(run.state === "running", NOT_RUNNING),
    done: "The network is saved after this step.",
  },
  {
    id: "sample",
    label: "Sample now",
    why: (run) => needs(run.state === "running", NOT_RUNNING),
    done: "Samples are drawn after this step.",
  },
  {
    id: "resume",
    label: "Resume",
    kind: "primary",
    why: (run) => needs(run.resumable, "Only a stopped, failed or interrupted run with a saved state can go on."),
  },
  {
    id: "cancel",
    label: "Cancel",
    why: (run) => needs(run.state === "queued", "Only a waiting run can be cancelled; a running one is stopped."),
  },
];
const ALSO_AFTER = { samples: ["config"], tables: ["state"] };

function needs(isSo, sentence) {
  return isSo ? "" : sentence;
}

export function progressStop(context) {
  return new ProgressStop(context);
}

class ProgressStop {
  constructor(context) {
    this.context = context;
    this.runs = [];
    const isWatched = () => this.element.getClientRects().length > 0;
    this.follower = new Follower(context, (changed) => this.update(changed), { isWatched });
    this.bar = new RunBar();
    this.chart = new Chart({ label: "Loss curve" });
    this.parts = {
      samples: new Samples(context),
      files: new SavedFiles(context),
      notices: new Notices(),
      tables: new Tables({ title: "Pictures and buckets" }),
    };
    this.log = new Log(context);
    this.element = this.layout();
    const mine = (runs) =>
      runs.filter((run) => run.project === context.project).map((run) => [run.id, run.state]);
    this.changes = new Changes((now) => [mine(now.running), mine(now.queue)]);
    this.unsubscribe = context.onNow((now) => this.look(now));
  }

  layout() {
    this.picker = h("select", {
      class: "trainer-input trainer-grow",
      id: "trainer-progress-run",
      "aria-label": "Run",
      onchange: () => this.follow(this.picker.value),
    });
    this.buttons = new Map(
      REQUESTS.map((request) => [
        request.id,
        button(request.label, () => this.ask(request), {
          kind: request.kind ?? "secondary",
          id: `trainer-run-${request.id}`,
        }),
      ]),
    );
    const toTrain = button("Go to Train", () => this.context.go("train"), { kind: "primary" });
    this.none = h(
      "div",
      { class: "trainer-card trainer-empty", hidden: true },
      h("p", {}, "No training of this project yet. Choose what to train and start it; here you see how it goes."),
      toTrain,
    );
    const { samples, files, notices, tables } = this.parts;
    const head = h("div", { class: "trainer-row" }, this.picker, [...this.buttons.values()]);
    this.gone = h("div", { class: "trainer-banner trainer-banner-error", role: "alert", hidden: true });
    const left = h(
      "div",
      { class: "trainer-column" },
      h("section", { class: "trainer-card" }, h("h3", {}, "Loss"), this.chart.element),
      samples.element,
    );
    const right = h(
      "div",
      { class: "trainer-column" },
      files.element,
      notices.element,
      tables.element,
      this.log.element,
    );
    this.told = h("div", { class: "trainer-split" }, left, right);
    this.body = h(
      "div",
      { class: "trainer-column" },
      h("section", { class: "trainer-card trainer-column" }, head, this.gone, this.bar.element),
      this.told,
    );
    return h("div", { class: "trainer-progress" }, this.none, this.body);
  }

  /** Opens the stop; `id` is the run to follow, else the one followed last, the running one, or the newest. */
  async show(id) {
    this.isShown = true;
    this.parts.files.forget();
    if (id) {
      this.context.run = id;
    }
    await this.refresh();
  }

  hide() {
    this.isShown = false;
    this.follower.pause();
  }

  end() {
    this.unsubscribe();
    this.follower.end();
    this.chart.destroy();
  }

  /** Look which runs there are whenever the server's own list of them changes. */
  look(now) {
    if (this.changes.differs(now, true) && this.isShown) {
      this.refresh();
    }
  }

  async refresh() {
    try {
      const { runs } = await this.context.api.get(this.context.route("runs"));
      this.runs = runs.filter((run) => run.step === "train");
    } catch (error) {
      if (!error.isAway) {
        this.context.tell(error);
      }
      return;
    }
    const id = this.wanted();
    show(this.none, !id);
    show(this.body, Boolean(id));
    this.showPicker(id);
    if (id && this.isShown) {
      this.follow(id);
    }
  }

  /** The run to follow: the one that is shown, even if it has vanished; else the last one, the running or the newest. */
  wanted() {
    const { run: last } = this.context;
    if (this.follower.id && this.follower.id === last) {
      return last;
    }
    const found = this.runs.find((run) => run.id === last) ?? this.runs.find(isAtWork) ?? this.runs[0];
    return found?.id ?? last;
  }

  showPicker(id) {
    const label = (run) => [run.name || run.id, stateWord(run), moment(run.created)].filter(Boolean).join(" · ");
    const options = this.runs.map((run) => [run.id, label(run)]);
    if (id && !options.some(([known]) => known === id)) {
      options.unshift([id, `${id} · gone`]);
    }
    const text = JSON.stringify(options);
    if (text !== this.listed) {
      put(
        this.picker,
        options.map(([value, words]) => h("option", { value }, words)),
      );
      this.listed = text;
    }
    this.picker.value = id ?? "";
  }

  follow(id) {
    if (id !== this.follower.id) {
      this.log.element.open = false;
    }
    this.context.run = id;
    this.follower.follow(id);
    this.picker.value = id;
  }

  update(changed) {
    const { follower } = this;
    const { run, record, id } = follower;
    const isGone = run.state === "vanished";
    show(this.gone, isGone);
    say(
      this.gone,
      isGone ? `The folder of this run is gone: nothing new can be shown of it. ${run.message ?? ""}` : "",
    );
    this.bar.update(follower);
    this.showButtons(run);
    if (changed.has("all") || changed.has("losses")) {
      this.chart.label = `Losses of ${run.name || fileName(id)}`;
      this.chart.set([...record.losses], record.heldOut);
    }
    for (const [name, part] of Object.entries(this.parts)) {
      if (
        changed.has("all") ||
        changed.has(name) ||
        ALSO_AFTER[name]?.some((what) => changed.has(what)) ||
        name === "files"
      ) {
        part.update(follower);
      }
    }
    this.log.update(follower);
    if (run.state !== this.state) {
      this.state = run.state;
      this.refresh(); // the list of runs says the state too
    }
  }

  showButtons(run) {
    for (const request of REQUESTS) {
      const element = this.buttons.get(request.id);
      const why = request.why(run);
      element.disabled = Boolean(why);
      element.title = why;
      show(
        element,
        !(["resume", "cancel"].includes(request.id) && why) ||
          (request.id === "resume" && ["failed", "interrupted", "stopped"].includes(run.state)),
      );
    }
    say(this.buttons.get("stop"), run.state === "stopping" ? "Stopping …" : "Stop");
  }

  async ask(request) {
    try {
      await this.follower.ask(request.id);
      if (request.done) {
        this.context.toast(request.done);
      }
    } catch (error) {
      this.context.tell(error);
    }
    this.refresh();
    setTimeout(() => this.follower.run && this.showButtons(this.follower.run)); // after the button's own end
  }
}
