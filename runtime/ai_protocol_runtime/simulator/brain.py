"""What a polite simulated model answers. Pure: the same request gives the same answer.

It says what it got, calls the tools it is offered with arguments that satisfy their schemas, uses what they gave back,
obeys the response format, thinks and speaks aloud when asked to, and stops where it is told to.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace

from ai_protocol_runtime.types import (
    Answer,
    Candidate,
    Media,
    Message,
    Part,
    Reasoning,
    Refusal,
    Request,
    Text,
    ToolCall,
    ToolResult,
)

from .behaviour import Behaviour
from .calls import calls_for
from .counting import cost, counted
from .history import called, last_text, news
from .logprobs import logprobs
from .schema import Unsatisfiable, example
from .speech import spoken
from .tokens import tokens

SHOWN = 200
"""How much of a text is said back, in characters."""

_NO_THOUGHT = (None, "none", "disabled")
_KEY = re.compile(r"['\"`]([A-Za-z_]\w*)['\"`]")


def respond(request: Request, *, tag: str = "0", created: float | None = None, told: Behaviour | None = None) -> Answer:
    """The answer to `request`.

    `tag` makes its ids (letters and digits), `created` is the time in Unix seconds, `told` what the model's name asks
    for.
    """
    candidates = [_candidate(request, told or Behaviour(), number) for number in range(request.n or 1)]
    return completed(Answer(candidates=candidates), request, tag=tag, created=created)


def completed(answer: Answer, request: Request, *, tag: str = "0", created: float | None = None) -> Answer:
    """`answer` with what it leaves open: ids, model, time, finish reasons and usage."""
    candidates = [_finished(candidate, number, tag) for number, candidate in enumerate(answer.candidates)]
    return replace(
        answer,
        id=answer.id or f"sim-{tag}",
        model=answer.model or request.model,
        created=answer.created if answer.created is not None else created,
        candidates=candidates,
        usage=answer.usage or counted(request, candidates),
    )


OURS = base64.b64encode(b"simulated-thought").decode()[:20]
"""What every signature begins with."""


def signature(thought: str) -> str:
    """The signature of a thought: whoever sends the thought back must not have changed it."""
    return base64.b64encode(b"simulated-thought" + hashlib.sha256(thought.encode()).digest()).decode()


def _candidate(request: Request, told: Behaviour, number: int) -> Candidate:
    if told.silent:
        return Candidate(Message("assistant"))
    if told.refuse:
        return Candidate(Message("assistant", [Refusal("I cannot help with that.")]), "content_filter")
    asked = last_text(request)
    said: list[Part] = [] if told.echo else [*calls_for(request, asked)]
    if not said:
        text = asked if told.echo else _text(request, asked)
        said = [Text(f"({number + 1}) {text}" if number else text)]
    thoughts: list[Part] = [_thought(asked, said, request)] if told.think or _asked_to_think(request) else []
    candidate = _limited(thoughts + said, request)
    if "audio" in (request.modalities or ()):
        aloud = (spoken(part.text) if isinstance(part, Text) else part for part in candidate.message.parts)
        candidate = replace(candidate, message=Message("assistant", [*aloud]))
    return _measured(candidate, request) if request.logprobs or request.top_logprobs else candidate


def _text(request: Request, asked: str) -> str:
    turn = [part for message in news(request) for part in message.parts]
    results = [part for part in turn if isinstance(part, ToolResult)]
    form = request.format
    if form is not None and form.kind != "plain":
        prompt = "\n".join([asked, *(_shown(result.parts) for result in results)])
        if form.schema is not None:
            return _json(form.schema, prompt)
        # Free JSON: the keys are what the prompt quotes ("with 'name' and 'age' keys").
        keys = list(dict.fromkeys(_KEY.findall(asked))) or ["answer"]
        shape = {"type": "object", "properties": {key: {"type": "string"} for key in keys}, "required": keys}
        return _json(shape, _KEY.sub(r"\1", prompt))
    if results:
        return " ".join(_reported(result, request) for result in results)
    sentences = [f"You said: {_short(asked)}"] if asked else []
    sentences += [f"You sent {_described(part)}." for part in turn if isinstance(part, Media)]
    return " ".join(sentences) or "Hello."


def _json(schema: object, prompt: str) -> str:
    try:
        value = example(schema, prompt)
    except Unsatisfiable as error:
        value = {"error": str(error)}
    return json.dumps(value, ensure_ascii=False)


def _reported(result: ToolResult, request: Request) -> str:
    name = result.name or called(request, result.call_id) or "the tool"
    return f"{name} {'failed' if result.is_error else 'says'}: {_short(_shown(result.parts))}"


def _shown(parts: list[Part]) -> str:
    texts = (
        part.text if isinstance(part, Text) else _described(part) for part in parts if isinstance(part, Text | Media)
    )
    return " ".join(texts) or "nothing"


def _described(media: Media) -> str:
    """For example: ``an image (image/png, 68 bytes)``."""
    if media.data is not None:
        what: str | None = f"{len(media.data.rstrip('=')) * 3 // 4} bytes"
    elif media.text is not None:
        what = f"{len(media.text)} characters"
    else:
        what = media.url or media.file_id
    facts = ", ".join(fact for fact in (media.filename, media.mime_type, what) if fact)
    return f"{'an' if media.kind[:1] in 'aeiou' else 'a'} {media.kind} ({facts})"


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 1].rstrip() + "…"


def _asked_to_think(request: Request) -> bool:
    if request.thinking == "disabled" or request.reasoning_budget == 0:
        return False
    words = request.thinking not in _NO_THOUGHT or request.effort not in _NO_THOUGHT
    return words or bool(request.reasoning_budget or request.include_thoughts)


def _thought(asked: str, said: list[Part], request: Request) -> Reasoning:
    calls = " and ".join(part.name for part in said if isinstance(part, ToolCall))
    plan = f"I should call {calls}." if calls else "I can answer that at once."
    text = f'The user says "{_short(asked)}". {plan}'
    hidden = any("encrypted" in word for word in request.include or ())
    return Reasoning(text, signature=signature(text), encrypted=signature(text) if hidden else None)


def _limited(parts: list[Part], request: Request) -> Candidate:
    """`parts`, ended by a stop sequence or by `max_tokens`, whichever comes first."""
    kept: list[Part] = []
    for part in parts:
        left = None if request.max_tokens is None else request.max_tokens - sum(map(cost, kept))
        stop: str | None = None
        if isinstance(part, Text):
            text, stop = _until(part.text, request.stop)
            part = replace(part, text=text)
        if left is not None and cost(part) > left:
            if isinstance(part, Text | Reasoning) and left:
                short = replace(part, text="".join(tokens(part.text)[:left]))
                kept.append(replace(short, signature=None))
            # A call is there whole or not at all.
            return Candidate(Message("assistant", kept), "length")
        kept.append(part)
        if stop is not None:
            return Candidate(Message("assistant", kept), "stop", stop_sequence=stop)
    return Candidate(Message("assistant", kept))


def _measured(candidate: Candidate, request: Request) -> Candidate:
    """With log-probabilities, on the text and on the candidate: wires have them here or there."""
    parts: list[Part] = []
    for part in candidate.message.parts:
        if isinstance(part, Text):
            part = replace(part, logprobs=logprobs(part.text, request.top_logprobs or 0))
        parts.append(part)
    entries = [entry for part in parts if isinstance(part, Text) for entry in part.logprobs]
    return replace(candidate, message=Message("assistant", parts), logprobs={"content": entries, "refusal": None})


def _until(text: str, stops: list[str] | None) -> tuple[str, str | None]:
    """`text` up to the first of the stop sequences, and which that was."""
    found = [(text.find(stop), stop) for stop in stops or () if stop and stop in text]
    if not found:
        return text, None
    at, stop = min(found)
    return text[:at], stop


def _finished(candidate: Candidate, number: int, tag: str) -> Candidate:
    parts = [_named(part, f"{tag}-{number}{i}") for i, part in enumerate(candidate.message.parts)]
    calls = any(isinstance(part, ToolCall) for part in parts)
    return replace(
        candidate,
        message=replace(candidate.message, role=candidate.message.role or "assistant", parts=parts),
        index=number if candidate.index is None else candidate.index,
        finish_reason=candidate.finish_reason or ("tool_calls" if calls else "stop"),
    )


def _named(part: Part, tag: str) -> Part:
    """The part with an id, where it is one to be referred to."""
    if isinstance(part, ToolCall) and not part.id:
        return replace(part, id=f"call-{tag}")
    if isinstance(part, Media) and part.kind == "audio" and not part.file_id:
        return replace(part, file_id=f"audio-{tag}")
    return part
