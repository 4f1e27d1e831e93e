"""What a measurement comes to, and how times are taken so that a busy machine does not decide."""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """One measured value beside its target; `at_least` where more is better."""

    name: str
    measured: float
    target: float
    unit: str = ""  # empty: a ratio
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        return self.measured >= self.target if self.at_least else self.measured <= self.target


@dataclass
class Measured:
    """The figures of one benchmark, and the raw values behind them (name, value with unit)."""

    figures: list[Figure] = field(default_factory=list)
    raw: list[tuple[str, str]] = field(default_factory=list)

    def note(self, name: str, value: str) -> None:
        self.raw.append((name, value))


def time_interleaved(rounds: int, *runs: Callable[[], object]) -> list[list[float]]:
    """Run each in turn, `rounds` times over, and return the seconds of each; the order turns around every round."""
    seconds: list[list[float]] = [[] for _ in runs]
    for number in range(rounds):
        order = range(len(runs)) if number % 2 == 0 else reversed(range(len(runs)))
        for place in order:
            gc.collect()
            start = time.perf_counter()
            runs[place]()
            seconds[place].append(time.perf_counter() - start)
    return seconds


def median_ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """Return the median of the ratios round by round: what slows both halves of a round leaves it alone."""
    return statistics.median(one / other for one, other in zip(above, below, strict=True))


def in_ms(seconds: Sequence[float]) -> str:
    """Return the median in milliseconds, and the spread in brackets."""
    times = [one * 1000 for one in seconds]
    return f"{statistics.median(times):.2f} ms [{min(times):.2f} to {max(times):.2f}]"
