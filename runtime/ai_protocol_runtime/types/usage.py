"""Token counts in one algebra.

`input` includes everything the model read (cache reads and writes too), `output` everything it wrote (reasoning too);
the details are parts of those two, never on top of them. How a provider's own numbers give these is written in the
wire format (`usage:`); its object is kept as `raw`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from .parts import Extra


@dataclass(slots=True)
class Usage:
    """Counts of tokens; None where the provider does not say."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    raw: dict[str, Any] | None = None
    extra: Extra | None = None
    kind: ClassVar[str] = "usage"

    @property
    def total(self) -> int | None:
        """`input` + `output`, None where neither is known."""
        if self.input is None and self.output is None:
            return None
        return (self.input or 0) + (self.output or 0)

    def __add__(self, other: Usage) -> Usage:
        """The usage of two calls together; `raw` objects are not added."""
        return Usage(
            _plus(self.input, other.input),
            _plus(self.output, other.output),
            _plus(self.cache_read, other.cache_read),
            _plus(self.cache_write, other.cache_write),
            _plus(self.reasoning, other.reasoning),
            _plus(self.audio_input, other.audio_input),
            _plus(self.audio_output, other.audio_output),
        )


def _plus(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else a + b
