// <textarea data-keep="PP-2:comment:7">: what is written is kept in this browser until the server has it.
import { dropDraft, keepDraft, markSent, readDraft } from "./drafts.js";

export function keepWriting() {
  document.querySelectorAll("textarea[data-keep]").forEach((field) => {
    const key = field.dataset.keep;
    const draft = readDraft(key);
    if (draft?.html && !field.value) field.value = draft.html;
    field.addEventListener("input", () => {
      if (field.value) keepDraft(key, { html: field.value, at: Date.now(), sent: false });
      else dropDraft(key);
    });
    field.form?.addEventListener("submit", () => { if (field.value) markSent(key); });
  });
}
