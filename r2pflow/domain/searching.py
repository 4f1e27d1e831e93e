"""Fold words so that a search finds them however they are written: Arabic with its marks, Han text without spaces."""

import re
import unicodedata

_TATWEEL = "\u0640"
_ALEF = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ؤ": "و", "ئ": "ي", _TATWEEL: None})
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")
_WORD = re.compile(r"\w+")


def fold_words(text: str) -> list[str]:
    """Return the words of a text, folded: NFKC, lower case, no accents or vowel signs, one form of alef.

    A run of Han characters becomes its pairs of neighbours, since Chinese writes no spaces.
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(char for char in plain if not unicodedata.category(char).startswith("M")).translate(_ALEF)
    plain = unicodedata.normalize("NFC", plain)
    words: list[str] = []
    for word in _WORD.findall(plain):
        last = 0
        for run in _HAN.finditer(word):
            if run.start() > last:
                words.append(word[last : run.start()])
            han = run.group()
            words.extend(han[i : i + 2] for i in range(len(han) - 1)) if len(han) > 1 else words.append(han)
            last = run.end()
        if last < len(word):
            words.append(word[last:])
    return words


def make_search_text(text: str) -> str:
    """Return the folded words between single spaces, with a space at both ends: ` word word `."""
    return f" {' '.join(fold_words(text))} "
