// Duplicates: has the engine search a folder for pictures that are there more than once, and shows them side by side.

import { BinList } from "./bin_list.mjs";
import { button, h, put, say, show } from "./dom.mjs";
import { DuplicateGroup } from "./duplicate_group.mjs";
import { FolderPart } from "./folder_part.mjs";
import { counted } from "./words.mjs";

const WORDS =
  "Finds the same picture twice, also resized, compressed, cropped, brighter, mirrored or with a bar of text. " +
  "The best of each group is ticked; change the ticks as you like, then move the others to the bin. They can be brought back.";
const SKIP = ["folder", "captions", "bin"];
const AT_ONCE = 30; // groups

/** The duplicates' part of the section Clean. */
export function section(context, stop) {
  return new Duplicates(context, stop);
}

class Duplicates extends FolderPart {
  constructor(context, stop) {
    super(context, stop, { step: "duplicates", kept: "duplicating", skip: SKIP, act: "Find duplicates" });
    Object.assign(this, { read: null, groups: [], total: 0 });
    this.bin = new BinList(context, { folder: () => stop.folder, look: () => this.look(), moved: () => this.moved() });
    this.element = this.layout();
    this.form.fill(context.form.duplicating ?? {});
  }

  layout() {
    this.list.id = "trainer-duplicate-groups";
    this.all = button("Move all that are not ticked to the bin", () => this.moveAll(), { id: "trainer-bin-all", hidden: true });
    this.more = button("Show more groups", () => this.add(), { hidden: true });
    const acts = h("div", { class: "trainer-row" }, this.make, this.cancel, this.said, this.all);
    const words = h("p", { class: "trainer-quiet" }, WORDS);
    const title = h("h3", {}, "Duplicates");
    const parts = [title, words, this.form.element, acts, this.bar.element, this.list, this.more, this.bin.element];
    return h("section", { class: "trainer-card trainer-column", "aria-label": "Duplicates" }, parts);
  }

  show() {
    super.show();
    this.bin.refresh();
  }

  config() {
    const { captions } = this.stop.config();
    return captions ? { captions } : {};
  }

  update() {
    const { run, id } = this.follower;
    this.bar.update(this.follower);
    this.showState();
    if (run.state === "finished" && this.read !== id) {
      this.read = id;
      this.groups = [];
      put(this.list);
      this.add();
    }
  }

  /** Show some groups more. */
  async add() {
    const id = this.read;
    try {
      const query = { from: this.groups.length, count: AT_ONCE };
      const told = await this.context.api.get(this.context.route("runs", id, "duplicates"), query);
      await this.bin.refresh();
      if (id === this.read) {
        this.total = told.total;
        const made = told.groups.map((group) => new DuplicateGroup(group, this.acts(id)));
        made.forEach((group) => group.here(this.bin.files));
        this.groups.push(...made);
        this.list.append(...made.map(({ element }) => element));
        this.showFound();
      }
    } catch (error) {
      this.read = null;
      this.context.tell(error);
    }
  }

  showFound() {
    const { copies = 0, groups = 0, mirrored = 0 } = this.follower.record.result ?? {};
    const found = copies ? `${counted(copies, "picture")} too many in ${counted(groups, "group")}` : "No picture is there twice";
    say(this.said, `${found}${mirrored ? `; ${counted(mirrored, "mirrored pair")}` : ""}.`);
    show(this.more, this.groups.length < this.total);
    show(this.all, this.groups.some((group) => group.others().length > 0));
  }

  /** What a group needs of this part. */
  acts(id) {
    const source = (path) => this.context.api.address(this.context.route("runs", id, "file"), { path });
    return { source, move: (files, keep) => this.move(files, keep), changed: () => this.showFound() };
  }

  /** Every group that is shown: all pictures without a tick go. */
  async moveAll() {
    for (const group of this.groups) {
      await group.move();
    }
    this.showFound();
  }

  /** Move files to the bin; answers those that went, and shows why others stayed. */
  async move(files, keep) {
    try {
      const { folder } = this.noted;
      const told = { folder, files, reason: `a copy of ${keep}`, look: this.look() };
      const { moved, failures } = await this.context.api.post(this.context.route("bin"), told);
      failures.forEach(({ file, reason }) => this.context.tell(new Error(`${file}: ${reason}`)));
      this.bin.refresh();
      this.stop.gallery.refresh(moved.map(({ file }) => file));
      return new Set(moved.map(({ file }) => file));
    } catch (error) {
      this.context.tell(error);
      return new Set();
    }
  }

  /** The look that the gallery shows, if it is of this folder: what goes into the bin leaves it. */
  look() {
    const isSame = this.context.form.look?.folder === this.stop.folder;
    return isSame && this.stop.gallery.run ? this.stop.gallery.run : "";
  }

  /** Pictures came back from the bin. */
  moved() {
    this.stop.gallery.refresh();
    this.groups.forEach((group) => group.here(this.bin.files));
    this.showFound();
  }
}
