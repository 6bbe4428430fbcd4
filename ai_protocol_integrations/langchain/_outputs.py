"""Our answers -> LangChain's messages and results, with nothing lost of what the provider said."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult

from ai_protocol_integrations._about import about_of, candidates_of, unshown
from ai_protocol_integrations._alike import alike
from ai_protocol_integrations._blocks import OURS, Block, CallIds, to_blocks
from ai_protocol_runtime.types import Answer, Candidate, Usage

from ._translator import translate_for
from ._versions import V0, V1, Version, as_text


def to_result(answer: Answer, version: Version) -> ChatResult:
    """One generation for each candidate. The usage is that of the whole call, and stands with the first."""
    candidates = enumerate(candidates_of(answer))
    return ChatResult(generations=[_generation(answer, c, version, first=not n) for n, c in candidates])


def _generation(answer: Answer, candidate: Candidate, version: Version, *, first: bool) -> ChatGeneration:
    ids = CallIds()
    blocks = list(to_blocks(candidate.message, lambda _, call_id: ids.replacement(call_id)))
    content, more, kept = (blocks, {}, {}) if version == "v1" else as_text(blocks)
    said: dict[str, Any] = {
        "content": content,
        "additional_kwargs": more,
        "tool_calls": [_without(block, "extras") for block in blocks if block["type"] == "tool_call"],
        "invalid_tool_calls": [_without(block, "extras") for block in blocks if block["type"] == "invalid_tool_call"],
        "response_metadata": metadata(answer, candidate, version, **kept),
        "usage_metadata": usage_metadata(answer.usage) if first else None,
    }
    calls = said["tool_calls"] or said["invalid_tool_calls"]
    message = AIMessage(**said) if calls else alike(_MESSAGE, **said)
    return alike(_GENERATION, message=message, text=message.text, generation_info=generation_info(candidate))


_MESSAGE = AIMessage(
    content="",
    additional_kwargs={},
    tool_calls=[],
    invalid_tool_calls=[],
    response_metadata=V0,
    usage_metadata=None,
)
_GENERATION = ChatGeneration(message=_MESSAGE, generation_info=None)


def _without(block: Block, key: str) -> Block:
    return {name: value for name, value in block.items() if name != key}


def metadata(answer: Answer, candidate: Candidate, version: Version, **ours: Any) -> dict[str, Any]:
    """All that is said of an answer besides its content, under the keys that LangChain's users know; what no key is
    known for is under ``ai_protocol``, with `ours`."""
    if answer.call is not None:
        translate_for(answer.call.provider)
    own = {key: value for key, value in {**unshown(answer, candidate), **ours}.items() if value}
    about = {**(V1 if version == "v1" else V0), **about_of(answer, candidate)}
    return {**about, OURS: own} if own else about


def generation_info(candidate: Candidate) -> dict[str, Any] | None:
    """What callbacks look for beside the message."""
    return {"finish_reason": candidate.finish_reason} if candidate.finish_reason else None


def usage_metadata(usage: Usage | None) -> UsageMetadata | None:
    """The counts as LangChain has them; None where the provider gave none. A detail nobody gave is left out."""
    if usage is None or usage.total is None:
        return None
    counts = UsageMetadata(input_tokens=usage.input or 0, output_tokens=usage.output or 0, total_tokens=usage.total)
    read = {"audio": usage.audio_input, "cache_creation": usage.cache_write, "cache_read": usage.cache_read}
    written = {"audio": usage.audio_output, "reasoning": usage.reasoning}
    if known := {key: count for key, count in read.items() if count is not None}:
        counts["input_token_details"] = InputTokenDetails(**known)  # type: ignore[typeddict-item]
    if known := {key: count for key, count in written.items() if count is not None}:
        counts["output_token_details"] = OutputTokenDetails(**known)  # type: ignore[typeddict-item]
    return counts
