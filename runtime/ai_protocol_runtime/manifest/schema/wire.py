"""The schema of `wire/*.yaml`: which keys a wire format has. What the shapes in them mean is known to the wire room."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, PrivateAttr

from ai_protocol_runtime.manifest.document import Document, Place

from .base import Docs, Id, Section

Free = dict[str, Any]
"""JSON, read by the compiler of shapes."""


class WireManifest(Section):
    """One wire format. `document` has its data as they stand in the file, and where."""

    id: Id = Field(description="The format's name; also that of the file.")
    docs: Docs = Field(description="When and with what this file was compared.")
    service: Literal["chat", "embed", "rerank"] = Field(
        default="chat", description="What it is for. `messages`, `stream` and what goes with them are a chat's."
    )
    framings: list[str] = Field(
        default=["sse"], min_length=1, description="How its streams may travel, the usual way first."
    )
    maps: Free = Field(default={}, description="Words of the wire and the unified words they stand for.")
    private: list[str] = Field(default=[], description="Fields that leave only to the wire they came from.")
    derived: list[str] = Field(
        default=[], description="Fields that are worked out of what is kept anyway: own things lose nothing with them."
    )
    sent_back: Free = Field(default={}, description="Kinds of parts that go back only with one of these fields.")
    blanks: bool = Field(
        default=True,
        description="Whether texts of a request may be white space alone, and an assistant's last one end in it.",
    )
    merge: list[Any] = Field(
        default=[], description="Roles whose neighbouring messages are joined when they come from elsewhere."
    )
    path: list[str] = Field(default=[], description="Templates of request paths that carry holes, such as the model.")
    tables: Free = Field(default={}, description="Named alternatives of shapes.")
    messages: list[Any] = Field(default=[], description="How messages stand in a request.")
    request: Free = Field(description="The shape of a request.")
    answer: Free = Field(description="The shape of a whole answer.")
    piece: Free | None = Field(
        default=None, description="The shape of a streamed piece, where an answer comes in pieces of its own form."
    )
    error: Free | None = Field(default=None, description="The shape of an answer that is an error.")
    count: Free | None = Field(
        default=None,
        description="How a request is asked how many tokens it has: the keys of the request that are sent (`only`), "
        "the shape of keys that are added (`add`), the key that all stands in (`inside`), the shape of the `answer`.",
    )
    usage: Free = Field(default={}, description="Token counts as paths, or sums of paths, into the usage object.")
    stream: Free | None = Field(default=None, description="How a stream is read and written.")

    _document: Document = PrivateAttr()

    def faults(self) -> Iterator[tuple[Place, str]]:
        of_chats = {"messages": self.messages, "stream": self.stream, "count": self.count}
        for key, value in of_chats.items():
            if self.service != "chat" and value:
                yield (key,), f"only a format for chats has `{key}`"

    @property
    def document(self) -> Document:
        """The file's data and positions."""
        return self._document
