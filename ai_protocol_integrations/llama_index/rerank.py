"""Reranking: retrieved nodes by how well they answer the query, best first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llama_index.core.callbacks import CBEventType, EventPayload
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle
from llama_index_instrumentation import get_dispatcher

from ai_protocol_integrations._model import RankingModel
from ai_protocol_runtime.types import Ranking
from ai_protocol_runtime.types.errors import ArgumentError

from ._component import Component

_dispatcher = get_dispatcher(__name__)


class AIProtocolRerank(Component, RankingModel, BaseNodePostprocessor):
    """A reranking model of any provider whose manifest has one: ``AIProtocolRerank(model="provider/model")``.

    Every argument is a keyword; all but `model` may be left out. It stands wherever LlamaIndex takes a node
    postprocessor, and gives copies of the best nodes, best first, with the model's scores. What is ranked is a node's
    text with the metadata that an embedding model would see. No node at all is no request.

    `last_usage` and `total_usage` have the tokens, where the provider counts any. Errors are those of
    `ai_protocol_runtime.types.errors`; a missing query is an `ArgumentError`.
    """

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        query = _query(query_bundle)
        if not nodes:
            return []
        with self._reported(nodes, query) as best:
            best += _scored(nodes, self._counted(self._client.rerank(query.query_str, _texts(nodes), **self._said())))
        return best

    async def _apostprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        query = _query(query_bundle)
        if not nodes:
            return []
        with self._reported(nodes, query) as best:
            ranking = await self._client.arerank(query.query_str, _texts(nodes), **self._said())
            best += _scored(nodes, self._counted(ranking))
        return best

    @contextmanager
    def _reported(self, nodes: list[NodeWithScore], query: QueryBundle) -> Iterator[list[NodeWithScore]]:
        """A list to put the best nodes in; whoever listens is told when that begins, and what has come of it."""
        best: list[NodeWithScore] = []
        top_n = self.top_n or len(nodes)
        _dispatcher.event(ReRankStartEvent(query=query, nodes=nodes, top_n=top_n, model_name=self.model))
        payload: dict[str, Any] = {
            EventPayload.NODES: nodes,
            EventPayload.MODEL_NAME: self.model,
            EventPayload.QUERY_STR: query.query_str,
            EventPayload.TOP_K: top_n,
        }
        with self.callback_manager.event(CBEventType.RERANKING, payload=payload) as event:
            yield best
            event.on_end(payload={EventPayload.NODES: best})
        _dispatcher.event(ReRankEndEvent(nodes=best))


def _query(query: QueryBundle | None) -> QueryBundle:
    if query is None:
        raise ArgumentError("there is no query to rank the nodes by; pass query_str, or query_bundle")
    return query


def _texts(nodes: list[NodeWithScore]) -> list[str]:
    return [one.node.get_content(metadata_mode=MetadataMode.EMBED) for one in nodes]


def _scored(nodes: list[NodeWithScore], ranking: Ranking) -> list[NodeWithScore]:
    return [nodes[one.index].model_copy(update={"score": one.score}) for one in ranking.results]
