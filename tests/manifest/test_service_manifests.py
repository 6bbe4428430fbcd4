"""What every packaged provider is sent for embeddings, reranking and counts, and what its answers mean.

The bodies and the answers are made by hand, each after the page that stands beside it: one request, as that provider's
documentation says it.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from ai_protocol_runtime.client import AIClient
from ai_protocol_runtime.manifest import Manifests
from ai_protocol_runtime.types.errors import ProviderError

TEXTS = ["Hi", "there"]
DOCUMENTS = ["Paris", "Rome"]
VARIABLES = {
    "AZURE_OPENAI_RESOURCE": "mine",
    "CLOUDFLARE_ACCOUNT_ID": "acc",
    "DATABRICKS_WORKSPACE": "dbc-1.cloud.databricks.com",
    "GOOGLE_CLOUD_PROJECT": "p1",
}


class Sent(NamedTuple):
    """A provider's format, the model and where its requests go; the body that documentation asks for; what is lost."""

    provider: str
    protocol: str
    model: str
    url: str
    body: dict[str, Any]
    lost: tuple[str, ...] = ("truncation",)


def said(**more: Any) -> dict[str, Any]:
    return {"input": TEXTS, **more}


EMBED = [
    # https://developers.openai.com/api/reference/resources/embeddings.md; the vectors travel as base64
    Sent(
        "openai",
        "openai-embeddings",
        "text-embedding-3-small",
        "https://api.openai.com/v1/embeddings",
        said(dimensions=256, encoding_format="base64", user="u"),
    ),
    # https://learn.microsoft.com/azure/ai-foundry/openai/reference
    Sent(
        "azure",
        "openai-embeddings",
        "my-deployment",
        "https://mine.openai.azure.com/openai/v1/embeddings",
        said(dimensions=256, encoding_format="base64", user="u"),
    ),
    # https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/
    Sent(
        "cloudflare",
        "openai-embeddings",
        "@cf/baai/bge-large-en-v1.5",
        "https://api.cloudflare.com/client/v4/accounts/acc/ai/v1/embeddings",
        said(dimensions=256, user="u"),
    ),
    # https://docs.cohere.com/embed-reference
    Sent(
        "cohere",
        "cohere-embed",
        "embed-v4.0",
        "https://api.cohere.com/v2/embed",
        {
            "texts": TEXTS,
            "input_type": "search_query",
            "output_dimension": 256,
            "embedding_types": ["float"],
            "truncate": "END",
        },
        ("user",),
    ),
    # https://docs.cohere.com/docs/compatibility-api, "Supported parameters": these and `encoding_format`
    Sent(
        "cohere",
        "openai-embeddings",
        "embed-v4.0",
        "https://api.cohere.com/compatibility/v1/embeddings",
        said(),
        ("dimensions", "truncation", "user"),
    ),
    # https://docs.databricks.com/en/machine-learning/model-serving/score-foundation-models.html
    Sent(
        "databricks",
        "openai-embeddings",
        "databricks-bge-large-en",
        "https://dbc-1.cloud.databricks.com/serving-endpoints/embeddings",
        said(dimensions=256, user="u"),
    ),
    # https://docs.deepinfra.com/api-reference/openai-embeddings-1
    Sent(
        "deepinfra",
        "openai-embeddings",
        "thenlper/gte-large",
        "https://api.deepinfra.com/v1/openai/embeddings",
        said(dimensions=256),
        ("truncation", "user"),
    ),
    # https://docs.fireworks.ai/api-reference/creates-an-embedding-vector-representing-the-input-text
    Sent(
        "fireworks",
        "openai-embeddings",
        "nomic-ai/nomic-embed-text-v1.5",
        "https://api.fireworks.ai/inference/v1/embeddings",
        said(dimensions=256),
        ("truncation", "user"),
    ),
    # https://ai.google.dev/api/embeddings
    Sent(
        "gemini",
        "gemini-embeddings",
        "gemini-embedding-001",
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-embedding-001:batchEmbedContents",
        {
            "requests": [
                {
                    "model": "models/gemini-embedding-001",
                    "content": {"parts": [{"text": text}]},
                    "taskType": "RETRIEVAL_QUERY",
                    "outputDimensionality": 256,
                }
                for text in TEXTS
            ]
        },
        ("truncate", "user"),
    ),
    # https://ai.google.dev/gemini-api/docs/openai
    Sent(
        "gemini",
        "openai-embeddings",
        "gemini-embedding-001",
        "https://generativelanguage.googleapis.com/v1beta/openai/embeddings",
        said(dimensions=256, user="u"),
    ),
    # https://docs.gpustack.ai/latest/user-guide/openai-compatible-apis/
    Sent("gpustack", "openai-embeddings", "bge-m3", "http://localhost/v1/embeddings", said(dimensions=256, user="u")),
    # https://heroku-9aca99a3.mintlify.app/inference-api/embeddings
    Sent(
        "heroku",
        "openai-embeddings",
        "cohere-embed-multilingual",
        "https://us.inference.heroku.com/v1/embeddings",
        said(input_type="search_query"),
        ("dimensions", "truncation", "user"),
    ),
    # https://api.jina.ai/openapi.json, https://docs.trychroma.com/integrations/embedding-models/jina-ai
    Sent(
        "jina",
        "openai-embeddings",
        "jina-embeddings-v4",
        "https://api.jina.ai/v1/embeddings",
        said(task="retrieval.query", dimensions=256, truncate=True),
        ("user",),
    ),
    # https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
    Sent("llamacpp", "openai-embeddings", "m", "http://localhost:8080/v1/embeddings", said(dimensions=256, user="u")),
    # https://github.com/lmstudio-ai/docs/blob/main/1_developer/3_openai-compat/embeddings.md
    Sent("lmstudio", "openai-embeddings", "m", "http://localhost:1234/v1/embeddings", said(dimensions=256, user="u")),
    # https://docs.mistral.ai/api/endpoint/embeddings
    Sent(
        "mistral",
        "openai-embeddings",
        "codestral-embed",
        "https://api.mistral.ai/v1/embeddings",
        said(output_dimension=256),
        ("truncation", "user"),
    ),
    # https://github.com/mixedbread-ai/mixedbread-python/blob/main/src/mixedbread/types/client_embed_params.py
    Sent(
        "mixedbread",
        "openai-embeddings",
        "mixedbread-ai/mxbai-embed-large-v1",
        "https://api.mixedbread.com/v1/embeddings",
        said(dimensions=256),
        ("truncation", "user"),
    ),
    # https://docs.nvidia.com/nim/nemo-retriever/text-embedding/latest/reference.html
    Sent(
        "nvidia",
        "openai-embeddings",
        "nvidia/nv-embedqa-e5-v5",
        "https://integrate.api.nvidia.com/v1/embeddings",
        said(input_type="query", dimensions=256, user="u"),
    ),
    # https://github.com/ollama/ollama/blob/main/docs/openapi.yaml
    Sent(
        "ollama",
        "ollama-embed",
        "embeddinggemma",
        "http://localhost:11434/api/embed",
        said(dimensions=256, truncate=True),
        ("user",),
    ),
    # https://docs.ollama.com/api/openai-compatibility
    Sent(
        "ollama",
        "openai-embeddings",
        "embeddinggemma",
        "http://localhost:11434/v1/embeddings",
        said(dimensions=256, user="u"),
    ),
    # https://openrouter.ai/docs/api/api-reference/embeddings/create-embeddings.md
    Sent(
        "openrouter",
        "openai-embeddings",
        "openai/text-embedding-3-small",
        "https://openrouter.ai/api/v1/embeddings",
        said(input_type="search_query", dimensions=256, user="u"),
    ),
    # https://portkey.ai/docs/api-reference/gateway-for-other-apis
    Sent(
        "portkey",
        "openai-embeddings",
        "@openai/text-embedding-3-small",
        "https://api.portkey.ai/v1/embeddings",
        said(dimensions=256, user="u"),
    ),
    # https://docs.qwencloud.com/api-reference/text-embedding/openai-embedding
    Sent(
        "qwen",
        "openai-embeddings",
        "text-embedding-v4",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1/embeddings",
        said(dimensions=256),
        ("truncation", "user"),
    ),
    # https://docs.sambanova.ai/cloud/api-reference/endpoints/embeddings-api
    Sent(
        "sambanova",
        "openai-embeddings",
        "E5-Mistral-7B-Instruct",
        "https://api.sambanova.ai/v1/embeddings",
        said(),
        ("dimensions", "truncation", "user"),
    ),
    # https://docs.together.ai/docs/embeddings-rest
    Sent(
        "together",
        "openai-embeddings",
        "togethercomputer/m2-bert-80M-8k-retrieval",
        "https://api.together.ai/v1/embeddings",
        said(),
        ("dimensions", "truncation", "user"),
    ),
    # https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/projects.locations.publishers.models/embedContent
    Sent(
        "vertex",
        "gemini-embed",
        "gemini-embedding-2",
        "https://aiplatform.googleapis.com/v1/projects/p1/locations/global/publishers/google/models/"
        "gemini-embedding-2:embedContent",
        {
            "content": {"parts": [{"text": "Hi"}]},
            "taskType": "RETRIEVAL_QUERY",
            "outputDimensionality": 256,
            "autoTruncate": True,
        },
        ("user",),
    ),
    # https://docs.vllm.ai/en/stable/serving/openai_compatible_server/
    Sent("vllm", "openai-embeddings", "m", "http://localhost:8000/v1/embeddings", said(dimensions=256, user="u")),
    # https://docs.voyageai.com/reference/embeddings-api
    Sent(
        "voyage",
        "openai-embeddings",
        "voyage-4",
        "https://api.voyageai.com/v1/embeddings",
        said(input_type="query", output_dimension=256, truncation=True),
        ("user",),
    ),
    # https://docs.bigmodel.cn/api-reference/%E6%A8%A1%E5%9E%8B-api/%E6%96%87%E6%9C%AC%E5%B5%8C%E5%85%A5
    Sent(
        "zhipu",
        "openai-embeddings",
        "embedding-3",
        "https://api.z.ai/api/paas/v4/embeddings",
        said(dimensions=256),
        ("truncation", "user"),
    ),
]

