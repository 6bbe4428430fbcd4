"""A short text that changes whenever the manifests behind an answer say something else."""

from __future__ import annotations

import json
from functools import lru_cache
from hashlib import sha256
from typing import Any

from pydantic import BaseModel

from ai_protocol_runtime.manifest import Manifests


def fingerprint(known: Manifests, provider: str, protocol: str, model: str) -> str:
    """16 hexadecimal digits of what the manifests of a provider, one of its wire formats and a model say now.

    They are the same in every process; comments and the order of keys do not count.
    """
    entry = known.model(provider, model)
    documents = (known.provider(provider), known.wire(protocol), *(() if entry is None else (entry,)))
    return _short("".join(_digest(_Same(document)) for document in documents))


class _Same:
    """A document by its identity: one that has been edited is another object."""

    __slots__ = ("document",)

    def __init__(self, document: BaseModel) -> None:
        self.document = document

    def __hash__(self) -> int:
        return id(self.document)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.document is other.document


@lru_cache(maxsize=256)
def _digest(same: _Same) -> str:
    said: Any = same.document.model_dump(mode="json")
    return _short(json.dumps(said, sort_keys=True))


def _short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]
