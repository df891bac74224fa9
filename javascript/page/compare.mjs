// The stop Compare: what to draw, how long that takes, the grid as it is made, and the choice of an epoch.

import { RunBar } from "./bar.mjs";
import { Changes } from "./changes.mjs";
import { comparePickers, Sources } from "./compare_pickers.mjs";
import { button, debounced, h, say, show } from "./dom.mjs";
import { Earlier } from "./earlier.mjs";
import { Follower, hasEnded } from "./follow.mjs";
import { Form } from "./form.mjs";
import { Grid } from "./grid.mjs";
import { folded, Notices } from "./report.mjs";
import { dropEmpty, suggested } from "./suggestions.mjs";
import { useNetwork } from "./using.mjs";
import { counted, duration, isAtWork } from "./words.mjs";

const QUIET_MILLISECONDS = 500;

export function compareStop(context) {
  return new CompareStop(context);
}

class CompareStop {
  constructor(context) {
    this.context = context;
    this.chosen = new Set();
    this.sources = new Sources(context);
    this.sources.listeners.add(() => this.showEarlier());
    this.bar = new RunBar({ id: "trainer-compare-bar" });
    this.notices = new Notices();
    const isWatched = () => this.element.getClientRects().length > 0;
    this.follower = new Follower(context, () => this.drawn(), { isWatched });
    this.grid = new Grid(context, {
      onUse: (network, strength) => this.use(network, strength),
      isChosen: (network) => this.chosen.has(network),
    });
    this.grid.follower = () => this.follower.record;
    this.planSoon = debounced(() => this.askPlan(), QUIET_MILLISECONDS);
    this.form = this.makeForm();
    this.element = this.layout();
    this.changes = new Changes((now) =>
      [now.running, now.queue].map((runs) => runs.map((run) => [run.id, run.state, run.networks.length])),
    );
    this.unsubscribe = context.onNow((now) => this.look(now));
  }

  makeForm() {
    const { sources, context } = this;
    const pickers = comparePickers(sources, () => this.form?.values().model);
    return new Form(context.about.steps.compare.options, {
      id: "compare",
      context,
      pickers,
      skip: ["output"],
      onChange: () => this.changed(),
    });
  }

  layout() {
    this.plan = h("p", { class: "trainer-compare-plan trainer-grow", role: "status", id: "trainer-compare-plan" });
    const act = (what) => () => this.follower.ask(what).catch((error) => this.context.tell(error));
    this.buttons = {
      start: button("Start", () => this.start(), { kind: "primary", id: "trainer-compare-start" }),
      stop: button("Stop", act("stop"), { kind: "danger", id: "trainer-compare-stop" }),
      cancel: button("Cancel", act("cancel"), { id: "trainer-compare-cancel" }),
      resume: button("Resume", act("resume"), { id: "trainer-compare-resume" }),
    };
    this.earlier = new Earlier((id) => this.open(id));
    this.again = button("Use its settings", () => this.takeSettings(), { id: "trainer-compare-settings" });
    this.fold = folded("What to draw", [this.form.searchBox(), this.form.element], {
      open: true,
      id: "trainer-compare-fold",
    });
    const start = h("div", { class: "trainer-row trainer-card" }, this.plan, this.buttons.start);
    this.past = h(
      "div",
      { class: "trainer-row" },
      h("h3", {}, "Comparison"),
      h("div", { class: "trainer-grow" }, this.earlier.element),
      this.again,
      this.buttons.resume,
      this.buttons.cancel,
      this.buttons.stop,
    );
    this.shown = h(
      "section",
      { class: "trainer-card trainer-column", hidden: true },
      this.past,
      this.bar.element,
      this.grid.element,
      this.notices.element,
    );
    return h("div", { class: "trainer-column trainer-compare" }, this.fold, start, this.shown);
  }

  /** Opens the stop; `wish` may bring {config}, {networks, run}, or {comparison: run id}. */
  async show(wish) {
    this.isShown = true;
    if (this.context.form.comparison) {
      this.follower.follow(this.context.form.comparison);
    }
    this.form.element.inert = true; // what is typed before it is filled would be lost
    try {
      await this.sources.load();
      await this.readChosen();
      await this.fill(wish);
    } catch (error) {
      this.context.tell(error);
    }
    this.form.element.inert = false;
    if (wish?.comparison) {
      this.open(wish.comparison);
    }
    this.drawn();
  }

  hide() {
    this.isShown = false;
    this.follower.pause();
  }

  end() {
    this.unsubscribe();
    this.follower.end();
    this.planSoon.cancel();
  }

  look(now) {
    if (this.changes.differs(now, false) && this.isShown) {
      this.sources.load().catch(() => {}); // the page says where the server is away
      this.planSoon(); // a comparison that ended tells how long the next one takes
    }
  }