ASKED = {"query": "Capital of France?", "documents": DOCUMENTS}
NEITHER = ("max_tokens_per_doc", "truncation")

RERANK = [
    # https://docs.cohere.com/reference/rerank
    Sent(
        "cohere",
        "cohere-rerank",
        "rerank-v3.5",
        "https://api.cohere.com/v2/rerank",
        {**ASKED, "top_n": 1, "max_tokens_per_doc": 100},
    ),
    # https://docs.fireworks.ai/guides/querying-embeddings-models
    Sent(
        "fireworks",
        "cohere-rerank",
        "fireworks/qwen3-reranker-8b",
        "https://api.fireworks.ai/inference/v1/rerank",
        {**ASKED, "top_n": 1},
        NEITHER,
    ),
    # https://github.com/gpustack/gpustack/blob/main/docs/user-guide/rerank-api.md
    Sent(
        "gpustack", "cohere-rerank", "bge-reranker-v2-m3", "http://localhost/v1/rerank", {**ASKED, "top_n": 1}, NEITHER
    ),
    # https://api.jina.ai/openapi.json
    Sent("jina", "cohere-rerank", "jina-reranker-v3", "https://api.jina.ai/v1/rerank", {**ASKED, "top_n": 1}, NEITHER),
    # https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
    Sent("llamacpp", "cohere-rerank", "m", "http://localhost:8080/v1/rerank", {**ASKED, "top_n": 1}, NEITHER),
    # https://github.com/mixedbread-ai/mixedbread-python/blob/main/src/mixedbread/types/client_rerank_params.py
    Sent(
        "mixedbread",
        "cohere-rerank",
        "mixedbread-ai/mxbai-rerank-large-v2",
        "https://api.mixedbread.com/v1/reranking",
        {"query": ASKED["query"], "input": DOCUMENTS, "top_k": 1},
        NEITHER,
    ),
    # https://openrouter.ai/docs/api/api-reference/rerank/create-rerank.md
    Sent(
        "openrouter",
        "cohere-rerank",
        "cohere/rerank-v3.5",
        "https://openrouter.ai/api/v1/rerank",
        {**ASKED, "top_n": 1},
        NEITHER,
    ),
    # https://portkey.ai/docs/api-reference/gateway-for-other-apis
    Sent(
        "portkey",
        "cohere-rerank",
        "rerank-english-v2.0",
        "https://api.portkey.ai/v1/rerank",
        {**ASKED, "top_n": 1},
        NEITHER,
    ),
    # https://www.alibabacloud.com/help/en/model-studio/rerank
    Sent(
        "qwen",
        "cohere-rerank",
        "qwen3-rerank",
        "https://dashscope-intl.aliyuncs.com/compatible-api/v1/reranks",
        {**ASKED, "top_n": 1},
        NEITHER,
    ),
    # https://docs.together.ai/reference/rerank-1
    Sent(
        "together",
        "cohere-rerank",
        "Salesforce/Llama-Rank-V1",
        "https://api.together.ai/v1/rerank",
        {**ASKED, "top_n": 1},
        NEITHER,
    ),
    # https://docs.vllm.ai/en/stable/serving/openai_compatible_server/
    Sent("vllm", "cohere-rerank", "m", "http://localhost:8000/v1/rerank", {**ASKED, "top_n": 1}, NEITHER),
    # https://docs.voyageai.com/reference/reranker-api
    Sent(
        "voyage",
        "cohere-rerank",
        "rerank-2.5",
        "https://api.voyageai.com/v1/rerank",
        {**ASKED, "top_k": 1, "truncation": True},
        ("max_tokens_per_doc",),
    ),
]

