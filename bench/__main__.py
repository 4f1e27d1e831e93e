"""`python -m bench [name...] [--quick]`: run the benchmarks and print one table; exit 1 when a target is missed."""

import argparse
import importlib
import os
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import Figure, Measured

NAMES = ("reading", "transition", "offers", "start", "pages", "publishing", "worklist")


def main(arguments: list[str] | None = None) -> int:
    """Run those that are named, or all; each has a scratch folder of its own."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"any of: {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that it runs, not how fast")
    given = parser.parse_args(arguments)
    if unknown := sorted(set(given.names) - set(NAMES)):
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    found: list[tuple[str, Measured]] = []
    began = time.monotonic()
    for name in given.names or NAMES:
        print(f"{name} ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="r2pflow-bench-") as folder:
            found.append((name, importlib.import_module(f"bench.{name}").measure(Path(folder), quick=given.quick)))
    figures = [figure for _, measured in found for figure in measured.figures]
    print(make_table(figures))
    print()
    for name, measured in found:
        for label, value in measured.raw:
            print(f"{name:<12} {label:<58} {value}")
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"\n{os.cpu_count()} cores, load {load}, Python {sys.version.split()[0]}, {time.monotonic() - began:.0f} s")
    return 0 if all(figure.is_met for figure in figures) else 1


def make_table(figures: list[Figure]) -> str:
    """Return the figures as lines: name, measured, target, ok or over."""
    lines = [f"{'':<58} {'measured':>10} {'target':>12}", "-" * 87]
    for one in figures:
        target = f"{'>=' if one.at_least else '<='} {one.target:g}{one.unit}"
        verdict = "ok" if one.is_met else "under" if one.at_least else "over"
        lines.append(f"{one.name:<58} {f'{one.measured:.3g}{one.unit}':>10} {target:>12} {verdict:>5}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
