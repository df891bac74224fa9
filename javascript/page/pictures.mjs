// The stop Pictures: choose a folder and look at what is in it; its sections clean, crop and caption.

import { RunBar } from "./bar.mjs";
import { CaptionRoutes } from "./caption_routes.mjs";
import { browse } from "./dialogs.mjs";
import { button, debounced, h, say, show } from "./dom.mjs";
import { Follower, hasEnded } from "./follow.mjs";
import { Gallery } from "./gallery.mjs";
import { PicturePanel } from "./picture_panel.mjs";
import { Preparing } from "./preparing.mjs";
import { Tables } from "./report.mjs";
import { Studio } from "./studio.mjs";
import { Uploads } from "./uploads.mjs";
import { fileName } from "./words.mjs";

const QUIET_MILLISECONDS = 800;

export function picturesStop(context) {
  return new PicturesStop(context);
}

class PicturesStop {
  constructor(context) {
    this.context = context;
    const isWatched = () => this.element.getClientRects().length > 0;
    this.look = new Follower(context, () => this.looked(), { isWatched });
    this.lookBar = new RunBar({ id: "trainer-look-bar" });
    this.tables = new Tables({ title: "What was found" });
    this.gallery = new Gallery(context, {
      onOpen: (picture) => this.panel.open(picture),
      onFiles: () => this.studio.showsPictures || this.open("look"),
    });
    this.captions = new CaptionRoutes(context, this.gallery);
    this.panel = new PicturePanel(context, this.captions, () => this.preparing.form.values().background ?? "white");
    this.again = debounced(() => this.lookAgain(), QUIET_MILLISECONDS);
    this.preparing = new Preparing(context, this);
    this.listeners = new Set();
    this.element = this.layout();
  }

  /** The folder that is chosen, as text. */
  get folder() {
    return this.place.value.trim();
  }

  layout() {
    this.place = h("input", {
      type: "text",
      class: "trainer-input",
      id: "trainer-pictures-folder",
      placeholder: "Folder with your pictures",
      "aria-label": "Folder with your pictures",
      spellcheck: "false",
      oninput: () => this.changed(),
      onkeydown: (event) => event.key === "Enter" && this.startLook(),
    });
    this.trouble = h("p", { class: "trainer-error", role: "alert", hidden: true });
    this.looking = button("Look at the pictures", () => this.startLook(), { kind: "primary", id: "trainer-look" });
    this.use = button("Use these pictures for training", () => this.useFolder(this.folder), {
      id: "trainer-use-pictures",
    });
    const browsing = button("Browse…", () => this.browse());
    const field = h("div", { class: "trainer-grow" }, this.place);
    const place = h("div", { class: "trainer-row" }, field, browsing, this.looking, this.use);
    const top = h("section", { class: "trainer-card trainer-column" }, place, this.trouble);
    const root = h("div", { class: "trainer-pictures trainer-column" });
    this.uploads = new Uploads(
      this.context,
      root,
      (folder) => this.take(folder),
      (archives, folder) => this.bringIn(archives, folder),
    );
    const choose = button("Choose files…", () => this.uploads.input.click(), { kind: "plain" });
    const hint = h(
      "span",
      { class: "trainer-quiet" },
      "Or drop pictures, a folder or an archive anywhere here: they are copied into the project.",
    );
    top.append(h("div", { class: "trainer-row" }, hint, choose, this.uploads.input));
    this.found = h("div", { class: "trainer-column trainer-grow" }, this.tables.element, this.gallery.element);
    this.none = h("p", { class: "trainer-quiet" });
    const results = h(
      "div",
      { class: "trainer-beside" },
      h("div", { class: "trainer-column trainer-grow" }, this.lookBar.element, this.none, this.found),
      this.panel.element,
    );
    this.studio = new Studio(this.context, this, results, (id) => this.opened(id));
    root.append(top, this.uploads.element, this.studio.element);
    return root;
  }

  show(wish) {
    const kept = this.context.form.pictures ?? {};
    const isOld = JSON.stringify(kept) !== JSON.stringify(this.config()); // the demo or another window filled it
    const { folder, ...rest } = kept;
    this.place.value = isOld ? (folder ?? "") : this.place.value;
    this.preparing.show(isOld ? rest : null);
    if (wish?.folder) {
      this.take(wish.folder);
    } else if (this.context.form.look) {
      this.look.follow(this.context.form.look.run);
    }
    this.showState();
    this.open(wish?.section ?? this.context.form.section, wish);
  }

  /** Open a section, such as "captions"; `wish` goes to its parts. */
  open(section, wish) {
    return this.studio.open(section, wish);
  }

  /** Offer archives and tables to be brought in; a .csv that is no table of captions is taken for a prompt log. */
  bringIn(archives, folder) {
    const isLog = (path) => /\.csv$/i.test(path) && !/^metadata/i.test(fileName(path));
    const logs = archives.filter(isLog);
    const others = archives.filter((path) => !isLog(path));
    const pictures = folder ? [folder] : [];
    return this.open("bring-in", { sources: others.length ? [...pictures, ...others] : [], logs });
  }

  opened(section) {
    if (this.context.form.section !== section) {
      this.context.form.section = section;
      this.context.save();
    }
  }

