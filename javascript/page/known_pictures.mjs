// What is known of the pictures of a look: asked for as they come into view, one request at a time, and kept.

const BEFORE = 40; // pictures asked for before and after those that are seen
const AFTER = 80;
const SOON = 24; // as far before and after them it is asked before they come into view

/** `onKnown(numbers)` is called when the server has told of these pictures. */
export class KnownPictures {
  constructor(context, onKnown) {
    Object.assign(this, { context, onKnown, isBusy: false });
    this.open(null);
  }

  /** Begin anew, with the pictures of this look. */
  open(run) {
    Object.assign(this, { run, kept: new Map(), needed: [[], 0, 0] });
  }

  has(n) {
    return this.kept.has(n);
  }

  /** What is known of a picture by now; null for nothing. */
  get(n) {
    return this.kept.get(n) ?? null;
  }

  take(pictures) {
    pictures.forEach((picture) => this.kept.set(picture.n, picture));
  }

  forget(n) {
    this.kept.delete(n);
  }

  /** Have what is known of the pictures from one place of a list to another; while a request goes, the last call waits. */
  async need(numbers, first, last) {
    this.needed = [numbers, first, last];
    while (!this.isBusy && this.lacks(...this.needed)) {
      const [among, from, to] = this.needed;
      const around = among.slice(Math.max(0, from - BEFORE), to + AFTER);
      this.isBusy = true;
      try {
        await this.fetch(around.filter((n) => !this.has(n)));
      } finally {
        this.isBusy = false;
      }
    }
  }

  lacks(numbers, first, last) {
    return numbers.slice(Math.max(0, first - SOON), last + SOON).some((n) => !this.has(n));
  }

  /** Ask for what fits a filter, or for some numbers. */
  ask(query) {
    return this.context.api.get(this.context.route("runs", this.run, "pictures"), query);
  }

  async fetch(numbers) {
    const { run } = this;
    const { pictures } = await this.ask({ numbers: numbers.join(",") });
    if (run === this.run) {
      this.take(pictures);
      this.onKnown(numbers);
    }
  }

  /** A picture, asked for where nothing is known of it yet; null for none. */
  async picture(n) {
    if (n !== null && n !== undefined && !this.has(n)) {
      await this.fetch([n]);
    }
    return this.get(n);
  }
}
