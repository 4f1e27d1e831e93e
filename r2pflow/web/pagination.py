"""Long lists, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import request

from r2pflow.web.mounting import get_mount

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows of `total`; `number` counts from 1."""

    rows: Sequence[T]
    number: int
    size: int
    total: int

    @property
    def last(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def first_row(self) -> int:
        return (self.number - 1) * self.size + 1 if self.rows else 0

    @property
    def last_row(self) -> int:
        return (self.number - 1) * self.size + len(self.rows)

    def near(self) -> list[int]:
        """Return the page numbers to offer: the first, the last, and those around this one; 0 marks a gap."""
        shown = sorted({1, self.last, *range(max(1, self.number - 1), min(self.last, self.number + 1) + 1)})
        numbers: list[int] = []
        for number in shown:
            if numbers and number - numbers[-1] > 1:
                numbers.append(0)
            numbers.append(number)
        return numbers


def read_page_number() -> int:
    """Return the page asked for by `?page=`, from 1; nonsense counts as 1."""
    asked = request.args.get("page", "1")
    return max(1, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1


def page_size() -> int:
    """Return how many rows a page has."""
    return max(1, get_mount().settings.page_size)


def make_page(rows: Sequence[Any], total: int) -> Page[Any]:
    """Return the page asked for, of rows already cut to it."""
    return Page(rows, read_page_number(), page_size(), total)
