"""All that is tried on the recordings, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from . import crossing, streaming, trips
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
    "stream-oracle": streaming.stream_oracle,
    "stream-cuts": streaming.cuts,
    "stream-two": streaming.cut_in_two,
    "stream-generated": streaming.generated,
    "stream-broken": streaming.broken,
    "stream-writing": streaming.writing,
}
