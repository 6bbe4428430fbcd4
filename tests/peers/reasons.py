"""The reasons of reasons.yaml: why the two send different things."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Reason:
    """`right`: who keeps to the `page`: ours, theirs or either."""

    peer: str
    inputs: str
    path: str
    right: str
    why: str
    page: str

    def __post_init__(self) -> None:
        assert self.right in ("ours", "theirs", "either")
        assert self.page in _SAID["pages"]

    def explains(self, peer: str, given: str, path: str) -> bool:
        return fnmatchcase(peer, self.peer) and fnmatchcase(given, self.inputs) and fnmatchcase(path, self.path)


_SAID = yaml.safe_load((Path(__file__).parent / "reasons.yaml").read_text())
REASONS = [Reason(**said) for said in _SAID["reasons"]]


def explained(peer: str, given: str, path: str) -> bool:
    return any(reason.explains(peer, given, path) for reason in REASONS)
