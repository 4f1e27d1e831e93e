"""Long lists, a page at a time; `services.queries` cuts them, here is what the links need."""

from flask import request

from r2pflow.services.queries import Page


def read_page_number() -> int:
    """Return the page asked for by `?page=`, from 1; nonsense counts as 1."""
    asked = request.args.get("page", "1")
    return max(1, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1


def near_pages(page: Page[object]) -> list[int]:
    """Return the page numbers to offer: the first, the last, and those around this one; 0 marks a gap."""
    shown = sorted({1, page.last, *range(max(1, page.number - 1), min(page.last, page.number + 1) + 1)})
    numbers: list[int] = []
    for number in shown:
        if numbers and number - numbers[-1] > 1:
            numbers.append(0)
        numbers.append(number)
    return numbers
