// The pictures that a look at a folder found: a filter, some of them alone, and choosing them for what is done to many.

import { button, debounced, h, on, say, show } from "./dom.mjs";
import { KnownPictures } from "./known_pictures.mjs";
import { pictureCard } from "./picture_card.mjs";
import { Selection } from "./selection.mjs";
import { Wall } from "./wall.mjs";
import { counted, number } from "./words.mjs";

const FIRST = 60; // pictures that come along with the answer of a filter
const QUIET_MILLISECONDS = 40;
const PROBLEMS = "problem:"; // the server's word for pictures with a problem or a warning

/**
 * `open(run)` shows what that look found; `onOpen(picture)` is called when one is opened, `onFiles()` when some are to
 * be shown alone. Files are told as the listing has them: relative to its folder, with slashes.
 */
export class Gallery {
  constructor(context, { onOpen, onFiles = () => {} }) {
    Object.assign(this, { context, onOpen, onFiles, run: null, names: [], places: new Map(), only: null, cut: null });
    Object.assign(this, { here: [], numbers: [], turn: 0, listeners: new Set() });
    this.known = new KnownPictures(context, (numbers) => this.redraw(numbers));
    this.selection = new Selection((changed) => this.chose(changed));
    this.selection.arrange([]);
    this.wall = new Wall({
      draw: (n) => this.card(n),
      onSeen: (seen) => this.need(seen),
      onMove: (place, from, event) => this.moved(place, from, event),
      label: "Pictures",
    });
    this.element = this.layout();
    on(this.wall.element, "click", (event) => this.click(event));
    on(this.wall.element, "keydown", (event) => this.key(event));
  }

  layout() {
    const later = debounced(() => this.reload(), QUIET_MILLISECONDS);
    this.filter = h("input", {
      type: "search",
      class: "trainer-input",
      id: "trainer-pictures-filter",
      placeholder: "Filter by name or caption",
      "aria-label": "Filter by name or caption",
      oninput: later,
    });
    this.problems = h("input", {
      type: "checkbox",
      class: "trainer-check",
      id: "trainer-pictures-problems",
      onchange: () => this.reload(),
    });
    this.said = h("span", { class: "trainer-quiet", role: "status" });
    this.subset = h("b", { class: "trainer-grow" });
    this.everything = button("Show all pictures", () => this.showAll(), { id: "trainer-show-all" });
    this.alone = h("div", { class: "trainer-row trainer-subset", hidden: true }, this.subset, this.everything);
    this.chosen = h("span", { class: "trainer-quiet", role: "status" });
    this.all = button("Choose all shown", () => this.selection.all(), { kind: "plain", title: "Ctrl+A" });
    this.none = button("Choose none", () => this.selection.none(), { kind: "plain", title: "Escape" });
    const only = h("label", { class: "trainer-ticked" }, this.problems, "Only with problems");
    const filter = h("div", { class: "trainer-grow" }, this.filter);
    const choice = h("div", { class: "trainer-row" }, this.chosen, this.all, this.none);
    const bar = h("div", { class: "trainer-row" }, filter, only, this.said);
    return h("section", { class: "trainer-column" }, bar, this.alone, choice, this.wall.element);
  }

  destroy() {
    this.wall.destroy();
  }

  /** Show the pictures of this look; those that were chosen stay so. */
  async open(run) {
    this.run = run;
    const before = this.names;
    try {
      const { files } = await this.context.api.get(this.context.route("runs", run, "names"));
      if (run === this.run) {
        Object.assign(this, { names: files, places: new Map(files.map((file, n) => [file, n])) });
        this.known.open(run);
        this.selection.rename((n) => this.places.get(before[n]));
        await this.refresh([]);
      }
    } catch (error) {
      say(this.said, error.message);
    }
  }

  /** Show only these files, under a title. */
  async showFiles(files, title) {
    this.only = new Set(files);
    this.filter.value = "";
    this.problems.checked = false;
    say(this.subset, title);
    show(this.alone, true);
    this.onFiles();
    await this.reload();
  }

  async showAll() {
    this.only = null;
    show(this.alone, false);
    await this.reload();
  }

  /** The files that are chosen, in the order of the folder. */
  selected() {
    return [...this.selection.chosen].sort((one, other) => one - other).map((n) => this.names[n]);
  }

  /** The files that are shown now. */
  shown() {
    return this.numbers.map((n) => this.names[n]);
  }

