// Select words in a block and comment on them: fills the form's hidden fields as a W3C text quotation.
//   <article data-commentable> <p data-block="b1">…</p> </article>
//   <button type="button" data-comment-button hidden>Comment</button>
//   <form data-comment-form> inputs named block, exact (or quotation), prefix, suffix; an optional
//     <q data-comment-quotation hidden></q> shows the words; the form may be hidden, in <details> or in <dialog>
const CONTEXT = 32;

const fold = (text) => text.replace(/\s+/g, " ");

function textBetween(block, start, end) {
  const range = document.createRange();
  range.selectNodeContents(block);
  if (start) range.setStart(...start);
  if (end) range.setEnd(...end);
  const fragment = range.cloneContents();
  fragment.querySelectorAll("sup[data-note], [data-not-text]").forEach((element) => element.remove());
  return fold(fragment.textContent);
}

function blockOf(node) {
  const element = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
  const block = element?.closest("[data-block]");
  return block?.closest("[data-commentable]") ? block : null;
}

/** Return the selected words as block, exact, prefix and suffix; a selection over several blocks ends with the first. */
export function findQuotation(selection) {
  if (!selection.rangeCount || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  const block = blockOf(range.startContainer);
  if (!block) return null;
  const start = [range.startContainer, range.startOffset];
  const end = block.contains(range.endContainer) ? [range.endContainer, range.endOffset] : null;
  const exact = textBetween(block, start, end);
  if (!exact.trim()) return null;
  const lead = exact.length - exact.trimStart().length;
  const trail = exact.length - exact.trimEnd().length;
  const before = textBetween(block, null, start) + exact.slice(0, lead);
  const after = exact.slice(exact.length - trail) + (end ? textBetween(block, end, null) : "");
  return {
    block: block.dataset.block,
    exact: exact.trim(),
    prefix: fold(before).trimStart().slice(-CONTEXT),
    suffix: fold(after).trimEnd().slice(0, CONTEXT),
    box: range.getBoundingClientRect(),
  };
}

function fill(form, quotation) {
  const set = (names, value) => names.forEach((name) => {
    const field = form.elements.namedItem(name);
    if (field) field.value = value;
  });
  set(["block"], quotation.block);
  set(["exact", "quotation"], quotation.exact);
  set(["prefix"], quotation.prefix);
  set(["suffix"], quotation.suffix);
  form.querySelectorAll("[data-comment-quotation]").forEach((shown) => {
    shown.textContent = quotation.exact;
    shown.hidden = false;
  });
}

function reveal(form) {
  form.hidden = false;
  const details = form.closest("details");
  if (details) details.open = true;
  const dialog = form.closest("dialog");
  if (dialog && !dialog.open) dialog.showModal();
  form.scrollIntoView({ block: "nearest" });
  form.querySelector("textarea:not([hidden]), [contenteditable=true]")?.focus();
}

function place(button, box) {
  button.hidden = false;
  const { offsetWidth: width, offsetHeight: height } = button;
  const left = Math.min(Math.max(8, box.left + box.width / 2 - width / 2), document.documentElement.clientWidth - width - 8);
  const below = box.bottom + 8;
  const top = below + height < window.innerHeight ? below : Math.max(8, box.top - height - 8);
  button.style.position = "fixed";
  button.style.left = `${left}px`;
  button.style.top = `${top}px`;
  button.style.zIndex = "10";
}

export function watchSelections() {
  const form = document.querySelector("form[data-comment-form]");
  const button = document.querySelector("[data-comment-button]");
  if (!form || !button) return;
  let quotation = null;
  const refresh = () => {
    if (document.activeElement === button) return;
    quotation = findQuotation(document.getSelection());
    if (quotation) place(button, quotation.box);
    else button.hidden = true;
  };
  document.addEventListener("selectionchange", refresh);
  window.addEventListener("scroll", refresh, { passive: true });
  button.addEventListener("mousedown", (event) => event.preventDefault());
  button.addEventListener("click", () => {
    if (!quotation) return;
    fill(form, quotation);
    button.hidden = true;
    reveal(form);
  });
}
