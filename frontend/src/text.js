// The text format at the editor's edge: what the server sends is made fit for the schema, and what the editor
// holds is written as the server reads it.

const BLOCKS = "p, ul, ol, table, blockquote, aside, h1, h2, h3, h4";

function parse(html) {
  return new DOMParser().parseFromString(`<body>${html}</body>`, "text/html").body;
}

function rename(element, tag) {
  const renamed = element.ownerDocument.createElement(tag);
  for (const { name, value } of element.attributes) renamed.setAttribute(name, value);
  renamed.append(...element.childNodes);
  element.replaceWith(renamed);
  return renamed;
}

function unwrap(element) {
  element.replaceWith(...element.childNodes);
}

// A list entry or a cell holds one paragraph: what comes as several is joined with line breaks.
function joinParagraphs(holder) {
  const paragraphs = [...holder.children].filter((child) => child.matches("p, h1, h2, h3, h4, h5, h6"));
  paragraphs.forEach((paragraph, index) => {
    if (index) paragraph.before(holder.ownerDocument.createElement("br"));
    unwrap(paragraph);
  });
}

/** Return HTML that the schema holds without loss. A whole text starts with its title; nothing else is an h1. */
export function forEditor(html, { whole }) {
  const body = parse(html);
  body.querySelectorAll("li, td, th").forEach(joinParagraphs);
  body.querySelectorAll("h5, h6").forEach((heading) => rename(heading, "h4"));
  const [first, ...others] = body.querySelectorAll("h1");
  others.forEach((heading) => rename(heading, "h2"));
  if (whole && body.firstElementChild !== first) {
    body.prepend(first ?? body.ownerDocument.createElement("h1"));
  }
  return body.innerHTML;
}

/** Return pasted HTML without what belongs to another page: one more title, styles, classes. */
export function forPaste(html) {
  const body = parse(html);
  body.querySelectorAll("style, script, meta, title").forEach((element) => element.remove());
  body.querySelectorAll("[style], [class]").forEach((element) => {
    element.removeAttribute("style");
    element.removeAttribute("class");
  });
  body.querySelectorAll("li, td, th").forEach(joinParagraphs);
  body.querySelectorAll("h1").forEach((heading) => rename(heading, "h2"));
  body.querySelectorAll("h5, h6").forEach((heading) => rename(heading, "h4"));
  body.querySelectorAll("b").forEach((element) => {
    if (!element.closest("[id^=docs-internal-guid]")) rename(element, "strong");
  });
  return body.innerHTML;
}

function splitHead(table) {
  const rows = [...table.rows];
  const isHead = (row) => [...row.cells].every((cell) => cell.tagName === "TH");
  const count = rows.findIndex((row) => !isHead(row));
  if (count < 1) return;
  const head = table.ownerDocument.createElement("thead");
  head.append(...rows.slice(0, count));
  table.tBodies[0].before(head);
}

/** Return the text as the server reads it, one block a line, without blocks that say nothing. */
export function fromEditor(html) {
  const body = parse(html);
  body.querySelectorAll("li > p, td > p, th > p").forEach(unwrap);
  body.querySelectorAll("[colspan='1']").forEach((cell) => cell.removeAttribute("colspan"));
  body.querySelectorAll("[rowspan='1']").forEach((cell) => cell.removeAttribute("rowspan"));
  body.querySelectorAll("caption").forEach((caption) => caption.removeAttribute("contenteditable"));
  body.querySelectorAll("table").forEach(splitHead);
  body.querySelectorAll("blockquote > footer").forEach((footer) => {
    if (!footer.textContent.trim()) footer.remove();
  });
  const says = (block) => block.matches("h1, table") || block.querySelector("[data-note]") || block.textContent.trim();
  return [...body.children].filter((block) => !block.matches(BLOCKS) || says(block))
    .map((block) => block.outerHTML).join("\n");
}
