"""Of a recorded answer our message has all that the partner's has, or lacks it for a reason that is written down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import pytest

from tests.corpus.recordings import ABSENT, CORPUS, Exchange

from .answered import missing, read_by_both, sample
from .recording import Recorder

pytestmark = [
    pytest.mark.peers,
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason=ABSENT),
    # Theirs, not ours: what they leave to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

Lack = tuple[str, str]


class Why(NamedTuple):
    right: Literal["ours", "theirs", "either"]
    why: str


REASONS: dict[Lack, Why] = {
    ("openai-chat", "text"): Why("ours", "theirs mixes several choices of a stream into one text"),
    ("openai-chat", "finish"): Why("ours", "theirs adds the word up when it comes more than once"),
    ("openai-chat", "model"): Why("ours", "theirs adds the name up when it comes more than once"),
    ("openai-chat", "input tokens"): Why("ours", "theirs adds running totals up"),
    ("openai-responses", "everything"): Why("ours", "what an unfinished item says is superseded by the finished one"),
    ("anthropic-messages", "details"): Why("either", "ours has what was cached as one number, its parts in `usage`"),
    ("gemini-generate", "text"): Why("ours", "theirs cuts white space off the end"),
    ("gemini-generate", "input tokens"): Why("either", "theirs counts the prompts of the provider's own tools as ours"),
}
"""By format and fact. Where theirs cannot read an answer at all, ours has everything."""


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    with Recorder() as running:
        yield running


@pytest.fixture(scope="module")
def lacks(recorder: Recorder) -> dict[str, list[tuple[Lack, Any, Any]]]:
    """What ours lacks, by the recordings' ids."""
    return {
        exchange.id: [((exchange.wire, fact), theirs, ours) for fact, theirs, ours in missing(exchange, *both)]
        for exchange in sample()
        for both in [read_by_both(exchange, recorder)]
    }


@pytest.mark.parametrize("exchange", sample() if CORPUS.is_dir() else [], ids=lambda exchange: exchange.id)
def test_ours_has_what_theirs_has(exchange: Exchange, lacks: dict[str, list[tuple[Lack, Any, Any]]]) -> None:
    assert [lack for lack in lacks[exchange.id] if lack[0] not in REASONS] == []


def test_every_reason_still_applies(lacks: dict[str, list[tuple[Lack, Any, Any]]]) -> None:
    assert REASONS.keys() - {lack[0] for found in lacks.values() for lack in found} == set()


def test_the_sample_is_fair() -> None:
    counts = Counter((exchange.wire, exchange.stream is None) for exchange in sample())
    assert len(counts) == 8
    assert min(counts.values()) >= 40
