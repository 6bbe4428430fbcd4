"""The formats of embeddings and rankings: what is written and read again is what it was, both ways."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_protocol_runtime.types import (
    Embedding,
    EmbeddingInput,
    EmbeddingRequest,
    Embeddings,
    Loss,
    Media,
    RankDocument,
    Ranked,
    Ranking,
    RankRequest,
    Text,
    Usage,
)
from ai_protocol_runtime.types.errors import MalformedResponseError
from ai_protocol_runtime.wire import ServiceFormat

from .formats import DATA, SERVICES, fault

FORMATS = {name: ServiceFormat(DATA[name], fault) for name in SERVICES}
EMBED = [name for name in SERVICES if DATA[name]["service"] == "embed"]
RERANK = [name for name in SERVICES if DATA[name]["service"] == "rerank"]
PATH = "/v1/models/some-model:batchEmbedContents"
PURPOSES = ("query", "document", "classification", "clustering")

MIXED = {"cohere-embed", "gemini-embed", "gemini-embeddings"}
"""Formats in which an input may have several parts."""
ALONE = {"gemini-embed"}
"""Formats in which a request has one input."""
UNSAID = {
    "openai-embeddings": set(),
    "gemini-embed": {"encoding", "user"},
    "gemini-embeddings": {"truncate", "encoding", "user"},
    "cohere-embed": {"encoding", "user"},
    "ollama-embed": {"input_type", "encoding", "user"},
}
"""What a format has no place for."""

numbers = st.floats(allow_nan=False, allow_infinity=False)
single = st.floats(width=32, allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]))
maybe = st.none() | st.booleans()
counts = st.none() | st.integers(1, 10_000)


def asked(inputs: list[EmbeddingInput], **said: Any) -> EmbeddingRequest:
    """As the client has it: every input says what the request does."""
    request = EmbeddingRequest(model="some-model", inputs=inputs, **said)
    for one in inputs:
        one.model, one.input_type, one.dimensions = request.model, request.input_type, request.dimensions
    return request


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def shown(one: EmbeddingInput) -> list[tuple[Any, ...]]:
    return [(part.kind, *(getattr(part, f, None) for f in ("text", "url", "data", "mime_type"))) for part in one.parts]


@pytest.mark.parametrize("name", EMBED)
@given(
    inputs=st.lists(texts, min_size=1, max_size=4),
    input_type=st.none() | st.sampled_from(PURPOSES),
    dimensions=counts,
    truncate=maybe,
    encoding=st.sampled_from([None, "float", "base64"]),
    user=st.none() | st.just("u-1"),
)
def test_requests(name: str, inputs: list[str], **said: Any) -> None:
    wire = FORMATS[name]
    inputs = inputs[:1] if name in ALONE else inputs
    losses: list[Loss] = []
    body = wire.encode_request(asked([EmbeddingInput([Text(text)]) for text in inputs], **said), losses)
    assert {loss.what for loss in losses} == {field for field in UNSAID[name] if said[field] is not None}
    back = wire.decode_request(through_json(body), PATH)
    assert [one.text for one in back.inputs] == inputs
    assert back.model == "some-model"
    for field, value in said.items():
        if field not in UNSAID[name]:
            found = {getattr(one, field, None) for one in (back, *back.inputs)} - {None}
            usual = {"document"} if (name, field) == ("cohere-embed", "input_type") else set()
            assert found == (usual if value is None else {value})
    if all(inputs):
        assert wire.encode_request(back) == body


@pytest.mark.parametrize("name", sorted(MIXED))
@given(data=st.binary(min_size=1), text=st.text(st.characters(categories=["L"]), min_size=1))
def test_inputs_of_several_parts(name: str, data: bytes, text: str) -> None:
    wire = FORMATS[name]
    picture = Media("image", data=base64.b64encode(data).decode(), mime_type="image/png")
    for parts in ([Text(text), picture], [picture], [Text(text), Text("b")]):
        losses: list[Loss] = []
        one = EmbeddingInput([*parts])
        body = wire.encode_request(asked([one]), losses)
        assert losses == []
        back = wire.decode_request(through_json(body), PATH)
        assert [shown(read) for read in back.inputs] == [shown(one)]


@pytest.mark.parametrize("name", sorted(set(EMBED) - MIXED))
def test_several_texts_of_one_input_are_one(name: str) -> None:
    losses: list[Loss] = []
    body = FORMATS[name].encode_request(asked([EmbeddingInput([Text("ab"), Text("c")])]), losses)
    assert (body["input"], losses) == (["abc"], [])


@pytest.mark.parametrize("name", ["openai-embeddings", "ollama-embed"])
def test_a_text_that_stands_alone(name: str) -> None:
    body = {"model": "m", "input": "alone", "later": {"x": 1}}
    request = FORMATS[name].decode_request(body)
    assert [one.text for one in request.inputs] == ["alone"]
    assert FORMATS[name].encode_request(request) == body


@pytest.mark.parametrize("name", EMBED)
@given(
    vectors=st.lists(st.lists(numbers, min_size=1, max_size=5), min_size=1, max_size=4),
    tokens=st.none() | st.integers(0, 10**9),
)
def test_answers(name: str, vectors: list[list[float]], tokens: int | None) -> None:
    usage = None if tokens is None else Usage(input=tokens)
    vectors = vectors[:1] if name in ALONE else vectors
    answer = Embeddings("e-1", "m", [Embedding(vector, n) for n, vector in enumerate(vectors)], usage)
    body = FORMATS[name].encode_answer(answer)
    back = FORMATS[name].decode_answer(through_json(body))
    assert back.vectors == vectors
    assert [one.index for one in back.embeddings] in (list(range(len(vectors))), [None] * len(vectors))
    assert (back.usage and back.usage.input) == tokens
    assert back.error is None
    assert FORMATS[name].encode_answer(back) == body


@given(st.lists(single, min_size=1))
def test_vectors_in_base64(vector: list[float]) -> None:
    """Judged by struct: little-endian, single precision."""
    wire = FORMATS["openai-embeddings"]
    packed = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    body = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": packed}]}
    back = wire.decode_answer(body)
    assert back.vectors == [vector]
    assert all(type(number) is float for number in back.vectors[0])
    assert wire.encode_answer(back) == body


@pytest.mark.parametrize("name", SERVICES)
def test_errors(name: str) -> None:
    wire = FORMATS[name]
    body = through_json(wire.error_body({"message": "no", "type": "t"} if name not in MESSAGES else "no"))
    answer = wire.decode_answer(body)
    assert "no" in str(answer.error)
    assert not (answer.embeddings if name in EMBED else answer.results)
    for nothing in ({}, [], "x", None):
        with pytest.raises(MalformedResponseError, match=name):
            wire.decode_answer(nothing)
    with pytest.raises(MalformedResponseError, match=f"no {name} request"):
        wire.decode_request([])


MESSAGES = {"cohere-embed", "ollama-embed"}
"""Formats in which an error is a text."""


@pytest.mark.parametrize("name", RERANK)
@given(
    query=texts,
    documents=st.lists(texts, min_size=1, max_size=4),
    top_n=counts,
    max_tokens=counts,
    truncate=maybe,
)
def test_requests_for_a_ranking(name: str, query: str, documents: list[str], **said: Any) -> None:
    losses: list[Loss] = []
    request = RankRequest("m", query, [RankDocument(text) for text in documents], **said)
    body = FORMATS[name].encode_request(request, losses)
    back = FORMATS[name].decode_request(through_json(body))
    assert (losses, back.model, back.query) == ([], "m", query)
    assert [one.text for one in back.documents] == documents
    assert {field: getattr(back, field) for field in said} == said


@pytest.mark.parametrize("name", RERANK)
@given(
    scores=st.lists(numbers, min_size=1, max_size=4),
    text=st.none() | texts,
    tokens=st.none() | st.integers(0, 10**9),
)
def test_rankings(name: str, scores: list[float], text: str | None, tokens: int | None) -> None:
    document = None if text is None else RankDocument(text)
    usage = None if tokens is None else Usage(input=tokens)
    answer = Ranking("r", "m", [Ranked(n, score, document) for n, score in enumerate(scores)], usage)
    back = FORMATS[name].decode_answer(through_json(FORMATS[name].encode_answer(answer)))
    assert [(one.index, one.score) for one in back.results] == list(enumerate(scores))
    assert {one.document and one.document.text for one in back.results} == {text}
    assert (back.usage and back.usage.input) == tokens


def test_documents_as_objects() -> None:
    """Some servers take and give documents as objects; sent back, they are what they were."""
    wire = FORMATS["cohere-rerank"]
    asked = {"model": "m", "query": "q", "documents": ["a", {"text": "b", "title": "t"}]}
    request = wire.decode_request(asked)
    assert [one.text for one in request.documents] == ["a", "b"]
    assert wire.encode_request(request) == asked
    told = {"data": [{"index": 0, "score": 0.5, "document": "a"}], "usage": {"total_tokens": 3}}
    assert wire.encode_answer(wire.decode_answer(told)) == told
