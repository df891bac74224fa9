// The sections of the stop Pictures, as a row of small tabs: each is made of parts that are loaded when it is opened.

import { button, h, show } from "./dom.mjs";
import { Tabs } from "./tabs.mjs";

// A part is a module with `section(context, stop) -> {element, show(wish), hide(), end()}`; `gallery` says where the
// pictures stand in that section: "below" its parts, "beside" them, or nowhere.
export const SECTIONS = [
  { id: "bring-in", title: "Bring in", gallery: null,
    hint: "Bring pictures in from archives, data sets and prompt logs, and write captions out as one file",
    parts: [async () => await import("./bring_in.mjs"), async () => await import("./prompt_log.mjs"), async () => await import("./exporting.mjs")] },
  { id: "look", title: "Look", gallery: "below",
    hint: "See what is in the folder: sizes, captions and problems",
    parts: [] },
  { id: "clean", title: "Clean", gallery: null,
    hint: "Find what harms a training: duplicates, blurred or damaged pictures, captions that do not fit",
    parts: [async () => await import("./duplicates.mjs"), async () => await import("./checking.mjs")] },
  { id: "crop", title: "Crop", gallery: "below",
    hint: "Scale and crop copies of the pictures",
    parts: [async () => await import("./preparing.mjs"), async () => await import("./cropping.mjs")] },
  { id: "captions", title: "Captions", gallery: "beside",
    hint: "Write captions, and change many at once",
    parts: [async () => await import("./captioning.mjs"), async () => await import("./caption_section.mjs")] },
];
const FIRST = "look";

/** `results` is the element with the pictures; `onOpen(id)` is called for each section that is opened. */
export class Studio {
  constructor(context, stop, results, onOpen) {
    Object.assign(this, { context, stop, results, onOpen, opened: null, parts: new Map() });
    this.sections = SECTIONS.filter(({ parts, gallery }) => parts.length || gallery === "below");
    const names = { tab: "trainer-section", panel: "trainer-section-of", label: "What to do with the pictures" };
    this.tabs = new Tabs(this.sections, (id) => this.open(id), names);
    this.tabs.row.classList.add("trainer-sections");
    this.tabs.body.classList.add("trainer-section-body");
    const body = h("div", { class: "trainer-studio" }, this.tabs.body, results);
    this.element = h("div", { class: "trainer-column" }, this.tabs.row, body);
    this.body = body;
  }

  /** Whether the pictures are seen in the section that is open. */
  get showsPictures() {
    return Boolean(this.section?.gallery);
  }

  get section() {
    return this.sections.find(({ id }) => id === this.opened);
  }

  /** Open a section (one that there is not: the first); `wish` goes to its parts. */
  async open(wanted, wish) {
    const id = this.sections.some((section) => section.id === wanted) ? wanted : FIRST;
    if (this.opened !== id) {
      this.hide();
    }
    this.opened = id;
    this.tabs.open(id);
    const { gallery, parts } = this.section;
    this.body.dataset.gallery = gallery ?? "none";
    show(this.tabs.body, parts.length > 0);
    show(this.results, Boolean(gallery));
    this.onOpen(id);
    const made = await this.partsOf(this.section);
    if (this.opened === id) {
      made.forEach((part) => part.show?.(wish));
    }
  }

  /** The parts of a section, made when they are first asked for. */
  async partsOf(section) {
    if (!this.parts.has(section.id)) {
      this.parts.set(section.id, this.make(section));
    }
    return this.parts.get(section.id);
  }

  async make({ id, parts }) {
    const made = await Promise.all(parts.map((load) => this.part(load, id)));
    this.tabs.fill(id, h("div", { class: "trainer-column" }, made.map(({ element }) => element)));
    return made;
  }

  /** One part; where it cannot be had, the others are shown all the same. */
  async part(load, id) {
    try {
      return (await load()).section(this.context, this.stop);
    } catch (error) {
      console.error("trainer:", error);
      const again = button("Try again", () => this.again(id));
      return { element: h("p", { class: "trainer-error" }, `A part of this could not be shown (${error.message}). `, again) };
    }
  }

  /** Make a section's parts anew. */
  again(id) {
    this.made(id).then((parts) => parts.forEach((part) => part.end?.()));
    this.parts.delete(id);
    return this.open(id);
  }

  /** Nobody looks at the open section any more. */
  hide() {
    this.made(this.opened).then((parts) => parts.forEach((part) => part.hide?.()));
  }

  end() {
    for (const id of this.parts.keys()) {
      this.made(id).then((parts) => parts.forEach((part) => part.end?.()));
    }
  }

  async made(id) {
    return (await this.parts.get(id)) ?? [];
  }
}
