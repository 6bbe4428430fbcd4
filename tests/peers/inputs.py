"""What an input is, and the helpers that the tables of inputs share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage

from .peers import PEERS, Peer

PNG = "iVBORw0KGgo="
PDF = "JVBERi0xLjQK"
WAV = "UklGRg=="
IMAGE = "https://example.com/cat.png"
CACHE = {"type": "ephemeral"}


def same(model: Any) -> Any:
    return model


@dataclass(frozen=True, eq=False)
class Input:
    """One thing asked of both classes in the same words.

    `messages`: what is said, or what makes it of an earlier answer of the model. `fields` go to both constructors,
    `call` to both calls; where the partner's own words are others, `theirs` and `their_call` have them by wire, and
    `ours` and `our_call` ours. `ask` binds tools or schemas; `model` replaces the usual model, by wire.
    """

    name: str
    messages: Any = "hi"
    fields: Mapping[str, Any] = field(default_factory=dict)
    theirs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ours: Mapping[str, Any] = field(default_factory=dict)
    call: Mapping[str, Any] = field(default_factory=dict)
    their_call: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    our_call: Mapping[str, Any] = field(default_factory=dict)
    ask: Callable[[Any], Any] = same
    peers: tuple[Peer, ...] = PEERS
    model: Mapping[str, str] = field(default_factory=dict)
    stream: bool = False
    history: History | None = None


@dataclass(frozen=True)
class History:
    """An answer of the model's as history: made by the partner's class for both (`own` False), or by each for itself.
    `fields` are for the partner's class that makes it, `stream` whether it is a sum of chunks."""

    own: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = False


def called(*calls: tuple[str, dict[str, Any], str], content: Any = "", **said: Any) -> AIMessage:
    made = [{"name": name, "args": args, "id": call_id, "type": "tool_call"} for name, args, call_id in calls]
    return AIMessage(content, tool_calls=made, **said)
