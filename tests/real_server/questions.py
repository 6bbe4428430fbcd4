"""What is asked of the server, live or from a cassette, and what of an answer has to be equal."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk

PROVIDER = "llamacpp"
PROTOCOLS = ["openai-chat", "openai-responses", "anthropic-messages"]
QUESTION = "what is the weather in Oslo ?"
WEATHER: dict[str, Any] = {
    "title": "get_weather",
    "description": "The weather of a city",
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}


async def ask(model: Any, question: Any, how: str) -> Any:
    """The message that `invoke`, `ainvoke`, `stream` or `astream` gives."""
    if how == "invoke":
        return model.invoke(question)
    if how == "ainvoke":
        return await model.ainvoke(question)
    if how == "stream":
        return summed(list(model.stream(question)))
    return summed([chunk async for chunk in model.astream(question)])


def summed(chunks: list[Any]) -> AIMessageChunk:
    message: AIMessageChunk = chunks[0]
    for chunk in chunks[1:]:
        message = message + chunk
    return message


def reasoning(message: AIMessage) -> str:
    """What was thought: as it may be shown, else unabridged (where a server writes no summary of it)."""
    blocks: list[Any] = [block for block in message.content_blocks if block["type"] == "reasoning"]
    kept = [block.get("extras", {}).get("ai_protocol", {}) for block in blocks]
    return "".join(block.get("reasoning") or extra.get("full", "") for block, extra in zip(blocks, kept, strict=True))


def said(message: AIMessage) -> dict[str, Any]:
    """All that an answer says, but for ids and times."""
    usage: Any = message.usage_metadata
    return {
        "text": message.text,
        "reasoning": reasoning(message),
        "calls": [(call["name"], call["args"]) for call in message.tool_calls],
        "broken calls": [(call["name"], call["args"]) for call in message.invalid_tool_calls],
        "tokens": (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]),
        "finish": message.response_metadata["finish_reason"],
    }
