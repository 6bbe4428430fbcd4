"""How inputs are put into requests: by what a provider takes at once, and by what goes together."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ai_protocol_runtime.flow.batches import Batches, split
from ai_protocol_runtime.manifest.schema import EmbeddingEndpoint
from ai_protocol_runtime.types import Embedding, EmbeddingInput, EmbeddingRequest, Embeddings, Media, Text, Usage

PICTURE = EmbeddingInput([Media("image", url="https://x.test/a.png")])


def batches(inputs: list[EmbeddingInput], size: int | None = None, **limits: Any) -> list[list[str]]:
    endpoint = EmbeddingEndpoint(path="/embed", **limits)
    request = EmbeddingRequest(model="m", inputs=inputs, input_type="query", dimensions=3)
    found = split(request, endpoint, size)
    assert all((one.model, one.input_type, one.dimensions) == ("m", "query", 3) for one in found)
    assert all((one.model, one.input_type, one.dimensions) == ("m", "query", 3) for b in found for one in b.inputs)
    return [[one.text or "(picture)" for one in batch.inputs] for batch in found]


def texts(*said: str) -> list[EmbeddingInput]:
    return [EmbeddingInput([Text(text)]) for text in said]


def test_by_number() -> None:
    inputs = texts(*"abcde")
    assert batches(inputs) == [["a", "b", "c", "d", "e"]]
    assert batches(inputs, max_inputs=2) == [["a", "b"], ["c", "d"], ["e"]]
    assert batches(inputs, 2, max_inputs=3) == [["a", "b"], ["c", "d"], ["e"]]
    assert batches(inputs, 9, max_inputs=3) == [["a", "b", "c"], ["d", "e"]]
    assert batches([]) == []


def test_by_tokens() -> None:
    """Two bytes are a token, at most; what is too long by itself goes alone."""
    assert batches(texts("a" * 10, "b" * 8, "c"), max_tokens=11) == [["a" * 10, "b" * 8], ["c"]]
    assert batches(texts("a" * 100, "b", "c" * 100), max_tokens=11) == [["a" * 100], ["b"], ["c" * 100]]
    assert len(batches(texts("字" * 6, "字" * 6), max_tokens=12)) == 2
    assert len(batches([PICTURE, PICTURE], max_tokens=3000)) == 2


def test_texts_and_other_things_go_apart() -> None:
    two = EmbeddingInput([Text("x"), Text("y")])
    found = batches([*texts("a", "b"), PICTURE, two, *texts("c")])
    assert found == [["a", "b"], ["(picture)", "xy"], ["c"]]


@given(st.lists(st.text(), max_size=30), st.integers(1, 9), st.integers(1, 50))
def test_nothing_is_lost_or_moved(said: list[str], most: int, tokens: int) -> None:
    endpoint = EmbeddingEndpoint(path="/embed", max_inputs=most, max_tokens=tokens)
    found = split(EmbeddingRequest(inputs=texts(*said)), endpoint)
    assert [one.text for batch in found for one in batch.inputs] == said
    for batch in found:
        cost = sum(len(one.text.encode()) // 2 + 1 for one in batch.inputs)
        assert 1 <= len(batch.inputs) <= most
        assert cost <= tokens or len(batch.inputs) == 1


def answered(*vectors: float, **more: Any) -> Embeddings:
    return Embeddings(embeddings=[Embedding([vector]) for vector in vectors], **more)


def test_answers_are_joined_as_far_as_they_go() -> None:
    told: list[int] = []
    requests = [EmbeddingRequest(inputs=texts(*said)) for said in ("ab", "c", "d")]
    whole = Batches(requests, told.append)
    assert whole.joined() == Embeddings()
    whole.take(2, answered(4, id="third"))
    assert whole.joined() == Embeddings()
    raw = {"total": 2}
    whole.take(0, answered(1, 2, id="first", usage=Usage(input=2, raw=raw)))
    alone = whole.joined()
    assert (alone.id, alone.vectors, alone.usage and alone.usage.raw) == ("first", [[1], [2]], raw)
    whole.take(1, answered(3, id="second", usage=Usage(input=1)))
    joined = whole.joined()
    assert (joined.id, joined.vectors, joined.usage) == ("third", [[1], [2], [3], [4]], Usage(input=3))
    assert [one.index for one in joined.embeddings] == [0, 1, 2, 3]
    assert told == [1, 2, 1]