COUNT = {
    # https://docs.anthropic.com/en/api/messages-count-tokens and servers after it
    ("anthropic", "anthropic-messages"): "https://api.anthropic.com/v1/messages/count_tokens",
    ("llamacpp", "anthropic-messages"): "http://localhost:8080/v1/messages/count_tokens",
    ("vllm", "anthropic-messages"): "http://localhost:8000/v1/messages/count_tokens",
    # https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
    ("llamacpp", "openai-responses"): "http://localhost:8080/v1/responses/input_tokens",
    ("openai", "openai-responses"): "https://api.openai.com/v1/responses/input_tokens",
    ("gemini", "gemini-generate"): "https://generativelanguage.googleapis.com/v1beta/models/m:countTokens",
}


KNOWN = Manifests()
PROVIDERS = [KNOWN.provider(name) for name in KNOWN.providers() if name != "simulator"]

ENOUGH = {
    "openai-embeddings": {"data": [{"index": n, "embedding": [1.0]} for n in range(len(TEXTS))]},
    "gemini-embeddings": {"embeddings": [{"values": [1.0]} for _ in TEXTS]},
    "gemini-embed": {"embedding": {"values": [1.0]}},
    "cohere-embed": {"embeddings": {"float": [[1.0] for _ in TEXTS]}},
    "ollama-embed": {"embeddings": [[1.0] for _ in TEXTS]},
    "cohere-rerank": {"results": [{"index": 0, "relevance_score": 1.0}]},
}
"""The shortest answer there is, in each format."""


