"""A LangChain chain with a tool, in every wire format, whole and streamed.

Without a key it runs on the built-in simulator. With a provider's key in the environment, or a server named by
``AI_PROTOCOL_BASE_URL`` (then ``AI_PROTOCOL_MODEL`` is its provider/model), it runs on the real thing too.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.tools import tool

from ai_protocol_integrations.langchain import ChatAIProtocol
from ai_protocol_runtime.manifest import ModelManifest, ProviderManifest, manifests

QUESTION = "What is the weather in Rome?"


@tool
def get_weather(city: str) -> str:
    """The weather in a city, now."""
    return f"Sunny, 24 degrees in {city}."


PROMPT = ChatPromptTemplate.from_messages(
    [("system", "Answer in one short sentence. Use the tool."), MessagesPlaceholder("messages")]
)


@dataclass
class Row:
    """One line of the table."""

    format: str
    mode: str
    calls: str
    text: str
    tokens: str
    time: str


def main() -> int:
    failed = 0
    for model, protocols, arguments in targets():
        print(f"\n{model}: {QUESTION}")
        rows = []
        for protocol in protocols:
            for mode in ("whole", "streamed"):
                try:
                    rows.append(ask(model, protocol, mode, arguments))
                except Exception as error:
                    failed += 1
                    rows.append(Row(protocol, mode, "", f"{type(error).__name__}: {error}", "", ""))
        show(rows)
    return 1 if failed else 0


def targets() -> Iterator[tuple[str, list[str], dict[str, Any]]]:
    """Models to ask: name, wire formats, further arguments."""
    known = manifests()
    providers = [known.provider(name) for name in known.providers()]
    for provider in providers:
        if provider.in_process:
            yield f"{provider.id}/demo", list(provider.protocols), {}
    base_url, named = os.environ.get("AI_PROTOCOL_BASE_URL"), os.environ.get("AI_PROTOCOL_MODEL")
    if base_url:
        if not named:
            raise SystemExit("AI_PROTOCOL_BASE_URL is set; AI_PROTOCOL_MODEL has to say which provider/model is there")
        provider = known.provider(named.partition("/")[0])
        yield named, list(provider.protocols), {"base_url": base_url}
        return
    for provider in providers:
        if not provider.in_process and has_key(provider):
            model = named if named and named.startswith(provider.id + "/") else cheapest(known.models(provider.id))
            if model:
                yield model, list(provider.protocols), {}


def ask(model: str, protocol: str, mode: str, arguments: dict[str, Any]) -> Row:
    """Ask, run the tools that are called, and give back what they said, until there is a text."""
    began = time.perf_counter()
    chain = PROMPT | ChatAIProtocol(model=model, protocol=protocol, **arguments).bind_tools([get_weather])
    messages: list[BaseMessage] = [HumanMessage(QUESTION)]
    calls: list[str] = []
    counts = [0, 0]
    while True:
        answer = invoke(chain, messages) if mode == "whole" else stream(chain, messages)
        usage = answer.usage_metadata or {"input_tokens": 0, "output_tokens": 0}
        counts = [counts[0] + usage["input_tokens"], counts[1] + usage["output_tokens"]]
        if not answer.tool_calls or len(calls) > 4:
            break
        messages.append(answer)
        for call in answer.tool_calls:
            arguments_ = ", ".join(f"{name}={value!r}" for name, value in call["args"].items())
            calls.append(f"{call['name']}({arguments_})")
            messages.append(ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"]))
    took = f"{(time.perf_counter() - began) * 1000:.0f} ms"
    return Row(protocol, mode, "; ".join(calls), answer.text, f"{counts[0]} + {counts[1]}", took)


def invoke(chain: Any, messages: list[BaseMessage]) -> AIMessage:
    answer: AIMessage = chain.invoke({"messages": messages})
    return answer


def stream(chain: Any, messages: list[BaseMessage]) -> AIMessage:
    whole = None
    for chunk in chain.stream({"messages": messages}):
        whole = chunk if whole is None else whole + chunk
    assert isinstance(whole, AIMessage)
    return whole


def show(rows: list[Row]) -> None:
    names = [field.name for field in fields(Row)]
    table = [names, *([getattr(row, name) for name in names] for row in rows)]
    widths = [min(60, max(len(line[i]) for line in table)) for i in range(len(names))]
    for number, line in enumerate(table):
        print("  " + "  ".join(cell[:60].ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        if number == 0:
            print("  " + "  ".join("-" * width for width in widths))


def cheapest(models: list[ModelManifest]) -> str | None:
    """The model that costs least among those that call tools."""
    fitting = [
        (m.prices.output, f"{m.provider}/{m.id}") for m in models if m.prices and m.tool_calling and not m.deprecated
    ]
    return min(fitting)[1] if fitting else None


def has_key(provider: ProviderManifest) -> bool:
    return any(os.environ.get(name) for name in provider.credentials.env)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main())