  async fill(wish) {
    const kept = this.context.form.compare;
    const hasWish = wish?.config || wish?.networks;
    let config = wish?.config ?? kept ?? {};
    const newest = config.networks?.length ? null : this.sources.trainings[0]?.id;
    const run = wish?.run ?? this.sources.runOf(wish?.networks?.[0])?.id ?? newest;
    if (!hasWish && !run && this.isFilled && JSON.stringify(kept ?? {}) === JSON.stringify(this.form.values())) {
      return;
    }
    if (run) {
      config = { ...(await suggested(this.context, this.sources, run)), ...dropEmpty(config) };
    }
    if (wish?.networks) {
      config.networks = wish.networks;
    }
    if (run && wish?.networks) {
      config.model = (await suggested(this.context, this.sources, run)).model ?? config.model;
    }
    delete config.output;
    this.form.fill(config);
    this.isFilled = true;
    this.fold.open = this.fold.open || Boolean(hasWish);
    if (hasWish) {
      this.keep();
    }
    this.askPlan();
  }

  changed() {
    this.keep();
    say(this.plan, "…");
    this.planSoon();
  }

  keep() {
    this.context.form.compare = this.form.values();
    this.context.save();
  }

  /** Ask what would be drawn, and show that, or the complaints in their places. */
  async askPlan() {
    this.planSoon.cancel();
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const config = this.form.values();
    try {
      const { rows, columns, total, seconds } = await this.context.api.post(this.context.route("compare", "plan"), {
        config,
      });
      if (turn === this.turn) {
        const time =
          seconds === null || seconds === undefined
            ? "how long that takes is known after the first comparison"
            : `about ${duration(seconds)}`;
        say(this.plan, `${counted(total, "picture")}: ${counted(rows.length, "row")} of ${columns.length}, ${time}.`);
        this.form.setComplaints([]);
        this.canStart(true);
      }
    } catch (error) {
      if (turn === this.turn) {
        this.complain(error);
      }
    }
  }

  complain(error, isAsked = false) {
    const complaints = error.complaints ?? [];
    const shown = this.form.setComplaints(complaints, { all: isAsked, scroll: isAsked });
    const missing =
      complaints.length && !shown
        ? "Fill in what is marked as needed, to see how much that will be."
        : "Something above has to be mended first.";
    say(this.plan, complaints.length ? missing : error.message);
    this.canStart(complaints.length > 0); // pressing it then shows every complaint
  }

  canStart(isPossible) {
    this.buttons.start.disabled = !isPossible;
  }

  async start() {
    try {
      const run = await this.context.api.post(this.context.route("runs"), {
        step: "compare",
        config: this.form.values(),
      });
      this.fold.open = false;
      this.open(run.id);
      await this.sources.load();
      this.shown.scrollIntoView({ block: "start", behavior: "smooth" });
    } catch (error) {
      if (error.complaints?.length) {
        this.complain(error, true);
      } else {
        this.context.tell(error);
      }
    }
  }

  open(id) {
    this.context.form.comparison = id;
    this.context.save();
    this.follower.follow(id);
    this.showEarlier();
  }

  takeSettings() {
    const { output, ...config } = this.follower.config;
    this.form.fill(config);
    this.fold.open = true;
    this.changed();
    this.fold.scrollIntoView({ block: "start", behavior: "smooth" });
  }

  showEarlier() {
    const { id, run } = this.follower;
    const count = this.earlier.update(this.sources.runs, id, run);
    show(this.shown, Boolean(id) || count > 0);
  }

  drawn() {
    const { follower } = this;
    const { run } = follower;
    show(this.bar.element, Boolean(run));
    show(this.grid.element, Boolean(follower.record.plan));
    const can = {
      stop: Boolean(run) && isAtWork(run),
      cancel: run?.state === "queued",
      resume: Boolean(run?.resumable),
    };
    for (const [name, isPossible] of Object.entries(can)) {
      show(this.buttons[name], isPossible);
    }
    this.buttons.stop.disabled = run?.state === "stopping";
    this.again.disabled = !follower.config;
    this.notices.update(follower);
    if (run) {
      this.bar.update(follower);
      this.grid.update(follower);
      if (hasEnded(run) && this.ended !== `${run.id} ${run.state}`) {
        this.ended = `${run.id} ${run.state}`;
        this.sources.load().catch(() => {}); // only the list of comparisons would be old
      }
    }
    this.showEarlier();
  }

  async readChosen() {
    const { chosen } = await this.context.api.get(this.context.route("chosen"));
    this.chosen = new Set(Object.values(chosen).map(({ network }) => network));
    if (this.grid.plan) {
      this.grid.mark();
    }
  }

  async use(network, strength) {
    if (await useNetwork(this.context, { network, strength, run: this.sources.runOf(network)?.id })) {
      await this.readChosen();
    }
  }
}
