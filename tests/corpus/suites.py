"""All that is tried on the recordings, by name, with the share of it that must hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module

from .recordings import Exchange
from .trips import Outcome

Test = Callable[[Exchange], Iterator[Outcome]]


@dataclass(frozen=True, slots=True)
class Suite:
    """`test` is ``module:function``. `least` is the share that must hold in every row, by the last word of the row's
    label where they differ; a row without one is for information. Shares that are `tracked` stand in `tracked.json`,
    and must not fall. `sdk`: it needs the providers' own SDKs."""

    test: str
    least: float | dict[str, float] | None = None
    tracked: bool = False
    sdk: bool = False

    def load(self) -> Test:
        module, name = self.test.split(":")
        found: Test = getattr(import_module(f".{module}", __package__), name)
        return found

    def required(self, label: str) -> float | None:
        return self.least.get(label.split()[-1]) if isinstance(self.least, dict) else self.least


SUITES: dict[str, Suite] = {
    "roundtrip": Suite("trips:roundtrip", 0.995),
    "bare": Suite("trips:without_complement", tracked=True),
    "known": Suite("trips:known", tracked=True),
    "echo": Suite("trips:echo", 0.99),
    "edit": Suite("trips:edit", 1.0),
    "oracle": Suite("trips:oracle", 0.995),
    "judges": Suite("crossing:recordings", {"rules": 0.99}, sdk=True),
    "cross": Suite("crossing:cross", 0.98, sdk=True),
    "losses": Suite("crossing:losses", tracked=True, sdk=True),
    "keys": Suite("crossing:known_keys", 1.0, sdk=True),
    "answers": Suite("crossing:cross_answers", {"valid": 0.98}, tracked=True, sdk=True),
    "streams": Suite("streaming:stream_oracle", 0.995),
    "cuts": Suite("streaming:cuts", 1.0),
    "cuts-in-two": Suite("streaming:cut_in_two", 1.0),
    "generated": Suite("streaming:generated", 1.0),
    "broken": Suite("streaming:broken", 1.0),
    "writing": Suite("writing:writing", tracked=True, sdk=True),
}