class Server:
    """Answers, whatever the host, and remembers what was asked."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []
        self.status, self.answers = 200, [{}]

    def __call__(self, request: Any) -> Any:
        self.seen.append((str(request.url), json.loads(request.content)))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return httpx.Response(self.status, json=answer)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    for provider in PROVIDERS:
        variables = [name for variable in provider.variables.values() for name in variable.env]
        for name in (*provider.base_url_env, *variables):
            monkeypatch.delenv(name, raising=False)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    return Server()


@pytest.fixture
def connect(server: Server) -> Iterator[Callable[..., AIClient]]:
    """Makes clients of a provider, by its format and model, that get the server's answers."""
    with httpx.Client(transport=httpx.MockTransport(server)) as http:

        def make(provider: str, protocol: str, model: str, *answers: Any, service: str = "embed") -> AIClient:
            server.answers = list(answers or [ENOUGH[protocol]])
            more: dict[str, Any] = {"service": service, "http_client": http, "max_retries": 0, "on_unsupported": "drop"}
            return AIClient(f"{provider}/{model}", protocol=protocol, api_key="k", **more)

        yield make


def named(case: Sent) -> str:
    return f"{case.provider}-{case.protocol}"


def check(case: Sent, server: Server, answer: Any) -> None:
    url, body = server.seen[0]
    where = {} if f"/{case.model}:" in case.url else {"model": case.model}
    assert (url.replace("%2F", "/"), body) == (case.url, {**case.body, **where})
    assert tuple(sorted(loss.what for loss in answer.call.losses)) == case.lost


@pytest.mark.parametrize("case", EMBED, ids=named)
def test_what_is_embedded(case: Sent, server: Server, connect: Callable[..., AIClient]) -> None:
    said = {"input_type": "query", "dimensions": 256, "truncate": True, "user": "u"}
    check(case, server, connect(*case[:3]).embed(TEXTS, **said))


