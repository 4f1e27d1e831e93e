// Turns <textarea data-editor> into a rich-text editor. The textarea stays the form's field and holds the text's
// HTML; without this script it is a plain one. Attributes of the textarea:
//   data-editor            "" for a whole text that starts with its title, "fragment" for some of its blocks
//   data-draft-key         the name under which unsaved work is kept in this browser
//   dir, lang, readonly    as in any textarea
//   data-label-NAME        what the editor says (labels.js)
import { Editor } from "@tiptap/core";
import { Gapcursor, Placeholder, UndoRedo } from "@tiptap/extensions";
import { Blocks } from "./blocks.js";
import { dropDraft, keepDraft, markSent, readDraft, settleSentDrafts } from "./drafts.js";
import "./editor.css";
import { labelsFor } from "./labels.js";
import { schemaExtensions } from "./schema.js";
import { forEditor, forPaste, fromEditor } from "./text.js";
import { buildToolbar, element } from "./toolbar.js";

const KEEP_AFTER_MS = 400;

function nameOf(textarea, labels) {
  const label = textarea.labels?.[0];
  return textarea.getAttribute("aria-label") ?? label?.textContent.trim() ?? labels.toolbar;
}

function placeholders(labels) {
  return ({ node }) => ({ title: labels.title, quotationSource: labels.source })[node.type.name] ?? "";
}

function restoreBar(labels, draft, { restore, discard }) {
  const lang = document.documentElement.lang || undefined;
  const time = new Date(draft.at).toLocaleString(lang, { dateStyle: "medium", timeStyle: "short" });
  const bar = element("div", { class: "r2p-editor-restore", role: "status" },
    element("span", {}, labels.draftFound.replace("{time}", time)));
  for (const [label, run] of [[labels.restore, restore], [labels.discard, discard]]) {
    const button = element("button", { type: "button" }, label);
    button.addEventListener("click", () => { run(); bar.remove(); });
    bar.append(button);
  }
  return bar;
}

function watchConnection(form, note, keep) {
  const refresh = () => { note.hidden = navigator.onLine; };
  window.addEventListener("offline", refresh);
  window.addEventListener("online", refresh);
  refresh();
  form?.addEventListener("submit", (event) => {
    if (navigator.onLine) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    keep();
    note.hidden = false;
    note.focus();
  }, true);
}

function enhance(textarea) {
  if (textarea.r2pEditor) return;
  const labels = labelsFor(textarea);
  const whole = textarea.dataset.editor !== "fragment";
  const key = textarea.dataset.draftKey;
  const surface = element("div", { class: "r2p-editor-surface" });
  const frame = element("div", { class: "r2p-editor" });
  const note = element("p", { class: "r2p-editor-offline", role: "alert", tabindex: "-1" }, labels.offline);
  const attributes = {
    class: "r2p-editor-text", role: "textbox", "aria-multiline": "true", "aria-label": nameOf(textarea, labels),
  };
  for (const name of ["dir", "lang"]) if (textarea.getAttribute(name)) attributes[name] = textarea.getAttribute(name);
  if (textarea.getAttribute("aria-describedby")) {
    attributes["aria-describedby"] = textarea.getAttribute("aria-describedby");
  }

  const editor = new Editor({
    element: surface,
    injectCSS: false,
    editable: !textarea.readOnly && !textarea.disabled,
    extensions: [
      ...schemaExtensions({ whole }), Blocks.configure({ whole }), UndoRedo, Gapcursor,
      Placeholder.configure({ placeholder: placeholders(labels), showOnlyCurrent: false }),
    ],
    content: forEditor(textarea.value, { whole }),
    parseOptions: { preserveWhitespace: false },
    editorProps: { attributes, transformPastedHTML: forPaste },
  });
  textarea.r2pEditor = editor;

  let timer;
  let isChanged = false;
  const text = () => fromEditor(editor.getHTML());
  const keep = () => {
    clearTimeout(timer);
    timer = undefined;
    if (key) keepDraft(key, { html: textarea.value, at: Date.now(), sent: false });
  };
  const { bar, lines, refresh } = buildToolbar(editor, labels);
  editor.on("update", () => {
    textarea.value = text();
    isChanged = true;
    textarea.dispatchEvent(new Event("input", { bubbles: true }));
    clearTimeout(timer);
    timer = setTimeout(keep, KEEP_AFTER_MS);
  });
  editor.on("transaction", refresh);
  editor.on("create", refresh);

  const draft = key && readDraft(key);
  if (draft && draft.html !== textarea.value) {
    frame.append(restoreBar(labels, draft, {
      restore: () => editor.chain().setContent(forEditor(draft.html, { whole }), { emitUpdate: true }).focus().run(),
      discard: () => dropDraft(key),
    }));
  }
  frame.append(bar, ...lines, note, surface);
  textarea.required = false;
  textarea.hidden = true;
  textarea.after(frame);
  for (const label of textarea.labels ?? []) label.addEventListener("click", () => editor.commands.focus());

  window.addEventListener("pagehide", () => { if (timer && editor.isEditable) keep(); });
  watchConnection(textarea.form, note, keep);
  // A form is sent with what the editor holds; an untouched text goes back letter for letter.
  textarea.form?.addEventListener("submit", () => {
    clearTimeout(timer);
    timer = undefined;
    if (!key || !isChanged) return;
    keep();
    markSent(key);
  });
}

/** Go to the block that the address names, as in /documents/PP-2/edit#p4. */
function showAskedBlock() {
  const name = decodeURIComponent(window.location.hash.slice(1));
  if (!/^[A-Za-z][\w-]*$/.test(name)) return;
  document.querySelector(`.r2p-editor-text [data-block="${name}"]`)?.scrollIntoView({ block: "center" });
}

function enhanceAll() {
  document.querySelectorAll("textarea[data-editor]").forEach(enhance);
}

settleSentDrafts();
enhanceAll();
showAskedBlock();
document.addEventListener("htmx:after:swap", enhanceAll);
// A form sent by htmx tells of its success itself.
document.addEventListener("htmx:after:request", (event) => {
  const status = event.detail?.ctx?.response?.status ?? event.detail?.ctx?.response?.raw?.status ?? 0;
  if (status < 200 || status >= 400) return;
  event.target.querySelectorAll?.("textarea[data-draft-key]").forEach((field) => dropDraft(field.dataset.draftKey));
});
