"""Where the boxes and arrows of a picture lie: asked of Graphviz, which sees sizes only, never a word."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from r2pflow.domain.errors import SetupError

SECONDS = 5.0
REMEDY = "apt-get install graphviz"
_POINTS = 72.0  # to the inch

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A thing to be placed; sizes in pixels. `is_main` ones are put in one line where that can be."""

    width: float
    height: float
    is_main: bool = False


@dataclass(frozen=True)
class Link:
    """An arrow between two boxes, by their numbers, with room for a label on it; heavier ones are kept straight."""

    source: int
    target: int
    width: float = 0
    height: float = 0
    weight: int = 1


@dataclass(frozen=True)
class Curve:
    """A way from box to box: a first point, then three for each Bézier curve; its tip; the middle of its label."""

    points: tuple[Point, ...]
    tip: Point
    label: Point | None


@dataclass(frozen=True)
class Layout:
    """The picture's size, the middle of each box, and a curve for each link; from the top left corner, in pixels."""

    width: float
    height: float
    boxes: tuple[Point, ...]
    curves: tuple[Curve, ...]

    def mirror(self) -> "Layout":
        """Return the same seen in a mirror: for what is read from right to left."""

        def turn(point: Point) -> Point:
            return round(self.width - point[0], 1), point[1]

        curves = tuple(
            Curve(tuple(map(turn, one.points)), turn(one.tip), turn(one.label) if one.label else None)
            for one in self.curves
        )
        return Layout(self.width, self.height, tuple(map(turn, self.boxes)), curves)


def has_graphviz() -> bool:
    """Tell whether pictures can be laid out on this machine."""
    return shutil.which("dot") is not None


def lay_out(boxes: Sequence[Box], links: Sequence[Link]) -> Layout:
    """Place boxes and links from top to bottom; the same ones are asked for once in the life of a process.

    Raises SetupError: `graphviz_missing`, or `layout_failed` when Graphviz gives up or takes more than `SECONDS`.
    """
    return _CACHE.get(_write(boxes, links))


def _write(boxes: Sequence[Box], links: Sequence[Link]) -> str:
    lines = [
        "digraph {",
        "graph [rankdir=TB nodesep=0.3 ranksep=0.42 splines=true pad=0]",
        'node [shape=box fixedsize=true label=""]',
        "edge [arrowsize=0.9]",
    ]
    for number, box in enumerate(boxes):
        group = " group=main" if box.is_main else ""
        lines.append(f"n{number} [width={box.width / _POINTS:.4f} height={box.height / _POINTS:.4f}{group}]")
    for number, link in enumerate(links):
        label = ""
        if link.width:
            size = f'WIDTH="{link.width:.0f}" HEIGHT="{link.height:.0f}"'
            label = f' label=<<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="0" FIXEDSIZE="TRUE" {size}>'
            label += "<TR><TD></TD></TR></TABLE>>"
        lines.append(f"n{link.source} -> n{link.target} [id={number} weight={link.weight}{label}]")
    return "\n".join([*lines, "}", ""])


class _Cache:
    """What was asked before and what came of it, in vain too: what takes too long would take too long again."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.kept: dict[str, Layout | SetupError] = {}
        self.lock = Lock()

    def get(self, source: str) -> Layout:
        with self.lock:
            found = self.kept.get(source)
        if found is None:
            try:
                found = _read(_run(source))
            except SetupError as error:
                if error.code == "graphviz_missing":  # it may be installed meanwhile
                    raise
                found = error
            with self.lock:
                self.kept[source] = found
                while len(self.kept) > self.size:
                    del self.kept[next(iter(self.kept))]
        if isinstance(found, SetupError):
            raise SetupError(found.code, **found.params)
        return found


_CACHE = _Cache(512)


def _run(source: str) -> Any:
    program = shutil.which("dot")
    if program is None:
        raise SetupError("graphviz_missing", what="graphviz", remedy=REMEDY)
    try:
        done = subprocess.run(
            [program, "-Tjson"],
            input=source,
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
        )
        if done.returncode == 0:
            return json.loads(done.stdout)
        found = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1][:200]
    except subprocess.TimeoutExpired:
        found = f"more than {SECONDS:g} s"
    except (OSError, ValueError) as error:
        found = str(error)[:200]
    raise SetupError("layout_failed", found=found)


def _read(told: Any) -> Layout:
    """Turn Graphviz's answer, whose y grows upwards, into pixels from the top left."""
    try:
        left, bottom, right, top = map(float, told["bb"].split(","))

        def place(text: str) -> Point:
            x, y = text.split(",")
            return round(float(x) - left, 1), round(top - float(y), 1)

        boxes = tuple(place(one["pos"]) for one in sorted(told["objects"], key=lambda one: int(one["name"][1:])))
        curves = []
        for edge in sorted(told.get("edges", ()), key=lambda one: int(one["id"])):
            parts = edge["pos"].split()
            tip = place(parts[0][2:]) if parts[0].startswith("e,") else None
            points = tuple(place(part) for part in parts if part[:2] not in ("e,", "s,"))
            curves.append(Curve(points, tip or points[-1], place(edge["lp"]) if "lp" in edge else None))
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise SetupError(
            "layout_failed", found=f"an answer of Graphviz that cannot be read: {error!r}"[:200]
        ) from error
    return Layout(round(right - left, 1), round(top - bottom, 1), boxes, tuple(curves))
