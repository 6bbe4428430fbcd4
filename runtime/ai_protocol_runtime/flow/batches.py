"""Many inputs as several requests of embeddings, and their answers as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ai_protocol_runtime.types import EmbeddingInput, EmbeddingRequest, Embeddings, Media, Ranking, RankRequest, Text
from ai_protocol_runtime.types.errors import MalformedResponseError

if TYPE_CHECKING:
    from ai_protocol_runtime.manifest.schema import EmbeddingEndpoint

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
    return len(one.text.encode()) // _BYTES + 1 + sum(_MEDIA for part in one.parts if isinstance(part, Media))


def joined(answers: Sequence[Embeddings], batches: Sequence[EmbeddingRequest]) -> Embeddings:
    """One answer of several, in the order of the inputs: the vectors together, the usage added up, and all else from
    the last. Raises MalformedResponseError where vectors are missing or too many."""
    if len(answers) == 1:
        return _ordered(answers[0], batches[0])
    whole = replace(answers[-1], embeddings=[], usage=None) if answers else Embeddings()
    for answer, batch in zip(answers, batches, strict=True):
        start = len(whole.embeddings)
        whole.embeddings += [replace(one, index=start + n) for n, one in enumerate(_ordered(answer, batch).embeddings)]
        if answer.usage is not None:
            whole.usage = answer.usage if whole.usage is None else whole.usage + answer.usage
    return whole


def _ordered(answer: Embeddings, batch: EmbeddingRequest) -> Embeddings:
    found = answer.embeddings
    if all(one.index is not None for one in found):
        found = sorted(found, key=lambda one: one.index or 0)
        places = [one.index for one in found]
    else:
        places = list(range(len(found)))
    if places != list(range(len(batch.inputs))):
        raise _malformed(answer, f"{len(batch.inputs)} inputs were sent, and vectors came back for {places[:10]}")
    answer.embeddings = found
    return answer


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
