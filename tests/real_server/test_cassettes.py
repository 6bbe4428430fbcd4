"""Answers that the real server once gave, replayed without it and without a network: see tests/cassettes/README.md."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import vcr  # type: ignore[import-untyped]
from pydantic import SecretStr

from ai_protocol_integrations.langchain import ChatAIProtocol

from .questions import PROTOCOLS, PROVIDER, QUESTION, WEATHER, ask, said
from .server import KEY, Server, install

pytestmark = pytest.mark.filterwarnings("ignore:.*tiny")  # no manifest knows the model

FOLDER = Path(__file__).parents[1] / "cassettes"
HOST = "http://localhost:8080"
KINDS = {"text": "tiny", "tools": "tiny", "reasoning": "tiny-think"}
NAMES = [f"{protocol}.{kind}" for protocol in PROTOCOLS for kind in KINDS]


@pytest.fixture
def server(name: str) -> Iterator[Server | None]:
    """The real one, when cassettes are made anew."""
    if not os.environ.get("RECORD_CASSETTES"):
        yield None
        return
    (FOLDER / f"{name}.yaml").unlink(missing_ok=True)
    install()
    server = Server(KINDS[name.split(".")[1]]).start()
    yield server
    server.stop()


@pytest.fixture
def model(name: str, server: Server | None) -> Iterator[Any]:
    url = server.url if server else HOST

    def without_port(request: Any) -> Any:
        request.uri = request.uri.replace(url, HOST)
        return request

    tape = vcr.VCR(
        record_mode="new_episodes" if server else "none",
        match_on=["method", "uri", "body"],
        filter_headers=[("authorization", "***"), ("x-api-key", "***")],
        before_record_request=without_port,
    )
    protocol, kind = name.split(".")
    tools = kind == "tools"
    chat = ChatAIProtocol(
        model=f"{PROVIDER}/{KINDS[kind]}",
        protocol=protocol,
        base_url=url,
        api_key=SecretStr(KEY),
        max_tokens=250 if tools else 40,
        max_retries=0,
    )
    with tape.use_cassette(str(FOLDER / f"{name}.yaml")):
        yield chat.bind_tools([WEATHER], tool_choice="any") if tools else chat


@pytest.mark.parametrize("name", NAMES)
async def test_whole_and_streamed(name: str, model: Any) -> None:
    """Four ways of asking, one answer."""
    whole = said(await ask(model, QUESTION, "invoke"))
    assert whole["calls"] if name.endswith("tools") else whole["text"]
    assert bool(whole["reasoning"]) == name.endswith("reasoning")
    for how in ("ainvoke", "stream", "astream"):
        assert said(await ask(model, QUESTION, how)) == whole


def test_cassettes_hold_no_key() -> None:
    files = sorted(FOLDER.glob("*.yaml"))
    assert [file.stem for file in files] == sorted(NAMES)
    assert [file.name for file in files if KEY in file.read_text()] == []
