"""Warnings: something was left out, or is not known."""

from __future__ import annotations

import sys
import warnings

from ai_protocol_runtime.types import Loss
from ai_protocol_runtime.types.errors import UnsupportedError


class UnsupportedWarning(UserWarning):
    """Something asked for was not sent, because the provider or its wire format has no place for it."""


class UnknownModelWarning(UserWarning):
    """No manifest knows this model; it is taken for a chat model that calls tools."""


def report_losses(losses: list[Loss], policy: str, told: set[tuple[str, str]], who: str) -> None:
    """Do with losses as `policy` says: ``drop`` them, ``warn`` of each kind once (`told` remembers), or ``error``.

    Raises `UnsupportedError`, which names them all.
    """
    if not losses or policy == "drop":
        return
    if policy == "error":
        raise UnsupportedError(f"{who} cannot be sent {'; '.join(map(str, losses))}")
    for loss in losses:
        if (loss.what, loss.reason) not in told:
            told.add((loss.what, loss.reason))
            warn(f"not sent to {who}: {loss}", UnsupportedWarning)


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the line that called into these packages, be it by way of a framework's own code."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_BETWEEN):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


_BETWEEN = (
    "ai_protocol_runtime.",
    "ai_protocol_integrations.",
    "langchain_core.",
    "llama_index.",
    "llama_index_",
    "pydantic.",
)
