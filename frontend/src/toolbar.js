// The toolbar: one tab stop, arrow keys within it, Escape back to the text.
import { isAddressAllowed } from "./schema.js";

const inTable = (editor) => editor.isActive("table");
const toggleMark = (name) => (editor) => editor.chain().focus().toggleMark(name).run();

// name of the label, sign shown in its place, what it does, what lights it, when it is shown
const GROUPS = [
  [
    { label: "undo", sign: "↶", run: (editor) => editor.chain().focus().undo().run(), can: (can) => can.undo() },
    { label: "redo", sign: "↷", run: (editor) => editor.chain().focus().redo().run(), can: (can) => can.redo() },
  ],
  [
    { label: "bold", sign: "B", run: toggleMark("bold"), active: "bold" },
    { label: "italic", sign: "I", run: toggleMark("italic"), active: "italic" },
    { label: "underline", sign: "U", run: toggleMark("underline"), active: "underline" },
    { label: "strike", sign: "S", run: toggleMark("strike"), active: "strike" },
    { label: "superscript", sign: "x²", run: toggleMark("superscript"), active: "superscript" },
    { label: "subscript", sign: "x₂", run: toggleMark("subscript"), active: "subscript" },
  ],
  [
    {
      label: "bulletList", active: "bulletList",
      run: (editor) => editor.chain().focus().toggleBulletList().run(), can: (can) => can.toggleBulletList(),
    },
    {
      label: "orderedList", active: "orderedList",
      run: (editor) => editor.chain().focus().toggleOrderedList().run(), can: (can) => can.toggleOrderedList(),
    },
    {
      label: "quotation", active: "quotation",
      run: (editor) => editor.chain().focus().toggleQuotation().run(), can: (can) => can.toggleQuotation(),
    },
    {
      label: "footnote", active: "footnote",
      run: (editor) => editor.chain().focus().insertFootnote().run(), can: (can) => can.insertFootnote(),
    },
    { label: "link", active: "link", opens: "link" },
    {
      label: "table", show: (editor) => !inTable(editor),
      run: (editor) => editor.chain().focus().insertTable({ rows: 3, cols: 3, withHeaderRow: true }).run(),
      can: (can) => can.insertTable(),
    },
  ],
  [
    { label: "tableCaption", show: inTable, opens: "caption" },
    { label: "rowAfter", show: inTable, run: (editor) => editor.chain().focus().addRowAfter().run() },
    { label: "columnAfter", show: inTable, run: (editor) => editor.chain().focus().addColumnAfter().run() },
    { label: "headerRow", show: inTable, run: (editor) => editor.chain().focus().toggleHeaderRow().run() },
    { label: "deleteRow", show: inTable, run: (editor) => editor.chain().focus().deleteRow().run() },
    { label: "deleteColumn", show: inTable, run: (editor) => editor.chain().focus().deleteColumn().run() },
    { label: "deleteTable", show: inTable, run: (editor) => editor.chain().focus().deleteTable().run() },
  ],
];

const KINDS = [["paragraph", 0], ["heading2", 2], ["heading3", 3], ["heading4", 4]];

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function kindChooser(editor, labels) {
  const chooser = element("select", { "aria-label": labels.textKind, title: labels.textKind });
  for (const [name, level] of KINDS) chooser.append(element("option", { value: level }, labels[name]));
  chooser.addEventListener("change", () => {
    const level = Number(chooser.value);
    const chain = editor.chain().focus();
    (level ? chain.setNode("heading", { level }) : chain.setNode("paragraph")).run();
  });
  const refresh = () => {
    const level = editor.isActive("heading") ? editor.getAttributes("heading").level : 0;
    chooser.value = String(level);
    const top = editor.state.selection.$from.node(1);
    chooser.disabled = !editor.isEditable || !["paragraph", "heading"].includes(top?.type.name);
  };
  return { chooser, refresh };
}

/** A line below the toolbar that asks for one value: the address of a link, the caption of a table. */
function askLine(editor, { label, apply, remove, read, write, clear, isValid = () => true }) {
  const input = element("input", { type: "text", "aria-label": label, placeholder: label, dir: "auto" });
  const line = element("div", { class: "r2p-editor-ask" }, input);
  line.hidden = true;
  const close = () => {
    line.hidden = true;
    editor.commands.focus();
  };
  const submit = () => {
    const value = input.value.trim();
    if (value && !isValid(value)) {
      input.setAttribute("aria-invalid", "true");
      return;
    }
    if (value) write(value);
    else clear();
    close();
  };
  const button = (text, run) => {
    const made = element("button", { type: "button" }, text);
    made.addEventListener("click", run);
    line.append(made);
  };
  button(apply, submit);
  if (remove) button(remove, () => { clear(); close(); });
  line.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target === input) { event.preventDefault(); submit(); }
    if (event.key === "Escape") close();
  });
  // The editor's value is its textarea's: what is typed here belongs to no form.
  input.addEventListener("input", (event) => { event.stopPropagation(); input.removeAttribute("aria-invalid"); });
  const open = () => {
    line.hidden = !line.hidden;
    if (line.hidden) return;
    input.value = read();
    input.select();
    input.focus();
  };
  return { line, open };
}

