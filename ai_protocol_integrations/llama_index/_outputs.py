"""Our answers -> LlamaIndex's responses, with nothing lost of what the provider said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse, MessageRole

from ai_protocol_integrations._about import about_of, candidates_of, unshown
from ai_protocol_integrations._alike import alike
from ai_protocol_integrations._blocks import OURS, Block, CallIds, to_blocks
from ai_protocol_runtime.types import Answer, Message, Refusal, ToolCall, Usage

from ._kept import Notes, kept
from ._logprobs import logprobs_of
from ._shown import blocks_of

CallId = Callable[[int, str | None], str | None]
"""A tool call's place and id -> the id that it is to have instead (None: its own)."""


def to_response(answer: Answer, call_id: CallId | None = None) -> ChatResponse:
    """The answer as a response.

    Its message has every block that LlamaIndex knows; in ``additional_kwargs`` stand the tool calls again (some of
    LlamaIndex's code reads no blocks) as dicts in OpenAI's form, ``refusal``, ``invalid_tool_calls`` (those whose
    arguments are no JSON object, with the error), and what only this package reads. ``raw`` tells who answered, how it
    ended and what it took, ``raw["usage"]`` the tokens in OpenAI's form, `additional_kwargs` the tokens once more.
    """
    ids = CallIds()
    candidate = candidates_of(answer)[0]
    message = candidate.message
    shown = list(to_blocks(message, call_id or (lambda _, known: ids.replacement(known))))
    calls = [block for block in shown if block["type"] in ("tool_call", "invalid_tool_call")]
    tokens = answer.usage.reasoning if answer.usage is not None else None
    blocks = blocks_of(message.parts, [call.get("id") for call in calls], tokens)
    raw = about_of(answer, candidate)
    usage = usage_of(answer.usage)
    if "usage" in raw:
        raw["provider_usage"] = raw.pop("usage")
    if usage:
        raw["usage"] = usage
    more = {
        "tool_calls": _listed(message, calls),
        "invalid_tool_calls": [_invalid(call) for call in calls if "error" in call],
        "refusal": "".join(part.text for part in message.parts if isinstance(part, Refusal)),
        OURS: Notes({key: said for key, said in {"blocks": kept(shown), **unshown(answer, candidate)}.items() if said}),
    }
    said = response(blocks, {key: value for key, value in more.items() if value})
    said.raw, said.additional_kwargs = raw, flat(usage)
    if (found := logprobs_of(answer, candidate)) is not None:
        said.logprobs = found
    return said


def response(blocks: list[Any], more: dict[str, Any], delta: str | None = None) -> ChatResponse:
    message = alike(_MESSAGE, blocks=blocks, additional_kwargs=more)
    return alike(_RESPONSE, message=message, delta=delta, additional_kwargs={})


_MESSAGE = ChatMessage(role=MessageRole.ASSISTANT, blocks=[])
_RESPONSE = ChatResponse(message=_MESSAGE)


def to_completion(said: ChatResponse) -> CompletionResponse:
    return CompletionResponse(
        text=said.message.content or "",
        additional_kwargs={**said.message.additional_kwargs, **said.additional_kwargs},
        raw=said.raw,
        logprobs=said.logprobs,
        delta=said.delta,
    )


def listed(call_id: str | None, name: str, arguments: str) -> dict[str, Any]:
    """A tool call beside the blocks."""
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _listed(message: Message, calls: list[Block]) -> list[dict[str, Any]]:
    parts = [part for part in message.parts if isinstance(part, ToolCall)]
    return [listed(call.get("id"), part.name, part.arguments or "{}") for part, call in zip(parts, calls, strict=True)]


def _invalid(call: Block) -> dict[str, Any]:
    return {key: call.get(key) for key in ("id", "name", "args", "error")}


def usage_of(usage: Usage | None) -> dict[str, Any]:
    """The tokens in OpenAI's form, which LlamaIndex's token counter and the usual tracers read; empty where the
    provider gave none. A detail nobody gave is left out."""
    if usage is None or usage.total is None:
        return {}
    read = {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write}
    read["audio_tokens"] = usage.audio_input
    written = {"reasoning_tokens": usage.reasoning, "audio_tokens": usage.audio_output}
    details = {"prompt_tokens_details": _known(read), "completion_tokens_details": _known(written)}
    counts = {"prompt_tokens": usage.input or 0, "completion_tokens": usage.output or 0, "total_tokens": usage.total}
    return {**counts, **{key: said for key, said in details.items() if said}}


def flat(usage: dict[str, Any]) -> dict[str, int]:
    """The same without levels, the details that are priced apart among it."""
    counts = {key: count for key, count in usage.items() if isinstance(count, int)}
    read, written = usage.get("prompt_tokens_details", {}), usage.get("completion_tokens_details", {})
    named = {key: read.get(key) for key in ("cached_tokens", "cache_write_tokens")}
    return counts | _known({**named, "reasoning_tokens": written.get("reasoning_tokens")})


def _known(counts: dict[str, int | None]) -> dict[str, int]:
    return {key: count for key, count in counts.items() if count is not None}
