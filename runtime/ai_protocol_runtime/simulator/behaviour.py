"""What the name of a simulated model asks for: ``simulator/echo``, ``simulator/error-429``, ``simulator/slow-bot`` ...

Words stand between anything that is no letter and no digit, and may be combined:

    ============== ====================================================================================
    echo           says the user's last text back, exactly, whatever tools are offered
    think          reasons before it answers, asked to or not
    refuse         refuses
    silent         answers with no part at all
    slow           waits a twentieth of a second before each event of a stream
    error-STATUS   answers with this HTTP status (400 to 599) and an error body; 429 and 503 ask to retry in a second
    fail           reports an error in the middle of the stream; a whole answer is an HTTP 500
    cut            the body ends in the middle, as if it were complete
    drop           the connection breaks in the middle
    stall          nothing more comes after the middle
    garbled        the body is not JSON
    ============== ====================================================================================

Any other name is a model that answers politely.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

SLOW = 0.05
ENDINGS = ("cut", "drop", "stall", "garbled")

_STATUS = re.compile(r"(?<![^\W_])error-([45]\d\d)(?![^\W_])")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a model does that a polite one does not.

    `status` is the HTTP error to answer with, `ending` ``complete`` or one of the words for how the body ends, `pace`
    the seconds before each event.
    """

    status: int | None = None
    echo: bool = False
    think: bool = False
    refuse: bool = False
    silent: bool = False
    fail: bool = False
    ending: str = "complete"
    pace: float = 0.0


@lru_cache(maxsize=256)
def behaviour(model: str) -> Behaviour:
    """Read from the words of a model's name."""
    name = model.lower()
    status = _STATUS.search(name)
    words = set(_WORD.findall(name))
    return Behaviour(
        status=int(status.group(1)) if status else None,
        pace=SLOW if "slow" in words else 0.0,
        ending=next((ending for ending in ENDINGS if ending in words), "complete"),
        **{word: word in words for word in ("echo", "think", "refuse", "silent", "fail")},
    )
