"""The kinds of thing that a shape can read or write, by the names that tables use."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ai_protocol_runtime.types import (
    Answer,
    Candidate,
    Citation,
    Embedding,
    EmbeddingInput,
    EmbeddingRequest,
    Embeddings,
    Media,
    Message,
    RankDocument,
    Ranked,
    Ranking,
    RankRequest,
    Raw,
    Reasoning,
    Refusal,
    Request,
    ResponseFormat,
    ServerToolCall,
    ServerToolResult,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Usage,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A dataclass of `types/` under one name. A class that serves several kinds says which in its field `kind`."""

    name: str
    cls: type[Any]
    fields: frozenset[str]
    ordered: tuple[str, ...]
    "the same, as the class has them: what is reported is in the same order every time"
    lists: frozenset[str]
    "fields that hold a list of things, which several holes may fill one after the other"

    def make(self, captures: dict[str, Any]) -> Any:
        if self.cls in _SHARED:
            captures["kind"] = self.name
        return self.cls(**captures)


_SHARED: dict[type[Any], tuple[str, ...]] = {
    Media: ("image", "audio", "video", "file"),
    ToolChoice: ("auto", "any", "none", "named", "allowed"),
    ResponseFormat: ("plain", "json", "schema"),
}
_LISTS = frozenset(
    {"parts", "messages", "tools", "candidates", "citations", "inputs", "embeddings", "documents", "results"}
)

CHAT, EMBED, RERANK = "chat", "embed", "rerank"
SERVICES = {
    CHAT: ("request", "answer"),
    EMBED: ("embedding_request", "embeddings"),
    RERANK: ("rank_request", "ranking"),
}
"""What a wire format may be for, and the kinds of thing that are asked and answered there."""


def _kinds() -> dict[str, Kind]:
    own = (
        Answer,
        Candidate,
        Citation,
        Embedding,
        EmbeddingInput,
        EmbeddingRequest,
        Embeddings,
        Message,
        RankDocument,
        RankRequest,
        Ranked,
        Ranking,
        Raw,
        Reasoning,
        Refusal,
        Request,
        ServerToolCall,
        ServerToolResult,
        Text,
        Tool,
        ToolCall,
        ToolResult,
        Usage,
    )
    named = [(cls.kind, cls) for cls in own] + [(name, cls) for cls, names in _SHARED.items() for name in names]
    out = {}
    for name, cls in named:
        ordered = tuple(f.name for f in fields(cls) if f.name not in ("extra", "kind"))
        known = frozenset(ordered)
        out[name] = Kind(name, cls, known, ordered, known & _LISTS)
    return out


KINDS: dict[str, Kind] = _kinds()

DERIVED = frozenset(
    {
        "finish_reason",
        "role",
        "index",
        "slot",
        "image.mime_type",
        "tool_result.name",
        "input.model",
        "input.input_type",
        "input.dimensions",
    }
)
"""Fields that follow from others, or from where a thing stands: no loss where a wire has no place for them."""

STRUCTURE = frozenset(
    {"answer", "candidate", "message", "usage", "embeddings", "embedding", "ranking", "ranked", "document"}
)
"""Kinds that nothing else can stand for: where one is expected, an unknown shape does not become a raw thing."""


def _types() -> dict[str, tuple[type[Any], ...]]:
    """What JSON a hole of each name takes: the types of the fields so called, if all of them say one."""
    plain: dict[str, tuple[type[Any], ...]] = {
        "str": (str,),
        "int": (int,),
        "float": (int, float),
        "bool": (bool,),
        "list": (list,),
        "dict": (dict,),
    }
    found: dict[str, set[type[Any]]] = {}
    anything: set[str] = set()
    for kind in KINDS.values():
        for f in fields(kind.cls):
            word = str(f.type).removesuffix(" | None").split("[")[0]
            if word in plain:
                found.setdefault(f.name, set()).update(plain[word])
            else:
                anything.add(f.name)
    return {name: tuple(types) for name, types in found.items() if name not in anything}


TYPES: dict[str, tuple[type[Any], ...]] = {**_types(), "sub": (int,), "item_id": (str,), "sequence": (int,)}