@pytest.mark.parametrize("case", RERANK, ids=named)
def test_what_is_ranked(case: Sent, server: Server, connect: Callable[..., AIClient]) -> None:
    said = {"top_n": 1, "max_tokens": 100, "truncate": True}
    check(case, server, connect(*case[:3], service="rerank").rerank(ASKED["query"], DOCUMENTS, **said))


def test_no_provider_is_forgotten() -> None:
    for service, cases in (("embed", EMBED), ("rerank", RERANK)):
        there = {(provider.id, name) for provider in PROVIDERS for name in provider.endpoints(service)}
        assert there == {(case.provider, case.protocol) for case in cases}
    counted = {
        (provider.id, name)
        for provider in PROVIDERS
        for name, protocol in provider.protocols.items()
        if protocol.count_path is not None
    }
    assert counted == set(COUNT)


@pytest.mark.parametrize(("provider", "protocol"), COUNT)
def test_what_is_counted(provider: str, protocol: str, server: Server, connect: Callable[..., AIClient]) -> None:
    answer = {"object": "response.input_tokens", "input_tokens": 7, "totalTokens": 7}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of models nobody knows
        assert connect(provider, protocol, "m", answer, service="chat").count_tokens("Hi") == 7
    assert [url for url, _ in server.seen] == [COUNT[provider, protocol]]


# the words for what vectors are for, and for how they travel

WORDS = {
    # https://docs.cohere.com/embed-reference
    ("cohere", "document"): {"input_type": "search_document"},
    ("cohere", "clustering"): {"input_type": "clustering"},
    ("cohere", None): {"input_type": "search_document"},  # it has to be there
    # https://qdrant.tech/documentation/embeddings/jina-embeddings
    ("jina", "document"): {"task": "retrieval.passage"},
    ("jina", "similarity"): {"task": "text-matching"},
    ("jina", "code.query"): {"task": "code.query"},
    ("jina", None): {},
    # https://docs.nvidia.com/nim/nemo-retriever/text-embedding/latest/reference.html
    ("nvidia", "document"): {"input_type": "passage"},
    ("nvidia", None): {"input_type": "passage"},
    ("openrouter", "document"): {"input_type": "search_document"},
    ("heroku", "document"): {"input_type": "search_document"},
    # https://docs.voyageai.com/reference/embeddings-api: query, document or nothing
    ("voyage", "document"): {"input_type": "document"},
    ("voyage", "clustering"): {},
    ("openai", "document"): {},
}


def usual(provider: str) -> Sent:
    return next(case for case in EMBED if case.provider == provider)


@pytest.mark.parametrize(("provider", "word"), WORDS)
def test_words_for_the_purpose(
    provider: str, word: str | None, server: Server, connect: Callable[..., AIClient]
) -> None:
    answer = connect(*usual(provider)[:3]).embed(TEXTS, input_type=word)
    _, body = server.seen[0]
    assert {key: body[key] for key in ("input_type", "task") if key in body} == WORDS[provider, word]
    assert not answer.call.losses


ENCODINGS = {
    ("openai", "float"): {"encoding_format": "float"},
    ("voyage", "base64"): {"encoding_format": "base64"},
    ("voyage", "float"): {},  # numbers come where nothing is said
    ("jina", "base64"): {"embedding_type": "base64"},
    ("heroku", "float"): {"encoding_format": "raw"},
    ("qwen", "base64"): {},
    ("qwen", "float"): {"encoding_format": "float"},
}


@pytest.mark.parametrize(("provider", "word"), ENCODINGS)
def test_words_for_the_encoding(provider: str, word: str, server: Server, connect: Callable[..., AIClient]) -> None:
    connect(*usual(provider)[:3]).embed(TEXTS, encoding=word)
    _, body = server.seen[0]
    sent = {key: body[key] for key in ("encoding_format", "embedding_type") if key in body}
    assert sent == ENCODINGS[provider, word]


# answers

