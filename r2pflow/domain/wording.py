"""Compare two stretches of inline text word by word and write the difference as valid HTML.

A word is what a reader takes for one: letters with their combining marks (an Arabic word with its vowel signs
is never cut), each Han character or kana by itself, every other character by itself.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Literal, NamedTuple

from r2pflow.domain.markup import Content, Node

Status = Literal["same", "formatted", "del", "ins"]
MAX_EDITS = 400
LEAST_LIKENESS = 0.25
"""Beyond so many differing words, or with less in common, the old stretch is struck and the new one follows."""

_JOINERS = "\u200c\u200d_"
_IDEOGRAPHS = ((0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF))
_MORE_IDEOGRAPHS = ((0xF900, 0xFAFF), (0x20000, 0x3FFFF))


@lru_cache(maxsize=4096)
def _class_of(char: str) -> str:
    if char.isspace():
        return "space"
    if any(low <= ord(char) <= high for low, high in _IDEOGRAPHS + _MORE_IDEOGRAPHS):
        return "ideograph"
    if char in _JOINERS or unicodedata.category(char)[0] == "M":
        return "mark"
    return "letter" if char.isalnum() else "other"


def split_words(text: str) -> list[str]:
    """Cut a text into words, spaces and signs; joined they are the text again."""
    words: list[str] = []
    last = ""
    for place, char in enumerate(text):
        kind = "mark" if _is_inside_word(text, place) else _class_of(char)
        if words and (kind == "mark" or kind == last and kind in ("letter", "space")):
            words[-1] += char
        else:
            words.append(char)
        if kind != "mark" or not last:
            last = "letter" if kind == "mark" else kind
    return words


def _is_inside_word(text: str, place: int) -> bool:
    """Tell whether an apostrophe stands between letters, or a point or comma between digits."""
    before, char, after = text[place - 1 : place], text[place], text[place + 1 : place + 2]
    if char in "'\u2019":
        return _class_of(before or " ") == _class_of(after or " ") == "letter"
    return char in ".," and before.isdigit() and after.isdigit()


def is_word(token: str) -> bool:
    return any(_class_of(char) in ("letter", "ideograph") for char in token)


def count_words(text: str) -> Counter[str]:
    return Counter(word.casefold() for word in split_words(text) if is_word(word))


def measure_likeness(one: Counter[str], other: Counter[str]) -> float:
    """Give the share of words in common (Dice), 0 to 1; order does not count."""
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 0.0


class Mark(NamedTuple):
    """One inline element around a word; `serial` tells two neighbours of the same kind apart."""

    tag: str
    attrs: tuple[tuple[str, str], ...]
    serial: int


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a line break (`\\n`) or a footnote reference (`\\0` and the footnote's id) within its elements."""

    text: str
    marks: tuple[Mark, ...] = ()

    def looks(self) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
        return tuple((mark.tag, mark.attrs) for mark in self.marks)


def tokenise(content: Iterable[Content], serials: Iterator[int]) -> list[Token]:
    return list(_tokenise(content, (), serials))


def _tokenise(content: Iterable[Content], marks: tuple[Mark, ...], serials: Iterator[int]) -> Iterator[Token]:
    for child in content:
        if isinstance(child, str):
            yield from (Token(word, marks) for word in split_words(child))
        elif child.tag == "br":
            yield Token("\n", marks)
        elif "data-note" in child.attrs:
            yield Token("\0" + child.attrs["data-note"], marks)
        else:
            mark = Mark(child.tag, tuple(sorted(child.attrs.items())), next(serials))
            yield from _tokenise(child.children, (*marks, mark), serials)


Edit = tuple[Status, Token]


def compare(old: Iterable[Content], new: Iterable[Content]) -> list[Edit]:
    """Give the words of both in reading order, each with what became of it; what stays has its new form."""
    serials = count()
    before, after = tokenise(old, serials), tokenise(new, serials)
    steps = _find_steps(before, after)
    carried: dict[Mark, Mark] = {}
    for i, j in steps:
        if i is not None and j is not None:
            for was, now in zip(before[i].marks, after[j].marks, strict=False):
                if was[:2] == now[:2]:
                    carried.setdefault(was, now)
    return _keep_whole([_edit(before, after, i, j, carried) for i, j in steps])


