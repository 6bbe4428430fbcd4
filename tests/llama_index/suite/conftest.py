"""The stage: a provider that follows a script, counts what is asked of it, and sees who hangs up on it."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.postprocessor.types import BaseNodePostprocessor

from ai_protocol_runtime.simulator import Server, Simulated, Simulator, simulate
from ai_protocol_runtime.simulator.server import Reply
from ai_protocol_runtime.types import Request

from .factories import EXPECTED, KEY, Subject, subjects
from .material import TEXTS, texts


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "stage" in getattr(item, "fixturenames", ()):
            for warning in EXPECTED:
                item.add_marker(pytest.mark.filterwarnings(warning))


@dataclass
class Count:
    """Of HTTP requests, whatever they ask for, and of answers that were not taken to their end."""

    sent: int = 0
    broken: int = 0


class Provider(Simulator):
    """Counts what comes; each test has a count of its own."""

    url = ""

    def __init__(self, name: str) -> None:
        super().__init__(provider=name, api_key=KEY)
        self.count = Count()

    def handle(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        count = self.count
        count.sent += 1
        reply = super().handle(method, path, headers, body)
        reply.body = _watched(reply.body, count)
        return reply


def _watched(steps: Iterator[bytes | float], count: Count) -> Iterator[bytes | float]:
    taken = False
    try:
        yield from steps
        taken = True
    finally:
        count.broken += not taken


@pytest.fixture(scope="session")
def provider() -> Iterator[Callable[[str], Provider]]:
    """A provider by its id. Without the right key it answers nothing."""
    with ExitStack() as stack:

        @cache
        def serving(name: str) -> Provider:
            served = Provider(name)
            served.url = stack.enter_context(Server(served)).url
            return served

        yield serving


@dataclass
class Stage:
    """Where an LLM class meets a provider that follows a script."""

    subject: Subject
    provider: Provider
    stack: ExitStack
    count: Count
    scripts: list[Simulated] = field(default_factory=list)

    def play(self, script: Any, *, model: str | None = None, pace: float = 0.0, **settings: Any) -> FunctionCallingLLM:
        """An LLM whose model follows this script."""
        name = model or self.subject.model
        self.scripts.append(self.stack.enter_context(simulate(name, script, pace=pace)))
        return self.subject.make(self.provider.url, name, **{"max_retries": 0} | settings)

    @property
    def sent(self) -> int:
        """How many HTTP requests came so far."""
        return self.count.sent

    @property
    def requests(self) -> list[Request]:
        """What the model was asked."""
        return self.scripts[-1].requests

    @property
    def prompts(self) -> list[str]:
        """The texts of each request, in one."""
        return ["\n".join(texts(message) for message in request.messages) for request in self.requests]


@pytest.fixture(params=subjects(), ids=lambda subject: subject.name)
def stage(request: pytest.FixtureRequest, provider: Callable[[str], Provider]) -> Iterator[Stage]:
    subject: Subject = request.param
    request.node.user_properties.append(("subject", subject.name))
    served = provider(subject.format.provider)
    with ExitStack() as stack:
        served.count = Count()
        yield Stage(subject, served, stack, served.count)


@dataclass
class Shelf:
    """An index of `TEXTS`, its embedding and a reranker, each with its provider: the same for all subjects."""

    index: VectorStoreIndex
    embedding: BaseEmbedding
    reranker: BaseNodePostprocessor
    embeds: Provider
    ranks: Provider

    @property
    def asked(self) -> int:
        """How many HTTP requests for embeddings came so far."""
        return self.embeds.count.sent

    @property
    def ranked(self) -> int:
        return self.ranks.count.sent


@pytest.fixture(scope="session")
def filled() -> Iterator[Shelf]:
    from ai_protocol_integrations.llama_index import AIProtocolEmbedding, AIProtocolRerank

    embeds, ranks = Provider("openai"), Provider("cohere")
    with Server(embeds) as embedding_server, Server(ranks) as ranking_server:
        embedding = AIProtocolEmbedding(
            model="openai/text-embedding-3-small", base_url=embedding_server.url, api_key=KEY
        )
        reranker = AIProtocolRerank(model="cohere/rerank-v3.5", base_url=ranking_server.url, api_key=KEY, top_n=1)
        index = VectorStoreIndex.from_documents([Document(text=text) for text in TEXTS], embed_model=embedding)
        yield Shelf(index, embedding, reranker, embeds, ranks)


@pytest.fixture
def shelf(filled: Shelf) -> Shelf:
    filled.embeds.count, filled.ranks.count = Count(), Count()
    return filled


@pytest.fixture
def swept(request: pytest.FixtureRequest, shelf: Shelf) -> Iterator[None]:
    """For tests in which LlamaIndex runs event loops in threads: it closes them without what was begun in them, so that
    their connections are left to the garbage collector, which warns of it. This sees to it that it does so here."""
    if "way" in request.fixturenames and request.getfixturevalue("way").asynchronous:
        yield  # there is one loop only
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "unclosed", ResourceWarning)
        yield
        asyncio.run(shelf.embedding.aget_query_embedding("A new loop: what belongs to closed ones is forgotten."))
        gc.collect()


@dataclass
class Way:
    """Of calling something: synchronous (in a running event loop), or asynchronous."""

    asynchronous: bool

    async def __call__(self, owner: Any, name: str, *arguments: Any, **more: Any) -> Any:
        """What the method gives, or its asynchronous twin."""
        if self.asynchronous:
            return await getattr(owner, f"a{name}")(*arguments, **more)
        return getattr(owner, name)(*arguments, **more)

    async def all(self, owner: Any, name: str, *arguments: Any, **more: Any) -> list[Any]:
        """All that the stream of the method brings."""
        return await self.taken(await self(owner, name, *arguments, **more))

    async def taken(self, stream: Any) -> list[Any]:
        items: list[Any] = []
        await self.see(stream, items.append)
        return items

    async def see(self, stream: Any, see: Callable[[Any], None]) -> None:
        """Shows each item to `see` when it comes."""
        if self.asynchronous:
            async for item in stream:
                see(item)
        else:
            for item in stream:
                see(item)


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def way(request: pytest.FixtureRequest) -> Way:
    return Way(request.param)
