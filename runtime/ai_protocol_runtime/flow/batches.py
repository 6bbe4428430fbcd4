"""Many inputs as several requests of embeddings, and their answers as one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import chain, count, takewhile
from operator import add
from typing import TYPE_CHECKING, TypeAlias

from ai_protocol_runtime.types import (
    Embedding,
    EmbeddingInput,
    EmbeddingRequest,
    Embeddings,
    Media,
    Ranking,
    RankRequest,
    Text,
)
from ai_protocol_runtime.types.errors import MalformedResponseError

if TYPE_CHECKING:
    from ai_protocol_runtime.manifest.schema import EmbeddingEndpoint

OnBatch: TypeAlias = Callable[[int], object]
"""Is told how many inputs have just been embedded."""

_BYTES = 2
"""Of UTF-8 text to a token, at least, in what is not made up to break tokenizers; only for keeping under a limit."""

_MEDIA = 2000
"""Tokens of a picture, at most."""


def split(
    request: EmbeddingRequest, endpoint: EmbeddingEndpoint, batch_size: int | None = None
) -> list[EmbeddingRequest]:
    """Requests that are each small enough for the provider, of one kind of input each, in order. `batch_size`: inputs
    that one may have, where that is less than the manifest says. No input at all is no request."""
    sizes = [size for size in (endpoint.max_inputs, batch_size) if size is not None]
    most = min(sizes, default=len(request.inputs))
    batches: list[list[EmbeddingInput]] = []
    room = 0
    for one in request.inputs:
        one = replace(one, model=request.model, input_type=request.input_type, dimensions=request.dimensions)
        cost = 0 if endpoint.max_tokens is None else _cost(one)
        last = batches[-1] if batches else []
        if not last or len(last) >= most or cost > room or _is_text(one) is not _is_text(last[0]):
            batches.append([])
            room = endpoint.max_tokens or 0
        batches[-1].append(one)
        room -= cost
    return [replace(request, inputs=batch) for batch in batches]


def _is_text(one: EmbeddingInput) -> bool:
    """Some wires send texts and other inputs in different places, and so not together."""
    return len(one.parts) == 1 and isinstance(one.parts[0], Text)


def _cost(one: EmbeddingInput) -> int:
    pictures = sum(isinstance(part, Media) for part in one.parts)
    return len(one.tokens or ()) + len(one.text.encode()) // _BYTES + 1 + pictures * _MEDIA


@dataclass(slots=True)
class Batches:
    """Requests that are under way, one after the other or several at a time, and what has come of them."""

    requests: list[EmbeddingRequest]
    on_batch: OnBatch | None = None
    _answers: dict[int, Embeddings] = field(default_factory=dict)

    def take(self, number: int, answer: Embeddings) -> None:
        """The answer to the request of this number. Raises MalformedResponseError where vectors are missing or too
        many."""
        inputs = len(self.requests[number].inputs)
        self._answers[number] = _ordered(answer, inputs)
        if self.on_batch is not None:
            self.on_batch(inputs)

    def joined(self) -> Embeddings:
        """The answers up to the first that is missing as one, in the order of the inputs: the vectors together, the
        usage added up, and all else from the last."""
        answers = [self._answers[number] for number in takewhile(self._answers.__contains__, count())]
        if not answers:
            return Embeddings()
        embeddings = chain.from_iterable(answer.embeddings for answer in answers)
        usages = [answer.usage for answer in answers if answer.usage is not None]
        return replace(
            answers[-1],
            embeddings=[replace(one, index=place) for place, one in enumerate(embeddings)],
            usage=reduce(add, usages) if usages else None,
        )


def _ordered(answer: Embeddings, inputs: int) -> Embeddings:
    """The answer with its vectors in the order of the inputs."""
    found = answer.embeddings
    if all(one.index is not None for one in found):
        found = sorted(found, key=lambda one: one.index or 0)
        places = [one.index for one in found]
    else:
        places = list(range(len(found)))
    if places != list(range(inputs)):
        raise _malformed(answer, f"{inputs} inputs were sent, and vectors came back for {places[:10]}")
    answer.embeddings = [_numeric(answer, one) for one in found]
    return answer


def _numeric(answer: Embeddings, one: Embedding) -> Embedding:
    """The vector made of floats: some servers write 0 for 0.0."""
    kinds = set(map(type, one.vector))
    if kinds == {float}:
        return one
    if not kinds <= {int, float}:
        raise _malformed(answer, f"vector {one.index or 0} holds what is no number")
    return replace(one, vector=[float(number) for number in one.vector])


def ranked(answer: Ranking, request: RankRequest) -> Ranking:
    """The answer, best first. Raises MalformedResponseError where it ranks what was not sent, or something twice."""
    places = [result.index for result in answer.results]
    if len(set(places)) != len(places) or not all(0 <= place < len(request.documents) for place in places):
        sent = f"{len(request.documents)} documents were sent"
        raise _malformed(answer, f"{sent}, and the ranking is of {places[:10]}")
    answer.results.sort(key=lambda result: -result.score)
    return answer


def _malformed(answer: Embeddings | Ranking, message: str) -> MalformedResponseError:
    call = answer.call
    if call is None:
        return MalformedResponseError(message)
    return MalformedResponseError(
        message, provider=call.provider, model=call.model, status=call.status, request_id=call.request_id
    )
