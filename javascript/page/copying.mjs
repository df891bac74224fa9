// Where a phrase goes: into the WebUI's prompt where there is one, else to the clipboard.

/** Copy text; whether that worked. Browsers offer their clipboard only on https and on this computer itself. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyOldWay(text);
  }
}

function copyOldWay(text) {
  const field = document.createElement("textarea");
  field.value = text;
  const place = document.querySelector("#trainer dialog[open]") ?? document.body; // outside an open dialog nothing can be selected
  place.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}

/** The WebUI's txt2img prompt; null on a page of our own. */
function promptField() {
  const page = globalThis.gradioApp?.() ?? document;
  return page.querySelector("#txt2img_prompt textarea");
}

const PHRASE = /(<(?:lora|hypernet):[^>]*>)/;

/** A prompt with this network's phrase; one that names the same network already has it replaced. */
export function withPhrase(prompt, phrase) {
  const [, name] = /^<((?:lora|hypernet):[^:>]+)/.exec(phrase) ?? [];
  const same =
    name &&
    prompt.split(PHRASE).findIndex((part) => part.startsWith(`<${name}:`) || part === `<${name}>`);
  if (name && same >= 0) {
    return prompt
      .split(PHRASE)
      .map((part, place) => (place === same ? phrase : part))
      .join("");
  }
  return prompt.trim() ? `${prompt.trimEnd()} ${phrase}` : phrase;
}

/**
 * Bring a phrase such as `<lora:cat-e003:0.8>`, and the words that call it up, to where pictures are made; answers the
 * sentence that says where it went.
 */
export async function bringToPrompt(phrase, activation = "") {
  const field = promptField();
  if (field) {
    const missing = activation && !field.value.includes(activation) ? activation : "";
    const start = [field.value.trim(), missing].filter(Boolean).join(", ");
    field.value = withPhrase(start, phrase);
    field.dispatchEvent(new Event("input", { bubbles: true })); // Gradio reads a field only then
    return `${phrase} is in the prompt of txt2img now.`;
  }
  const text = [activation, phrase].filter(Boolean).join(" ");
  return (await copy(text))
    ? `Copied: ${text}`
    : `The browser does not let this page copy; select it yourself: ${text}`;
}