def _find_steps(before: Sequence[Token], after: Sequence[Token]) -> list["Step"]:
    old, new = [token.text for token in before], [token.text for token in after]
    likeness = measure_likeness(count_words("".join(old)), count_words("".join(new)))
    if likeness < LEAST_LIKENESS and old != new:
        return [*((i, None) for i in range(len(old))), *((None, j) for j in range(len(new)))]
    return _settle_spaces(_join_scraps(diff(old, new), before), before, after)


def _edit(
    before: Sequence[Token], after: Sequence[Token], i: int | None, j: int | None, carried: dict[Mark, Mark]
) -> Edit:
    if j is None:
        assert i is not None
        token = before[i]
        return "del", Token(token.text, tuple(carried.get(mark, mark) for mark in token.marks))
    if i is None:
        return "ins", after[j]
    is_plain = after[j].looks() == before[i].looks() or after[j].text.isspace()
    return ("same" if is_plain else "formatted"), after[j]


def _keep_whole(edits: list[Edit]) -> list[Edit]:
    """Put what is deleted amid an element of the new text inside it, so that it does not cut it in two."""
    following: list[tuple[Mark, ...]] = [()] * len(edits)
    for place in range(len(edits) - 2, -1, -1):
        status, token = edits[place + 1]
        following[place] = following[place + 1] if status == "del" else token.marks
    previous: tuple[Mark, ...] = ()
    kept: list[Edit] = []
    for (status, token), after in zip(edits, following, strict=True):
        if status != "del":
            previous = token.marks
            kept.append((status, token))
            continue
        shared = tuple(mark for mark, other in zip(previous, after, strict=False) if mark == other)
        tags = {mark.tag for mark in shared}
        own = tuple(mark for mark in token.marks if mark.tag not in tags)
        kept.append((status, Token(token.text, shared + own)))
    return kept


Step = tuple[int | None, int | None]


