"""What is said of an answer besides its content, under one set of keys for every framework."""

from __future__ import annotations

from typing import Any

from ai_protocol_runtime.types import Answer, Candidate

from ._blocks import to_annotation


def about_of(answer: Answer, candidate: Candidate) -> dict[str, Any]:
    """Who answered, how it ended, and what it took; what is not known is left out.

    `finish_reason` is ours (the same words for every provider), `finish_word` what the provider wrote where it differs,
    `usage` the provider's own object.
    """
    call, word = answer.call, candidate.finish_word
    about = {
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
    }
    return {key: value for key, value in about.items() if value is not None and value != {}}


def unshown(answer: Answer, candidate: Candidate) -> dict[str, Any]:
    """What the wire said and no key is known for, so that nothing is lost; empty values among it."""
    message = candidate.message
    texts = any(part.kind == "text" for part in message.parts)
    return {
        "answer": (answer.extra or {}).get("rest"),
        "candidate": (candidate.extra or {}).get("rest"),
        "message": message.extra,
        "name": message.name,
        "citations": None if texts else [to_annotation(citation) for citation in message.citations or ()],
    }


def candidates_of(answer: Answer) -> list[Candidate]:
    """The answer's candidates; an empty one where the provider would not even read the prompt."""
    return answer.candidates or [Candidate(answer.message, answer.finish_reason)]