  /** `listener()` is called when what is chosen or shown has changed; the answer ends that. */
  onChange(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Ask again for these files, such as after their captions changed or they went into the bin; else for all. */
  async refresh(files = this.names) {
    const { run } = this.known;
    if (!run) {
      return;
    }
    for (const file of files) {
      this.known.forget(this.places.get(file));
    }
    try {
      const { numbers } = await this.known.ask({ order: 1, count: 0 });
      this.here = run === this.known.run ? numbers : this.here; // without what lies in the bin
    } catch (error) {
      say(this.said, error.message);
    }
    await this.reload();
  }

  /** Which pictures are shown, by the filter. */
  async reload() {
    if (!this.known.run) {
      return;
    }
    this.turn += 1;
    const turn = this.turn;
    const filter = (this.problems.checked ? PROBLEMS : "") + this.filter.value.trim();
    try {
      const all = { numbers: this.here, pictures: [] };
      const { numbers, pictures } = filter ? await this.known.ask({ filter, count: FIRST, order: 1 }) : all;
      if (turn === this.turn) {
        this.known.take(pictures);
        this.numbers = this.only ? numbers.filter((n) => this.only.has(this.names[n])) : numbers;
        this.selection.arrange(this.numbers);
        this.wall.show(this.numbers);
        const total = this.numbers.length;
        say(this.said, filter ? `${counted(total, "picture")} found` : counted(total, "picture"));
        this.tell();
      }
    } catch (error) {
      if (turn === this.turn) {
        say(this.said, error.message);
      }
    }
  }

  /** Have what is known of the pictures that are drawn, and of those around them. */
  async need(seen) {
    if (seen.length) {
      const [first, last] = [seen[0], seen.at(-1)].map((n) => this.selection.places.get(n));
      await this.known.need(this.numbers, first, last).catch((error) => say(this.said, error.message));
    }
  }

  /** What is known of a picture, asked for where it is not yet; null for none. */
  picture(n) {
    return this.known.picture(n);
  }

  /** The picture of a file. */
  find(file) {
    return this.known.picture(this.places.get(file));
  }

  redraw(numbers) {
    this.wall.redraw(numbers.map((n) => this.selection.places.get(n)).filter((place) => place !== undefined));
  }

  card(n) {
    const picture = this.known.get(n);
    const source = picture?.thumb ? this.source(n) : "";
    const state = { cut: this.cut, isChosen: this.selection.has(n), isOpen: n === this.marked };
    return pictureCard({ n, file: this.names[n], picture, source, ...state });
  }

  /** Where its small copy is. */
  source(n) {
    return this.context.api.address(this.context.route("runs", this.known.run, "thumb"), { n });
  }

  /** Show the pictures as they will be cropped, with this colour as padding; null shows them whole. */
  showCut(cut) {
    if (this.cut !== cut) {
      this.cut = cut;
      this.wall.show(this.numbers);
    }
  }

  /** Show a picture that was changed, such as by a new caption. */
  replace(picture) {
    this.known.take([picture]);
    this.redraw([picture.n]);
  }

  /** The number of the picture beside another one, as they are shown; null at the ends. */
  beside({ n }, way) {
    const place = this.selection.places.get(n);
    return place === undefined ? null : (this.numbers[place + way] ?? null);
  }

  /** Mark the card of the picture that is open, and bring it into view; null: none. */
  mark(n) {
    const before = this.marked;
    this.marked = n;
    this.redraw([before, n]);
    const place = this.selection.places.get(n);
    if (place !== undefined) {
      this.wall.go(place, { focus: false });
    }
  }

  cardOf(n) {
    return this.wall.at(this.selection.places.get(n));
  }

  async click(event) {
    const card = event.target.closest("[data-n]");
    if (!card) {
      return;
    }
    const n = Number(card.dataset.n);
    this.wall.go(Number(card.dataset.place));
    if (event.shiftKey) {
      this.selection.reach(n);
    } else if (event.ctrlKey || event.metaKey || event.target.classList.contains("trainer-found-tick")) {
      this.selection.toggle(n);
    } else {
      await this.openNumber(n);
    }
  }

  openNumber(n) {
    return this.picture(n).then(this.onOpen, (error) => this.context.tell(error));
  }

  moved(place, from, event) {
    if (event.shiftKey) {
      this.selection.anchor ??= this.numbers[from];
      this.selection.reach(this.numbers[place]);
    }
  }

  key(event) {
    const n = this.numbers[this.wall.current];
    const keys = {
      " ": () => this.selection.toggle(n),
      Enter: () => this.openNumber(n),
      Escape: () => this.selection.none(),
      ...(event.ctrlKey || event.metaKey ? { a: () => this.selection.all() } : {}),
    };
    const act = n === undefined ? null : keys[event.key];
    if (act) {
      event.preventDefault();
      event.stopPropagation(); // the WebUI has keys of its own
      act();
    }
  }

  chose(changed) {
    for (const n of changed) {
      this.cardOf(n)?.setAttribute("aria-selected", String(this.selection.has(n)));
    }
    this.tell();
  }

  tell() {
    const { size } = this.selection;
    say(this.chosen, size ? `${number(size)} chosen` : "Tick pictures, or Ctrl+click and Shift+click, to choose some.");
    show(this.none, size > 0);
    show(this.all, this.numbers.length > 0);
    for (const listener of [...this.listeners]) {
      listener();
    }
  }
}
