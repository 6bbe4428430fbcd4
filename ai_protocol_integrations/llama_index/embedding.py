"""Embeddings: LlamaIndex's contract on one side, `AIClient` on the other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakValueDictionary

from llama_index.core.base.embeddings.base import BaseEmbedding
from pydantic import Field

from ai_protocol_integrations._model import EmbeddingModel
from ai_protocol_runtime.flow.batches import split
from ai_protocol_runtime.flow.params import read_embedding
from ai_protocol_runtime.types import EmbeddingRequest

from ._component import Component

if TYPE_CHECKING:
    from ai_protocol_runtime.manifest.schema import EmbeddingEndpoint

_MOST = 2048
"""Texts in a batch, as LlamaIndex allows it."""

_turns: WeakValueDictionary[tuple[int, int, int], asyncio.Semaphore] = WeakValueDictionary()
"""By object, event loop and number of workers; here as long as somebody waits, so that no object holds any."""


class AIProtocolEmbedding(Component, EmbeddingModel, BaseEmbedding):
    """An embedding model of any provider whose manifest has one: ``AIProtocolEmbedding(model="provider/model")``.

    Every argument is a keyword; all but `model` may be left out. None means "not said": the provider's default, or the
    manifest's, then holds. Texts go out as they are, empty ones too, in as few requests as the provider and
    `embed_batch_size` allow; no text at all is no request. `rate_limiter` is asked for every request.

    `total_usage` has the tokens of all requests, which LlamaIndex has no place for, and `last_usage` those of the last.
    Errors are those of `ai_protocol_runtime.types.errors`.
    """

    model_name: str = Field(default="", repr=False)
    """Another name for `model`, and always the same."""
    embed_batch_size: int = Field(default=_MOST, gt=0, le=_MOST)
    """Texts in one batch: one request, unless that would be too large for the provider. Left out: as many as the
    provider takes in a request by its manifest, or 2048."""
    num_workers: int | None = Field(default=4, gt=0)
    """How many requests for texts are under way at a time in one event loop; None: no limit."""

    _other_names: ClassVar[Mapping[str, str]] = {**Component._other_names, "model_name": "model"}
    _shared: ClassVar[tuple[str, ...]] = (*Component._shared, "embeddings_cache")

    if not TYPE_CHECKING:

        def __init__(self, **arguments: Any) -> None:
            super().__init__(**arguments)
            if "embed_batch_size" not in self.model_fields_set:
                self.__dict__["embed_batch_size"] = min(self._endpoint.max_inputs or _MOST, _MOST)

    def __setattr__(self, name: str, value: Any) -> None:
        for one in ("model", "model_name") if name in ("model", "model_name") else (name,):
            super().__setattr__(one, value)

    @classmethod
    def _named(cls, arguments: Mapping[str, Any]) -> dict[str, Any]:
        named = super()._named(arguments)
        return {**named, "model_name": named["model"]} if "model" in named else named

    # one text

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._counted(self._client.embed(query, **self._said(self.query_input_type))).vectors[0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._counted(await self._client.aembed(query, **self._said(self.query_input_type))).vectors[0]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return (await self._aget_text_embeddings([text]))[0]

    # a batch

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = []
        for number, request in enumerate(self._requests(texts)):
            if number and self.rate_limiter is not None:  # LlamaIndex has asked it for the first
                self.rate_limiter.acquire()
            vectors += self._counted(self._client.embed(request)).vectors
        return vectors

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        async def vectors(number: int, request: EmbeddingRequest) -> list[list[float]]:
            async with self._turn():
                if number and self.rate_limiter is not None:
                    await self.rate_limiter.async_acquire()
                return self._counted(await self._client.aembed(request)).vectors

        jobs = [vectors(number, request) for number, request in enumerate(self._requests(texts))]
        return list(chain.from_iterable(await asyncio.gather(*jobs)))

    async def _aget_text_embeddings_cached(self, texts: list[str]) -> list[list[float]]:
        if self.rate_limiter is not None:  # only here LlamaIndex forgets to
            await self.rate_limiter.async_acquire()
        return await super()._aget_text_embeddings_cached(texts)

    def _turn(self) -> AbstractAsyncContextManager[Any]:
        """Waited for before each request: LlamaIndex counts batches, and takes one worker for any number of them."""
        if self.num_workers is None:
            return nullcontext()
        whose = (id(self), id(asyncio.get_running_loop()), self.num_workers)
        return _turns.setdefault(whose, asyncio.Semaphore(self.num_workers))

    def _requests(self, texts: list[str]) -> list[EmbeddingRequest]:
        """The texts of a batch as requests that are each small enough for the provider."""
        return split(read_embedding(texts, self._said(self.document_input_type))[0], self._endpoint)

    @property
    def _endpoint(self) -> EmbeddingEndpoint:
        """What the manifest says of the wire format in which vectors are asked for."""
        target = self._client.resolve()
        return target.provider.embed[target.protocol]
