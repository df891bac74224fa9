// Numbers, times and states as people read them.

/** `19.0 MB`, in decimal units as file managers show them. */
export function bytes(count) {
  if (!Number.isFinite(count)) return "";
  let size = count;
  for (const unit of ["bytes", "kB", "MB"]) {
    if (Math.round(size * 10) / 10 < 1000) return unit === "bytes" ? `${count} bytes` : `${size.toFixed(1)} ${unit}`;
    size /= 1000;
  }
  return `${size.toFixed(1)} GB`;
}

/** `42 s`, `3 min 05 s` or `2 h 10 min`. */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "";
  const whole = Math.max(0, Math.round(seconds));
  const two = (number) => String(number).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

/** How long something still takes, no finer than one can know: `less than a minute`, `12 min`, `2 h 10 min`. */
export function left(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 60) return "less than a minute";
  return seconds < 3600 ? `${Math.ceil(seconds / 60)} min` : duration(seconds);
}

/** A moment, given in seconds since 1970: the time today, else the day and the time. */
export function moment(seconds) {
  if (!Number.isFinite(seconds)) return "";
  const date = new Date(seconds * 1000);
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? `today ${time}` : `${date.toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" })} ${time}`;
}

/** `1 picture`, `12 pictures`, `1,200 pictures`. */
export function counted(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** A whole number with its thousands apart. */
export function number(count) {
  return Number.isFinite(count) ? count.toLocaleString("en") : "";
}

/** A loss or a rate with four telling digits: `0.08312`, `1.000e-5`. */
export function figure(value) {
  if (!Number.isFinite(value)) return "";
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(3) : String(Number(value.toPrecision(4)));
}

/** The last part of a path, of any system. */
export function fileName(path) {
  return String(path ?? "").split(/[\\/]/).filter(Boolean).pop() ?? "";
}

const STATES = {
  queued: "waiting",
  starting: "starting",
  running: "running",
  stopping: "stopping",
  finished: "finished",
  stopped: "stopped",
  failed: "failed",
  interrupted: "interrupted",
  vanished: "vanished",
};

/** A run's state as a word. */
export function stateWord(run) {
  const word = STATES[run.state] ?? run.state;
  return run.state === "queued" && run.place_in_queue ? `${word}, number ${run.place_in_queue}` : word;
}

/** Whether the run is at work or about to be. */
export function isAtWork(run) {
  return ["starting", "running", "stopping"].includes(run.state);
}

/** The speed of progress events, stage by stage, and the seconds that are left of the stage; NaN while unknown. */
export class Pace {
  constructor() {
    this.key = "";
    this.first = null;
  }

  /** Takes one {stage, done, total}, seen at `time` (seconds), and answers the seconds left. */
  seconds(progress, time = Date.now() / 1000) {
    const key = `${progress.stage}/${progress.total}`;
    if (key !== this.key || progress.done < this.first.done) {
      this.key = key;
      this.first = { done: progress.done, time };
    }
    const made = progress.done - this.first.done;
    return made > 0 ? ((time - this.first.time) / made) * (progress.total - progress.done) : NaN;
  }
}
