"""What is embedded, and what comes back: one vector of numbers for each input, in the order of the inputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from .answer import Call
from .parts import Extra, Part, Text
from .usage import Usage


@dataclass(slots=True)
class EmbeddingInput:
    """One thing to embed: a text, parts that become one vector together, or the model's own `tokens` of a text.

    `model`, `input_type` and `dimensions` are those of the request, for wires that say them with every input.
    """

    parts: list[Part] = field(default_factory=list)
    tokens: list[int] | None = None
    title: str | None = None
    model: str | None = None
    input_type: str | None = None
    dimensions: int | None = None
    extra: Extra | None = None
    kind: ClassVar[str] = "input"

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, Text))


@dataclass(slots=True)
class EmbeddingRequest:
    """One call of an embedding model. None always means "not said".

    `input_type`: what the vectors are for: ``query``, ``document``, ``classification``, ``clustering``,
    ``similarity`` (or the provider's own word). `dimensions`: how many numbers a vector is to have. `truncate`: whether
    inputs that are too long are cut (True) or refused; `encoding`: how vectors travel (``float``, ``base64``).
    """

    model: str | None = None
    inputs: list[EmbeddingInput] = field(default_factory=list)
    input_type: str | None = None
    dimensions: int | None = None
    encoding: str | None = None
    truncate: bool | None = None
    user: str | None = None
    extra: Extra | None = None
    kind: ClassVar[str] = "embedding_request"


@dataclass(slots=True)
class Embedding:
    """The vector of one input; `index` is the input's place among them, from 0."""

    vector: list[float] = field(default_factory=list)
    index: int | None = None
    extra: Extra | None = None
    kind: ClassVar[str] = "embedding"


@dataclass(slots=True)
class Embeddings:
    """The answer to an `EmbeddingRequest`, or to several, joined. `usage` counts the tokens of all inputs."""

    id: str | None = None
    model: str | None = None
    embeddings: list[Embedding] = field(default_factory=list)
    usage: Usage | None = None
    error: Any = None
    extra: Extra | None = None
    call: Call | None = field(default=None, compare=False)
    kind: ClassVar[str] = "embeddings"

    @property
    def vectors(self) -> list[list[float]]:
        """The vectors alone, in the order of the inputs."""
        return [embedding.vector for embedding in self.embeddings]
