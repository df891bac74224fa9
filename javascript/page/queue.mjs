// The queue: the runs that wait, of all projects, in their order; up, down, first, cancel.

import { path } from "./api.mjs";
import { button, h, put, show } from "./dom.mjs";
import { stateWord } from "./words.mjs";

const ABOUT = "One after another; the next begins when the one before it has ended, also after a restart.";

export class QueueList {
  constructor(context) {
    this.context = context;
    this.drawn = "";
    this.list = h("ol", { class: "trainer-queue" });
    const about = h("p", { class: "trainer-quiet" }, ABOUT);
    const attributes = { class: "trainer-card trainer-column", id: "trainer-queue", hidden: true };
    this.element = h("section", attributes, h("h2", {}, "Queue"), about, this.list);
  }

  update({ queue }) {
    show(this.element, queue.length > 0);
    const key = JSON.stringify(queue.map((run) => [run.project, run.id, run.name, run.state]));
    if (key === this.drawn) return;
    this.drawn = key;
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    put(this.list, queue.map((run, index) => this.row(run, index, queue.length)));
    if (focused) this.focus(focused);
  }

  /** The same button as before, or another one of its row, where the run may go no further. */
  focus(key) {
    const buttons = [...this.list.querySelectorAll("button:not(:disabled)")];
    const [id] = key.split(" ");
    const next = buttons.find((each) => each.dataset.key === key) ?? buttons.find((each) => each.dataset.key.startsWith(`${id} `));
    (next ?? buttons[0])?.focus();
  }

  row(run, index, count) {
    const name = run.name || run.id;
    const act = (label, what, title, isOff) => {
      const attributes = { title, "aria-label": `${title}: ${name}`, disabled: isOff, "data-key": `${run.id} ${what}` };
      return button(label, () => this.act(run, what), attributes);
    };
    const from = run.project === this.context.project ? "" : ` in project ${run.project}`;
    const told = h("span", { class: "trainer-quiet" }, ` ${run.step}${from}, ${stateWord(run)}`);
    return h("li", {},
      h("span", { class: "trainer-grow" }, h("strong", {}, name), told),
      act("Up", "up", "Move up", index === 0), act("Down", "down", "Move down", index === count - 1),
      act("Cancel", "cancel", "Take out of the queue", false));
  }

  async act(run, what) {
    try {
      await this.context.api.post(`${path("projects", run.project, "runs", run.id)}/${what}`);
    } catch (error) {
      this.context.tell(error);
    }
    this.context.askNow();
  }
}
