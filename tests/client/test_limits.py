"""A wire format that demands a limit of tokens gets one that leaves room."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ai_protocol_runtime import AIClient
from ai_protocol_runtime.types import Request


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "simulator.yaml").write_text(
        "provider: simulator\ndocs: {checked: 2026-11-21, pages: ['https://docs.example']}\n"
        "models: {known: {max_output: 9000}}\n"
    )
    return tmp_path


def sent(manifests: Path, model: str, protocol: str, **params: Any) -> dict[str, Any]:
    client = AIClient(f"simulator/{model}", protocol=protocol, manifests=manifests)
    body: dict[str, Any] = json.loads(client.explain("hi", **params).body)
    return body


@pytest.mark.filterwarnings("ignore:no manifest knows 'other'")
@pytest.mark.parametrize(
    ("model", "params", "limit"),
    [
        ("known", {}, 9000),
        ("known", {"max_tokens": 5}, 5),
        ("other", {}, 4096),
        ("other", {"reasoning": 8192}, 4096 + 8192),
    ],
)
def test_a_demanded_limit(manifests: Path, model: str, params: dict[str, Any], limit: int) -> None:
    assert sent(manifests, model, "anthropic-messages", **params)["max_tokens"] == limit


def test_no_limit_where_none_is_demanded(manifests: Path) -> None:
    assert not {"max_tokens", "max_completion_tokens"} & sent(manifests, "known", "openai-chat").keys()


def test_the_callers_request_is_not_changed(manifests: Path) -> None:
    request = Request()
    AIClient("simulator/known", protocol="anthropic-messages", manifests=manifests).explain(request, temperature=1)
    assert request == Request()
