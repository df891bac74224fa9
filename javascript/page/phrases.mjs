// What is said about a run: its state and its speed, in whole phrases.

import { fileName } from "./words.mjs";

/** How fast work goes: more than one a second as "2.4 steps/s", less as "3.1 s a step". */
export function speed(perSecond, unit = "steps") {
  const one = unit.replace(/s$/, "");
  return perSecond >= 1
    ? `${perSecond.toFixed(perSecond < 10 ? 1 : 0)} ${unit}/s`
    : `${(1 / perSecond).toFixed(1)} s a ${one}`;
}

/** When something was made: "Epoch 3", or "In epoch 4" where that was not through yet. */
export function madeIn({ epoch, isWithin }) {
  return isWithin ? `In epoch ${epoch + 1}` : `Epoch ${epoch}`;
}

/** A file's name without its ending, by which a prompt names a network; of a folder it is the whole name. */
export function networkName(path) {
  return fileName(path).replace(/\.(safetensors|ckpt|pt|png)$/i, "");
}

const PHRASES = {
  lora: (name, strength) => `<lora:${name}:${strength}>`,
  hypernetwork: (name, strength) => `<hypernet:${name}:${strength}>`,
  embedding: (name) => name,
};

/** How a prompt calls a finished file up, by what its run makes; nothing for a checkpoint, which is chosen instead. */
export function phraseFor(output, path, strength = 1) {
  return PHRASES[output]?.(networkName(path), strength) ?? "";
}

const STATES = {
  queued: (run) =>
    run.place_in_queue ? `Waiting, number ${run.place_in_queue} in the queue.` : "Waiting in the queue.",
  starting: () => "Starting: the engine loads what it needs.",
  running: () => "Running.",
  stopping: () => "Stopping after this step.",
  finished: () => "Finished.",
  stopped: () => "Stopped.",
  failed: () => "Failed.",
  interrupted: () => "Interrupted.",
  vanished: () => "Gone.",
};

/** A run's state in a sentence, and what Resume would do; `savedStep` is the step of its last state, if there is one. */
export function stateSentence(run, savedStep = null) {
  const said = STATES[run.state]?.(run) ?? run.state;
  return run.resumable ? `${said} ${resumes(run, savedStep)}` : said;
}

function resumes(run, savedStep) {
  if (!run.started) {
    return "It had not begun; Resume starts it.";
  }
  if (run.step === "compare") {
    return "Resume draws what is missing.";
  }
  return savedStep === null
    ? "There is no saved state; Resume begins anew."
    : `Resume goes on after step ${savedStep}.`;
}
