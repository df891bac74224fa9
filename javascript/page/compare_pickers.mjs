// Controls of a comparison's form that list what is there: epochs of a run, checkpoints, samplers (see fields.mjs).

import { browse } from "./dialogs.mjs";
import { button, h, put, show } from "./dom.mjs";
import { checkpointControl } from "./fields.mjs";
import { networkName } from "./phrases.mjs";
import { fileName, moment } from "./words.mjs";

/** What runs and checkpoints there are; read once for all controls, again by `load`. */
export class Sources {
  constructor(context) {
    Object.assign(this, { context, runs: [], checkpoints: [], samplers: [], folders: {}, listeners: new Set() });
  }

  async load() {
    const [{ runs }, told] = await Promise.all([
      this.context.api.get(this.context.route("runs")),
      this.context.api.get("checkpoints"),
    ]);
    this.runs = runs;
    Object.assign(this, { checkpoints: told.checkpoints, samplers: told.samplers, folders: told.folders });
    this.listeners.forEach((listener) => listener());
  }

  /** Trainings that saved networks, the newest first. */
  get trainings() {
    return this.runs.filter((run) => run.step === "train" && run.networks.length);
  }

  /** The run that saved a network; undefined where none of this project did. */
  runOf(network) {
    return this.trainings.find((run) => run.networks.some((file) => file.path === network));
  }
}

/** The controls by the options' paths; `model()` is the checkpoint chosen now, which is no further one. */
export function comparePickers(sources, model) {
  const further = ({ checkpoints }) => checkpoints.filter(({ path }) => path !== model());
  const models = (told) => further(told).map(({ path, title }) => ({ value: path, label: title }));
  const samplers = (told) => told.samplers.map((name) => ({ value: name, label: name }));
  return {
    model: checkpointControl,
    models: ticksControl(sources, models, "No further checkpoint is in the list."),
    networks: networksControl(sources),
    samplers: ticksControl(sources, samplers, "The samplers are not known yet."),
  };
}

/** The networks: a run's epochs to tick, and other files. */
function networksControl(sources) {
  return (option, id, context, changed) => new Networks(sources, option, id, context, changed);
}

class Networks {
  constructor(sources, option, id, context, changed) {
    Object.assign(this, { sources, option, id, context, changed, chosen: [], run: null });
    this.input = h("select", { id, class: "trainer-input", onchange: () => this.pickRun(this.input.value) });
    this.epochs = h("div", { class: "trainer-checks trainer-epochs", role: "group", "aria-label": "Epochs" });
    const every = (label, keep) => button(label, () => this.tick(keep), { kind: "plain" });
    this.quick = h(
      "div",
      { class: "trainer-row" },
      every("All", () => true),
      every("Every 2nd", (place, count) => (count - 1 - place) % 2 === 0),
      every("Last 3", (place, count) => place >= count - 3),
      every("None", () => false),
    );
    this.others = h("div", { class: "trainer-column" });
    const add = button("Add another LoRA…", () => this.add());
    this.element = h(
      "div",
      { class: "trainer-column" },
      this.input,
      this.epochs,
      this.quick,
      this.others,
      h("div", {}, add),
    );
    sources.listeners.add(() => this.draw());
    this.draw();
  }

  read() {
    return this.chosen.length || !this.option.required ? [...this.chosen] : undefined;
  }

  write(value) {
    this.chosen = Array.isArray(value) ? [...value] : [];
    this.run = this.chosen.map((path) => this.sources.runOf(path)?.id).find(Boolean) ?? this.run;
    this.draw();
  }

  refresh() {
    this.draw();
  }

  files() {
    const run = this.sources.trainings.find((each) => each.id === this.run);
    return (run?.networks ?? []).filter((file) => file.exists);
  }

