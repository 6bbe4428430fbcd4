"""The simulator's HTTP face: by itself, and over loopback with the standard library as client."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ai_protocol_runtime.client import AIClient
from ai_protocol_runtime.manifest import Manifests
from ai_protocol_runtime.simulator import Server, Simulator, simulate
from ai_protocol_runtime.types import StreamEnd
from ai_protocol_runtime.types.errors import (
    AuthenticationError,
    ConnectionFailedError,
    NotFoundError,
    ProviderTimeoutError,
    StreamInterruptedError,
)

CHAT = "/v1/chat/completions"
HELLO = {"model": "any", "messages": [{"role": "user", "content": "hi"}]}

# An ordinary provider at a place of the test's own: the client takes it over sockets.
LOCAL = """
id: local-copy
name: The same over HTTP
docs: {checked: 2026-11-21, pages: ["https://example.com/"]}
base_url: http://127.0.0.1:1
credentials: {env: [LOCAL_COPY_KEY], required: false}
protocols:
  openai-chat: {path: /v1/chat/completions}
  openai-responses: {path: /v1/responses}
  anthropic-messages: {path: /v1/messages}
  gemini-generate:
    path: /v1beta/models/{model}:generateContent
    stream_path: /v1beta/models/{model}:streamGenerateContent?alt=sse
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("manifests")
    (folder / "providers").mkdir()
    (folder / "providers" / "local-copy.yaml").write_text(LOCAL)
    return folder


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def post(simulator: Simulator, path: str, body: Any, **headers: str) -> tuple[int, dict[str, str], bytes]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = simulator.handle("POST", path, headers, raw)
    return reply.status, reply.headers, b"".join(step for step in reply.body if isinstance(step, bytes))


def test_knows_every_path_of_the_manifest() -> None:
    assert ("openai-chat", CHAT) in Simulator().addresses()
    assert ("openai-embeddings", "/v1/embeddings") in Simulator().addresses()
    assert Simulator(provider="simulator").addresses() == Simulator().addresses()


@pytest.mark.parametrize("provider", ["openai", "anthropic", "gemini", "cohere", "ollama", "bedrock"])
def test_errors_have_the_form_of_the_format(provider: str) -> None:
    """Some formats give an object, some a text alone."""
    simulator = Simulator(provider=provider)
    path = simulator.addresses()[0][1].replace("{model}", "error-429")
    status, _, body = post(simulator, path, {**HELLO, "model": "error-429"})
    assert status >= 400  # to some of them this is no request at all
    assert isinstance(json.loads(body), dict)


def test_unknown_paths_and_methods() -> None:
    for method, path in (("POST", "/v1/nothing"), ("PUT", CHAT), ("GET", CHAT)):
        assert Simulator().handle(method, path, {}, b"").status == 404


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        (CHAT, {"error"}),
        ("/v1/responses", {"error"}),
        ("/v1/messages", {"type", "error"}),
        ("/v1beta/models/m:generateContent", {"error"}),
    ],
)
@pytest.mark.parametrize("body", [b"", b"{not json", b"[]", b"{}", b'{"model": "m", "messages": [], "contents": []}'])
def test_bad_requests_are_refused_in_the_formats_own_shape(path: str, shape: set[str], body: bytes) -> None:
    status, _, answer = post(Simulator(), path, body)
    parsed = json.loads(answer)
    assert (status, parsed.keys()) == (400, shape)
    assert parsed["error"]["message"]


def test_key() -> None:
    simulator = Simulator(api_key="sesame")
    assert post(simulator, CHAT, HELLO)[0] == 401
    assert post(simulator, CHAT, HELLO, authorization="Bearer open")[0] == 401
    for headers in ({"authorization": "Bearer sesame"}, {"x-api-key": "sesame"}, {"x-goog-api-key": "sesame"}):
        assert post(simulator, CHAT, HELLO, **headers)[0] == 200


def test_lists_models() -> None:
    for path in ("/v1/models", "/v1beta/models"):
        reply = Simulator().handle("GET", path, {}, b"")
        listing = json.loads(b"".join(step for step in reply.body if isinstance(step, bytes)))
        assert listing["data"] == listing["models"]
    reply = Simulator().handle("GET", "/v1/models/some%2Fname", {}, b"")
    assert json.loads(next(reply.body))["id"] == "some/name"  # type: ignore[arg-type]


