// What a training will be, before it starts: steps, sizes, files, memory and time, as the engine works it out.

import { button, h, put, say, show } from "./dom.mjs";
import { bytes, counted, duration, number } from "./words.mjs";

const INTRODUCTION = "How many steps, which files, how long: worked out from your pictures before anything starts.";
const LOOK_MILLISECONDS = 500;
const STALE = "The settings have changed since this plan.";
const SHOWN_SIZES = 6;
const ENDINGS = new Set(["finished", "failed", "stopped", "interrupted", "vanished"]);

/**
 * `settings`: config() -> the train configuration, complain(error) for what the server refuses. `element` shows the plan.
 */
export class PlanPanel {
  constructor(context, settings) {
    Object.assign(this, { context, settings, turn: 0, planned: null, isEnded: false });
    this.state = h("p", { class: "trainer-quiet", role: "status" });
    this.body = h("div", { class: "trainer-plan-body" });
    this.again = button("Work out the plan", () => this.make(), { id: "trainer-plan-make" });
    const head = h("div", { class: "trainer-row trainer-plan-head" }, h("h2", {}, "Plan"), this.again);
    this.element = h("div", { class: "trainer-plan", id: "trainer-plan" }, head, this.state, this.body);
    this.stale();
  }

  /** Whether the plan shown is of the settings as they are. */
  get isFresh() {
    return this.planned !== null && this.planned === JSON.stringify(this.settings.config());
  }

  /** Says where the plan stands; called after each change of the settings. */
  stale() {
    const isOld = this.planned !== null && !this.isFresh;
    this.body.classList.toggle("trainer-stale", isOld);
    show(this.again, !this.isMaking && !this.isFresh);
    if (this.isMaking) return;
    say(this.again, this.planned || this.isRefused ? "Work it out again" : "Work out the plan");
    say(this.state, isOld ? STALE : this.planned || this.isRefused ? "" : INTRODUCTION);
  }

  end() {
    this.isEnded = true;
    this.turn += 1;
  }

  /** Works the plan out anew; answers whether that went well. */
  async make() {
    const turn = ++this.turn;
    const config = this.settings.config();
    this.isMaking = true;
    this.isRefused = false;
    this.stale();
    say(this.state, "Looking through the pictures…");
    try {
      const run = await this.context.api.post(this.context.route("runs"), { step: "plan", config });
      const result = await this.wait(run, turn);
      if (turn !== this.turn) return false;
      this.planned = JSON.stringify(config);
      put(this.body, drawPlan(result));
      return true;
    } catch (error) {
      if (turn === this.turn) this.refused(error);
      return false;
    } finally {
      if (turn === this.turn) {
        this.isMaking = false;
        this.stale();
      }
    }
  }

  refused(error) {
    this.planned = null;
    this.isRefused = true;
    const isInForm = error.complaints?.length > 0 && this.settings.complain(error) > 0;
    const sentence = isInForm ? "The plan waits until the options marked in the form are mended." : error.message;
    put(this.body, h("p", { class: isInForm ? "trainer-quiet" : "trainer-error", role: "alert" }, sentence));
  }

  async wait(run, turn) {
    let after = 0;
    while (turn === this.turn) {
      const told = await this.context.api.look(this.context.route("runs", run.id, "events"), { after });
      after = told.next;
      for (const event of told.events) {
        if (event.event === "finished") return event.result;
        if (event.event === "failed") throw new Error(event.message);
        if (event.event === "progress" && turn === this.turn) say(this.state, progressWords(event));
      }
      if (ENDINGS.has(told.state)) throw new Error(told.run?.message || "The plan was interrupted; try again.");
      await new Promise((resume) => setTimeout(resume, LOOK_MILLISECONDS));
    }
    return null;
  }
}

function progressWords(event) {
  return event.total ? `${event.stage}: ${number(event.done)} of ${number(event.total)} ${event.unit}` : event.stage;
}

/** The plan's elements. */
function drawPlan(plan) {
  return [
    h("p", { class: "trainer-sum" }, sum(plan)),
    facts(plan),
    (plan.remarks ?? []).map((remark) => h("p", { class: "trainer-remark" }, remark)),
    buckets(plan.buckets ?? []),
    files(plan),
  ];
}

function sum(plan) {
  const { pictures, repeats, epochs, steps } = plan;
  const times = (count, word) => (count === null || count === undefined ? [] : [" × ", h("strong", {}, counted(count, word))]);
  const shown = pictures * (repeats ?? 1) * epochs;
  const isStepEach = shown === steps;
  const result = isStepEach || !Number.isInteger(repeats) ? [] : [` = ${counted(shown, "picture")} shown, in`];
  const first = h("strong", {}, counted(pictures, "picture"));
  const last = h("strong", {}, counted(steps, "step"));
  return [first, times(repeats, "repeat"), times(epochs, "epoch"), result.length ? result : " =", " ", last];
}

function facts(plan) {
  const captions = Number.isFinite(plan.captioned) ? `${number(plan.captioned)} of ${number(plan.pictures)} pictures` : "";
  const free = Number.isFinite(plan.bytes_free) ? `, ${bytes(plan.bytes_free)} are free` : "";
  const pairs = [
    ["Steps in an epoch", number(plan.steps_per_epoch)],
    ["With a caption", captions],
    ["Time", plan.seconds_said || (Number.isFinite(plan.seconds) ? `about ${duration(plan.seconds)}` : "")],
    ["Memory", plan.memory_said || (Number.isFinite(plan.memory_bytes) ? `about ${bytes(plan.memory_bytes)}` : "")],
    ["Disk", `${bytes(plan.bytes_total)} for the files${free}`],
  ];
  const rows = pairs.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
  return h("dl", { class: "trainer-facts-list" }, rows);
}

function buckets(list) {
  if (!list.length) return null;
  const rows = list.map((bucket) => h("tr", {},
    h("td", {}, bucket.size.join(" × ")),
    h("td", { class: "trainer-number" }, number(bucket.pictures)),
    h("td", { class: "trainer-number" }, number(bucket.in_epoch))));
  const heads = ["Size", "Pictures", "In an epoch"].map((head, index) => h("th", { scope: "col", class: index && "trainer-number" }, head));
  return h("details", { class: "trainer-plan-part", open: list.length <= SHOWN_SIZES },
    h("summary", {}, counted(list.length, "picture size")),
    h("table", { class: "trainer-table" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows)));
}

function files(plan) {
  const list = plan.files ?? [];
  if (!list.length) return null;
  const rows = list.map((file) => h("tr", {}, h("td", {}, file.name), h("td", { class: "trainer-number" }, bytes(file.bytes))));
  return h("details", { class: "trainer-plan-part" },
    h("summary", {}, `${counted(list.length, "file")}, ${bytes(list.reduce((all, file) => all + file.bytes, 0))}`),
    h("p", { class: "trainer-quiet" }, `into ${plan.folder}`),
    h("table", { class: "trainer-table" }, h("tbody", {}, rows)));
}