VECTORS = {
    # https://openrouter.ai/docs/api/api-reference/embeddings/create-embeddings.md, with a second input before the first
    ("openrouter", "openai-embeddings"): {
        "data": [
            {"embedding": [1.0, 0.5], "object": "embedding", "index": 1},
            {"embedding": [0.25, -0.5], "object": "embedding", "index": 0},
        ],
        "model": "openai/text-embedding-3-small",
        "object": "list",
        "usage": {"prompt_tokens": 8, "total_tokens": 8},
    },
    # https://developers.openai.com/api/reference/resources/embeddings.md: little-endian numbers of four bytes
    ("openai", "openai-embeddings"): {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": "AACAPgAAAL8="},
            {"object": "embedding", "index": 1, "embedding": "AACAPwAAAD8="},
        ],
        "model": "text-embedding-3-small",
        "usage": {"prompt_tokens": 8, "total_tokens": 8},
    },
    # https://www.mongodb.com/docs/api/doc/atlas-embedding-and-reranking-api/operation/operation-createembedding
    ("voyage", "openai-embeddings"): {
        "object": "list",
        "data": [
            {"object": "embedding", "embedding": [0.25, -0.5], "index": 0},
            {"object": "embedding", "embedding": [1.0, 0.5], "index": 1},
        ],
        "model": "voyage-4",
        "usage": {"total_tokens": 8},
    },
    # https://github.com/mixedbread-ai/mixedbread-python: embedding_create_response.py
    ("mixedbread", "openai-embeddings"): {
        "usage": {"prompt_tokens": 8, "total_tokens": 8},
        "model": "mixedbread-ai/mxbai-embed-large-v1",
        "data": [
            {"embedding": [0.25, -0.5], "index": 0, "object": "embedding"},
            {"embedding": [1.0, 0.5], "index": 1, "object": "embedding"},
        ],
        "object": "list",
        "normalized": True,
        "encoding_format": "float",
        "dimensions": 2,
    },
    # https://docs.cohere.com/embed-reference
    ("cohere", "cohere-embed"): {
        "id": "5807ee2e",
        "embeddings": {"float": [[0.25, -0.5], [1.0, 0.5]]},
        "texts": TEXTS,
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 8}},
        "response_type": "embeddings_by_type",
    },
    # https://github.com/ollama/ollama/blob/main/docs/openapi.yaml
    ("ollama", "ollama-embed"): {
        "model": "embeddinggemma",
        "embeddings": [[0.25, -0.5], [1.0, 0.5]],
        "total_duration": 14143917,
        "load_duration": 1019500,
        "prompt_eval_count": 8,
    },
    # https://ai.google.dev/api/embeddings
    ("gemini", "gemini-embeddings"): {
        "embeddings": [{"values": [0.25, -0.5]}, {"values": [1.0, 0.5]}],
        "usageMetadata": {"promptTokenCount": 8, "promptTokenDetails": [{"modality": "TEXT", "tokenCount": 8}]},
    },
}


@pytest.mark.parametrize(("provider", "protocol"), VECTORS)
def test_vectors(provider: str, protocol: str, connect: Callable[..., AIClient]) -> None:
    case = next(case for case in EMBED if (case.provider, case.protocol) == (provider, protocol))
    answer = connect(*case[:3], VECTORS[provider, protocol]).embed(TEXTS)
    assert (answer.vectors, answer.usage.input) == ([[0.25, -0.5], [1.0, 0.5]], 8)


def test_a_request_for_each_input(server: Server, connect: Callable[..., AIClient]) -> None:
    """After .../reference/rest/v1/projects.locations.publishers.models/embedContent of Vertex AI."""
    answers = [
        {"embedding": {"values": values}, "usageMetadata": {"promptTokenCount": 4}, "truncated": False}
        for values in ([0.25, -0.5], [1.0, 0.5])
    ]
    answer = connect(*usual("vertex")[:3], *answers).embed(TEXTS)
    assert (answer.vectors, answer.usage.input) == ([[0.25, -0.5], [1.0, 0.5]], 8)
    assert [body for _, body in server.seen] == [{"content": {"parts": [{"text": text}]}} for text in TEXTS]


