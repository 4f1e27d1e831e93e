"""A paper of some ten pages in six languages: the sample paper, its sections repeated under fresh ids."""

from dataclasses import replace

from r2pflow.domain.people import LANGUAGES
from r2pflow.domain.text import Block, canonical
from r2pflow.folders import get_folder

REPEATED = 2


def read_paper(times: int = REPEATED) -> dict[str, tuple[Block, ...]]:
    """Return the paper by language, with all but its title that many times over."""
    folder = get_folder("samples") / "position_paper"
    return {code: _repeat(canonical((folder / f"{code}.html").read_text("utf-8")), times) for code in LANGUAGES}


def _repeat(blocks: tuple[Block, ...], times: int) -> tuple[Block, ...]:
    title, *rest = blocks
    copies = (_rename(block, number) for number in range(times) for block in rest)
    return canonical("".join(block.element() for block in (title, *copies)))


def _rename(block: Block, number: int) -> Block:
    html = block.html
    for name in set(block.notes):
        html = html.replace(f'data-note="{name}"', f'data-note="{name}-{number}"')
    return replace(block, id=f"{block.id}-{number}", html=html)
