// Follows one run by its events, from the first on: what is seen is the same after a reload.

import { ApiError, Poll } from "./api.mjs";
import { Record } from "./record.mjs";

const FULL = 2000; // events in one answer; more wait then
const SHOW_MILLISECONDS = 700; // while much is read at once, show it no oftener
const ENDED = new Set(["finished", "stopped", "failed", "interrupted", "vanished"]);

/** Whether a run in this state tells nothing more by itself. */
export function hasEnded(run) {
  return ENDED.has(run?.state);
}

/**
 * `onChange(changed)` is called after each answer: a set of what changed (see Record.take), "all" with the first.
 * `record` is what was told, `run` the run as the server sees it, `config` its settings; both null before they are known.
 */
export class Follower {
  constructor(context, onChange, { isWatched = () => true } = {}) {
    Object.assign(this, {
      context,
      onChange,
      isWatched,
      id: null,
      run: null,
      config: null,
      record: new Record(),
      poll: null,
    });
  }

  /** Follow this run from now on; null: none. */
  follow(id) {
    if (id !== this.id) {
      this.end();
      Object.assign(this, { id, run: null, config: null, record: new Record(), next: 0 });
    }
    if (this.poll) {
      this.poll.soon();
    } else if (id) {
      this.poll = new Poll(() => this.look(id), this.context.about.poll_seconds ?? 1, { isWatched: this.isWatched });
    }
  }

  /** Ask for something, such as "stop"; the answer is shown at once. */
  async ask(what, data = {}) {
    const id = this.id;
    const run = await this.context.api.post(this.context.route("runs", id, what), data);
    if (id === this.id) {
      this.run = run.state ? run : this.run;
      this.onChange(new Set(["state"]));
      this.poll?.soon();
    }
    this.context.askNow?.();
  }

  /** Ask no more until `follow` is called again; what was told is kept. */
  pause() {
    this.poll?.stop();
    this.poll = null;
  }

  /** Forget the run. */
  end() {
    this.pause();
    this.id = null;
  }

  async look(id) {
    const first = this.run === null;
    try {
      const told = await this.context.api.look(this.context.route("runs", id, "events"), { after: this.next });
      if (id !== this.id) {
        return undefined;
      }
      return this.take(told, first);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404 || id !== this.id) {
        throw error;
      }
      this.run = { ...this.run, id, state: "vanished", message: error.message, networks: [] };
      this.onChange(new Set(first ? ["all"] : ["state"]));
      return undefined;
    }
  }

  take({ events, next, state, run }, first) {
    if (next < this.next) {
      this.record = new Record(); // another run lies in that folder now
    }
    const changed = this.record.take(events);
    this.unshown?.forEach((what) => changed.add(what));
    const before = this.run;
    this.run = { ...run, state: state ?? run.state };
    this.next = next;
    if (first) {
      changed.add("all");
      this.readConfig(this.id);
    }
    const isFull = events.length >= FULL;
    const isTooSoon = isFull && !first && performance.now() - this.shown < SHOW_MILLISECONDS;
    this.unshown = isTooSoon ? changed : null;
    if (isTooSoon) {
      return "again";
    }
    if (first || changed.size || JSON.stringify(before) !== JSON.stringify(this.run)) {
      this.tell(changed, before);
      this.shown = performance.now();
    }
    return isFull ? "again" : undefined;
  }

  /** What could not be shown is shown with the next answer. */
  tell(changed, before) {
    try {
      this.onChange(changed);
    } catch (error) {
      this.run = before;
      this.unshown = changed;
      throw error;
    }
  }

  async readConfig(id) {
    try {
      const { config } = await this.context.api.get(this.context.route("runs", id));
      if (id === this.id) {
        this.config = config ?? {};
        this.onChange(new Set(["config"]));
      }
    } catch (error) {
      this.context.tell(error);
    }
  }
}
