"""What both classes make of one recorded answer, in facts that can be compared."""

from __future__ import annotations

import json
import random
import re
import warnings
from collections.abc import Iterator
from typing import Any

from langchain_core.messages import AIMessage

from ai_protocol_integrations.langchain import ChatAIProtocol
from ai_protocol_runtime.manifest import manifests
from tests.corpus.recordings import WIRES, Exchange, exchanges, stream_events

from .peers import PEERS
from .recording import Recorder

EACH = 40
"""Whole answers, and streams, of each format."""

_PEERS = {peer.wire: peer for peer in PEERS}
_SPOKEN_BY = {"google": "gemini", "azure": "openai", "vertex": "gemini"}
_OF_FORM = ("type", "arguments", "partial_json", "function_call")  # named otherwise, or compared as calls
Facts = dict[str, Any]


def sample() -> list[Exchange]:
    """Of each format as many whole answers as streams, always the same."""
    dice, picked = random.Random(7), []
    for wire in WIRES:
        found = [e for e in exchanges() if e.wire == wire and e.line["response"]["status"] < 400]
        whole = [e for e in found if e.answer is not None]
        streams = [e for e in found if e.stream is not None and e.framing == "sse"]
        picked += dice.sample(whole, min(EACH, len(whole))) + dice.sample(streams, min(EACH, len(streams)))
    return picked


def read_by_both(exchange: Exchange, recorder: Recorder) -> tuple[Facts, Facts]:
    """The facts of the partner's message, and of ours; ``raises`` is all there is of an error."""
    recorder.payload = json.dumps(exchange.answer) if exchange.stream is None else exchange.stream
    peer = _PEERS[exchange.wire]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = _read(lambda: peer.theirs(recorder.url, model=_model(exchange)), exchange)
        ours = _read(lambda: _ours(exchange, recorder.url), exchange)
    return theirs, ours


def _ours(exchange: Exchange, url: str) -> ChatAIProtocol:
    """A provider without this format is read as the one whose format it is."""
    named = _SPOKEN_BY.get(exchange.provider, exchange.provider)
    known = manifests()
    speaks = named in known.providers() and exchange.wire in known.provider(named).protocols
    provider = named if speaks else _PEERS[exchange.wire].provider
    model = f"{provider}/{_model(exchange)}"
    return ChatAIProtocol(model=model, protocol=exchange.wire, base_url=url, api_key="not-a-key", max_retries=0)


def _model(exchange: Exchange) -> str:
    said = (exchange.request or {}).get("model")
    named = re.search(r"models?/([^:/?]+)", exchange.path)
    return str(said or (named[1] if named else "model"))


def _read(make: Any, exchange: Exchange) -> Facts:
    try:
        model = make()
        if exchange.stream is None:
            return facts(model.invoke("hi"))
        whole: Any = None
        for chunk in model.stream("hi"):
            whole = chunk if whole is None else whole + chunk
        return facts(whole)
    except Exception as error:  # what either makes of it is compared, errors too
        return {"raises": f"{type(error).__name__}: {error}"[:200]}


def facts(message: AIMessage) -> Facts:
    blocks = message.content_blocks
    notes: list[Any] = [note for block in blocks for note in block.get("annotations") or ()]
    usage: Any = message.usage_metadata or {}
    about = message.response_metadata
    details = [(kind, name) for kind in ("input", "output") for name in usage.get(f"{kind}_token_details") or ()]
    return {
        "text": message.text,
        "reasoning": "".join(b.get("reasoning") or "" for b in blocks if b["type"] == "reasoning"),
        "calls": [(call["name"], call["args"]) for call in message.tool_calls],
        "broken calls": [(call["name"], call["args"]) for call in message.invalid_tool_calls],
        "call ids": [call["id"] for call in message.tool_calls],
        "input tokens": usage.get("input_tokens"),
        "output tokens": usage.get("output_tokens"),
        "details": {f"{kind} {name}": usage[f"{kind}_token_details"][name] for kind, name in details},
        "finish": {about[key] for key in ("finish_reason", "stop_reason", "status", "finish_word") if about.get(key)},
        "model": about.get("model_name") or about.get("model"),
        "ids": {value for value in (message.id, about.get("id")) if value and not value.startswith("lc_")},
        "citations": sorted(note.get("url") or note.get("title") or "" for note in notes if note["type"] == "citation"),
        "everything": set(leaves(message.model_dump())),
    }


def leaves(value: Any) -> Iterator[str]:
    """The texts in a value that are long enough to tell something."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in _OF_FORM:
                yield from leaves(inner)
    elif isinstance(value, list | tuple | set):
        for inner in value:
            yield from leaves(inner)
    elif isinstance(value, str) and len(value) >= 4:
        yield value


def said_by(exchange: Exchange) -> set[str]:
    """The texts of the recording itself."""
    return set(leaves(exchange.answer if exchange.stream is None else stream_events(exchange)))


def missing(exchange: Exchange, theirs: Facts, ours: Facts) -> Iterator[tuple[str, Any, Any]]:
    """`(fact, theirs, ours)` wherever ours has not what theirs has."""
    if "raises" in theirs or "raises" in ours:
        if "raises" not in theirs:
            yield "raises", None, ours["raises"]
        return
    for name, value in theirs.items():
        mine = ours[name]
        match name:
            case "call ids":  # where the wire has none, each makes some up
                if (known := [call_id for call_id in value if call_id in said_by(exchange)]) and known != mine:
                    yield name, known, mine
            case "everything":
                hay = "\0".join(mine)
                lost = sorted(text for text in value & said_by(exchange) if text not in hay)
                if lost:
                    yield name, lost, None
            case "details":
                lost = {key: count for key, count in value.items() if count and mine.get(key) != count}
                if lost:
                    yield name, lost, mine
            case "ids" | "finish":
                if value and not (value & mine):
                    yield name, value, mine
            case _:
                if value and value != mine:
                    yield name, value, mine
