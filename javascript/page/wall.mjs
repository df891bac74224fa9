// Cards of one size in rows, of which only those near the window are drawn: ten thousand stay as fluid as ten.

import { h, on } from "./dom.mjs";

const NARROWEST = 184; // pixels of a card
const HEIGHT = 284;
const GAP = 10;
const SPARE_ROWS = 2; // drawn above and below what is seen

/**
 * `draw(item, place)` makes the card of an item. `onSeen(items)` is told what is drawn now, `onMove(place, event)` of
 * the keys that go to another card. `items` is what `show` was given.
 */
export class Wall {
  constructor({ draw, onSeen = () => {}, onMove = () => {}, label }) {
    Object.assign(this, { draw, onSeen, onMove, items: [], columns: 1, step: 0, current: 0, cards: new Map(), frame: 0 });
    const names = { role: "listbox", "aria-multiselectable": "true", "aria-label": label };
    this.element = h("div", { class: "trainer-gallery", ...names });
    const soon = () => this.soon();
    this.sizes = new ResizeObserver(soon);
    this.sizes.observe(this.element);
    this.stops = [
      on(document, "scroll", soon, { capture: true, passive: true }), // whatever it is that scrolls around us
      on(window, "resize", soon),
      on(this.element, "keydown", (event) => this.key(event)),
    ];
  }

  destroy() {
    cancelAnimationFrame(this.frame);
    this.sizes.disconnect();
    this.stops.forEach((stop) => stop());
  }

  /** Show these items. */
  show(items) {
    this.items = items;
    this.current = Math.min(this.current, Math.max(0, items.length - 1));
    this.cards.forEach(drop);
    this.cards.clear();
    this.paint();
  }

  /** Draw the cards of these places again. */
  redraw(places) {
    for (const place of places) {
      const old = this.cards.get(place);
      if (old) {
        const card = this.card(place);
        const hadFocus = old === document.activeElement;
        this.cards.set(place, card);
        old.replaceWith(card);
        if (hadFocus) {
          card.focus({ preventScroll: true });
        }
      }
    }
  }

  soon() {
    this.frame ||= requestAnimationFrame(() => this.paint());
  }

  paint() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const { top, width } = this.element.getBoundingClientRect();
    if (!width) {
      return; // nobody sees it
    }
    this.fit(width);
    const [first, end] = this.reach(top, 0);
    const isNew = first < end && !this.cards.has(first) && !this.cards.has(end - 1);
    if (isNew) {
      this.put(first, end); // what is seen comes first
      this.soon();
    } else {
      this.put(...this.reach(top, SPARE_ROWS));
    }
  }

  /** The places that are in the window, with so many rows more above and below: the first, and the one after the last. */
  reach(top, more) {
    const high = Math.floor(-top / (HEIGHT + GAP)) - more;
    const low = Math.ceil((innerHeight - top) / (HEIGHT + GAP)) + more;
    return [Math.max(0, high * this.columns), Math.min(this.items.length, Math.max(0, low * this.columns))];
  }

  /** Reckon with this width: how many cards stand in a row, and how tall all rows are. */
  fit(width) {
    const columns = Math.max(1, Math.floor((width + GAP) / (NARROWEST + GAP)));
    const step = Math.floor((width + GAP) / columns); // at a part of a pixel the last border would be cut off
    const isOther = columns !== this.columns || step !== this.step;
    Object.assign(this, { columns, step });
    if (isOther) {
      this.cards.forEach((card, place) => this.lay(card, place));
    }
    const rows = Math.ceil(this.items.length / columns);
    const height = `${Math.max(0, rows * (HEIGHT + GAP) - GAP)}px`;
    if (this.element.style.height !== height) {
      this.element.style.height = height;
    }
  }

  /** Have exactly the cards of these places, and the one that the keyboard is at, in the page. */
  put(first, end) {
    const isWanted = (place) => (place >= first && place < end) || (place === this.current && place < this.items.length);
    for (const [place, card] of this.cards) {
      if (!isWanted(place)) {
        drop(card);
        this.cards.delete(place);
      }
    }
    let before = null;
    const wanted = [...Array(Math.max(0, end - first)).keys()].map((more) => first + more);
    if (this.items.length && !wanted.includes(this.current)) {
      wanted[this.current < first ? "unshift" : "push"](this.current);
    }
    for (const place of wanted) {
      const card = this.cards.get(place) ?? this.card(place);
      this.cards.set(place, card);
      if (!card.isConnected) {
        before ? before.after(card) : this.element.prepend(card);
      }
      before = card;
    }
    this.onSeen(wanted.filter((place) => place >= first && place < end).map((place) => this.items[place]));
  }

  card(place) {
    const card = this.draw(this.items[place], place);
    card.dataset.place = place;
    card.tabIndex = place === this.current ? 0 : -1;
    card.setAttribute("aria-posinset", place + 1);
    card.setAttribute("aria-setsize", this.items.length);
    this.lay(card, place);
    return card;
  }

  lay(card, place) {
    const [row, column] = [Math.floor(place / this.columns), place % this.columns];
    card.style.width = `${this.step - GAP}px`;
    card.style.transform = `translate(${column * this.step}px, ${row * (HEIGHT + GAP)}px)`;
  }

  /** The card of a place, where it is drawn. */
  at(place) {
    return this.cards.get(place);
  }

  /** Bring a place into view and, if wanted, the keyboard to it. */
  go(place, { focus = true } = {}) {
    this.cards.get(this.current)?.setAttribute("tabindex", "-1");
    this.current = place;
    this.paint();
    const card = this.cards.get(place);
    card?.setAttribute("tabindex", "0");
    card?.scrollIntoView({ block: "nearest" });
    if (focus) {
      card?.focus({ preventScroll: true });
    }
  }

  key(event) {
    const page = this.columns * Math.max(1, Math.floor(innerHeight / (HEIGHT + GAP)));
    const last = this.items.length - 1;
    const ways = {
      ArrowLeft: this.current - 1,
      ArrowRight: this.current + 1,
      ArrowUp: this.current - this.columns,
      ArrowDown: this.current + this.columns,
      PageUp: Math.max(0, this.current - page),
      PageDown: Math.min(last, this.current + page),
      Home: 0,
      End: last,
    };
    const next = ways[event.key];
    if (next === undefined || event.altKey) {
      return;
    }
    event.preventDefault();
    if (next >= 0 && next <= last) {
      const from = this.current;
      this.go(next);
      this.onMove(next, from, event);
    }
  }
}

/** Take a card out; what it was still to show need not come any more, so that what is seen comes sooner. */
function drop(card) {
  card.remove();
  card.querySelectorAll("img").forEach((image) => image.complete || image.removeAttribute("src"));
}
