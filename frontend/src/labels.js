// What the editor says. A page translates it with data-label-NAME attributes on the textarea (data-label-undo="…"),
// or for all its editors with a JSON object of these names in <script type="application/json" id="r2p-editor-labels">.
const ENGLISH = {
  toolbar: "Formatting",
  textKind: "Kind of paragraph",
  paragraph: "Paragraph",
  heading2: "Heading",
  heading3: "Subheading",
  heading4: "Minor heading",
  bold: "Bold",
  italic: "Italic",
  underline: "Underline",
  strike: "Strike through",
  superscript: "Superscript",
  subscript: "Subscript",
  bulletList: "List",
  orderedList: "Numbered list",
  quotation: "Quotation",
  source: "Source of the quotation",
  footnote: "Footnote",
  link: "Link",
  linkAddress: "Address of the link",
  applyLink: "Set link",
  removeLink: "Remove link",
  table: "Table",
  tableCaption: "Caption",
  rowAfter: "Add row",
  columnAfter: "Add column",
  deleteRow: "Delete row",
  deleteColumn: "Delete column",
  headerRow: "Header row",
  deleteTable: "Delete table",
  undo: "Undo",
  redo: "Redo",
  title: "Title",
  draftFound: "This browser keeps unsaved work on this text, from {time}.",
  restore: "Restore it",
  discard: "Discard it",
  offline: "There is no connection. Your text is kept in this browser: send it again when you are back.",
};

function pageLabels() {
  const source = document.getElementById("r2p-editor-labels");
  if (!source) return {};
  try {
    return JSON.parse((source.content ?? source).textContent);
  } catch {
    return {};
  }
}

export function labelsFor(textarea) {
  const labels = { ...ENGLISH, ...pageLabels() };
  for (const name of Object.keys(labels)) {
    const own = textarea.dataset[`label${name[0].toUpperCase()}${name.slice(1)}`];
    if (own) labels[name] = own;
  }
  return labels;
}
