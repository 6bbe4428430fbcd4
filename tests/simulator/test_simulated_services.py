"""Embeddings, rankings and counts of the simulator: their worth, and the providers' own SDKs as judges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ai_protocol_runtime.client import AIClient
from ai_protocol_runtime.simulator import Server, Simulator, simulate
from ai_protocol_runtime.simulator.services import DIMENSIONS, MOST_DIMENSIONS
from ai_protocol_runtime.types import (
    Embedding,
    EmbeddingInput,
    EmbeddingRequest,
    Embeddings,
    Media,
    Ranked,
    Ranking,
    RankRequest,
)
from ai_protocol_runtime.types.errors import AuthenticationError, NotFoundError, RateLimitedError
from ai_protocol_runtime.vectors import cosine, top_k

WIRES = ("openai-embeddings", "gemini-embeddings", "cohere-embed", "ollama-embed")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Server() as server:
        yield server.url


def embed(*texts: Any, **params: Any) -> list[list[float]]:
    return AIClient("simulator/any", service="embed").embed(list(texts), **params).vectors


# what vectors are worth


def test_the_same_text_has_the_same_vector_in_every_format() -> None:
    (expected,) = embed("A cat sat on the mat.")
    assert len(expected) == DIMENSIONS
    for wire in WIRES:
        client = AIClient("simulator/another", service="embed", protocol=wire)
        assert client.embed("A cat sat on the mat.", input_type="query").vectors == [expected]


def test_texts_that_share_words_are_near() -> None:
    texts = ["A cat sleeps on sofas", "Some cat was sleeping", "Interest rates rose in March", "High rates of interest"]
    matrix = cosine(embed(*texts), embed(*texts))
    assert [row[number] for number, row in enumerate(matrix)] == [1.0] * 4
    near, far = [matrix[0][1], matrix[2][3]], [matrix[0][2], matrix[1][3], matrix[0][3], matrix[1][2]]
    assert min(near) > 2 * max(far)


def test_what_is_found_stays_found_in_fewer_dimensions() -> None:
    texts = ["the cat sleeps on the sofa", "interest rates rose in march", "rain is expected tomorrow"]
    for dimensions in (64, 256, 1024):
        query, *known = embed("is there rain tomorrow?", *texts, dimensions=dimensions)
        assert len(query) == dimensions
        assert top_k(query, known, 1)[0] == [2]
    assert len(embed("a", dimensions=10**6)[0]) == MOST_DIMENSIONS


def test_pictures_have_vectors_too() -> None:
    one, other = (EmbeddingInput([Media("image", data=data, mime_type="image/png")]) for data in ("aGk=", "aG8="))
    client = AIClient("simulator/any", service="embed", protocol="cohere-embed")
    first, second, third = client.embed([one, other, one]).vectors
    assert first == third != second


# scripts, and what is refused


def test_a_script_says_vectors_and_rankings() -> None:
    answers = [Embeddings(embeddings=[Embedding([0.5, 1.5], 0)]), RateLimitedError("wait")]
    with simulate("told-vectors", answers) as told:
        client = AIClient("simulator/told-vectors", service="embed", max_retries=0)
        assert client.embed("a", input_type="query").vectors == [[0.5, 1.5]]
        with pytest.raises(RateLimitedError, match="wait"):
            client.embed("b")
        asked = told.received[0]
    assert (asked.path, asked.body["input"]) == ("/v1/embeddings", ["a"])
    assert isinstance(asked.request, EmbeddingRequest)
    assert asked.request.input_type == "query"
    with simulate("told-ranking", Ranking(results=[Ranked(1, 0.75)])) as told:
        answer = AIClient("simulator/told-ranking", service="rerank").rerank("q", ["a", "b"])
        assert [(one.index, one.score) for one in answer.results] == [(1, 0.75)]
        assert isinstance(told.received[0].request, RankRequest)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "request"),
        (b"{}", "no openai-embeddings request"),
        (b'{"input": ["a"]}', "model: it must be named"),
        (b'{"model": "m", "input": []}', "something to embed"),
        (b'{"model": "m", "input": ""}', "something to embed"),
        (b'{"model": "m", "input": ["a", ""]}', "must not be empty"),
        (b"[]", "no openai-embeddings request"),
    ],
)
def test_what_a_provider_would_refuse(body: bytes, words: str) -> None:
    reply = Simulator().handle("POST", "/v1/embeddings", {}, body)
    assert reply.status == 400
    assert words in b"".join(step for step in reply.body if isinstance(step, bytes)).decode()


# the providers' own SDKs

sdk = [
    pytest.mark.sdk,
    # Theirs, not ours: deprecations inside the SDKs, and connections they leave to the garbage collector.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def valid(answer: Any) -> Any:
    """The same, checked against its own type: keys as they came, nothing that is missing made up."""
    type(answer).model_validate(answer.model_dump(exclude_unset=True, by_alias=True), by_name=True, by_alias=True)
    return answer


class TestOpenAI:
    pytestmark = sdk

    @pytest.fixture
    def client(self, url: str) -> Any:
        openai = pytest.importorskip("openai", reason="the package openai is not installed; `make sdks` does it")
        with openai.OpenAI(api_key="k", base_url=f"{url}/v1", max_retries=0) as client:
            yield client

    @pytest.mark.parametrize("encoding", [None, "float", "base64"])
    def test_embeddings(self, client: Any, encoding: Any) -> None:
        said = {} if encoding is None else {"encoding_format": encoding}
        answer = valid(client.embeddings.create(model="any", input=["a cat", "a dog"], dimensions=8, **said))
        assert [one.index for one in answer.data] == [0, 1]
        assert [one.embedding for one in answer.data] == embed("a cat", "a dog", dimensions=8)
        assert answer.usage.prompt_tokens == answer.usage.total_tokens == 4
        assert valid(client.embeddings.create(model="any", input="a cat", dimensions=8)).data[0] == answer.data[0]

    def test_embeddings_refused(self, client: Any) -> None:
        openai = pytest.importorskip("openai")
        with pytest.raises(openai.BadRequestError, match="must not be empty"):
            client.embeddings.create(model="any", input=["a", ""])
        with pytest.raises(openai.RateLimitError, match="told to fail with 429"):
            client.embeddings.create(model="error-429", input="a")

    def test_counting(self, client: Any) -> None:
        counted = valid(client.responses.input_tokens.count(model="any", input="hello there"))
        assert counted.input_tokens == client.responses.create(model="any", input="hello there").usage.input_tokens


class TestGemini:
    pytestmark = sdk

    @pytest.fixture
    def client(self, url: str) -> Any:
        genai = pytest.importorskip("google.genai", reason="google-genai is not installed; `make sdks` does it")
        return genai.Client(api_key="k", http_options={"base_url": url})

    def test_embeddings(self, client: Any) -> None:
        said = {"task_type": "RETRIEVAL_QUERY", "output_dimensionality": 8}
        answer = valid(client.models.embed_content(model="any", contents=["a cat", "a dog"], config=said))
        assert [one.values for one in answer.embeddings] == embed("a cat", "a dog", dimensions=8)

    def test_counting(self, client: Any) -> None:
        counted = valid(client.models.count_tokens(model="any", contents="hello there"))
        answer = client.models.generate_content(model="any", contents="hello there")
        assert counted.total_tokens == answer.usage_metadata.prompt_token_count


class TestAnthropic:
    pytestmark = sdk

    def test_counting(self, url: str) -> None:
        anthropic = pytest.importorskip("anthropic", reason="anthropic is not installed; `make sdks` does it")
        messages: Any = [{"role": "user", "content": "hello there"}]
        with anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as client:
            counted = valid(client.messages.count_tokens(model="any", messages=messages, system="Be brief."))
            answer = client.messages.create(model="any", messages=messages, system="Be brief.", max_tokens=9)
        assert counted.input_tokens == answer.usage.input_tokens


# one provider at a time


@pytest.mark.parametrize("provider", ["openai", "cohere", "gemini", "ollama"])
def test_each_provider_where_its_manifest_says(provider: str) -> None:
    with Server(Simulator(provider=provider, api_key="k")) as server:

        def client(key: str = "k", at: str = "") -> AIClient:
            said = {"api_key": key, "base_url": server.url + at, "on_unsupported": "error"}
            return AIClient(f"{provider}/any", service="embed", **said)

        assert client().embed("a cat", input_type="document", dimensions=8).vectors == embed("a cat", dimensions=8)
        with pytest.raises(AuthenticationError):
            client(key="other").embed("a")
        with pytest.raises(NotFoundError):
            client(at="/elsewhere").embed("a")
