// The stop where a training is put together: preset, options, plan, start.

import { merged } from "./configs.mjs";
import { button, debounced, h, on, say, show } from "./dom.mjs";
import { checkpointControl } from "./fields.mjs";
import { Form } from "./form.mjs";
import { PlanPanel } from "./plan.mjs";
import { Presets } from "./presets.mjs";

const STEP = "train";
const INVITATION =
  "New here? The demo brings a small model and pictures of its own: it shows the whole way in a few minutes, without " +
  "a graphics card.";
const PLAN_MILLISECONDS = 1500;
const LARGEST_RECIPE = 2_000_000;

export function trainStop(context) {
  return new TrainStop(context);
}

class TrainStop {
  constructor(context) {
    this.context = context;
    this.complaints = null;
    this.isShown = false;
    this.planSoon = debounced(() => this.planNow(), PLAN_MILLISECONDS);
    this.form = new Form(context.about.steps[STEP].options, {
      id: STEP, context, step: STEP, pickers: { model: checkpointControl },
      onChange: () => this.changed(), onCheck: (complaints) => this.checked(complaints),
    });
    this.plan = new PlanPanel(context, {
      config: () => this.form.values(),
      complain: (error) => this.form.setComplaints(error.complaints, { all: true, scroll: true }),
    });
    this.presets = new Presets(context, { step: STEP, form: this.form, kept: this.kept(), changed: () => this.changed() });
    this.element = this.draw();
    this.stops = [context.onNow((now) => this.follow(now)), ...this.dropping()];
    this.form.fill(context.form.train ?? {});
    this.plan.stale();
  }

  /** Where the chosen preset is remembered. */
  kept() {
    this.context.form.presets ??= {};
    return (this.context.form.presets[STEP] ??= {});
  }

  draw() {
    const { context } = this;
    this.start = button("Start training", () => this.begin(), { kind: "primary", id: "trainer-start" });
    this.said = h("p", { class: "trainer-quiet", id: "trainer-start-said", role: "status" });
    const file = h("input", { type: "file", accept: ".json,.toml", hidden: true, id: "trainer-recipe-file" });
    on(file, "change", () => this.read(file.files[0]).finally(() => { file.value = ""; }));
    const open = button("Open a recipe…", () => file.click(), { title: "A .json or .toml file; it can also be dragged onto this page" });
    this.demo = button("Try it with the demo", () => this.tryDemo(), { id: "trainer-demo" });
    this.invitation = h("div", { class: "trainer-card trainer-invitation" },
      h("p", { class: "trainer-grow" }, INVITATION),
      this.demo);
    const head = h("div", { class: "trainer-row trainer-train-head" }, this.presets.element, open, file);
    this.drop = h("div", { class: "trainer-drop", hidden: true }, "Drop the recipe here to fill the form");
    const aside = h("aside", { class: "trainer-aside" },
      h("div", { class: "trainer-card trainer-column" }, this.plan.element, h("div", { class: "trainer-start" }, this.start, this.said)));
    const main = h("div", { class: "trainer-main trainer-column" }, this.invitation, head, this.form.searchBox(), this.form.element);
    return h("div", { class: "trainer-train" }, main, aside, this.drop);
  }

  show(argument) {
    this.isShown = true;
    if (argument?.config) this.presets.replace(argument.config, "The settings are filled in.");
    else this.form.refresh();
    this.invite();
    if (!this.plan.isFresh) this.planSoon();
  }

  hide() {
    this.isShown = false;
    this.planSoon.cancel();
  }

  end() {
    this.form.check.cancel();
    this.plan.end();
    this.stops.forEach((stop) => stop());
  }

  /** After a change, by the user or by a preset, recipe or run that was filled in. */
  changed() {
    this.complaints = null;
    this.plan.isRefused = false;
    this.context.form.train = this.form.values();
    this.context.save();
    this.plan.stale();
    this.invite();
    this.planSoon();
  }

  checked(complaints) {
    this.complaints = complaints;
    if (!complaints.length && !this.plan.isFresh) this.planSoon();
  }

