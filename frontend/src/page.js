// Small behaviours of every page. Each is optional: without this script the same form does the same work.
import { settleSentDrafts } from "./drafts.js";
import { watchSelections } from "./commenting.js";
import { watchDroppedFiles } from "./checking.js";
import { keepWriting } from "./keeping.js";

// <form data-confirm="Withdraw this edition?" data-confirm-yes="Withdraw" data-confirm-no="Keep">, or on its button
function askBeforeSubmitting() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const { submitter } = event;
    const asker = submitter?.dataset.confirm ? submitter : form;
    const question = asker.dataset.confirm;
    if (!question || form.dataset.confirmed) {
      delete form.dataset.confirmed;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    const dialog = document.createElement("dialog");
    dialog.className = "r2p-confirm";
    const text = document.createElement("p");
    text.id = "r2p-confirm-question";
    text.textContent = question;
    dialog.setAttribute("aria-labelledby", text.id);
    const buttons = document.createElement("form");
    buttons.method = "dialog";
    const choice = (value, label) => {
      const button = document.createElement("button");
      button.value = value;
      button.textContent = label;
      buttons.append(button);
      return button;
    };
    choice("no", asker.dataset.confirmNo || "✕").autofocus = true;
    choice("yes", asker.dataset.confirmYes || submitter?.textContent.trim() || "OK").className = "primary";
    dialog.append(text, buttons);
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (dialog.returnValue === "yes") {
        form.dataset.confirmed = "yes";
        // asked and answered: the server need not ask on a page of its own
        form.querySelectorAll('input[name^="asks"]').forEach((field) => { field.disabled = true; });
        form.requestSubmit(submitter);
      } else submitter?.focus();
    });
    document.body.append(dialog);
    dialog.showModal();
  }, true);
}

// <time datetime="2027-03-01T10:00:00Z" data-local>1 March 2027, 10:00 UTC</time>; data-local="date" for the day alone
function showLocalTimes(root) {
  const lang = document.documentElement.lang || undefined;
  const day = { year: "numeric", month: "short", day: "numeric" };
  const clock = { hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
  root.querySelectorAll("time[data-local][datetime]").forEach((time) => {
    const instant = new Date(time.dateTime);
    if (Number.isNaN(instant.valueOf()) || time.dataset.localDone) return;
    time.dataset.localDone = "yes";
    time.title = time.title || time.textContent.trim();
    const format = time.dataset.local === "date" ? day : { ...day, ...clock };
    time.textContent = new Intl.DateTimeFormat(lang, format).format(instant);
  });
}

// <details open data-close-when-narrow>: in the margin of a wide page open, below its paragraph on a phone closed
function closeWhenNarrow() {
  if (!window.matchMedia("(max-width: 61.99rem)").matches) return;
  document.querySelectorAll("details[data-close-when-narrow]").forEach((details) => { details.open = false; });
}

// <button type="button" data-close-dialog> in a <dialog>
function closeDialogs() {
  document.addEventListener("click", (event) => {
    event.target.closest?.("[data-close-dialog]")?.closest("dialog")?.close();
  });
}

// <textarea data-chooses="ID">: who writes in it means the radio button of that id
function chooseByWriting() {
  document.addEventListener("input", (event) => {
    const radio = document.getElementById(event.target.dataset?.chooses ?? "");
    if (radio) radio.checked = true;
  });
}

// A row of tabs that is wider than the page shows the one that is open.
function showCurrentTab() {
  document.querySelectorAll(".tabs [aria-current]").forEach((tab) => {
    const row = tab.closest(".tabs");
    const [outer, inner] = [row.getBoundingClientRect(), tab.getBoundingClientRect()];
    row.scrollLeft += (inner.left + inner.right) / 2 - (outer.left + outer.right) / 2;
  });
}

settleSentDrafts();
askBeforeSubmitting();
showLocalTimes(document);
watchSelections();
watchDroppedFiles();
keepWriting();
closeWhenNarrow();
closeDialogs();
chooseByWriting();
showCurrentTab();
document.addEventListener("htmx:after:swap", () => showLocalTimes(document));
