"""`ChatModelIntegrationTests` of langchain-tests against the server, in each wire format it speaks."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from ..langchain.standard.formats import Format
from ..langchain.standard.suites import Integration
from ..langchain.standard.surroundings import vcr as vcr
from ..langchain.standard.surroundings import web as web
from .questions import PROVIDER
from .server import KEY, Server

pytestmark = [pytest.mark.real_server, pytest.mark.filterwarnings("ignore:.*tiny")]  # no manifest knows the model


BLIND = dict.fromkeys(("image", "pdf", "audio", "image_result", "pdf_result"), "the model reads nothing but text")


def spoken(protocol: str, *losses: str, **lacks: str) -> Format:
    return Format(protocol, PROVIDER, "tiny", "tiny", "LLAMA_API_KEY", lacks=BLIND | lacks, losses=losses)


AGAIN = "it picks words at random: where one call is asked for it calls again and again, with whatever fits the schema"
WITS = {
    "test_tool_calling": AGAIN,
    "test_tool_calling_async": AGAIN,
    "test_tool_calling_with_no_arguments": AGAIN,
    "test_agent_loop": AGAIN,
    "test_unicode_tool_call_integration": "it picks words at random, and not the customer's name",
    "test_tool_choice": "the server has some tool called, whichever is named",
}
"""What the model fails, or the server: not the wire. The schema of every call is kept, and all else passes."""


class Real(Integration):
    """`fails` are the tests that have to fail here, and why. Answers are long: at random no bracket is soon closed."""

    fails: ClassVar[dict[str, str]] = WITS

    @pytest.fixture(autouse=True)
    def _provider(self, server: Server) -> None:
        self.url = server.url

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return super().chat_model_params | {"api_key": KEY, "max_tokens": 600, "max_retries": 0}


class TestOpenAIChat(Real):
    format = spoken("openai-chat", "tool_result.is_error", "reasoning")
    fails = WITS | {"test_json_mode": "it writes JSON, but has no idea of the keys that the prompt asks for"}


class ByTools(Real):
    """In these formats the server takes a schema and does not keep to it; to the schema of a tool it does."""

    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        return {"method": "function_calling"}


class TestOpenAIResponses(ByTools):
    format = spoken(
        "openai-responses",
        *("tool_result.is_error", "tool.cache", "text.cache", "message.name", "stop", "reasoning"),
    )
    fails = WITS | {"test_json_mode": "the server does not keep to JSON in this format"}


class TestAnthropicMessages(ByTools):
    format = spoken("anthropic-messages", "message.name", json_mode="JSON comes by a schema only")
