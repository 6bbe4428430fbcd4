"""Embeddings: LangChain's contract on one side, `AIClient` on the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import ClassVar

from langchain_core.embeddings import Embeddings
from pydantic import Field

from ai_protocol_integrations._model import EmbeddingModel
from ai_protocol_runtime.flow.batches import OnBatch

from ._errors import model_errors


class AIProtocolEmbeddings(EmbeddingModel, Embeddings):
    """An embedding model of any provider whose manifest has one: ``AIProtocolEmbeddings(model="provider/model")``.

    Every argument is a keyword; all but `model` may be left out. None means "not said": the provider's default, or the
    manifest's, then holds. Texts go out as they are, empty ones too, in as few requests as the provider allows; no text
    at all is no request. `last_usage` and `total_usage` have the tokens, which LangChain has no place for.

    Errors are those of the chat model (`ai_protocol_integrations.langchain.errors`); `partial` of one in the middle of
    many texts are the vectors of those before it.
    """

    batch_size: int | None = Field(default=None, gt=0)
    """Texts in one request, where that is less than the provider takes; ``chunk_size`` is the same."""
    concurrency: int = Field(default=4, gt=0)
    """How many requests an asynchronous call sends at a time."""
    show_progress_bar: bool = False
    """Whether `embed_documents` shows how far it is; needs tqdm."""

    _other_names: ClassVar[Mapping[str, str]] = {"chunk_size": "batch_size"}

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """The vectors of texts that are to be found, in their order."""
        with model_errors(), self._progress(texts) as on_batch:
            said = self._said(self.document_input_type)
            answer = self._client.embed(texts, batch_size=self.batch_size, on_batch=on_batch, **said)
            return self._counted(answer).vectors

    def embed_query(self, text: str) -> list[float]:
        """The vector of a text that others are looked for with."""
        with model_errors():
            return self._counted(self._client.embed(text, **self._said(self.query_input_type))).vectors[0]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """`embed_documents` in the running event loop, several requests at a time."""
        with model_errors(), self._progress(texts) as on_batch:
            said = self._said(self.document_input_type)
            answer = await self._client.aembed(
                texts, batch_size=self.batch_size, concurrency=self.concurrency, on_batch=on_batch, **said
            )
            return self._counted(answer).vectors

    async def aembed_query(self, text: str) -> list[float]:
        """`embed_query` in the running event loop."""
        with model_errors():
            return self._counted(await self._client.aembed(text, **self._said(self.query_input_type))).vectors[0]

    @contextmanager
    def _progress(self, texts: Sequence[str]) -> Iterator[OnBatch | None]:
        """Who is to be told of texts that are done."""
        if not self.show_progress_bar:
            yield None
            return
        try:
            tqdm = import_module("tqdm.auto").tqdm
        except ImportError:
            raise ImportError("show_progress_bar needs tqdm; install it with: pip install tqdm", name="tqdm") from None
        with tqdm(total=len(texts), unit=" texts") as bar:
            yield bar.update
