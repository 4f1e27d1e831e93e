// Keeps one id per top-level block through typing, splitting, pasting and undoing, and numbers the footnotes.
import { Extension } from "@tiptap/core";
import { Fragment, Slice } from "@tiptap/pm/model";
import { Plugin, PluginKey, TextSelection } from "@tiptap/pm/state";
import { Decoration, DecorationSet } from "@tiptap/pm/view";
import { TOP_BLOCKS } from "./schema.js";

export function freshId(prefix = "b") {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return prefix + [...bytes].map((byte) => (byte % 36).toString(36)).join("");
}

const isEmpty = (node) => !node.textContent && !node.childCount;

function eachTop(doc, visit) {
  doc.forEach((node, position) => visit(node, position));
}

// Of two blocks with one id, as a split leaves them, the one with words keeps it.
function ownersOf(doc) {
  const owners = new Map();
  eachTop(doc, (node, position) => {
    const id = node.attrs.block;
    if (!id) return;
    const owner = owners.get(id);
    if (!owner || (isEmpty(owner.node) && !isEmpty(node))) owners.set(id, { node, position });
  });
  return owners;
}

function nestedId(node, taken) {
  let found = null;
  node.descendants((child) => {
    if (!found && child.attrs.block && !taken.has(child.attrs.block)) found = child.attrs.block;
    return !found;
  });
  return found;
}

function mendIds(doc, tr, whole) {
  const owners = ownersOf(doc);
  const taken = new Set(owners.keys());
  eachTop(doc, (node, position) => {
    let id = node.attrs.block;
    if (whole && node.type.name === "title") id = "title";
    else if (id === "title" && whole) id = freshId();
    else if (!id) id = nestedId(node, taken) ?? freshId(node.type.name === "footnote" ? "fn" : "b");
    else if (owners.get(id).position !== position) id = freshId(node.type.name === "footnote" ? "fn" : "b");
    taken.add(id);
    if (id !== node.attrs.block) tr.setNodeAttribute(position, "block", id);
    node.descendants((child, offset) => {
      if (child.attrs.block) tr.setNodeAttribute(position + 1 + offset, "block", null);
    });
  });
  return tr;
}

// A copy is a new block; what was cut and is pasted again is the same one.
function withoutKnownIds(fragment, known) {
  const nodes = [];
  fragment.forEach((node) => {
    const content = withoutKnownIds(node.content, known);
    const isKnown = node.attrs.block && known.has(node.attrs.block);
    nodes.push(isKnown ? node.type.create({ ...node.attrs, block: null }, content, node.marks) : node.copy(content));
  });
  return Fragment.fromArray(nodes);
}

function noteNumbers(doc) {
  const numbers = new Map();
  doc.descendants((node) => {
    const { note } = node.attrs;
    if (node.type.name === "noteReference" && !numbers.has(note)) numbers.set(note, String(numbers.size + 1));
  });
  return numbers;
}

function decorateNotes(doc) {
  const numbers = noteNumbers(doc);
  const present = new Set();
  eachTop(doc, (node) => node.type.name === "footnote" && present.add(node.attrs.block));
  const decorations = [];
  doc.descendants((node, position) => {
    if (node.type.name === "noteReference") {
      const number = present.has(node.attrs.note) ? numbers.get(node.attrs.note) : "?";
      decorations.push(Decoration.node(position, position + 1, { "data-number": number }));
    } else if (node.type.name === "footnote") {
      const number = numbers.get(node.attrs.block) ?? "?";
      decorations.push(Decoration.node(position, position + node.nodeSize, { "data-number": number }));
    }
  });
  return DecorationSet.create(doc, decorations);
}

function findNode(doc, matches) {
  let found = null;
  doc.descendants((node, position) => {
    if (!found && matches(node)) found = { node, position };
    return !found;
  });
  return found;
}

// Before the first footnote that the text refers to later, else at the end.
function placeOfFootnote(doc, id) {
  const order = [...noteNumbers(doc).keys()];
  let place = doc.content.size;
  eachTop(doc, (node, position) => {
    const isLater = node.type.name === "footnote" && order.indexOf(node.attrs.block) > order.indexOf(id);
    if (isLater) place = Math.min(place, position);
  });
  return place;
}

const insertFootnote = () => ({ state, tr, dispatch }) => {
  const { $from } = tr.selection;
  const inFootnote = $from.node(1)?.type.name === "footnote";
  if (!$from.parent.inlineContent || inFootnote) return false;
  if (dispatch) {
    const id = freshId("fn");
    tr.insert(tr.selection.to, state.schema.nodes.noteReference.create({ note: id }));
    const place = placeOfFootnote(tr.doc, id);
    tr.insert(place, state.schema.nodes.footnote.create({ block: id }));
    tr.setSelection(TextSelection.create(tr.doc, place + 1)).scrollIntoView();
  }
  return true;
};