  /** The plan works itself out once nothing stands against it, unless it would take power from a run. */
  planNow() {
    const { engine, running } = this.context.now;
    const mayBe = this.isShown && engine.status === "ready" && !running.length && !this.context.api.trouble;
    if (mayBe && this.complaints?.length === 0 && !this.plan.isFresh && !this.plan.isMaking && !this.plan.isRefused) this.plan.make();
  }

  invite() {
    show(this.invitation, !Object.keys(this.context.form.train ?? {}).length);
  }

  follow(now) {
    const isReady = now.engine.status === "ready";
    this.start.disabled = !isReady;
    this.plan.again.disabled = !isReady;
    const ahead = now.running.filter((run) => run.step !== "prepare").length + now.queue.length;
    if (!isReady) say(this.said, "Starting needs the engine; set it up above.");
    else say(this.said, ahead ? "Another run is at work: this one will wait its turn in the queue." : "");
    const mayPlan = isReady && !now.running.length;
    if (mayPlan && !this.couldPlan && this.isShown) this.planSoon();
    this.couldPlan = mayPlan;
  }

  async begin() {
    this.planSoon.cancel();
    try {
      const config = this.form.values();
      const run = await this.context.api.post(this.context.route("runs"), { step: STEP, config });
      const place = run.state === "queued" && (run.place_in_queue > 1 || this.context.now.running.length) ? run.place_in_queue : null;
      this.context.toast(place ? `Queued as number ${place}: it starts when its turn comes.` : "The training starts.");
      this.context.run = run.id;
      this.context.askNow();
      this.context.go("progress", run.id);
    } catch (error) {
      if (!error.complaints?.length) this.context.tell(error);
      else if (!this.form.setComplaints(error.complaints, { all: true, scroll: true })) this.context.tell(error);
    }
  }

  async tryDemo() {
    try {
      const { train, compare, pictures } = await this.context.api.post("demo");
      this.context.form.compare = compare;
      this.context.form.pictures = pictures;
      this.presets.replace(train, "The demo is filled in: look at the plan, then start.");
      this.form.refresh();
    } catch (error) {
      this.context.tell(error);
    }
  }

  dropping() {
    const hasFile = (event) => event.dataTransfer?.types.includes("Files");
    let depth = 0;
    const over = (change) => (event) => {
      if (!hasFile(event)) return;
      event.preventDefault();
      event.stopPropagation();
      depth = Math.max(0, depth + change);
      show(this.drop, depth > 0);
    };
    const dropped = (event) => {
      if (!hasFile(event)) return;
      event.preventDefault();
      event.stopPropagation(); // the WebUI would take it for a picture
      depth = 0;
      show(this.drop, false);
      this.read(event.dataTransfer.files[0]);
    };
    const pairs = [["dragenter", over(1)], ["dragleave", over(-1)], ["dragover", over(0)], ["drop", dropped]];
    return pairs.map(([type, listener]) => on(this.element, type, listener));
  }

  /** Fills the form from a recipe file; what must be given and is not in it stays as it was. */
  async read(file) {
    if (!file) return;
    if (file.size > LARGEST_RECIPE) {
      this.context.toast(`${file.name} is too large for a recipe; drop a .json or .toml file with settings.`, "error");
      return;
    }
    try {
      const data = { text: await file.text(), file_name: file.name };
      const recipe = await this.context.api.post(this.context.route("recipe"), data);
      await this.take(recipe, file.name);
    } catch (error) {
      const sentences = (error.complaints ?? []).map((complaint) => complaint.message);
      this.context.toast(`${file.name} is not filled in. ${sentences.join(" ") || error.message}`, "error");
    }
  }

  async take({ step, config }, name) {
    if (step && step !== STEP && step !== "plan") {
      this.context.toast(`${name} is a recipe for ${step}, not for training.`, "error");
      return;
    }
    this.presets.replace(merged(this.form.needed(), config), `${name} is filled in.`);
    await this.form.ask({ all: true, scroll: true });
  }
}