def diff(old: Sequence[str], new: Sequence[str]) -> list[Step]:
    """Pair what two sequences share (Myers 1986, O(ND)); what is only in one has None beside it, old first."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    middle = _find_pairs(old[start : len(old) - end], new[start : len(new) - end])
    pairs = [(n, n) for n in range(start)]
    pairs += [(i + start, j + start) for i, j in middle]
    pairs += [(len(old) - n, len(new) - n) for n in range(end, 0, -1)]
    steps: list[Step] = []
    i = j = 0
    for at_old, at_new in [*pairs, (len(old), len(new))]:
        steps += [(n, None) for n in range(i, at_old)]
        steps += [(None, n) for n in range(j, at_new)]
        if at_old < len(old):
            steps.append((at_old, at_new))
        i, j = at_old + 1, at_new + 1
    return steps


def _find_pairs(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    if not old or not new:
        return []
    reach = {1: 0}
    trail: list[dict[int, int]] = []
    for edits in range(min(len(old) + len(new), MAX_EDITS) + 1):
        trail.append(dict(reach))
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
            i = reach[k + 1] if down else reach[k - 1] + 1
            j = i - k
            while i < len(old) and j < len(new) and old[i] == new[j]:
                i, j = i + 1, j + 1
            reach[k] = i
            if i >= len(old) and j >= len(new):
                return _walk_back(trail, len(old), len(new))
    return []


def _walk_back(trail: list[dict[int, int]], i: int, j: int) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    for edits in range(len(trail) - 1, -1, -1):
        reach = trail[edits]
        k = i - j
        down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
        previous = k + 1 if down else k - 1
        from_i = reach[previous]
        from_j = from_i - previous
        while i > max(from_i, 0) and j > max(from_j, 0):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        i, j = from_i, from_j
    return pairs[::-1]


def _join_scraps(steps: list[Step], before: Sequence[Token]) -> list[Step]:
    """Give up what stays between two edits when it says less than either: scraps hinder reading."""
    runs: list[list[Step]] = []
    for step in steps:
        if runs and (None in runs[-1][-1]) == (None in step):
            runs[-1].append(step)
        else:
            runs.append([step])

    sizes = [max(_count(run, 0), _count(run, 1)) for run in runs]
    for place in range(1, len(runs) - 1):
        run, around = runs[place], runs[place - 1] + runs[place + 1]
        if None in run[0] or not _count(around, 0) or not _count(around, 1):
            continue
        texts = [before[i].text for i, _ in run if i is not None]
        if any(text[0] in "\n\0" for text in texts):
            continue
        words = sum(1 for text in texts if is_word(text))
        if words <= 2 and len(texts) <= 5 and words * 6 <= min(sizes[place - 1], sizes[place + 1]):
            runs[place] = [(i, None) for i, _ in run] + [(None, j) for _, j in run]
    return _old_first(step for run in runs for step in run)


def _count(run: Iterable[Step], side: int) -> int:
    return sum(1 for step in run if step[side] is not None)


def _settle_spaces(steps: list[Step], before: Sequence[Token], after: Sequence[Token]) -> list[Step]:
    """Let an edit begin with a word rather than with the space before it, and keep what both sides of it share."""
    settled: list[Step] = []
    place = 0
    while place < len(steps):
        end = place
        while end < len(steps) and None in steps[end]:
            end += 1
        gone = [i for i, _ in steps[place:end] if i is not None]
        come = [j for _, j in steps[place:end] if j is not None]
        while gone and come and before[gone[0]].text == after[come[0]].text:
            settled.append((gone.pop(0), come.pop(0)))
        tail: list[Step] = []
        while gone and come and before[gone[-1]].text == after[come[-1]].text:
            tail.insert(0, (gone.pop(), come.pop()))
        if end < len(steps) and not tail:
            i, j = steps[end]
            assert i is not None and j is not None
            if gone and not come and before[gone[0]].text.isspace() and before[gone[0]].text == before[i].text:
                settled.append((gone[0], j))
                gone, end = [*gone[1:], i], end + 1
            elif come and not gone and after[come[0]].text.isspace() and after[come[0]].text == after[j].text:
                settled.append((i, come[0]))
                come, end = [*come[1:], j], end + 1
        settled += [*((i, None) for i in gone), *((None, j) for j in come), *tail]
        if end == place:
            settled.append(steps[end])
            end += 1
        place = end
    return settled


def _old_first(steps: Iterable[Step]) -> list[Step]:
    ordered: list[Step] = []
    gone: list[Step] = []
    come: list[Step] = []
    for step in steps:
        if step[1] is None:
            gone.append(step)
        elif step[0] is None:
            come.append(step)
        else:
            ordered += [*gone, *come, step]
            gone, come = [], []
    return [*ordered, *gone, *come]


_WRAPPERS: dict[Status, tuple[Mark, ...]] = {
    "same": (),
    "formatted": (Mark("span", (("class", "formatted"),), -1),),
    "del": (Mark("del", (), -1),),
    "ins": (Mark("ins", (), -1),),
}


def build(edits: Iterable[Edit]) -> list[Content]:
    """Write edits as a tree: `ins` and `del` innermost, so that the elements around them stay whole."""
    root: list[Content] = []
    open_marks: list[tuple[Mark, Node]] = []
    for status, token in edits:
        path = (*token.marks, *_WRAPPERS[status])
        shared = 0
        while shared < min(len(path), len(open_marks)) and path[shared] == open_marks[shared][0]:
            shared += 1
        del open_marks[shared:]
        for mark in path[shared:]:
            node = Node(mark.tag, dict(mark.attrs))
            (open_marks[-1][1].children if open_marks else root).append(node)
            open_marks.append((mark, node))
        into = open_marks[-1][1].children if open_marks else root
        if token.text == "\n":
            into.append(Node("br"))
        elif token.text[0] == "\0":
            into.append(Node("sup", {"data-note": token.text[1:]}))
        elif into and isinstance(into[-1], str):
            into[-1] += token.text
        else:
            into.append(token.text)
    return root


def mark_all(content: Iterable[Content], status: Status) -> list[Content]:
    """Mark a whole stretch of inline text as come or gone."""
    return build((status, token) for token in tokenise(content, count()))
