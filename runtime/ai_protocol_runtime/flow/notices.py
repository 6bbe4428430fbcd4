"""Warnings: something was left out, or is not known."""

from __future__ import annotations

import warnings

from ai_protocol_runtime.types import Loss
from ai_protocol_runtime.types.errors import UnsupportedError


class UnsupportedWarning(UserWarning):
    """Something asked for was not sent, because the provider or its wire format has no place for it."""


class UnknownModelWarning(UserWarning):
    """No manifest knows this model; it is taken for a chat model that calls tools."""


def report_losses(losses: list[Loss], policy: str, told: set[tuple[str, str]], who: str) -> None:
    """Do with losses as `policy` says: ``drop`` them, ``warn`` of each kind once (`told` remembers), or ``error``.

    Raises `UnsupportedError`, which names them all. It is called two calls below the user's own, so that the warning
    points there.
    """
    if not losses or policy == "drop":
        return
    if policy == "error":
        raise UnsupportedError(f"{who} cannot be sent {'; '.join(map(str, losses))}")
    for loss in losses:
        if (loss.what, loss.reason) not in told:
            told.add((loss.what, loss.reason))
            warnings.warn(f"not sent to {who}: {loss}", UnsupportedWarning, stacklevel=4)