  /** `listener(run)` is called with the id of each finished look; the answer ends that. */
  onLooked(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  hide() {
    this.studio.hide();
    this.look.pause();
    this.preparing.follower.pause();
  }

  end() {
    this.studio.end();
    this.look.end();
    this.preparing.follower.end();
    this.gallery.destroy();
    this.uploads.end();
    this.again.cancel();
  }

  /** Everything that is filled in, as the step `prepare` takes it. */
  config() {
    return { folder: this.folder, ...this.preparing.form.values() };
  }

  changed() {
    this.context.form.pictures = this.config();
    this.context.save();
    this.showState();
    if (this.context.form.look && this.context.form.look.folder === this.folder) {
      this.again();
    }
  }

  take(folder) {
    this.place.value = folder;
    this.changed();
    return this.startLook();
  }

  async browse() {
    const folder = await browse(this.context, {
      start: this.folder,
      title: "Choose the folder with your pictures",
    });
    if (folder !== null) {
      await this.take(folder);
    }
  }

  lookAgain() {
    if (this.look.run && !hasEnded(this.look.run)) {
      this.look.ask("stop").catch(() => {}); // it may have ended meanwhile, which is as well
    }
    return this.startLook();
  }

  /** Have the engine look through the folder. */
  async startLook() {
    this.again.cancel();
    const config = this.config();
    const known = new Set(this.context.about.steps.inspect.options.map((option) => option.name));
    const asked = Object.fromEntries(Object.entries(config).filter(([name]) => known.has(name)));
    const run = await this.begin("inspect", asked);
    if (run) {
      this.context.form.look = { run: run.id, folder: config.folder };
      this.context.save();
      this.look.follow(run.id);
      this.showState();
    }
  }

  /**
   * Start a step on the folder; complaints stand where they belong: at the folder, or where `complain(list)` puts them
   * (the options of Crop if nothing is said). Answers the run, or null.
   */
  async begin(step, config, complain = (complaints) => this.complainAtCrop(complaints)) {
    this.complain([], complain);
    if (!config.folder) {
      this.complain([{ path: "folder", message: "Choose a folder with pictures first." }], complain);
      this.place.focus();
      return null;
    }
    try {
      return await this.context.api.post(this.context.route("runs"), { step, config });
    } catch (error) {
      const complaints = error.complaints?.length ? error.complaints : [{ path: "folder", message: error.message }];
      this.complain(complaints, complain);
      return null;
    }
  }

  complainAtCrop(complaints) {
    this.preparing.complain(complaints);
    if (complaints.length) {
      this.open("crop");
    }
  }

  complain(complaints, elsewhere) {
    const isAboutFolder = ({ path }) => path === "folder";
    const sentences = complaints.filter(isAboutFolder).map(({ message }) => message);
    say(this.trouble, sentences.join(" "));
    show(this.trouble, sentences.length > 0);
    elsewhere(complaints.filter((complaint) => !isAboutFolder(complaint)));
  }

  looked() {
    const { run, id } = this.look;
    this.lookBar.update(this.look);
    if (run.state === "finished" && this.gallery.run !== id) {
      this.showFound(id);
    }
    if (run.state === "finished") {
      this.tables.update(this.look);
    }
    this.showState();
  }

  /** Show what a look found; the picture that was open stays open, now as the changed options make it. */
  async showFound(id) {
    const file = this.panel.picture?.file;
    this.panel.forget();
    await this.gallery.open(id);
    const same = file && (await this.gallery.find(file));
    if (same) {
      this.panel.open(same);
    }
    for (const listener of [...this.listeners]) {
      listener(id);
    }
  }

  showState() {
    const { folder } = this;
    const { run } = this.look;
    const isGone = run?.state === "vanished";
    const isLooking = Boolean(run) && !hasEnded(run);
    show(this.lookBar.element, Boolean(run) && !isGone && run.state !== "finished");
    show(this.found, Boolean(this.gallery.run));
    this.found.classList.toggle("trainer-old", isLooking);
    const isOther = run?.state === "finished" && this.context.form.look?.folder !== folder;
    say(
      this.none,
      !run || isGone
        ? "Choose a folder and look at its pictures: sizes, captions and problems are shown here."
        : isOther
          ? `These are the pictures of ${this.context.form.look.folder}. Press “Look at the pictures” for the folder above.`
          : "",
    );
    this.use.disabled = !folder;
    this.use.title = folder ? "" : "Choose a folder first.";
    this.preparing.showState();
  }

  /** Take a folder to the stop Train; prepared copies bring their captions as files, and padded ones their masks. */
  useFolder(folder, isPrepared = false, masks = null) {
    const train = this.context.form.train ?? {};
    const { captions, buckets } = isPrepared ? {} : this.preparing.form.values();
    const told = {
      ...(captions ? { captions } : {}),
      ...(masks ? { masks: { ...train.dataset?.masks, folder: masks, unmasked_weight: 0, unmasked_steps: 0 } } : {}),
      ...(buckets ? { buckets: { ...train.dataset?.buckets, ...buckets } } : {}),
    };
    const config = { ...train, dataset: { ...train.dataset, ...told, folder } };
    this.context.form.train = config;
    this.context.save();
    return this.context.go("train", { config });
  }
}