// Enter in a footnote goes back to where the text refers to it.
const leaveFootnote = () => ({ tr, dispatch }) => {
  const { $from } = tr.selection;
  const { block } = $from.node(1).attrs;
  const reference = findNode(tr.doc, (node) => node.type.name === "noteReference" && node.attrs.note === block);
  if (!reference) return true;
  if (dispatch) tr.setSelection(TextSelection.create(tr.doc, reference.position + 1)).scrollIntoView();
  return true;
};

const toggleQuotation = () => ({ state, tr, dispatch }) => {
  const { quotation, quotationSource, paragraph } = state.schema.nodes;
  const { $from, $to } = tr.selection;
  const first = $from.index(0);
  const last = $to.index(0);
  const start = $from.posAtIndex(first, 0);
  if (tr.doc.child(first).type === quotation) {
    const paragraphs = [];
    tr.doc.child(first).forEach((node, _, index) => {
      const block = index ? null : tr.doc.child(first).attrs.block;
      if (node.type === paragraph) paragraphs.push(paragraph.create({ block }, node.content));
      else if (node.content.size) paragraphs.push(paragraph.create(null, node.content));
    });
    if (dispatch) {
      tr.replaceWith(start, start + tr.doc.child(first).nodeSize, paragraphs);
      tr.setSelection(TextSelection.near(tr.doc.resolve(start + 1)));
    }
    return true;
  }
  const blocks = [];
  for (let index = first; index <= last; index += 1) blocks.push(tr.doc.child(index));
  if (!blocks.every((node) => ["paragraph", "heading"].includes(node.type.name))) return false;
  if (dispatch) {
    const size = blocks.reduce((sum, node) => sum + node.nodeSize, 0);
    const paragraphs = blocks.map((node) => paragraph.create(null, node.content));
    const quoted = quotation.create({ block: blocks[0].attrs.block }, [...paragraphs, quotationSource.create()]);
    tr.replaceWith(start, start + size, quoted);
    tr.setSelection(TextSelection.near(tr.doc.resolve(start + size), -1));
  }
  return true;
};

const leaveQuotation = () => ({ state, tr, dispatch }) => {
  if (dispatch) {
    const after = tr.selection.$from.after(1);
    tr.insert(after, state.schema.nodes.paragraph.create());
    tr.setSelection(TextSelection.create(tr.doc, after + 1)).scrollIntoView();
  }
  return true;
};

export const Blocks = Extension.create({
  name: "blocks",
  addOptions: () => ({ whole: true }),

  addGlobalAttributes() {
    const plain = (name) => ({ default: null, parseHTML: (element) => element.getAttribute(name) });
    return [{
      types: TOP_BLOCKS,
      attributes: {
        block: {
          default: null,
          parseHTML: (element) => element.dataset.block ?? null,
          renderHTML: ({ block }) => (block ? { "data-block": block } : {}),
        },
        lang: plain("lang"),
        dir: plain("dir"),
      },
    }];
  },

  // Text that came without ids gets them at once, quietly.
  onCreate() {
    const { state, view } = this.editor;
    const tr = mendIds(state.doc, state.tr, this.options.whole);
    if (tr.docChanged) view.dispatch(tr.setMeta("addToHistory", false).setMeta("preventUpdate", true));
  },

  addCommands: () => ({ insertFootnote, leaveFootnote, toggleQuotation, leaveQuotation }),

  addKeyboardShortcuts() {
    return {
      "Mod-Alt-f": () => this.editor.commands.insertFootnote(),
      "Mod-Shift-b": () => this.editor.commands.toggleQuotation(),
    };
  },

  addProseMirrorPlugins() {
    const { whole } = this.options;
    const { editor } = this;
    return [
      new Plugin({
        key: new PluginKey("blockIds"),
        appendTransaction: (transactions, before, after) => {
          if (!transactions.some((transaction) => transaction.docChanged)) return null;
          const tr = mendIds(after.doc, after.tr, whole);
          return tr.docChanged ? tr : null;
        },
        props: {
          transformPasted: (slice) => {
            const known = new Set(["title"]);
            eachTop(editor.state.doc, (node) => known.add(node.attrs.block));
            return new Slice(withoutKnownIds(slice.content, known), slice.openStart, slice.openEnd);
          },
        },
      }),
      new Plugin({
        key: new PluginKey("noteNumbers"),
        state: {
          init: (_, { doc }) => decorateNotes(doc),
          apply: (transaction, old) => (transaction.docChanged ? decorateNotes(transaction.doc) : old),
        },
        props: {
          decorations(state) { return this.getState(state); },
        },
      }),
    ];
  },
});
