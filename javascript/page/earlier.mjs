// The list of a project's comparisons, to open one again.

import { h, put } from "./dom.mjs";
import { moment, stateWord } from "./words.mjs";

/** `onOpen(id)` is called with the run that the user chooses. */
export class Earlier {
  constructor(onOpen) {
    const named = { id: "trainer-compare-earlier", "aria-label": "Comparisons of this project" };
    this.element = h("select", { class: "trainer-input", ...named, onchange: () => onOpen(this.element.value) });
  }

  /** Show these runs, with the one of this id chosen; `run` is what is known of that one. Answers how many there are. */
  update(runs, id, run) {
    const comparisons = runs.filter((each) => each.step === "compare");
    const label = (each) => [each.name || each.id, stateWord(each), moment(each.created)].filter(Boolean).join(" · ");
    const entries = comparisons.map((each) => [each.id, label(each)]);
    if (!id) {
      entries.unshift(["", "Choose a comparison…"]);
    } else if (!entries.some(([known]) => known === id)) {
      entries.unshift([id, run ? label({ ...run, id }) : id]);
    }
    const text = JSON.stringify(entries);
    if (text !== this.listed) {
      put(
        this.element,
        entries.map(([value, words]) => h("option", { value }, words)),
      );
    }
    this.listed = text;
    this.element.value = id ?? "";
    return comparisons.length;
  }
}
