// What a run has told so far, folded from its events; built anew from offset 0, it is the same after every reload.

import { networkName } from "./phrases.mjs";

const RATE_SECONDS = 30; // the speed is that of the last half minute
const MAIN_STAGES = new Set(["Training", "Drawing"]); // other stages come in between

/** All that a run has told; `take` adds to it. */
export class Record {
  losses = []; // {step, epoch (from 1), value, rates, prior: that of the classes, weight: what it is multiplied by}
  heldOut = []; // {step, epoch, value}
  networks = []; // {path, epoch (completed), step, isWithin: saved within the next epoch}
  samples = new Map(); // "epoch-step" -> {epoch, step, isWithin, pictures: [{number, path}]}
  savedStep = null; // where the last state to resume from was saved
  notices = []; // {time, message, level}
  tables = []; // {title, columns, rows}
  main = null; // {stage, done, total, unit}: the stage that says how far the run is
  between = null; // a stage that runs in between, such as drawing previews
  begun = null; // seconds since 1970 when the engine began (again)
  ended = null;
  failure = null; // {message, details}
  result = null;
  plan = null; // of a comparison: {rows, columns, total}
  cells = new Map(); // "row-column" -> {row, column, path, parameters}
  #marks = []; // {time, done} of the main stage, newest last

  /** Take events in their order; answers what changed: "losses", "samples", "files", "notices", "cells"... */
  take(events) {
    const changed = new Set();
    for (const event of events) {
      const what = this[`_${event.event}`]?.(event);
      if (what) {
        changed.add(what);
      }
    }
    return changed;
  }

  /** Units of the main stage per second, over the last half minute; null while unknown. */
  rate() {
    const [first, last] = [this.#marks[0], this.#marks.at(-1)];
    const seconds = first ? last.time - first.time : 0;
    return seconds > 0 && last.done > first.done ? (last.done - first.done) / seconds : null;
  }

  /** Seconds until the main stage is through; null while unknown. */
  secondsLeft() {
    const rate = this.rate();
    return rate && this.main ? (this.main.total - this.main.done) / rate : null;
  }

  _started(event) {
    this.begun = event.time;
    [this.main, this.between, this.ended, this.failure] = [null, null, null, null];
    [this.tables, this.#marks] = [[], []];
    return "state";
  }

  _progress({ time, stage, done, total, unit }) {
    if (this.main && MAIN_STAGES.has(this.main.stage) && !MAIN_STAGES.has(stage)) {
      this.between = done < total ? { stage, done, total, unit } : null;
      return "progress";
    }
    if (this.main?.stage !== stage || done < (this.#marks.at(-1)?.done ?? 0)) {
      this.#marks = [];
    }
    this.main = { stage, done, total, unit };
    this.between = null;
    this.#marks.push({ time, done });
    while (this.#marks.length > 2 && this.#marks[1].time <= time - RATE_SECONDS) {
      this.#marks.shift();
    }
    return "progress";
  }

  _loss({ step, epoch, value, learning_rates: rates, prior, prior_weight: weight }) {
    while (this.losses.length && this.losses.at(-1).step >= step) {
      this.losses.pop(); // the engine was killed, and went on from a state before this step
    }
    this.losses.push({ step, epoch: epoch + 1, value, rates, prior: prior ?? null, weight });
    return "losses";
  }

  _held_out({ step, epoch, value }) {
    this.heldOut = this.heldOut.filter((loss) => loss.step < step);
    this.heldOut.push({ step, epoch, value });
    return "losses";
  }

  _saved({ kind, path, step, epoch }) {
    const last = this.losses.at(-1);
    const isWithin = last?.step === step && last.epoch > epoch; // the epoch is not through yet
    if (kind === "network") {
      this.networks = [...this.networks.filter((file) => file.path !== path), { path, epoch, step, isWithin }];
      return "files";
    }
    if (kind === "state") {
      this.savedStep = step;
    }
    if (kind !== "picture" || !step) {
      return kind;
    }
    const key = `${epoch}-${step}`;
    const row = this.samples.get(key) ?? { epoch, step, isWithin, pictures: [] };
    const number = Number(/-(\d+)$/.exec(networkName(path))?.[1] ?? row.pictures.length + 1);
    row.pictures = [...row.pictures.filter((picture) => picture.number !== number), { number, path }];
    row.pictures.sort((one, other) => one.number - other.number);
    this.samples.set(key, row);
    return "samples";
  }

  _notice({ time, message, level }) {
    this.notices.push({ time, message, level });
    return "notices";
  }

  _table({ title, columns, rows }) {
    this.tables.push({ title, columns, rows });
    return "tables";
  }

  _grid_plan(plan) {
    this.plan = plan;
    return "plan";
  }

  _cell(cell) {
    this.cells.set(`${cell.row}-${cell.column}`, cell);
    return "cells";
  }

  _failed({ time, message, details }) {
    [this.ended, this.failure] = [time, { message, details }];
    return "state";
  }

  _stopped({ time }) {
    this.ended = time;
    return "state";
  }

  _finished({ time, result }) {
    [this.ended, this.result, this.between] = [time, result, null];
    return "state";
  }
}
