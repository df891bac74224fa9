// How far a run is: its state in a sentence, a bar, and the figures beside it.

import { h, put, say, show } from "./dom.mjs";
import { hasEnded } from "./follow.mjs";
import { speed, stateSentence } from "./phrases.mjs";
import { duration, figure, left, moment, number } from "./words.mjs";

/** The bar of a run that a Follower follows; `update(follower)` after each change. */
export class RunBar {
  constructor({ id = "trainer-run-bar" } = {}) {
    this.state = h("p", { class: "trainer-run-state", role: "status" });
    this.bar = h("progress", { class: "trainer-bar", id, max: 1, "aria-label": "How far the run is" });
    this.between = h("progress", {
      class: "trainer-bar trainer-bar-thin",
      max: 1,
      "aria-label": "What runs in between",
    });
    this.stage = h("p", { class: "trainer-quiet" });
    this.figures = h("dl", { class: "trainer-figures" });
    this.message = h("p", { class: "trainer-warning" });
    this.failure = h("div", { class: "trainer-banner trainer-banner-error", role: "alert", hidden: true });
    this.element = h(
      "div",
      { class: "trainer-run-bar" },
      this.state,
      this.bar,
      this.between,
      this.stage,
      this.message,
      this.failure,
      this.figures,
    );
  }

  update({ run, record, config }) {
    say(this.state, stateSentence(run, record.savedStep));
    this.element.dataset.state = run.state;
    this.fill(this.bar, record.main ?? run.progress, run);
    const between = hasEnded(run) ? null : record.between;
    show(this.between, Boolean(between));
    if (between) {
      this.fill(this.between, between, run);
    }
    say(this.stage, stageWords(run, record));
    say(this.message, ["failed", "finished", "vanished"].includes(run.state) ? "" : run.message);
    this.showFigures(figures(run, record, config));
    this.showFailure(run, record.failure);
  }

  fill(bar, progress, run) {
    const { done, total } = progress ?? { done: 0, total: 0 };
    if (run.state === "finished") {
      bar.value = 1;
    } else if (total) {
      bar.value = done / total;
    } else if (["starting", "running"].includes(run.state)) {
      bar.removeAttribute("value"); // a bar that moves: nobody knows how far
    } else {
      bar.value = 0;
    }
  }

  showFigures(told) {
    const text = JSON.stringify(told);
    if (text !== this.told) {
      put(
        this.figures,
        told.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
      );
      this.told = text;
    }
  }

  showFailure(run, failure) {
    const message = run.state === "failed" ? (failure?.message ?? run.message) : "";
    show(this.failure, Boolean(message));
    if (message && message !== this.failed) {
      const details =
        failure?.details && h("details", {}, h("summary", {}, "Details for a report"), h("pre", {}, failure.details));
      put(this.failure, h("div", { class: "trainer-column trainer-grow" }, h("p", {}, message), details));
    }
    this.failed = message;
  }
}

function stageWords(run, record) {
  const told = hasEnded(run) ? null : (record.between ?? record.main);
  return told && run.state !== "queued"
    ? `${told.stage}: ${number(told.done)} of ${number(told.total)} ${told.unit}`.trim()
    : "";
}

function figures(run, record, config) {
  const told = [];
  const { main } = record;
  const loss = record.losses.at(-1);
  const isTraining = run.step === "train";
  if (main && isTraining && main.unit === "steps") {
    told.push(["Step", `${number(main.done)} of ${number(main.total)}`]);
  }
  if (loss) {
    const epochs = config?.epochs;
    told.push(["Epoch", epochs ? `${loss.epoch} of ${epochs}` : String(loss.epoch)]);
  }
  if (!hasEnded(run) && main && main.done < main.total && record.rate()) {
    told.push(["Time left", timeLeft(record.secondsLeft())], ["Speed", speed(record.rate(), main.unit || "steps")]);
  }
  told.push(...times(run));
  if (record.heldOut.length > 1) {
    const best = record.heldOut.slice(1).reduce((low, held) => (held.value < low.value ? held : low));
    told.push(["Best held-out loss", `${figure(best.value)} after epoch ${best.epoch}`]);
  }
  return told;
}

function timeLeft(seconds) {
  return seconds < 60 ? left(seconds) : `about ${left(seconds)}`;
}

function times(run) {
  if (!run.started) {
    return [];
  }
  return run.ended && hasEnded(run)
    ? [
        ["Ended", moment(run.ended)],
        ["It took", duration(run.ended - run.started)],
      ]
    : [["Started", moment(run.started)]];
}
