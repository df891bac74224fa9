// Questions in front of the page, and choosing a folder or file of the computer that the trainer runs on.

import { button, h, put, say, show } from "./dom.mjs";
import { counted } from "./words.mjs";

/**
 * Asks something. `body` is a list of elements, `choices` are [{label, value, kind}], the last being the one for Enter.
 * Answers the chosen value, or null for Escape and Cancel. `check(value)` may answer false to keep the dialog open.
 */
export function ask(context, { title, body = [], choices, check = () => true, wide = false }) {
  return new Promise((resolve) => {
    const heading = h("h2", { id: "trainer-dialog-title" }, title);
    const classes = ["trainer-dialog", wide && "trainer-wide"];
    const dialog = h("dialog", { class: classes, "aria-labelledby": "trainer-dialog-title" });
    const before = document.activeElement;
    let answer = null;
    const choose = async (value) => {
      if (!(await check(value))) return;
      answer = value;
      dialog.close();
    };
    const cancel = button("Cancel", () => dialog.close());
    const row = choices.map((choice) => button(choice.label, () => choose(choice.value), { kind: choice.kind ?? "primary" }));
    put(dialog, heading, body, h("div", { class: "trainer-dialog-buttons" }, cancel, row));
    dialog.addEventListener("keydown", (event) => {
      event.stopPropagation(); // the WebUI has keys of its own
      if (event.key !== "Enter" || event.target.tagName !== "INPUT" || event.defaultPrevented) return;
      event.preventDefault();
      row[row.length - 1]?.click();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      before?.focus?.();
      resolve(answer);
    });
    context.page.append(dialog);
    dialog.showModal();
    (dialog.querySelector("input, select, textarea") ?? row[row.length - 1])?.focus();
  });
}

/**
 * Lets the user choose a folder, or with `files` (endings such as [".safetensors"]) a file, or with `orFolder` either.
 * Answers its path or null.
 */
export async function browse(context, { start = "", title = "Choose a folder", files = null, orFolder = false } = {}) {
  const browser = new Browser(context.api, files, !files || orFolder);
  await browser.open(start);
  const choices = [{ label: files ? "Choose this" : "Choose this folder", value: "here" }];
  const check = () => browser.isChosen();
  const answer = await ask(context, { title, body: [browser.element], choices, check, wide: true });
  return answer === null ? null : browser.chosen;
}

class Browser {
  constructor(api, files, mayBeFolder) {
    Object.assign(this, { api, files, mayBeFolder, chosen: "" });
    this.address = h("input", { type: "text", class: "trainer-input", "aria-label": "Path", spellcheck: "false" });
    this.address.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.open(this.address.value);
    });
    this.roots = h("div", { class: "trainer-row" });
    this.list = h("div", { class: "trainer-folders", role: "listbox", "aria-label": "Folders" });
    this.said = h("p", { class: "trainer-quiet" });
    this.trouble = h("p", { class: "trainer-error", hidden: true });
    const line = h("div", { class: "trainer-row" }, this.address, button("Go there", () => this.open(this.address.value)));
    this.element = h("div", { class: "trainer-browser" }, line, this.roots, this.list, this.said, this.trouble);
  }

  isChosen() {
    const typed = this.address.value.trim();
    if (!this.mayBeFolder && typed === this.folder) {
      this.complain("Choose a file from the list.");
      return false;
    }
    this.chosen = typed;
    return Boolean(typed);
  }

  complain(sentence) {
    say(this.trouble, sentence);
    show(this.trouble, Boolean(sentence));
  }

  async open(path) {
    try {
      this.draw(await this.look(path));
      this.complain("");
    } catch (error) {
      this.complain(error.message);
      if (!this.folder && path) await this.open("");
    }
  }

  look(path) {
    return this.api.get("folders", { path, files: this.files?.join(",") });
  }

  draw(seen) {
    this.folder = seen.path;
    this.address.value = seen.path;
    const separator = seen.path.includes("\\") ? "\\" : "/";
    const inside = (name) => (seen.path.endsWith(separator) ? seen.path : seen.path + separator) + name;
    const entry = (label, act, kind) =>
      h("button", { type: "button", class: `trainer-entry trainer-entry-${kind}`, role: "option", onclick: act }, label);
    const up = seen.parent ? [entry("Up one folder", () => this.open(seen.parent), "up")] : [];
    const folders = seen.folders.map((name) => entry(name, () => this.open(inside(name)), "folder"));
    const files = (this.files ? seen.files ?? [] : []).map((name) => entry(name, () => this.pick(inside(name)), "file"));
    put(this.list, up, folders, files);
    this.list.scrollTop = 0;
    put(this.roots, (seen.roots ?? []).map((root) => button(root, () => this.open(root), { kind: "plain" })));
    say(this.said, this.files ? "" : `${counted(seen.pictures ?? 0, "picture")} directly in this folder`);
  }

  pick(path) {
    this.address.value = path;
    this.complain("");
  }
}
