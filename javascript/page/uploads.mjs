// Files and folders dropped onto the page: sent one by one into the project, with progress.

import { ask } from "./dialogs.mjs";
import { button, h, on, put, say, show } from "./dom.mjs";
import { counted } from "./words.mjs";

const ARCHIVES = /\.(zip|parquet|csv|json)$/i;
const TYPES = /\.(jpe?g|png|webp|avif|bmp|tiff?|gif|txt|caption|jsonl|zip|parquet|csv|json)$/i;
const ORDER = /\.(txt|caption|jsonl)$/i; // texts go last, so that each finds its picture

/**
 * Takes drops on `target`; `onDone(folder)` is called with the folder that the pictures lie in then, or where there
 * were archives or tables among the files, `onArchives(files, folder)` with those and that folder, if there is one.
 */
export class Uploads {
  constructor(context, target, onDone, onArchives) {
    Object.assign(this, { context, onDone, onArchives, isBusy: false });
    this.said = h("p", { role: "status" });
    this.bar = h("progress", { class: "trainer-bar", max: 1, "aria-label": "Uploading" });
    this.errors = h("ul", { class: "trainer-error" });
    this.cancel = button("Stop uploading", () => {
      this.isCancelled = true;
    });
    this.element = h(
      "section",
      { class: "trainer-card trainer-column", hidden: true },
      this.said,
      this.bar,
      this.errors,
      h("div", {}, this.cancel),
    );
    this.input = h("input", {
      type: "file",
      multiple: true,
      hidden: true,
      accept: "image/*,.txt,.caption,.jsonl,.zip,.parquet,.csv,.json",
      onchange: () => this.chosen(),
    });
    this.stops = [
      on(target, "dragover", (event) => this.over(event, target)),
      on(target, "dragleave", (event) => event.target === target && target.classList.remove("trainer-drop-here")),
      on(target, "drop", (event) => this.dropped(event, target)),
    ];
  }

  end() {
    this.isCancelled = true;
    this.stops.forEach((stop) => stop());
  }

  over(event, target) {
    if (event.dataTransfer?.types.includes("Files")) {
      event.preventDefault();
      event.stopPropagation(); // the WebUI takes dropped pictures for its own prompt
      target.classList.add("trainer-drop-here");
    }
  }

  async dropped(event, target) {
    target.classList.remove("trainer-drop-here");
    const entries = [...(event.dataTransfer?.items ?? [])].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const plain = [...(event.dataTransfer?.files ?? [])]; // all that there is where a browser gives no entries
    if (!entries.length && !plain.length) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const folders = entries.filter((entry) => entry.isDirectory);
    const files = entries.length ? (await Promise.all(entries.map(filesOf))).flat() : plain;
    await this.begin(files, folders.length === 1 && entries.length === 1 ? folders[0].name : "dropped");
  }

  chosen() {
    const files = [...this.input.files];
    this.input.value = "";
    return this.begin(files, "dropped");
  }

  /** Ask for the folder's name, then send. */
  async begin(all, proposed) {
    const files = all.filter((file) => TYPES.test(file.name));
    if (this.isBusy || !files.length) {
      this.context.toast(
        this.isBusy ? "An upload is still going on; wait for its end." : "There is no picture or archive among these files.",
        "error",
      );
      return;
    }
    const left = all.length - files.length;
    const name = h("input", { type: "text", class: "trainer-input", id: "trainer-upload-folder", value: proposed });
    const words = `${counted(files.length, "file")} will be copied into the project${left ? `; ${counted(left, "file")} of other types will not` : ""}.`;
    const hasPictures = !files.every((file) => ARCHIVES.test(file.name)); // those get a folder of their own
    const label = h("label", { class: "trainer-stacked" }, "Name of the folder for them", name);
    const body = [h("p", {}, words), hasPictures && label];
    const choices = [{ label: "Copy", value: "copy", kind: "primary" }];
    if ((await ask(this.context, { title: "Copy the files here", body, choices })) && name.value.trim()) {
      files.sort((one, other) => ORDER.test(one.name) - ORDER.test(other.name));
      await this.send(files, name.value.trim());
    }
  }

  async send(files, folder) {
    Object.assign(this, { isBusy: true, isCancelled: false });
    const [failed, archives] = [[], []];
    let [sent, last] = [0, null];
    show(this.element, true);
    show(this.cancel, true);
    show(this.bar, true);
    put(this.errors);
    for (const file of files) {
      if (this.isCancelled) {
        break;
      }
      say(this.said, `Copying ${file.name}: ${sent + failed.length + 1} of ${files.length}`);
      this.bar.value = (sent + failed.length) / files.length;
      try {
        const { path } = await this.context.api.upload(this.context.route("upload"), { name: file.name, folder }, file);
        if (ARCHIVES.test(file.name)) {
          archives.push(path);
        } else {
          last = path.replace(/[\\/][^\\/]*$/, "");
        }
        sent += 1;
      } catch (error) {
        failed.push(`${file.name}: ${error.message}`);
        put(
          this.errors,
          failed.map((text) => h("li", {}, text)),
        );
      }
    }
    this.isBusy = false;
    show(this.cancel, false);
    show(this.bar, false);
    say(
      this.said,
      `${counted(sent, "file")} copied${failed.length ? `, ${failed.length} not` : ""}${this.isCancelled ? "; stopped" : ""}.`,
    );
    show(this.element, failed.length > 0 || this.isCancelled);
    if (archives.length) {
      this.onArchives(archives, last);
    } else if (last) {
      this.onDone(last);
    }
  }
}

/** All files of a dropped file or folder, also in folders inside it. */
async function filesOf(entry) {
  if (entry.isFile) {
    return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  }
  const reader = entry.createReader();
  const inside = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // a hundred at most
    if (!some.length) {
      break;
    }
    inside.push(...some);
  }
  return (await Promise.all(inside.map(filesOf))).flat();
}
