"""`EmbeddingsUnitTests` and `EmbeddingsIntegrationTests` of langchain-tests, in each wire format, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from langchain_core.embeddings import Embeddings
from langchain_tests.integration_tests import EmbeddingsIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests

from ai_protocol_integrations.langchain import AIProtocolEmbeddings
from ai_protocol_runtime.simulator import Server, Simulator

KEY = "key-of-the-standard"
MODELS = {
    "openai-embeddings": ("openai/text-embedding-3-small", "OPENAI_API_KEY"),
    "gemini-embeddings": ("gemini/gemini-embedding-001", "GOOGLE_API_KEY"),
    "cohere-embed": ("cohere/embed-v4.0", "CO_API_KEY"),
    "ollama-embed": ("ollama/nomic-embed-text", "OLLAMA_API_KEY"),
}
"""A model of a provider that speaks the format, and where its key may be found."""


class Embedding:
    """Of the wire format `spoken`."""

    spoken: ClassVar[str]

    @property
    def embeddings_class(self) -> type[Embeddings]:
        return AIProtocolEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"model": MODELS[self.spoken][0], "protocol": self.spoken}


class Unit(Embedding, EmbeddingsUnitTests):
    """Without a server."""

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        """The key is looked up when it is needed; what a model knows before is its name and its format."""
        model, key_from = MODELS[self.spoken]
        said = {"model": model, "protocol": self.spoken}
        return {key_from: KEY}, said, {**said, "api_key": None}


class Integration(Embedding, EmbeddingsIntegrationTests):
    """Against the format's provider, in the simulator's part; without the right key it answers nothing."""

    url: str

    @pytest.fixture(autouse=True)
    def _provider(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        model, key_from = MODELS[self.spoken]
        monkeypatch.setenv(key_from, KEY)
        with Server(Simulator(provider=model.partition("/")[0], api_key=KEY)) as server:
            self.url = server.url
            yield

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {**super().embedding_model_params, "base_url": self.url, "on_unsupported": "error"}


class TestOpenAIUnit(Unit):
    spoken = "openai-embeddings"


class TestGeminiUnit(Unit):
    spoken = "gemini-embeddings"


class TestCohereUnit(Unit):
    spoken = "cohere-embed"


class TestOllamaUnit(Unit):
    spoken = "ollama-embed"


class TestOpenAIIntegration(Integration):
    spoken = "openai-embeddings"


class TestGeminiIntegration(Integration):
    spoken = "gemini-embeddings"


class TestCohereIntegration(Integration):
    spoken = "cohere-embed"


class TestOllamaIntegration(Integration):
    spoken = "ollama-embed"
