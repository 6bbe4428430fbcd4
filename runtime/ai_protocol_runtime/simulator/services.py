"""What a simulated model says to whoever wants texts embedded or ranked: the same to the same texts, always.

A vector is made of the words of a text and the threes of their letters, each of which has a few places of its own. So
texts that share words, or forms of a word, come out near each other, and others at a right angle, or nearly.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from hashlib import blake2b

from ai_protocol_runtime.types import (
    Embedding,
    EmbeddingInput,
    EmbeddingRequest,
    Embeddings,
    Media,
    Ranked,
    Ranking,
    RankRequest,
    Usage,
)

from .counting import MEDIA
from .tokens import count

DIMENSIONS = 256
"""Numbers of a vector, where a request does not say how many."""

MOST_DIMENSIONS = 4096

_PLACES = 4
_WORD = re.compile(r"\w+")
_DIGITS = 8


def embedded(request: EmbeddingRequest, *, tag: str) -> Embeddings:
    """The vectors, of length 1."""
    wanted = request.dimensions or next((one.dimensions for one in request.inputs if one.dimensions), None)
    dimensions = min(wanted or DIMENSIONS, MOST_DIMENSIONS)
    return Embeddings(
        id=f"embd-{tag}",
        model=request.model,
        embeddings=[Embedding(vector(one, dimensions), number) for number, one in enumerate(request.inputs)],
        usage=Usage(input=sum(map(_tokens, request.inputs))),
    )


def ranking(request: RankRequest, *, tag: str) -> Ranking:
    """The documents by the cosine of their vectors and the query's."""
    query = _text_vector(request.query, DIMENSIONS)
    results = [
        Ranked(number, round(max(0.0, _dot(query, _text_vector(document.text, DIMENSIONS))), _DIGITS))
        for number, document in enumerate(request.documents)
    ]
    results.sort(key=lambda result: -result.score)
    tokens = count(request.query) * len(results) + sum(count(document.text) for document in request.documents)
    return Ranking(id=f"rank-{tag}", model=request.model, results=results[: request.top_n], usage=Usage(input=tokens))


def vector(one: EmbeddingInput, dimensions: int) -> list[float]:
    """The vector of one input: texts by their words, pictures and the like by their bytes."""
    media = [part for part in one.parts if isinstance(part, Media)]
    seen = [(f"{part.kind} {part.data or part.url or part.file_id}", 1.0) for part in media]
    tokens = [(f"token {token}", 1.0) for token in one.tokens or ()]
    return _laid([*_features(one.text), *seen, *tokens], dimensions)


def _text_vector(text: str, dimensions: int) -> list[float]:
    return _laid([*_features(text)], dimensions)


def _features(text: str) -> Iterator[tuple[str, float]]:
    """What a text is told by, and how much each counts: long words more than short ones."""
    for match in _WORD.finditer(text.casefold()):
        word = match[0]
        weight = 1 - math.exp(-len(word) / 4)
        yield word, weight
        edged = f" {word} "
        threes = [edged[at : at + 3] for at in range(len(edged) - 2)]
        for three in threes:
            yield three, weight / math.sqrt(len(threes))


def _laid(features: list[tuple[str, float]], dimensions: int) -> list[float]:
    numbers = [0.0] * dimensions
    for name, weight in features or [("", 1.0)]:
        digest = blake2b(name.encode(), digest_size=4 * _PLACES).digest()
        for at in range(0, len(digest), 4):
            place = int.from_bytes(digest[at : at + 4])
            numbers[(place >> 1) % dimensions] += weight if place & 1 else -weight
    length = math.sqrt(_dot(numbers, numbers))
    return [round(number / length, _DIGITS) if length else 0.0 for number in numbers]


def _dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def _tokens(one: EmbeddingInput) -> int:
    return len(one.tokens or ()) + count(one.text) + MEDIA * sum(isinstance(part, Media) for part in one.parts)
