// What the page asks about the captions of the folder that was looked at, and how they stand.

import { Poll } from "./api.mjs";

const SECONDS = 3; // between looks for what other programs changed

/** `gallery` says which look is meant. `onChange()` is called when captions or what can be taken back have changed. */
export class CaptionRoutes {
  constructor(context, gallery) {
    Object.assign(this, { context, gallery, revision: 0, undo: "", redo: "", pictures: 0, captioned: 0 });
    Object.assign(this, { listeners: new Set(), outsiders: new Set(), run: null });
    this.isWriting = false; // a run of this page writes captions: what changes meanwhile is no other program's
  }

  /** `listener()` after each change; the answer ends that. */
  onChange(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** `listener(files)` when another program has changed captions; the answer ends that. */
  onOutside(listener) {
    this.outsiders.add(listener);
    return () => this.outsiders.delete(listener);
  }

  /** Look again and again for what others change, until `rest()`. */
  watch(isWatched) {
    this.poll ??= new Poll(() => this.look(), SECONDS, { isWatched });
  }

  rest() {
    this.poll?.stop();
    this.poll = null;
  }

  ask(what, data = {}) {
    return this.context.api.post(this.context.route("runs", this.gallery.run, "captions", what), data);
  }

  /** The kinds of rules, asked once. */
  async rules() {
    this.kinds ??= (await this.context.api.get("caption-rules")).rules;
    return this.kinds;
  }

  /** How the captions stand now. */
  async look() {
    const { run } = this.gallery;
    if (!run) {
      return;
    }
    const isSame = this.run === run;
    const after = isSame ? this.revision : 0;
    const told = await this.context.api.get(this.context.route("runs", run, "captions"), { after });
    if (run !== this.gallery.run) {
      return;
    }
    this.run = run;
    const outside = isSame ? told.outside : [];
    const strange = this.isWriting ? [] : outside;
    const isNews = !isSame || told.revision !== this.revision || told.undo !== this.undo || told.redo !== this.redo;
    this.take(told);
    if (outside.length) {
      await this.gallery.refresh(outside);
    }
    if (strange.length) {
      this.outsiders.forEach((listener) => listener(strange));
    }
    if (isNews) {
      this.tell();
    }
  }

  /** Change captions: "apply" with rules, "undo" or "redo". Answers what was done. */
  async change(what, data = {}) {
    const done = await this.ask(what, data);
    this.take(done);
    await this.gallery.refresh(done.changed);
    this.tell();
    return done;
  }

  take({ revision, undo, redo, pictures, captioned }) {
    Object.assign(this, { revision, undo, redo });
    this.pictures = pictures ?? this.pictures;
    this.captioned = captioned ?? this.captioned;
  }

  tell() {
    [...this.listeners].forEach((listener) => listener());
  }
}
