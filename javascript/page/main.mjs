// The page: five stops, the project they belong to, and what every stop shares, the context.

import { Api, ApiError, path, Poll } from "./api.mjs";
import { Autosave } from "./autosave.mjs";
import { Banners } from "./banners.mjs";
import { clear, h, put } from "./dom.mjs";
import { ProjectPicker } from "./projects.mjs";
import { Tabs } from "./tabs.mjs";
import { Toasts } from "./toasts.mjs";
import { isAtWork, left, Pace } from "./words.mjs";

const STOPS = [
  { id: "pictures", title: "Pictures", isStep: true, hint: "Choose pictures, look them over, prepare them",
    load: async () => (await import("./pictures.mjs")).picturesStop },
  { id: "train", title: "Train", isStep: true, hint: "Choose what to train and how, see the plan, start",
    load: async () => (await import("./train.mjs")).trainStop },
  { id: "progress", title: "Progress", isStep: true, hint: "Follow a training: loss, samples, files",
    load: async () => (await import("./progress.mjs")).progressStop },
  { id: "compare", title: "Compare", isStep: true, hint: "Draw the same pictures with each epoch and choose the best",
    load: async () => (await import("./compare.mjs")).compareStop },
  { id: "runs", title: "Runs", isStep: false, hint: "All runs of this project, and the queue",
    load: async () => (await import("./runs.mjs")).runsStop },
];
const PROJECT_KEY = "trainer-project";
const FIRST_PROJECT = "first";
const RETRY_MILLISECONDS = 1000;
const LONGEST_MILLISECONDS = 10000;

/** Loads the stops beforehand; one that fails is asked for again when it is opened. */
export function prepare() {
  for (const stop of STOPS) stop.load().catch(() => {});
}

/** Draws the page into `root` and keeps it alive; `stop()` of what it answers ends it. */
export function start(root) {
  const page = new Page(root);
  page.begin();
  return page;
}

class Page {
  constructor(root) {
    this.root = root;
    this.api = new Api();
    this.toasts = new Toasts();
    this.stops = new Map();
    this.opened = null;
    this.wish = null;
    this.autosave = null;
    this.listeners = new Set();
    this.paces = new Map();
    this.isStopped = false;
    this.tabs = new Tabs(STOPS, (id) => this.go(id));
    this.picker = new ProjectPicker(this.api, (name) => this.changeProject(name));
    this.context = this.makeContext();
    this.picker.context = this.context;
    this.banners = new Banners(this.context);
    const head = h("div", { class: "trainer-head" }, this.tabs.row, this.picker.element);
    this.element = h("div", { id: "trainer" }, head, this.banners.element, this.tabs.body, this.toasts.element);
  }

  makeContext() {
    const page = this;
    return {
      api: this.api,
      about: null,
      project: "",
      now: { engine: { status: "ready", message: "" }, setup: "idle", running: [], queue: [], notes: [] },
      get host() { return this.about?.host ?? "page"; },
      get form() { return page.autosave?.form ?? {}; },
      get run() { return this.form.run ?? null; },
      set run(id) {
        if (this.form.run === id) return;
        this.form.run = id;
        this.save();
      },
      route: (...words) => path("projects", page.context.project, ...words),
      save: () => page.autosave?.save(),
      flush: () => page.autosave?.save.now(),
      go: (stop, argument) => page.go(stop, argument),
      onNow: (listener) => page.onNow(listener),
      askNow: () => page.poll?.soon(),
      toast: (sentence, kind, action) => page.toasts.say(sentence, kind, action),
      tell: (error) => page.tell(error),
      secondsLeft: (run) => page.secondsLeft(run),
      get page() { return page.element; },
    };
  }

  async begin() {
    put(this.root, this.element);
    prepare();
    let pause = RETRY_MILLISECONDS;
    while (!this.isStopped) {
      try {
        [this.context.about] = await Promise.all([this.api.look("about"), this.picker.load()]);
        await this.changeProject(this.picker.has(remembered()) ?? this.picker.first ?? FIRST_PROJECT);
        break;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        this.banners.trouble(error);
        await new Promise((resume) => setTimeout(resume, pause));
        pause = Math.min(2 * pause, LONGEST_MILLISECONDS);
      }
    }
    if (this.isStopped) return;
    this.banners.begin();
    const isWatched = () => this.root.getClientRects().length > 0;
    this.poll = new Poll(() => this.look(), this.context.about.poll_seconds ?? 1, { isWatched });
  }

  stop() {
    this.isStopped = true;
    this.poll?.stop();
    this.closeStops();
    this.autosave?.end();
    clear(this.root);
  }

