"""Log-probabilities of a simulated text: made up, the same for the same text."""

from __future__ import annotations

import math
from typing import Any

from .tokens import tokens


def logprobs(text: str, alternatives: int) -> list[dict[str, Any]]:
    """One entry a token: the surer, the longer the token is. `alternatives` others follow it."""
    entries = []
    for token in tokens(text):
        chance = 1 - 1 / (len(token) + 2)
        others = [(token, chance)] + [("?" * i, (1 - chance) / 2**i) for i in range(1, alternatives)]
        top = [_entry(other, p) for other, p in others[:alternatives]]
        entries.append({**_entry(token, chance), "top_logprobs": top})
    return entries


def _entry(token: str, chance: float) -> dict[str, Any]:
    return {"token": token, "logprob": round(math.log(chance), 6), "bytes": list(token.encode())}
