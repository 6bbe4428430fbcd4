"""Reranking: retrieved documents by how well they answer the query, best first."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document

from ai_protocol_integrations._model import RankingModel
from ai_protocol_runtime.types import Ranked

from ._errors import model_errors


class AIProtocolReranker(RankingModel, BaseDocumentCompressor):
    """A reranking model of any provider whose manifest has one: ``AIProtocolReranker(model="provider/model")``.

    Every argument is a keyword; all but `model` may be left out. It stands wherever LangChain takes a document
    compressor. No document at all is no request. `last_usage` and `total_usage` have the tokens, where the provider
    counts any. Errors are those of the chat model (`ai_protocol_integrations.langchain.errors`).
    """

    def rerank(self, query: str, documents: Sequence[str | Document], *, top_n: int | None = None) -> list[Ranked]:
        """Places in `documents` (`index`, from 0) with their `score`, best first; `top_n` counts over the field's."""
        if not documents:
            return []
        with model_errors():
            ranking = self._client.rerank(query, _texts(documents), **self._said(top_n))
            return self._counted(ranking).results

    async def arerank(
        self, query: str, documents: Sequence[str | Document], *, top_n: int | None = None
    ) -> list[Ranked]:
        """`rerank` in the running event loop."""
        if not documents:
            return []
        with model_errors():
            ranking = await self._client.arerank(query, _texts(documents), **self._said(top_n))
            return self._counted(ranking).results

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        """Copies of the best documents, best first, with their score in ``metadata["relevance_score"]``."""
        return _scored(documents, self.rerank(query, documents))

    async def acompress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        """`compress_documents` in the running event loop."""
        return _scored(documents, await self.arerank(query, documents))


def _texts(documents: Sequence[str | Document]) -> list[str]:
    return [one.page_content if isinstance(one, Document) else one for one in documents]


def _scored(documents: Sequence[Document], ranked: list[Ranked]) -> list[Document]:
    found = ((documents[one.index], one.score) for one in ranked)
    return [one.model_copy(update={"metadata": {**one.metadata, "relevance_score": score}}) for one, score in found]
