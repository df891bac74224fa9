// "Use this epoch": strength and activation text are noted beside the file, the phrase goes to the prompt.

import { bringToPrompt } from "./copying.mjs";
import { ask } from "./dialogs.mjs";
import { h, say, show } from "./dom.mjs";
import { networkName } from "./phrases.mjs";

const MOST = 4;
const CHOOSE = "Choose it as the checkpoint of your WebUI to draw with it.";

/** Ask, write and copy; answers the phrase, of a checkpoint its path, or null where the user changed their mind. `run` saved the network. */
export async function useNetwork(context, { network, strength, run }) {
  const fields = new Fields(strength, await triggerOf(context, run));
  const choices = [{ label: "Use it", value: "use", kind: "primary" }];
  const title = `Use ${networkName(network)}`;
  if ((await ask(context, { title, body: fields.body, check: () => fields.check(), choices })) === null) {
    return null;
  }
  try {
    const data = { network, strength: fields.strength, activation: fields.words.value.trim() };
    const { phrase } = await context.api.post(context.route("choose"), data);
    context.toast(phrase ? await bringToPrompt(phrase, data.activation) : `Noted: ${networkName(network)}. ${CHOOSE}`);
    return phrase || network;
  } catch (error) {
    context.tell(error);
    return null;
  }
}

/** Strength and activation text, to be filled in. */
class Fields {
  constructor(strength, trigger) {
    const input = (id, value) => h("input", { type: "text", class: "trainer-input", id, value: String(value) });
    this.amount = input("trainer-use-strength", strength);
    this.words = input("trainer-use-activation", trigger);
    this.trouble = h("p", { class: "trainer-error", role: "alert", hidden: true });
    this.body = [
      h("p", { class: "trainer-quiet" }, "Both are written beside the file, where the WebUI's cards read them."),
      h("label", { class: "trainer-stacked" }, "Strength", this.amount),
      h("label", { class: "trainer-stacked" }, "Activation text: the words that call it up", this.words),
      this.trouble,
    ];
  }

  /** The strength as a number; NaN where it is none. */
  get strength() {
    const text = this.amount.value.trim().replace(",", ".");
    return text === "" ? NaN : Number(text);
  }

  check() {
    const isGood = Math.abs(this.strength) <= MOST;
    const said = this.amount.value || "empty";
    say(this.trouble, isGood ? "" : `The strength is ${said}; it must be a number from -${MOST} to ${MOST}.`);
    show(this.trouble, !isGood);
    return isGood;
  }
}

async function triggerOf(context, run) {
  if (!run) {
    return "";
  }
  try {
    const { config } = await context.api.get(context.route("runs", run));
    return config?.dataset?.trigger ?? "";
  } catch {
    return ""; // the run is gone; the user can still type it
  }
}
