// Asking the trainer's routes: JSON in, JSON or an ApiError out; and polling that outlives a server that is away.

const QUICK_MILLISECONDS = 4000;
const SLOW_MILLISECONDS = 60000;
const HIDDEN_SECONDS = 5;
const AWAY_PAUSE_SECONDS = 3;
const LONGEST_PAUSE_SECONDS = 10;
const LOG_IN = "You are not logged in. Log in, then reload this page.";
const AWAY = "The server does not answer.";
const SLOW = "The server takes very long to answer; try again.";

/** A request that was refused or not answered; `status` is 0 where nothing answered. `message` is for the user. */
export class ApiError extends Error {
  constructor(message, status, complaints = []) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.complaints = complaints;
  }

  /** Whether the server is away, so that asking again later may do. */
  get isAway() {
    return this.status === 0 || (this.status >= 502 && this.status <= 504);
  }
}

/** The address part of these words: `path("projects", "my cat", "runs")` is `projects/my%20cat/runs`. */
export function path(...words) {
  return words.map((word) => encodeURIComponent(word)).join("/");
}

/** The routes under `<base>/trainer/api/`, wherever this script itself came from: that base may be a sub-path. */
export class Api {
  constructor(base = new URL("../api/", import.meta.url)) {
    this.base = base;
    this.listeners = new Set();
    this.trouble = null;
  }

  /** The full address of a route, for pictures: `address(path("projects", P, "runs", R, "thumb"), {n: 3})`. */
  address(route, query = {}) {
    const url = new URL(route, this.base);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== null) url.searchParams.set(name, value);
    }
    return url.href;
  }

  get(route, query, milliseconds = SLOW_MILLISECONDS) {
    return this.ask("GET", this.address(route, query), {}, milliseconds);
  }

  /** Asks what a running server answers at once: none within 4 s means that it is away. */
  look(route, query) {
    return this.get(route, query, QUICK_MILLISECONDS);
  }

  post(route, data = {}) {
    return this.send("POST", route, data);
  }

  put(route, data) {
    return this.send("PUT", route, data);
  }

  del(route) {
    return this.send("DELETE", route, {});
  }

  /** Sends bytes as they are; used for pictures. */
  upload(route, query, blob) {
    const headers = { "Content-Type": "application/octet-stream" };
    return this.ask("POST", this.address(route, query), { body: blob, headers }, null);
  }

  /** Sends what must not be lost while the page is being left; nobody waits for the answer. */
  leave(route, data) {
    const headers = { "Content-Type": "application/json" };
    const options = { method: "PUT", headers, body: JSON.stringify(data), keepalive: true, credentials: "same-origin" };
    fetch(this.address(route), options).catch(() => {});
  }

  /** Tells `listener(error or null)` whenever the server goes away, wants a login, or is back. */
  onTrouble(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  send(method, route, data) {
    const headers = { "Content-Type": "application/json" };
    return this.ask(method, this.address(route), { headers, body: JSON.stringify(data) }, SLOW_MILLISECONDS);
  }

  async ask(method, address, options, milliseconds) {
    const signal = milliseconds ? AbortSignal.timeout(milliseconds) : undefined;
    let reply;
    try {
      reply = await fetch(address, { method, signal, credentials: "same-origin", cache: "no-cache", ...options });
    } catch (error) {
      const isSlow = error.name === "TimeoutError" && milliseconds !== QUICK_MILLISECONDS;
      throw isSlow ? new ApiError(SLOW, 0) : this.note(new ApiError(AWAY, 0));
    }
    const data = await reply.json().catch(() => null);
    if (reply.ok && data !== null) {
      this.note(null);
      return data;
    }
    const said = typeof data?.error === "string" ? data.error : null;
    if (reply.status === 401) throw this.note(new ApiError(said ?? LOG_IN, 401));
    const message = said ?? (reply.ok ? AWAY : `The server answered ${reply.status} ${reply.statusText}`.trim() + ".");
    const error = new ApiError(message, reply.ok ? 0 : reply.status, data?.complaints ?? []);
    throw error.isAway ? this.note(error) : error;
  }

  note(trouble) {
    const [before, after] = [this.trouble?.status ?? null, trouble?.status ?? null];
    this.trouble = trouble;
    if (before !== after) this.listeners.forEach((listener) => listener(trouble));
    return trouble;
  }
}

/**
 * Calls `act()` again and again until `stop()`: every `seconds`, every 5 s while nobody looks, and after errors at
 * growing pauses up to 10 s. A server that is away is left alone for 3 s at least: AUTOMATIC1111 dies of a request
 * that reaches it while it starts. `act` may answer "again" to be called at once.
 */
export class Poll {
  constructor(act, seconds = 1, { isWatched = () => true } = {}) {
    Object.assign(this, { act, seconds, isWatched, pause: 1, timer: null, isStopped: false, isBusy: false });
    this.wake = () => {
      if (!document.hidden) this.soon();
    };
    document.addEventListener("visibilitychange", this.wake);
    this.turn();
  }

  /** Asks now instead of at the next turn. */
  soon() {
    if (this.isStopped || this.isBusy) return;
    clearTimeout(this.timer);
    this.turn();
  }

  stop() {
    this.isStopped = true;
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.wake);
  }

  async turn() {
    this.isBusy = true;
    let seconds = document.hidden || !this.isWatched() ? Math.max(HIDDEN_SECONDS, this.seconds) : this.seconds;
    try {
      if ((await this.act()) === "again") seconds = 0;
      this.pause = 1;
    } catch (error) {
      if (!(error instanceof ApiError)) console.error("trainer:", error);
      if (error instanceof ApiError && error.status === 0) this.pause = Math.max(this.pause, AWAY_PAUSE_SECONDS);
      seconds = Math.max(seconds, this.pause);
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_SECONDS);
    }
    this.isBusy = false;
    if (!this.isStopped) this.timer = setTimeout(() => this.turn(), seconds * 1000);
  }
}
