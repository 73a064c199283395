"""Figures as `build/bench.json` has them, and as people read them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Figure:
    """`value` is a median; `ratio` is to `compared_with`, the median over interleaved pairs, `range` its ends.

    `holds`: the ratio, or without one the value, is as `goal` says ("≥ 3", "≤ 100").
    """

    name: str
    value: float
    unit: str
    compared_with: str | None = None
    ratio: float | None = None
    range: tuple[float, float] | None = None
    goal: str | None = None
    holds: bool | None = None


def single(name: str, values: Sequence[float], unit: str, goal: str | None = None) -> Figure:
    """A figure by itself; its range is that of its values."""
    value = median(values)
    return Figure(name, _short(value), unit, range=_range(values), goal=goal, holds=_holds(value, goal))


def paired(
    name: str, ours: Sequence[float], theirs: Sequence[float], unit: str, compared_with: str, goal: str | None = None
) -> Figure:
    """Ours against something else, measured in turn."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    ratio = median(ratios)
    return Figure(
        name,
        _short(median(ours)),
        unit,
        f"{compared_with}: {_short(median(theirs)):g}",
        _short(ratio),
        _range(ratios),
        goal,
        _holds(ratio, goal),
    )


def write(figures: Sequence[Figure], path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps([asdict(figure) for figure in figures], indent=1, ensure_ascii=False) + "\n", "utf-8")


def line(figure: Figure) -> str:
    """One line for a terminal."""
    parts = [f"{figure.name:<58} {figure.value:>10g} {figure.unit:<9}"]
    if figure.ratio is not None:
        parts.append(f"{figure.ratio:g} × {figure.compared_with}")
    if figure.range is not None:
        parts.append(f"({figure.range[0]:g} to {figure.range[1]:g})")
    if figure.goal is not None:
        parts.append(f"goal {figure.goal}: {'holds' if figure.holds else 'DOES NOT HOLD'}")
    return "  ".join(parts)


def _holds(value: float, goal: str | None) -> bool | None:
    if goal is None:
        return None
    sign, _, bound = goal.partition(" ")
    return value >= float(bound) if sign == "≥" else value <= float(bound)


def _range(values: Sequence[float]) -> tuple[float, float]:
    return _short(min(values)), _short(max(values))


def _short(value: float) -> float:
    return float(f"{value:.3g}") if abs(value) < 1000 else float(round(value))
