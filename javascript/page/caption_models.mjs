// The models that write captions: those on this computer, and those that can be downloaded, with their sizes.

import { RunBar } from "./bar.mjs";
import { button, h, put, say, show } from "./dom.mjs";
import { Follower, hasEnded } from "./follow.mjs";
import { folded } from "./report.mjs";

const MEGABYTE = 1e6;
const KINDS = {
  wd14: "tags", deepdanbooru: "tags", blip: "sentences", florence2: "sentences", webui: "sentences", "webui deepbooru": "tags",
};

/** `onUse({name, kind, isTagger, hosted})` is called with the model that the user takes. */
export class CaptionModels {
  constructor(context, onUse) {
    Object.assign(this, { context, onUse, fetched: null });
    const isWatched = () => this.element.getClientRects().length > 0;
    this.follower = new Follower(context, () => this.update(), { isWatched });
    this.bar = new RunBar({ id: "trainer-fetch-bar" });
    this.list = h("ul", { class: "trainer-models", "aria-label": "Models that write captions" });
    this.place = h("p", { class: "trainer-quiet" });
    const end = () => this.follower.ask("stop").catch((error) => context.tell(error));
    this.cancel = button("Stop the download", end, { kind: "danger" });
    this.element = folded("Models", [this.list, this.bar.element, this.cancel, this.place], { id: "trainer-caption-models" });
    show(this.bar.element, false);
    show(this.cancel, false);
  }

  show() {
    this.look().catch((error) => this.context.tell(error));
    if (this.context.form.fetched) {
      this.follower.follow(this.context.form.fetched);
    }
  }

  hide() {
    this.follower.pause();
  }

  end() {
    this.follower.end();
  }

  async look() {
    const { models, hosted, folder } = await this.context.api.get("captioners");
    const isBusy = Boolean(this.follower.run) && !hasEnded(this.follower.run);
    put(this.list, [...models, ...hosted].map((model) => this.item(model, isBusy)));
    say(this.place, `Models are looked for in ${folder} and in the WebUI's own folders; put a model's folder there, or give its path.`);
    this.element.open ||= !hosted.length && !models.some(({ path }) => path);
  }

  item(model, isBusy) {
    const { name, kind, said, licence, bytes, path, hosted } = model;
    const size = bytes ? `${Math.round(bytes / MEGABYTE)} MB` : "";
    const words = [said || KINDS[kind], size, licence].filter(Boolean).join(" · ");
    const take = () => this.onUse({ ...model, isTagger: KINDS[kind] === "tags" });
    const act = path || hosted
      ? button("Use", take, { "aria-label": `Use ${name}` })
      : button("Download", () => this.fetch(name), { "aria-label": `Download ${name}, ${size}`, disabled: isBusy });
    return h("li", {}, h("b", {}, name), h("span", { class: "trainer-quiet" }, words), act);
  }

  async fetch(model) {
    try {
      const run = await this.context.api.post(this.context.route("runs"), { step: "fetch", config: { model } });
      this.context.form.fetched = run.id;
      this.context.save();
      this.follower.follow(run.id);
    } catch (error) {
      this.context.tell(error);
    }
  }

  update() {
    const { run, id } = this.follower;
    this.bar.update(this.follower);
    const isBusy = !hasEnded(run);
    show(this.bar.element, isBusy || run.state === "failed");
    show(this.cancel, isBusy);
    if (this.fetched !== `${id} ${isBusy}`) {
      this.fetched = `${id} ${isBusy}`;
      this.look().catch((error) => this.context.tell(error));
    }
  }
}
