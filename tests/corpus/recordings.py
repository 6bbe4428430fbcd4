"""The recorded traffic, as the tests want it: one `Exchange` per line of the four chat families."""

from __future__ import annotations

import gzip
import importlib.util
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from ai_protocol_runtime.manifest import manifests
from ai_protocol_runtime.wire import WireFormat, wire_format

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"
ORACLE = ROOT.parent / "shared" / "tools" / "oracle.py"
ABSENT = f"there is no recorded traffic at ../{CORPUS.relative_to(ROOT.parent)} beside the project"

FORMATS = {
    "openai-chat": "openai-chat",
    "mistral": "openai-chat",
    "openai-responses": "openai-responses",
    "anthropic-messages": "anthropic-messages",
    "gemini": "gemini-generate",
}
"""Families of recordings -> wire formats."""
WIRES = tuple(dict.fromkeys(FORMATS.values()))
PATH_SAYS = {"gemini-generate"}
"""Wires whose path says the model, and whether to stream: no body need say it."""


@dataclass(frozen=True, slots=True, eq=False)
class Exchange:
    """`request` and `answer` are JSON objects, None where there is none; `stream` is the exact text of a stream."""

    id: str
    wire: str
    provider: str
    path: str
    request: dict[str, Any] | None
    answer: dict[str, Any] | None
    stream: str | None
    framing: str
    line: dict[str, Any]


def _exchange(line: dict[str, Any]) -> Exchange:
    request, response = line["request"].get("body"), line["response"]
    answer, stream, framing = None, response.get("sse"), "sse"
    if response["status"] >= 400:
        stream = None
    elif stream is not None:
        framing = "json-array" if stream.lstrip().startswith("[") else "sse"
    elif isinstance(response.get("body"), list):  # a stream that came as one JSON array
        stream, framing = json.dumps(response["body"], ensure_ascii=False, indent=1), "json-array"
    elif isinstance(response.get("body"), dict):
        answer = response["body"]
    return Exchange(
        id=line["id"],
        wire=FORMATS[line["family"]],
        provider=line["provider"],
        path=line["request"]["path"],
        request=request if isinstance(request, dict) else None,
        answer=answer,
        stream=stream,
        framing=framing,
        line=line,
    )


@cache
def exchanges() -> list[Exchange]:
    """All that was recorded of the four formats, in one order."""
    found = []
    for file in sorted(CORPUS.glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            found += [_exchange(line) for line in map(json.loads, lines) if line["family"] in FORMATS]
    return found


@cache
def format_of(wire: str) -> WireFormat:
    return wire_format(wire, manifests())


@cache
def _oracle() -> ModuleType:
    spec = importlib.util.spec_from_file_location("corpus_oracle", ORACLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_by_oracle(exchange: Exchange) -> dict[str, Any] | None:
    """What the answer means, by a reader that shares no code with ours; None where it does not say."""
    found: dict[str, Any] | None = _oracle().read(exchange.line)
    return found


def canonical_arguments(text: str) -> str:
    """A call's arguments as the oracle writes them."""
    return str(_oracle().canon(text))


def stream_events(exchange: Exchange) -> list[Any]:
    """The JSON values of a stream, by the oracle's reading of the framing."""
    if exchange.framing == "json-array":
        return list(json.loads(exchange.stream or "[]"))
    return list(_oracle().frames(exchange.stream or ""))
