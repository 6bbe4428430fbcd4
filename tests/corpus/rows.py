"""Outcomes counted: a row a label, and what of it must hold."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from .suites import SUITES
from .trips import Outcome

TRACKED = Path(__file__).with_name("tracked.json")
ROUNDING = 0.0005


@dataclass(slots=True)
class Row:
    """All outcomes of one label. `share` is None where nothing counts."""

    label: str
    good: int = 0
    counted: int = 0
    excused: Counter[str] = field(default_factory=Counter)
    why: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def share(self) -> float | None:
        return self.good / self.counted if self.counted else None

    def add(self, outcome: Outcome) -> None:
        if outcome.excused:
            self.excused[outcome.excused] += 1
            return
        self.counted += 1
        self.good += outcome.ok
        for reason in outcome.reasons if not outcome.ok else ():
            self.why[reason].append(outcome.id)

    def reasons(self, most: int) -> list[tuple[str, list[str]]]:
        """The most frequent sorts of failure, with the ids of the exchanges."""
        return sorted(self.why.items(), key=lambda item: -len(item[1]))[:most]

    def __str__(self) -> str:
        shown = [f"    {len(ids)} x {reason}  {' '.join(ids[:3])}" for reason, ids in self.reasons(6)]
        return "\n".join([f"{self.label}: {self.good} of {self.counted}", *shown])


def rows_of(outcomes: list[Outcome]) -> list[Row]:
    rows: dict[str, Row] = {}
    for outcome in outcomes:
        rows.setdefault(outcome.label, Row(outcome.label)).add(outcome)
    return [rows[label] for label in sorted(rows)]


@cache
def tracked() -> dict[str, dict[str, float]]:
    """The shares that must not fall: by suite and label."""
    stored: dict[str, dict[str, float]] = json.loads(TRACKED.read_text()) if TRACKED.exists() else {}
    return stored


def too_low(suite: str, row: Row) -> str:
    """``<`` for less than must hold, ``*`` for less than was tracked, else nothing."""
    if row.share is None:
        return ""
    least = SUITES[suite].required(row.label)
    if least is not None:
        return "<" if row.share < least else ""
    if not SUITES[suite].tracked:
        return ""
    return "*" if row.share < tracked().get(suite, {}).get(row.label, 0.0) - ROUNDING else ""


def raise_tracked(suite: str, rows: list[Row]) -> None:
    """Stores the shares that have risen; one that has fallen is lowered by hand, with a reason in the commit."""
    stored = tracked()
    now = stored.setdefault(suite, {})
    for row in rows:
        if row.share is not None and SUITES[suite].required(row.label) is None:
            now[row.label] = max(now.get(row.label, 0.0), round(row.share, 4))
    TRACKED.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n")