def test_usage_of_streams_is_reported_when_it_is_asked_for() -> None:
    asked = {**HELLO, "stream": True, "stream_options": {"include_usage": True}}
    assert b"prompt_tokens" in post(Simulator(), CHAT, asked)[2]
    assert b"prompt_tokens" not in post(Simulator(), CHAT, {**HELLO, "stream": True})[2]


def test_framing_follows_the_query() -> None:
    path = "/v1beta/models/any:streamGenerateContent"
    body = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
    status, headers, answer = post(Simulator(), path + "?alt=sse", body)
    assert (status, headers["content-type"]) == (200, "text/event-stream")
    assert answer.startswith(b"data: ")
    status, headers, answer = post(Simulator(), path, body)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert isinstance(json.loads(answer), list)


def test_names_of_models_in_paths() -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
    answer = post(Simulator(), "/v1beta/models/a%2Fb:8b:generateContent", body)[2]
    assert json.loads(answer)["modelVersion"] == "a/b:8b"


def test_pace() -> None:
    steps = list(Simulator(pace=0.25).handle("POST", CHAT, {}, json.dumps({**HELLO, "stream": True}).encode()).body)
    assert steps[0] == 0.25
    assert steps.count(0.25) == len(steps) / 2


def test_a_broken_manifest_of_another_provider_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers" / "broken.yaml").write_text("id: [")
    assert post(Simulator(Manifests(tmp_path)), CHAT, HELLO)[0] == 200


# over loopback


@pytest.mark.parametrize("protocol", ["openai-chat", "openai-responses", "anthropic-messages", "gemini-generate"])
def test_over_http_as_in_process(server: Server, folder: Path, protocol: str) -> None:
    near = AIClient("simulator/any", protocol=protocol)
    far = AIClient("local-copy/any", protocol=protocol, base_url=server.url, manifests=folder, max_retries=0)
    assert far.chat("hello there").message == near.chat("hello there").message
    (*_, end) = far.stream("hello there")
    assert isinstance(end, StreamEnd)
    assert end.answer.text == "You said: hello there"


def test_over_http_told_to_fail(server: Server, folder: Path) -> None:
    def local(model: str, **arguments: Any) -> AIClient:
        return AIClient(
            f"local-copy/{model}",
            protocol="openai-chat",
            base_url=server.url,
            manifests=folder,
            max_retries=0,
            **arguments,
        )

    with pytest.raises(StreamInterruptedError):
        list(local("cut").stream("tell me a story"))
    with pytest.raises(StreamInterruptedError):
        list(local("drop").stream("tell me a story"))
    with pytest.raises(ConnectionFailedError):
        local("drop").chat("tell me a story")
    with pytest.raises(ProviderTimeoutError):
        local("stall", timeout={"idle": 0.1}).chat("tell me a story")
    with simulate("gone", [OSError("gone"), "still here"]):
        with pytest.raises(ConnectionFailedError):
            local("gone").chat("hi")
        assert local("gone").chat("hi").text == "still here"


def test_over_http_with_a_key(folder: Path) -> None:
    with Server(Simulator(api_key="sesame")) as server:
        arguments: Any = {"protocol": "anthropic-messages", "base_url": server.url, "manifests": folder}
        assert AIClient("local-copy/any", api_key="sesame", **arguments).chat("hi").text == "You said: hi"
        with pytest.raises(AuthenticationError):
            AIClient("local-copy/any", api_key="open", **arguments).chat("hi")
        with pytest.raises(NotFoundError):
            AIClient("local-copy/any", api_key="sesame", **{**arguments, "base_url": server.url + "/x"}).chat("hi")


def test_connections_are_kept_and_bodies_may_be_chunked(server: Server) -> None:
    url = urlsplit(server.url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port)
    try:
        for body, chunked in (
            (json.dumps(HELLO).encode(), False),
            (iter([b'{"model": "any", ', b'"messages": ', json.dumps(HELLO["messages"]).encode(), b"}"]), True),
        ):
            connection.request("POST", CHAT, body, encode_chunked=chunked)
            response = connection.getresponse()
            assert json.loads(response.read())["choices"][0]["message"]["content"] == "You said: hi"
            assert response.headers["connection"] is None
    finally:
        connection.close()


def test_closes_while_it_is_answering(folder: Path) -> None:
    server = Server()
    failed: list[BaseException] = []

    def ask() -> None:
        client = AIClient(
            "local-copy/stall", protocol="openai-chat", base_url=server.url, manifests=folder, max_retries=0
        )
        try:
            client.chat("hi")
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.2)
    server.close()
    thread.join(5)
    assert not thread.is_alive()
    assert isinstance(failed[0], ConnectionFailedError)
