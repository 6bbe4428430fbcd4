"""The standard suites of langchain-tests, as far as they are the same for every wire format. Nothing is overridden."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from ai_protocol_integrations.langchain import ChatAIProtocol

from .formats import KEY, Format
from .web import WAV

LONG = "The cache keeps what comes again and again. " * 400
"""More than the tokens from which on a prompt is kept without being asked."""


class Unit(ChatModelUnitTests):
    """Of `format`, without a server."""

    format: ClassVar[Format]

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatAIProtocol

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": self.format.name, "protocol": self.format.protocol}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        """The key is looked up when it is needed; what a model knows before is where to look."""
        from_env = {"lc_secrets": {"api_key": self.format.key_from}}
        return {self.format.key_from: KEY}, self.chat_model_params, from_env


class Integration(ChatModelIntegrationTests):
    """Of `format`, against its provider's side of the simulator, over HTTP."""

    format: ClassVar[Format]
    url: str

    def __init_subclass__(cls) -> None:
        losses = cls.format.losses if hasattr(cls, "format") else ()
        cls.pytestmark = [pytest.mark.filterwarnings(rf"ignore:not sent to .* {loss}\b") for loss in losses]

    @pytest.fixture(autouse=True)
    def _provider(self, provider_url: Callable[[str], str]) -> None:
        self.url = provider_url(self.format.provider)

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatAIProtocol

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": self.format.name, "protocol": self.format.protocol, "base_url": self.url, "api_key": KEY}

    @property
    def model_override_value(self) -> str:
        return self.format.other

    @property
    def enable_vcr_tests(self) -> bool:
        return True

    @property
    def supports_image_inputs(self) -> bool:
        return "image" not in self.format.lacks

    @property
    def supports_image_urls(self) -> bool:
        return "image.url" not in self.format.lacks

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supports_json_mode(self) -> bool:
        return "json_mode" not in self.format.lacks

    @property
    def has_tool_choice(self) -> bool:
        return "tool_choice" not in self.format.lacks

    @property
    def supports_pdf_inputs(self) -> bool:
        return "pdf" not in self.format.lacks

    @property
    def supports_audio_inputs(self) -> bool:
        return "audio" not in self.format.lacks

    @property
    def supports_image_tool_message(self) -> bool:
        return "image_result" not in self.format.lacks

    @property
    def supports_pdf_tool_message(self) -> bool:
        return "pdf_result" not in self.format.lacks

    @property
    def supported_usage_metadata_details(self) -> Any:
        return {"invoke": list(self.format.counts), "stream": list(self.format.counts)}

    def invoke_with_audio_input(self, *, stream: bool = False) -> AIMessage:
        sound = {"type": "audio", "base64": WAV, "mime_type": "audio/wav"}
        return self._ask([HumanMessage([sound])], stream, "input_token_details", "audio")

    def invoke_with_audio_output(self, *, stream: bool = False) -> AIMessage:
        spoken = {"modalities": ["text", "audio"], "extra_body": {"audio": {"voice": "alloy", "format": "wav"}}}
        return self._ask([HumanMessage("Say it aloud.")], stream, "output_token_details", "audio", **spoken)

    def invoke_with_reasoning_output(self, *, stream: bool = False) -> AIMessage:
        return self._ask([HumanMessage("Why?")], stream, "output_token_details", "reasoning", reasoning="low")

    def invoke_with_cache_read_input(self, *, stream: bool = False) -> AIMessage:
        talk = [self._long(), AIMessage("Indeed."), HumanMessage("And so?")]
        return self._ask(talk, stream, "input_token_details", "cache_read")

    def invoke_with_cache_creation_input(self, *, stream: bool = False) -> AIMessage:
        return self._ask([self._long()], stream, "input_token_details", "cache_creation")

    def _long(self) -> HumanMessage:
        """What is worth keeping; marked where the format has marks, else kept by itself."""
        marked = "cache_creation_input" in self.format.counts
        mark = {"cache_control": {"type": "ephemeral"}} if marked else {}
        return HumanMessage([{"type": "text", "text": LONG, **mark}])

    def _ask(self, talk: list[BaseMessage], stream: bool, details: str, count: str, **said: Any) -> AIMessage:
        """The answer, in which something of this is counted."""
        model = self.chat_model_class(**self.chat_model_params)
        if stream:
            first, *others = model.stream(talk, **said)
            message: AIMessage = sum(others, first)
        else:
            message = model.invoke(talk, **said)
        usage = cast("dict[str, Any]", message.usage_metadata)
        assert usage[details][count] > 0
        return message