function asks(editor, labels) {
  const withScheme = (value) => (/^[\w-]+(\.[\w-]+)+(\/|$)/.test(value) ? `https://${value}` : value);
  return {
    link: askLine(editor, {
      label: labels.linkAddress,
      apply: labels.applyLink,
      remove: labels.removeLink,
      read: () => editor.getAttributes("link").href ?? "",
      isValid: (value) => isAddressAllowed(withScheme(value)),
      write: (value) => {
        const href = withScheme(value);
        const chain = editor.chain().focus().extendMarkRange("link");
        if (editor.state.selection.empty && !editor.isActive("link")) {
          chain.insertContent({ type: "text", text: href, marks: [{ type: "link", attrs: { href } }] }).run();
        } else chain.setLink({ href }).run();
      },
      clear: () => editor.chain().focus().extendMarkRange("link").unsetLink().run(),
    }),
    caption: askLine(editor, {
      label: labels.tableCaption,
      apply: labels.tableCaption,
      read: () => editor.getAttributes("table").caption ?? "",
      write: (caption) => editor.commands.updateAttributes("table", { caption }),
      clear: () => editor.commands.updateAttributes("table", { caption: "" }),
    }),
  };
}

function moveFocus(bar, event, editor) {
  if (event.key === "Escape") {
    event.preventDefault();
    editor.commands.focus();
    return;
  }
  const stops = [...bar.querySelectorAll("button, select")].filter((stop) => !stop.hidden && !stop.disabled);
  const at = stops.indexOf(document.activeElement);
  const rtl = getComputedStyle(bar).direction === "rtl";
  const step = { ArrowRight: rtl ? -1 : 1, ArrowLeft: rtl ? 1 : -1 }[event.key];
  const to = event.key === "Home" ? 0 : event.key === "End" ? stops.length - 1
    : step && (at + step + stops.length) % stops.length;
  if (to === undefined || at < 0) return;
  event.preventDefault();
  stops.forEach((stop, index) => { stop.tabIndex = index === to ? 0 : -1; });
  stops[to].focus();
}

/** Build the toolbar of an editor; returns what to place and `refresh`, to call when the selection moved. */
export function buildToolbar(editor, labels) {
  const bar = element("div", { class: "r2p-editor-toolbar", role: "toolbar", "aria-label": labels.toolbar });
  const { chooser, refresh: refreshKind } = kindChooser(editor, labels);
  const lines = asks(editor, labels);
  const buttons = [];
  GROUPS.forEach((group, index) => {
    const box = element("span", { class: "r2p-editor-group" });
    if (index === 1) bar.append(chooser);
    for (const entry of group) {
      const text = labels[entry.label];
      const button = element("button", { type: "button", "aria-label": text, title: text, "data-does": entry.label });
      button.textContent = entry.sign ?? text;
      if (entry.sign) button.classList.add("r2p-editor-sign");
      // A press must not take the selection away from the text.
      button.addEventListener("mousedown", (event) => event.preventDefault());
      button.addEventListener("click", () => (entry.opens ? lines[entry.opens].open() : entry.run(editor)));
      buttons.push([button, entry]);
      box.append(button);
    }
    bar.append(box);
  });
  bar.addEventListener("keydown", (event) => moveFocus(bar, event, editor));

  const refresh = () => {
    refreshKind();
    const can = editor.can();
    for (const [button, entry] of buttons) {
      button.hidden = entry.show ? !entry.show(editor) : false;
      button.disabled = !editor.isEditable || (entry.can ? !entry.can(can) : false);
      if (entry.active) button.setAttribute("aria-pressed", String(editor.isActive(entry.active)));
    }
    bar.querySelectorAll(".r2p-editor-group").forEach((box) => {
      box.hidden = [...box.children].every((button) => button.hidden);
    });
    const stops = [...bar.querySelectorAll("button, select")].filter((stop) => !stop.hidden && !stop.disabled);
    if (!stops.some((stop) => stop.tabIndex === 0 && stop === document.activeElement)) {
      stops.forEach((stop, index) => { stop.tabIndex = index ? -1 : 0; });
    }
  };
  return { bar, lines: Object.values(lines).map(({ line }) => line), refresh };
}
