// One control for one option, by its kind alone: what is shown, what was typed, and the JSON value it stands for.
//
// A control is {element, input, read(), write(value)}. read() answers undefined for a value that must be given and is
// not; what cannot be read as the kind is answered as the text it is, so that the server's sentence can name it.

import { browse } from "./dialogs.mjs";
import { button, h, put } from "./dom.mjs";
import { fileName } from "./words.mjs";

const WHOLE = /^[+-]?\d+$/;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const SMALL = 1e-3;

/** The control for an option. `changed()` is called whenever the user changed something. */
export function makeControl(option, id, context, changed) {
  if (option.kind === "list") {
    return option.choices?.length ? checks(option, id, changed) : lines(option, id, context, changed);
  }
  if (option.kind === "choice") return select(option, id, changed, option.choices.map((each) => [each, each]));
  if (option.kind === "bool" && option.optional) return select(option, id, changed, [[true, "yes"], [false, "no"]]);
  const make = { int: numeral, float: numeral, bool: tick, path: place }[option.kind] ?? text;
  return make(option, id, changed, context);
}

/** A value as it is shown and typed: 0.0001 is 1e-4. */
export function typed(value) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "number" || value === 0 || Math.abs(value) > SMALL) return String(value);
  return value.toExponential();
}

/** What was typed for a whole or decimal number: the number, or the text where it is none. */
function readNumber(kind, said) {
  const words = said.trim();
  return (kind === "int" ? WHOLE : DECIMAL).test(words) ? Number(words) : words;
}

function empty(option) {
  return option.optional || !option.required ? null : undefined;
}

function line(id, changed, attributes = {}) {
  const classes = ["trainer-input", attributes.class];
  return h("input", { type: "text", id, spellcheck: "false", autocomplete: "off", oninput: changed, ...attributes, class: classes });
}

function numeral(option, id, changed) {
  const input = line(id, changed, {
    class: "trainer-numeral", role: "spinbutton", inputmode: option.kind === "int" ? "numeric" : "decimal",
    "aria-valuemin": option.ge, "aria-valuemax": option.le,
  });
  const step = (direction) => {
    const number = readNumber("int", input.value || typed(option.default));
    if (typeof number !== "number") return;
    input.value = String(Math.min(option.le ?? Infinity, Math.max(option.ge ?? -Infinity, number + direction)));
    changed();
  };
  if (option.kind === "int") {
    input.addEventListener("keydown", (event) => {
      const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!direction || event.altKey || event.ctrlKey) return;
      event.preventDefault();
      step(direction);
    });
  }
  return {
    element: input,
    input,
    read: () => (input.value.trim() === "" ? empty(option) : readNumber(option.kind, input.value)),
    write(value) {
      if (input.value && value === readNumber(option.kind, input.value)) return; // keep it as it was typed
      input.value = typed(value);
    },
  };
}

function text(option, id, changed) {
  const input = line(id, changed);
  return {
    element: input,
    input,
    read: () => (input.value === "" && (option.optional || option.required) ? empty(option) : input.value),
    write: (value) => { input.value = typed(value); },
  };
}

function tick(option, id, changed) {
  const input = h("input", { type: "checkbox", id, class: "trainer-check", onchange: changed });
  let odd = null; // what a recipe said that is neither yes nor no
  input.addEventListener("change", () => { odd = null; });
  return {
    element: input,
    input,
    read: () => odd ?? input.checked,
    write(value) {
      odd = typeof value === "boolean" ? null : value;
      input.checked = value === true;
    },
  };
}

function select(option, id, changed, pairs) {
  const input = h("select", { id, class: "trainer-input", onchange: changed });
  const known = option.optional || option.required ? [[null, option.required ? "Choose…" : "none"], ...pairs] : pairs;
  let all = known;
  return {
    element: input,
    input,
    read() {
      const value = all[input.selectedIndex]?.[0];
      return value === null || value === undefined ? empty(option) : value;
    },
    write(value) {
      const wanted = value ?? null;
      const isKnown = known.some(([each]) => each === wanted);
      all = isKnown ? known : [...known, [wanted, typed(wanted)]];
      put(input, all.map(([, label]) => h("option", {}, label)));
      input.selectedIndex = all.findIndex(([each]) => each === wanted);
    },
  };
}

