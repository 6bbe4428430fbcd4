"""The four pairs: a partner package's class, and ours on the same wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel

from ai_protocol_integrations.langchain import ChatAIProtocol

KEY = "not-a-key"


@dataclass(frozen=True, eq=False)
class Peer:
    """`wire` is the format that both speak; `package`.`cls` the partner's class, and `usual` what it has to be told to
    speak it."""

    wire: str
    provider: str
    package: str
    cls: str
    model: str
    base: str = ""
    usual: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.wire

    def theirs(self, url: str, **fields: Any) -> BaseChatModel:
        module = pytest.importorskip(self.package, reason=f"{self.package} is not installed; `make peers` does it")
        said = {"model": self.model, "api_key": KEY, "base_url": url + self.base, **self.usual, **fields}
        made: BaseChatModel = getattr(module, self.cls)(**said)
        return made

    def ours(self, url: str, **fields: Any) -> ChatAIProtocol:
        model = f"{self.provider}/{fields.pop('model', self.model)}"
        said = {"protocol": self.wire, "api_key": KEY, "base_url": url, "max_retries": 0, **fields}
        return ChatAIProtocol(model=model, **said)


CHAT = Peer(
    "openai-chat",
    "openai",
    "langchain_openai",
    "ChatOpenAI",
    "gpt-4.1-mini",
    "/v1",
    {"max_retries": 0, "stream_usage": True, "use_responses_api": False},
)
RESPONSES = Peer(
    "openai-responses",
    "openai",
    "langchain_openai",
    "ChatOpenAI",
    "gpt-4.1-mini",
    "/v1",
    {"max_retries": 0, "use_responses_api": True},
)
ANTHROPIC = Peer(
    "anthropic-messages",
    "anthropic",
    "langchain_anthropic",
    "ChatAnthropic",
    "claude-sonnet-4-5",
    "",
    {"max_retries": 0},
)
GEMINI = Peer(
    "gemini-generate",
    "gemini",
    "langchain_google_genai",
    "ChatGoogleGenerativeAI",
    "gemini-2.5-flash",
    "",
    {"max_retries": 1},  # there the first try counts
)
PEERS = (CHAT, RESPONSES, ANTHROPIC, GEMINI)

Ask = Callable[[Any], Any]
