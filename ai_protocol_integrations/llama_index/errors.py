"""What a call of the LLM raises: the tree of `ai_protocol_runtime.types.errors`, and what only an answer can be at
fault for.

LlamaIndex has no errors of its own for models; where its code expects a `ValueError`, these are one.
"""

from __future__ import annotations

from ai_protocol_runtime.types.errors import AIProtocolError


class OutputError(AIProtocolError, ValueError):
    """The model has answered, but not with what was asked for: no tool call, arguments that are no JSON, or an object
    that does not satisfy its schema. `output` is what came instead."""

    def __init__(self, message: str, output: str | None = None) -> None:
        super().__init__(message)
        self.output = output


class RefusalError(OutputError):
    """The model refused to answer, or was kept from it; the message says how. The same question is refused again."""


__all__ = ["OutputError", "RefusalError"]
