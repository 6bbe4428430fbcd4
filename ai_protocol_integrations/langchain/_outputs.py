"""Our answers -> LangChain's messages and results, with nothing lost of what the provider said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from uuid import uuid4

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import BaseModel

from ai_protocol_runtime.types import Answer, Candidate, Message, ToolCall, Usage

from ._blocks import OURS, Block, to_annotation, to_block
from ._translator import translate_for
from ._versions import V0, V1, Version, as_text

Model = TypeVar("Model", bound=BaseModel)


def to_result(answer: Answer, version: Version) -> ChatResult:
    """One generation for each candidate. The usage is that of the whole call, and stands with the first."""
    candidates = enumerate(candidates_of(answer))
    return ChatResult(generations=[_generation(answer, c, version, first=not n) for n, c in candidates])


def candidates_of(answer: Answer) -> list[Candidate]:
    """The answer's candidates; an empty one where the provider would not even read the prompt."""
    return answer.candidates or [Candidate(answer.message, answer.finish_reason)]


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


def alike(prototype: Model, /, **values: Any) -> Model:
    """A copy of what pydantic has validated, with other values of the same types. Validating those as well costs more
    than all the rest; whatever can be changed in place has to be among them."""
    made = prototype.model_copy()
    made.__dict__.update(values)
    return made


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


class CallIds:
    """Ids by which the tool calls of one answer can be told apart: the wire's own, where it gives such."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def replacement(self, call_id: str | None) -> str | None:
        """An id to use instead of this one, if it is missing or not the first of its kind."""
        if call_id and call_id not in self._used:
            self._used.add(call_id)
            return None
        return f"call_{uuid4().hex}"


def to_blocks(message: Message, call_id: Callable[[int, str | None], str | None]) -> Iterator[Block]:
    """The message's parts as blocks. What it cites as a whole is shown with its last text.

    `call_id` is given a tool call's place and id, and says which id it is to have instead (None: its own).
    """
    last = max((n for n, part in enumerate(message.parts) if part.kind == "text"), default=None)
    for number, part in enumerate(message.parts):
        block = to_block(part, call_id=call_id(number, part.id) if isinstance(part, ToolCall) else None)
        if number == last and message.citations:
            block.setdefault("annotations", [])
            block["annotations"] += [to_annotation(citation, of_message=True) for citation in message.citations]
        yield block


def metadata(answer: Answer, candidate: Candidate, version: Version, **ours: Any) -> dict[str, Any]:
    """All that is said of an answer besides its content, under the keys that LangChain's users know.

    `finish_reason` is ours (the same words for every provider), `finish_word` what the provider wrote where it differs,
    `usage` the provider's own object. What no key is known for is under ``ai_protocol``, with `ours`.
    """
    call = answer.call
    if call is not None:
        translate_for(call.provider)
    message = candidate.message
    texts = any(part.kind == "text" for part in message.parts)
    apart = {
        "answer": (answer.extra or {}).get("rest"),
        "candidate": (candidate.extra or {}).get("rest"),
        "message": message.extra,
        "name": message.name,  # LangChain's sum of chunks drops a message's own
        "citations": None if texts else [to_annotation(citation) for citation in message.citations or ()],
        **ours,
    }
    word = candidate.finish_word
    about = {
        **(V1 if version == "v1" else V0),
        "model_name": answer.model or (call.model if call else None),
        "model_provider": call.provider if call else None,
        "protocol": call.protocol if call else None,
        "finish_reason": candidate.finish_reason,
        "finish_word": None if word == candidate.finish_reason else word,
        "finish_detail": candidate.finish_detail,
        "stop_sequence": candidate.stop_sequence,
        "blocked": answer.blocked,
        "id": answer.id,
        "request_id": call.request_id if call else None,
        "created": answer.created,
        "service_tier": answer.service_tier,
        "system_fingerprint": answer.fingerprint,
        "logprobs": candidate.logprobs,
        "usage": answer.usage.raw if answer.usage else None,
        "attempts": call.attempts if call and call.attempts > 1 else None,
        "rate_limits": dict(call.rate_limits) if call else None,
        OURS: {key: value for key, value in apart.items() if value},
    }
    return {key: value for key, value in about.items() if value is not None and value != {}}


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
