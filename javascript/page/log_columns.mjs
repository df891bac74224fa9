// The columns of a prompt log: its first rows, and its columns' names offered where an option names one.

import { h, put, say, show } from "./dom.mjs";
import { typed } from "./fields.mjs";
import { table } from "./report.mjs";
import { fileName } from "./words.mjs";

const NAMES = ["content", "attachments", "author_id", "author", "date", "reactions"];
const LIST = "trainer-log-columns";

/** {element: the first rows, look(file or null), pickers: for a Form}. */
export function columnPickers(context) {
  const list = h("datalist", { id: LIST });
  const rows = h("div", { class: "trainer-tables" });
  const trouble = h("p", { class: "trainer-error", hidden: true });
  let looked = null;
  const look = async (file) => {
    if (file === looked) return;
    looked = file;
    put(list);
    put(rows);
    say(trouble, "");
    show(trouble, false);
    if (file === null) return;
    try {
      const told = await context.api.get("promptlog", { path: file });
      if (file !== looked) return;
      put(list, told.columns.map((name) => h("option", { value: name })));
      const title = `The first rows of ${fileName(told.file)}`;
      put(rows, table({ title, columns: told.columns, rows: told.rows }));
    } catch (error) {
      if (file !== looked) return;
      say(trouble, error.message);
      show(trouble, true);
    }
  };
  const pickers = Object.fromEntries(NAMES.map((name) => [`columns.${name}`, columnControl]));
  return { element: h("div", { class: "trainer-column" }, list, rows, trouble), look, pickers };
}

function columnControl(option, id, _, changed) {
  const input = h("input", {
    type: "text", id, list: LIST, class: "trainer-input", spellcheck: "false", autocomplete: "off", oninput: changed,
  });
  return {
    element: input,
    input,
    read: () => input.value,
    write: (value) => {
      input.value = typed(value);
    },
  };
}
