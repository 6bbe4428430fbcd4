"""What is ranked, and what comes back: how well each document answers a query."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from .answer import Call
from .parts import Extra
from .usage import Usage


@dataclass(slots=True)
class RankDocument:
    """A document to be ranked."""

    text: str = ""
    extra: Extra | None = None
    kind: ClassVar[str] = "document"


@dataclass(slots=True)
class RankRequest:
    """One call of a reranking model. None always means "not said".

    `top_n`: how many of the best are wanted. `max_tokens`: tokens of each document that are read; `truncate`: whether
    what is too long is cut (True) or refused.
    """

    model: str | None = None
    query: str = ""
    documents: list[RankDocument] = field(default_factory=list)
    top_n: int | None = None
    max_tokens: int | None = None
    truncate: bool | None = None
    extra: Extra | None = None
    kind: ClassVar[str] = "rank_request"


@dataclass(slots=True)
class Ranked:
    """A document's place in the request (`index`, from 0) and its `score`: higher is better. How scores are scaled is
    the model's own affair; most are between 0 and 1."""

    index: int = 0
    score: float = 0.0
    document: RankDocument | None = None
    extra: Extra | None = None
    kind: ClassVar[str] = "ranked"


@dataclass(slots=True)
class Ranking:
    """The answer to a `RankRequest`: the documents, best first."""

    id: str | None = None
    model: str | None = None
    results: list[Ranked] = field(default_factory=list)
    usage: Usage | None = None
    error: Any = None
    extra: Extra | None = None
    call: Call | None = field(default=None, compare=False)
    kind: ClassVar[str] = "ranking"
