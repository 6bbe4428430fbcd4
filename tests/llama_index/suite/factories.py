"""The subjects of the suite: LLM classes of LlamaIndex, and the wire format in which each of them is asked.

Whoever has an LLM class of his own adds a `Subject`: the suite knows nothing of a class but what is said here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from llama_index.core.llms.function_calling import FunctionCallingLLM

from ...langchain.standard.formats import FORMATS, KEY, Format

LACKS: dict[str, dict[str, str]] = {
    "openai-chat": {"thoughts back": "the provider does not want them back"},
    "openai-responses": {},
    "anthropic-messages": {},
    "gemini-generate": {
        "parallel": "the model is free to make several calls, always",
        "half calls": "arguments are an object, and come whole",
    },
    "cohere-chat": {
        "parallel": "the model is free to make several calls, always",
        "signature": "a thought is its text",
        "named": "a call can be demanded, but of no tool in particular",
        "order": "calls stand beside the texts of a whole answer, and not between them",
    },
    "ollama-chat": {
        "parallel": "the model is free to make several calls, always",
        "signature": "a thought is its text",
        "named": "the model is free to call, always",
        "tool_choice": "the model is free to call, always",
        "half calls": "arguments are an object, and come whole",
    },
    "bedrock-converse": {"parallel": "the model is free to make several calls, always"},
}
"""What a wire format has no place for, and why. A test of such a thing asserts what happens instead."""

EXPECTED = (
    "ignore:no manifest knows",
    "ignore:not sent to Ollama. tool_choice=",
    "ignore:not sent to OpenAI. reasoning=",
)
"""Warnings of ours that tell of it, or of a model that our manifests do not know."""


@dataclass(frozen=True)
class Subject:
    """An LLM class in one wire format.

    `make` builds it: from the server's address, a model's name and settings of the class; `model` is one that it
    knows. Its own errors come from packages that `errors` names.
    """

    name: str
    format: Format
    model: str
    make: Callable[..., FunctionCallingLLM]
    errors: tuple[str, ...]

    def lacks(self, feature: str) -> bool:
        """Whether the wire format has no place for this (`LACKS` says why)."""
        return feature in LACKS[self.format.protocol]


def ours(format: Format) -> Subject:
    def make(url: str, model: str, **settings: Any) -> FunctionCallingLLM:
        from ai_protocol_integrations.llama_index import AIProtocolLLM

        name = f"{format.provider}/{model}"
        return AIProtocolLLM(model=name, base_url=url, api_key=KEY, protocol=format.protocol, **settings)

    errors = ("ai_protocol_runtime", "ai_protocol_integrations")
    return Subject(f"ours/{format.protocol}", format, format.model, make, errors)


def openai() -> Subject:
    def make(url: str, model: str, **settings: Any) -> FunctionCallingLLM:
        from llama_index.llms.openai import OpenAI

        return OpenAI(model=model, api_base=f"{url}/v1", api_key=KEY, **settings)

    return Subject("OpenAI", FORMATS["openai-chat"], "gpt-4.1-mini", make, ("openai",))


def anthropic() -> Subject:
    def make(url: str, model: str, **settings: Any) -> FunctionCallingLLM:
        from llama_index.llms.anthropic import Anthropic

        return Anthropic(model=model, base_url=url, api_key=KEY, **settings)

    return Subject("Anthropic", FORMATS["anthropic-messages"], "claude-sonnet-4-5", make, ("anthropic",))


def litellm() -> Subject:
    def make(url: str, model: str, **settings: Any) -> FunctionCallingLLM:
        from llama_index.llms.litellm import LiteLLM

        return LiteLLM(model=f"openai/{model}", api_base=f"{url}/v1", api_key=KEY, **settings)

    return Subject("LiteLLM", FORMATS["openai-chat"], "gpt-4.1-mini", make, ("litellm", "openai"))


PEERS = {"openai": openai, "anthropic": anthropic, "litellm": litellm}
"""By the name of the module in ``llama_index.llms``: classes to compare with, where LLAMA_SUITE_PEERS is set."""


def subjects() -> Iterator[Subject]:
    """All that are to be tested here."""
    yield from map(ours, FORMATS.values())
    if os.environ.get("LLAMA_SUITE_PEERS"):
        yield from (peer() for module, peer in PEERS.items() if _installed(f"llama_index.llms.{module}"))


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that it would be in
        return False