  async look() {
    const now = await this.api.look("now");
    this.context.now = now;
    for (const run of now.running) this.pace(run);
    this.showBadges(now);
    for (const listener of [...this.listeners]) listener(now);
    const seconds = Math.max(...now.running.filter(isAtWork).map((run) => this.secondsLeft(run)));
    const detail = { now, left: Number.isFinite(seconds) ? left(seconds) : "" };
    window.dispatchEvent(new CustomEvent("trainer-now", { detail }));
  }

  onNow(listener) {
    this.listeners.add(listener);
    listener(this.context.now);
    return () => this.listeners.delete(listener);
  }

  pace(run) {
    const key = `${run.project}/${run.id}`;
    if (!this.paces.has(key)) this.paces.set(key, { pace: new Pace(), seconds: NaN });
    const kept = this.paces.get(key);
    kept.seconds = run.progress ? kept.pace.seconds(run.progress) : NaN;
  }

  secondsLeft(run) {
    return this.paces.get(`${run.project}/${run.id}`)?.seconds ?? NaN;
  }

  showBadges(now) {
    const training = now.running.find((run) => run.project === this.context.project && run.step === "train");
    const isTraining = training?.progress?.unit === "steps"; // and not measuring or drawing before or between
    const { done, total } = isTraining ? training.progress : { done: 0, total: 0 };
    this.tabs.badge("progress", training ? (total ? `${Math.floor((100 * done) / total)} %` : "…") : "");
    this.tabs.badge("runs", now.queue.length ? `${now.queue.length} waiting` : "");
  }

  async changeProject(name) {
    const autosave = new Autosave(this.api, name, {
      onElsewhere: (form) => this.changedElsewhere(form),
      onError: (error) => this.banners.saving(error),
    });
    try {
      await autosave.load();
    } catch (error) {
      autosave.end();
      throw error;
    }
    await this.autosave?.end();
    this.closeStops();
    this.autosave = autosave;
    this.context.project = name;
    this.picker.choose(name);
    remember(name);
    const kept = STOPS.some((stop) => stop.id === autosave.form.open) ? autosave.form.open : STOPS[0].id;
    const { id, argument } = this.wish ?? { id: kept };
    this.wish = null;
    await this.go(id, argument);
  }

  changedElsewhere(form) {
    const reload = () => {
      this.closeStops();
      this.autosave.take(form);
      this.go(this.opened ?? STOPS[0].id);
    };
    this.banners.elsewhere(reload, () => this.autosave.save());
  }

  closeStops() {
    for (const stop of this.stops.values()) {
      stop.hide?.();
      stop.end?.();
    }
    this.stops.clear();
    this.tabs.empty();
    this.banners.forget();
  }

  /** Opens a stop; `argument` is for it alone. Before a project is there the wish is kept. */
  async go(id, argument) {
    if (!this.autosave) {
      this.wish = { id, argument };
      this.tabs.open(id);
      return;
    }
    const before = this.stops.get(this.opened);
    if (this.opened !== id) before?.hide?.();
    this.opened = id;
    this.tabs.open(id);
    if (this.context.form.open !== id) {
      this.context.form.open = id;
      this.context.save();
    }
    const stop = await this.stopOf(id);
    if (this.opened === id && this.stops.get(id) === stop) stop?.show?.(argument);
  }

  async stopOf(id) {
    if (this.stops.has(id)) return this.stops.get(id);
    const autosave = this.autosave;
    try {
      const make = await STOPS.find((stop) => stop.id === id).load();
      if (this.stops.has(id) || this.autosave !== autosave) return this.stops.get(id);
      const stop = make(this.context);
      this.stops.set(id, stop);
      this.tabs.fill(id, stop.element);
      return stop;
    } catch (error) {
      console.error("trainer:", error);
      const again = h("button", { type: "button", class: "trainer-button trainer-secondary", onclick: () => this.go(id) }, "Try again");
      this.tabs.fill(id, h("p", { class: "trainer-error" }, `This stop could not be shown (${error.message}). `, again));
      return null;
    }
  }

  tell(error) {
    if (!(error instanceof ApiError)) console.error("trainer:", error);
    this.toasts.say(error.message, "error");
  }
}

function remembered() {
  try {
    return localStorage.getItem(PROJECT_KEY);
  } catch {
    return null; // a browser that keeps nothing
  }
}

function remember(name) {
  try {
    localStorage.setItem(PROJECT_KEY, name);
  } catch {
    // then the first project opens next time
  }
}
