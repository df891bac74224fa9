// The engine's set-up: what is missing, the button, live stages with time left, and what to do when it fails.

import { Poll } from "./api.mjs";
import { button, h, put, say, show } from "./dom.mjs";
import { Form } from "./form.mjs";
import { duration, left, number, Pace } from "./words.mjs";

const ABSENT =
  "The trainer's engine is not set up yet. It is downloaded once, about 1 to 5 GB, into the trainer's own folder; " +
  "nothing else on this computer is changed. Until then everything works but looking through pictures and starting.";
const OUTDATED = "The trainer's engine belongs to another version of the trainer and has to be brought up to date.";
const WORKING = "Setting up the trainer's engine";
const STOPPED = "The set-up was stopped; nothing half-done will be used.";

/** Hidden while the engine is ready. `update(now)` after each look at the server. */
export class EngineBanner {
  constructor(context) {
    this.context = context;
    this.kind = "";
    this.poll = null;
    this.element = h("div", { id: "trainer-engine", class: "trainer-banner trainer-engine", hidden: true });
    this.forget();
  }

  forget() {
    this.next = 0;
    this.pace = new Pace();
    this.last = { progress: null, notice: "", failure: null, began: null, isStopped: false };
  }

  update(now) {
    if (now.setup === "running") {
      this.follow();
    } else if (now.setup === "failed" && !this.last.failure && !this.poll) {
      this.follow();
    } else if (!this.poll) {
      this.draw(now.engine.status === "ready" ? "" : now.setup === "failed" ? "failed" : now.engine.status);
    }
  }

  follow() {
    if (this.poll) return;
    this.forget();
    this.poll = new Poll(() => this.look(), 1);
  }

  async look() {
    const { events, next, state } = await this.context.api.look("setup/events", { after: this.next });
    this.next = next;
    events.forEach((event) => this.hear(event));
    if (state === "running") {
      this.draw("running");
      this.showProgress();
      return;
    }
    this.poll.stop();
    this.poll = null;
    this.settle(state);
  }

  settle(state) {
    if (state === "finished") this.context.toast("The engine is ready.");
    if (state === "stopped") this.context.toast(STOPPED);
    this.kind = "?"; // drawn anew, whatever stands there
    if (state === "failed") {
      this.last.failure ??= { message: "The set-up failed.", details: "" };
      this.draw("failed");
    } else {
      this.context.askNow();
    }
  }

  hear(event) {
    this.last.began ??= event.time;
    if (event.event === "progress") {
      this.last.progress = event;
      this.last.seconds = this.pace.seconds(event, event.time);
    } else if (event.event === "notice") {
      this.last.notice = event.message;
    } else if (event.event === "failed") {
      this.last.failure = event;
    }
  }

  draw(kind) {
    if (kind === this.kind) return;
    this.kind = kind;
    const parts = { absent: () => this.offer(ABSENT, "Set up now"), outdated: () => this.offer(this.outdated(), "Update now"),
      running: () => this.work(), failed: () => this.failed() };
    put(this.element, parts[kind]?.() ?? []);
    this.element.classList.toggle("trainer-banner-error", kind === "failed");
    show(this.element, Boolean(parts[kind]));
  }

  outdated() {
    return this.context.now.engine.message || OUTDATED;
  }

  offer(sentence, label) {
    const act = button(label, () => this.begin(), { kind: "primary", id: "trainer-setup-start" });
    return [h("div", { class: "trainer-row" }, h("p", { class: "trainer-grow" }, sentence), act), this.options()];
  }

  /** The same form at each attempt, so that what was filled in is still there. */
  options() {
    if (this.folded) return this.folded;
    this.form = new Form(this.context.about.engine_options ?? [], { id: "setup", context: this.context });
    const heading = h("summary", {}, "Options: an address for your graphics card's torch, a folder of wheels, a Python of yours");
    this.folded = h("details", { class: "trainer-engine-options" }, heading, this.form.element);
    return this.folded;
  }

  work() {
    this.stage = h("span", { class: "trainer-grow" });
    this.bar = h("progress", { class: "trainer-bar", "aria-label": WORKING });
    this.notice = h("p", { class: "trainer-quiet" });
    const stop = button("Cancel", () => this.stop(), { id: "trainer-setup-stop" });
    const line = h("div", { class: "trainer-row" }, h("strong", {}, WORKING), this.stage, stop);
    return [line, this.bar, this.notice];
  }

  showProgress() {
    const { progress, notice, began, seconds } = this.last;
    const parts = [];
    if (progress) {
      parts.push(progress.stage);
      if (progress.total) parts.push(`${number(progress.done)} of ${number(progress.total)} ${progress.unit}`.trim());
      if (Number.isFinite(seconds) && progress.done < progress.total) parts.push(`${left(seconds)} left for this`);
    }
    if (began) parts.push(`${duration(Date.now() / 1000 - began)} so far`);
    say(this.stage, parts.join(" · "));
    say(this.notice, notice);
    if (progress?.total) {
      this.bar.max = progress.total;
      this.bar.value = progress.done;
    } else {
      this.bar.removeAttribute("value");
    }
  }

  failed() {
    const { message, details } = this.last.failure ?? { message: "The set-up failed.", details: "" };
    const [sentence, ...rest] = message.split("\n");
    const lines = [...rest, ...(details ?? "").split("\n")].map((line) => line.trim()).filter(Boolean).join("\n");
    const act = button("Try again", () => this.begin(), { kind: "primary", id: "trainer-setup-start" });
    const line = h("div", { class: "trainer-row" }, h("p", { class: "trainer-grow", role: "alert" }, sentence), act);
    return [line, lines ? h("pre", {}, lines) : null, this.options()];
  }

  async begin() {
    try {
      await this.context.api.post("setup", { options: this.form?.values() ?? {} });
      this.follow();
      this.context.askNow();
    } catch (error) {
      if (error.complaints?.length) this.form.setComplaints(error.complaints, { all: true, scroll: true });
      else this.context.tell(error);
    }
  }

  async stop() {
    await this.context.api.post("setup/stop").catch((error) => this.context.tell(error));
  }
}