  draw() {
    const { trainings } = this.sources;
    this.run = trainings.some((run) => run.id === this.run)
      ? this.run
      : (this.chosen.map((path) => this.sources.runOf(path)?.id).find(Boolean) ?? trainings[0]?.id ?? null);
    const entries = trainings.map((run) =>
      h("option", { value: run.id }, `${run.name || run.id} · ${moment(run.created)}`),
    );
    put(this.input, entries.length ? entries : h("option", { value: "" }, "No training has saved a network yet"));
    this.input.value = this.run ?? "";
    const files = this.files();
    put(
      this.epochs,
      files.map((file) => this.box(file)),
    );
    show(this.quick, files.length > 1);
    const listed = new Set(files.map((file) => file.path));
    put(
      this.others,
      this.chosen.filter((path) => !listed.has(path)).map((path) => this.other(path)),
    );
  }

  box({ path, epoch, step }) {
    const input = h("input", {
      type: "checkbox",
      class: "trainer-check",
      checked: this.chosen.includes(path),
      onchange: () => this.toggle(path, input.checked),
    });
    const isBetween = /-s\d+$/.test(networkName(path));
    return h("label", { class: "trainer-ticked", title: path }, input, isBetween ? `step ${step}` : `epoch ${epoch}`);
  }

  other(path) {
    const remove = button("×", () => this.toggle(path, false), {
      kind: "plain",
      "aria-label": `Remove ${fileName(path)}`,
    });
    return h(
      "div",
      { class: "trainer-row", title: path },
      h("span", { class: "trainer-file trainer-grow" }, fileName(path)),
      remove,
    );
  }

  /** Networks of the run in their own order, then the others. */
  set(paths) {
    const order = this.files().map((file) => file.path);
    this.chosen = [...order.filter((path) => paths.includes(path)), ...paths.filter((path) => !order.includes(path))];
    this.draw();
    this.changed();
  }

  toggle(path, isWanted) {
    this.set(isWanted ? [...this.chosen, path] : this.chosen.filter((other) => other !== path));
  }

  tick(keep) {
    const files = this.files().map((file) => file.path);
    const others = this.chosen.filter((path) => !files.includes(path));
    this.set([...files.filter((_, place) => keep(place, files.length)), ...others]);
  }

  pickRun(id) {
    const before = this.files().map((file) => file.path);
    const others = this.chosen.filter((path) => !before.includes(path));
    this.run = id;
    this.set([...this.files().map((file) => file.path), ...others]);
  }

  async add() {
    const path = await browse(this.context, {
      start: this.sources.folders.lora ?? "",
      title: "Choose a LoRA",
      files: [".safetensors", ".ckpt", ".pt"],
    });
    if (path !== null && !this.chosen.includes(path)) {
      this.set([...this.chosen, path]);
    }
  }
}

/** Things of a list to tick: `entries(sources)` gives [{value, label}]. */
function ticksControl(sources, entries, none) {
  return (option, id, context, changed) => {
    let chosen = [];
    const input = h("div", { id, class: "trainer-checks", role: "group", "aria-label": option.label });
    const box = ({ value, label }) => {
      const tick = h("input", {
        type: "checkbox",
        class: "trainer-check",
        checked: chosen.includes(value),
        onchange: () => {
          chosen = tick.checked ? [...chosen, value] : chosen.filter((other) => other !== value);
          changed();
        },
      });
      return h("label", { class: "trainer-ticked", title: value }, tick, label);
    };
    const draw = () => {
      const listed = entries(sources);
      const odd = chosen
        .filter((value) => !listed.some((entry) => entry.value === value))
        .map((value) => ({ value, label: fileName(value) }));
      put(
        input,
        [...listed, ...odd].map(box),
        !listed.length && !odd.length && h("span", { class: "trainer-quiet" }, none),
      );
    };
    sources.listeners.add(draw);
    draw();
    return {
      element: input,
      input,
      read: () => (chosen.length || !option.required ? [...chosen] : undefined),
      write(value) {
        chosen = Array.isArray(value) ? [...value] : [];
        draw();
      },
    };
  };
}