RANKINGS: dict[str, tuple[Any, int | None]] = {
    # https://docs.cohere.com/reference/rerank
    "cohere": (
        {
            "results": [{"index": 1, "relevance_score": 0.25}, {"index": 0, "relevance_score": 0.75}],
            "id": "07734bd2",
            "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
        },
        None,
    ),
    # https://www.mongodb.com/docs/api/doc/atlas-embedding-and-reranking-api/operation/operation-rerankdocuments
    "voyage": (
        {
            "object": "list",
            "data": [{"relevance_score": 0.75, "index": 0}, {"relevance_score": 0.25, "index": 1}],
            "model": "rerank-2.5",
            "usage": {"total_tokens": 26},
        },
        26,
    ),
    # https://github.com/mixedbread-ai/mixedbread-python/blob/main/src/mixedbread/types/rerank_response.py
    "mixedbread": (
        {
            "usage": {"prompt_tokens": 26, "total_tokens": 26},
            "model": "mixedbread-ai/mxbai-rerank-large-v2",
            "data": [
                {"index": 0, "score": 0.75, "input": "Paris", "object": "rank_result"},
                {"index": 1, "score": 0.25, "input": "Rome", "object": "rank_result"},
            ],
            "object": "list",
            "top_k": 2,
            "return_input": True,
        },
        26,
    ),
    # https://docs.together.ai/reference/rerank-1
    "together": (
        {
            "object": "rerank",
            "id": "9dfa1a09",
            "model": "salesforce/turboranker-0.8-3778-6328",
            "results": [
                {"index": 0, "relevance_score": 0.75, "document": {"text": "Paris"}},
                {"index": 1, "relevance_score": 0.25, "document": {"text": "Rome"}},
            ],
            "usage": {"prompt_tokens": 26, "completion_tokens": 0, "total_tokens": 26},
        },
        26,
    ),
    # https://github.com/gpustack/gpustack/blob/main/docs/user-guide/rerank-api.md
    "gpustack": (
        {
            "model": "bge-reranker-v2-m3",
            "object": "list",
            "results": [
                {"document": {"text": "Paris"}, "index": 0, "relevance_score": 0.75},
                {"document": {"text": "Rome"}, "index": 1, "relevance_score": 0.25},
            ],
            "usage": {"prompt_tokens": 26, "total_tokens": 26},
        },
        26,
    ),
}


@pytest.mark.parametrize("provider", RANKINGS)
def test_rankings(provider: str, connect: Callable[..., AIClient]) -> None:
    body, tokens = RANKINGS[provider]
    case = next(case for case in RERANK if case.provider == provider)
    answer = connect(*case[:3], body, service="rerank").rerank(ASKED["query"], DOCUMENTS)
    assert [(result.index, result.score) for result in answer.results] == [(0, 0.75), (1, 0.25)]
    said_again = [result.document.text for result in answer.results if result.document is not None]
    assert said_again == (DOCUMENTS if "Paris" in json.dumps(body) else [])
    assert answer.usage.input == tokens


# errors

ERRORS = {
    # https://github.com/ggml-org/llama.cpp/pull/7389
    "llamacpp": (
        500,
        {"error": {"code": 500, "message": "input is too large to process. increase the physical batch size"}},
        "context_overflow",
    ),
    # https://github.com/gpustack/gpustack/issues/472
    "gpustack": (
        500,
        {"message": "input is too large to process, please increase the physical batch size"},
        "context_overflow",
    ),
    # https://github.com/nano-step/nano-brain/issues/208
    "ollama": (400, {"error": "the input length exceeds the context length"}, "context_overflow"),
    # https://github.com/vllm-project/vllm/issues/19798
    "vllm": (
        400,
        {"message": "This model's maximum context length is 512 tokens. However, you requested 1451 tokens."},
        "context_overflow",
    ),
    # https://github.com/aurelio-labs/semantic-router/issues/297
    "mistral": (
        400,
        {
            "object": "error",
            "message": "Too many tokens in batch. Max is 16384 got 17555",
            "type": "invalid_request_error",
        },
        "request_too_large",
    ),
    # https://github.com/vercel-labs/lat.md/pull/74
    "openai": (
        400,
        {
            "error": {
                "message": "Requested 375703 tokens, max 300000 tokens per request",
                "code": "max_tokens_per_request",
            }
        },
        "request_too_large",
    ),
    # https://github.com/dvcdsys/code-index
    "voyage": (
        400,
        {"detail": "The max allowed tokens per submitted batch is 120000. Your batch has 187609 tokens."},
        "request_too_large",
    ),
    # https://api.jina.ai/openapi.json
    "jina": (403, {"detail": "Insufficient account balance"}, "quota_exhausted"),
}


@pytest.mark.parametrize("provider", ERRORS)
def test_errors(provider: str, server: Server, connect: Callable[..., AIClient]) -> None:
    server.status, body, name = ERRORS[provider]
    with pytest.raises(ProviderError) as raised:
        connect(*usual(provider)[:3], body).embed(TEXTS)
    assert (raised.value.name, raised.value.retryable) == (name, False)
