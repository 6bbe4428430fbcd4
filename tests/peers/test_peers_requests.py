"""On the same inputs both classes send the same, or differ for a reason that is written down."""

from __future__ import annotations

import json

import pytest

from .compared import compared, pairs
from .inputs import Input
from .peers import Peer
from .reasons import REASONS, explained

pytestmark = [
    pytest.mark.peers,
    # Theirs, not ours: what they leave to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.mark.parametrize(("given", "peer"), pairs(), ids=lambda value: getattr(value, "name", str(value)))
def test_both_say_the_same(given: Input, peer: Peer) -> None:
    unexplained = [
        f"{path}: theirs {json.dumps(theirs)}, ours {json.dumps(ours)}"
        for path, theirs, ours in compared(given, peer)
        if not explained(str(peer), given.name, path)
    ]
    assert unexplained == []


def test_every_reason_still_applies() -> None:
    found = {(str(peer), given.name, path) for given, peer in pairs() for path, _, _ in compared(given, peer)}
    assert [reason for reason in REASONS if not any(reason.explains(*where) for where in found)] == []


def test_there_are_many() -> None:
    assert len({given.name for given, _ in pairs()}) >= 200
    assert len(pairs()) >= 600
