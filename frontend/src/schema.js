// The nodes and marks of the text format, and no others.
import { Mark, Node, mergeAttributes } from "@tiptap/core";
import Bold from "@tiptap/extension-bold";
import Code from "@tiptap/extension-code";
import Document from "@tiptap/extension-document";
import HardBreak from "@tiptap/extension-hard-break";
import Heading from "@tiptap/extension-heading";
import Italic from "@tiptap/extension-italic";
import Link from "@tiptap/extension-link";
import { BulletList, ListItem, ListKeymap, OrderedList } from "@tiptap/extension-list";
import Paragraph from "@tiptap/extension-paragraph";
import Strike from "@tiptap/extension-strike";
import { Table, TableCell, TableHeader, TableRow } from "@tiptap/extension-table";
import Text from "@tiptap/extension-text";
import Underline from "@tiptap/extension-underline";

/** Blocks at the top of a text: each carries an id that is the same in every language and revision. */
export const TOP_BLOCKS = [
  "title", "heading", "paragraph", "bulletList", "orderedList", "table", "quotation", "footnote",
];

const Title = Node.create({
  name: "title",
  content: "inline*",
  defining: true,
  parseHTML: () => [{ tag: "h1" }],
  renderHTML: ({ HTMLAttributes }) => ["h1", HTMLAttributes, 0],
});

const Quotation = Node.create({
  name: "quotation",
  group: "block",
  content: "paragraph+ quotationSource?",
  defining: true,
  parseHTML: () => [{ tag: "blockquote" }],
  renderHTML: ({ HTMLAttributes }) => ["blockquote", HTMLAttributes, 0],
});

const QuotationSource = Node.create({
  name: "quotationSource",
  content: "inline*",
  defining: true,
  parseHTML: () => [{ tag: "footer" }],
  renderHTML: ({ HTMLAttributes }) => ["footer", HTMLAttributes, 0],
  addKeyboardShortcuts() {
    return { Enter: () => this.editor.isActive(this.name) && this.editor.commands.leaveQuotation() };
  },
});

const Footnote = Node.create({
  name: "footnote",
  group: "block",
  content: "inline*",
  defining: true,
  parseHTML: () => [{ tag: "aside[data-kind=footnote]", priority: 60 }],
  renderHTML: ({ HTMLAttributes }) => ["aside", mergeAttributes(HTMLAttributes, { "data-kind": "footnote" }), 0],
  addKeyboardShortcuts() {
    return { Enter: () => this.editor.isActive(this.name) && this.editor.commands.leaveFootnote() };
  },
});

const NoteReference = Node.create({
  name: "noteReference",
  group: "inline",
  inline: true,
  atom: true,
  addAttributes: () => ({
    note: {
      default: null,
      parseHTML: (element) => element.dataset.note,
      renderHTML: ({ note }) => ({ "data-note": note }),
    },
  }),
  parseHTML: () => [{ tag: "sup[data-note]", priority: 60 }],
  renderHTML: ({ HTMLAttributes }) => ["sup", HTMLAttributes],
});

// The caption is an attribute, since the table's rows are its only content.
const CaptionedTable = Table.extend({
  addAttributes() {
    return {
      ...this.parent?.(),
      caption: {
        default: "",
        parseHTML: (element) => element.querySelector("caption")?.textContent.trim() ?? "",
        renderHTML: () => ({}),
      },
    };
  },
  parseHTML: () => [{ tag: "table" }, { tag: "caption", ignore: true }],
  addNodeView: () => null,
  renderHTML({ node, HTMLAttributes }) {
    const rows = ["tbody", 0];
    const { caption } = node.attrs;
    return caption
      ? ["table", HTMLAttributes, ["caption", { contenteditable: "false" }, caption], rows]
      : ["table", HTMLAttributes, rows];
  },
});

const breakLine = ({ editor, name }) => editor.isActive(name) && editor.commands.setHardBreak();

const cell = (type) => type.extend({
  content: "paragraph",
  addAttributes() {
    return {
      colspan: { default: 1, parseHTML: (element) => element.colSpan },
      rowspan: { default: 1, parseHTML: (element) => element.rowSpan },
      scope: { default: null },
      colwidth: { default: null, parseHTML: () => null, renderHTML: () => ({}) },
    };
  },
  addKeyboardShortcuts() {
    return { Enter: () => breakLine(this) };
  },
});

const inlineTag = (name, tag, attributes = [], options = {}) => Mark.create({
  name,
  addAttributes: () => Object.fromEntries(attributes.map((attribute) => [attribute, { default: null }])),
  parseHTML: () => [{ tag: options.match ?? tag }],
  renderHTML: ({ HTMLAttributes }) => [tag, HTMLAttributes, 0],
  ...options.also,
});

const toggling = (name, shortcut) => ({
  addKeyboardShortcuts() {
    return { [shortcut]: () => this.editor.commands.toggleMark(name) };
  },
});

const isAddressAllowed = (address) => /^(https?:\/\/|mailto:|#)/i.test(address);

export function schemaExtensions({ whole }) {
  const title = whole ? Title : Title.extend({ group: "block" });
  return [
    Document.extend({ content: whole ? "title block*" : "block+" }),
    Paragraph,
    title,
    Text,
    Heading.configure({ levels: [2, 3, 4] }),
    BulletList,
    OrderedList,
    ListItem.extend({ content: "paragraph (bulletList | orderedList)*" }),
    ListKeymap,
    Quotation,
    QuotationSource,
    Footnote,
    NoteReference,
    CaptionedTable,
    TableRow,
    cell(TableHeader),
    cell(TableCell),
    HardBreak,
    Bold,
    Italic,
    Underline,
    Strike,
    Code.extend({ excludes: "" }),
    Link.configure({
      openOnClick: false,
      autolink: false,
      defaultProtocol: "https",
      HTMLAttributes: { target: null, rel: null, class: null },
      isAllowedUri: isAddressAllowed,
    }),
    inlineTag("superscript", "sup", [], { match: "sup:not([data-note])", also: toggling("superscript", "Mod-.") }),
    inlineTag("subscript", "sub", [], { also: toggling("subscript", "Mod-,") }),
    inlineTag("quoted", "q"),
    inlineTag("cited", "cite"),
    inlineTag("languageSpan", "span", ["lang", "dir"], { match: "span[lang], span[dir]" }),
    inlineTag("isolated", "bdi", ["dir"]),
  ];
}

export { isAddressAllowed };
