"""All that is tried on the recordings, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from . import crossing, trips
from .recordings import Exchange
from .trips import Outcome

SUITES: dict[str, Callable[[Exchange], Iterator[Outcome]]] = {
    "roundtrip": trips.roundtrip,
    "bare": trips.without_complement,
    "echo": trips.echo,
    "edit": trips.edit,
    "oracle": trips.oracle,
    "cross": crossing.cross,
    "losses": crossing.losses,
    "keys": crossing.known_keys,
    "cross-answers": crossing.cross_answers,
}