function checks(option, id, changed) {
  const boxes = option.choices.map((choice, index) => [
    choice,
    h("input", { type: "checkbox", id: index ? `${id}-${index}` : id, class: "trainer-check", onchange: changed }),
  ]);
  let odd = [];
  const labels = boxes.map(([choice, box]) => h("label", { class: "trainer-ticked" }, box, choice));
  return {
    element: h("div", { class: "trainer-checks", role: "group" }, labels),
    input: boxes[0][1],
    read: () => [...boxes.filter(([, box]) => box.checked).map(([choice]) => choice), ...odd],
    write(value) {
      const wanted = Array.isArray(value) ? value : [];
      for (const [choice, box] of boxes) box.checked = wanted.includes(choice);
      odd = wanted.filter((each) => !option.choices.includes(each));
    },
  };
}

function lines(option, id, context, changed) {
  const input = h("textarea", { id, class: "trainer-input", rows: "3", placeholder: "one per line", spellcheck: "false", oninput: changed });
  const read = (said) => (["int", "float"].includes(option.item) ? readNumber(option.item, said) : said);
  const items = () => input.value.split("\n").map((each) => each.trim()).filter(Boolean).map(read);
  const write = (value) => { input.value = (Array.isArray(value) ? value : []).map(typed).join("\n"); };
  const add = async () => {
    const path = await browse(context, {});
    if (path === null) return;
    write([...items(), path]);
    changed();
  };
  const more = option.item === "path" ? button("Add a folder…", add) : null;
  return {
    element: h("div", { class: "trainer-column" }, input, more),
    input,
    read: () => (items().length || !option.required ? items() : undefined),
    write,
  };
}

function place(option, id, changed, context) {
  const input = line(id, changed);
  const choose = async () => {
    const path = await browse(context, { start: input.value, title: option.label });
    if (path === null) return;
    input.value = path;
    changed();
  };
  const open = button("Browse…", choose, { "aria-label": `Browse for ${option.label}` });
  return {
    element: h("div", { class: "trainer-place" }, input, open),
    input,
    read: () => input.value.trim() || empty(option),
    write: (value) => { input.value = typed(value); },
  };
}

/**
 * The control for a base model: the host's list of checkpoints, and any other file or folder. For `pickers` of a Form.
 */
export function checkpointControl(option, id, context, changed) {
  const other = { title: "Another file or folder…" };
  const input = h("select", { id, class: "trainer-input" });
  let value = "";
  let listed = [];
  let entries = [];
  const draw = () => {
    const isListed = !value || listed.some((each) => each.path === value);
    const named = isListed ? [] : [{ title: `${fileName(value)} (${value})`, path: value }];
    entries = [{ title: listed.length ? "Choose a checkpoint…" : "No checkpoints in the list", path: "" }, ...listed, ...named, other];
    put(input, entries.map((each) => h("option", {}, each.title)));
    input.selectedIndex = entries.findIndex((each) => each.path === value);
    input.title = value;
  };
  const look = async () => {
    const { checkpoints, loaded } = await context.api.get("checkpoints");
    const text = (each) => (each.title === loaded ? `${each.title} (loaded now)` : each.title);
    listed = checkpoints.map((each) => ({ title: text(each), path: each.path }));
    draw();
  };
  input.addEventListener("change", async () => {
    const chosen = entries[input.selectedIndex];
    if (chosen !== other) {
      value = chosen.path;
    } else {
      input.selectedIndex = entries.findIndex((each) => each.path === value);
      const files = [".safetensors", ".ckpt"];
      const path = await browse(context, { start: value, title: option.label, files, orFolder: true });
      if (path === null) return;
      value = path;
    }
    draw();
    changed();
  });
  draw();
  look().catch((error) => context.tell(error));
  return {
    element: input,
    input,
    refresh: () => look().catch(() => {}),
    read: () => value || empty(option),
    write(path) {
      value = path ?? "";
      draw();
    },
  };
}
