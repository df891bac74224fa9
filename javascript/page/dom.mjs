// Building and changing the page's elements, and nothing else.

const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "indeterminate", "open", "hidden", "readOnly"]);

/**
 * An element. Attributes: `onclick` and the like are listeners, `class` may be a list with falsy members, `style` an
 * object, `true` is an empty attribute; null, undefined and false leave an attribute out. Children: nodes, text, lists;
 * null, undefined and false are left out. Text is never read as HTML.
 */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    set(element, name, value);
  }
  element.append(...nodes(children));
  return element;
}

function set(element, name, value) {
  if (value === null || value === undefined) return;
  if (name.startsWith("on")) {
    element.addEventListener(name.slice(2), value);
  } else if (name === "class") {
    element.className = [value].flat().filter(Boolean).join(" ");
  } else if (name === "style") {
    for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
  } else if (PROPERTIES.has(name)) {
    element[name] = value;
  } else if (value !== false) {
    element.setAttribute(name, value === true ? "" : value);
  }
}

function nodes(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== "");
}

/** Takes everything out of an element. */
export function clear(element) {
  element.replaceChildren();
  return element;
}

/** Puts these children in place of all others. */
export function put(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

/** Changes an element's text only where it differs: the WebUI looks at every change of the page. */
export function say(element, text) {
  const wanted = text ?? "";
  if (element.textContent !== wanted) element.textContent = wanted;
  return element;
}

/** Shows or hides an element, without touching it where it is so already. */
export function show(element, isShown) {
  if (element.hidden === Boolean(isShown)) element.hidden = !isShown;
  return element;
}

/** Listens; the answer stops listening. */
export function on(target, type, listener, options) {
  target.addEventListener(type, listener, options);
  return () => target.removeEventListener(type, listener, options);
}

/** The function, called once `milliseconds` have passed without another call; `.now()` calls it at once if it is due. */
export function debounced(act, milliseconds) {
  let timer = null;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(later.now, milliseconds);
  };
  later.now = () => {
    if (timer === null) return;
    later.cancel();
    act();
  };
  later.cancel = () => {
    clearTimeout(timer);
    timer = null;
  };
  later.isDue = () => timer !== null;
  return later;
}

/**
 * A button; `kind` is "primary", "secondary", "plain" (no box) or "danger". While a promise of `act` is open it is busy
 * and takes no second press; it is not disabled, since it would lose the keyboard's focus.
 */
export function button(label, act, { kind = "secondary", ...attributes } = {}) {
  const element = h("button", { type: "button", class: `trainer-button trainer-${kind}`, ...attributes }, label);
  let isBusy = false;
  element.addEventListener("click", async (event) => {
    if (isBusy) return;
    isBusy = true;
    element.setAttribute("aria-busy", "true");
    try {
      await act(event);
    } finally {
      isBusy = false;
      element.removeAttribute("aria-busy");
    }
  });
  return element;
}
