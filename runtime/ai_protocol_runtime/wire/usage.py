"""Token counts: a provider's own object <-> the unified algebra, by the sums that a wire format declares.

``input: input_tokens + cache_read_input_tokens`` says that our `input` is the sum of two of its numbers. Read, a
sum is the terms that are there, and unknown if none is; ``+ 0`` makes it 0 instead (for wires that leave zeros
out). Written, a sum is solved for its one unknown term.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ai_protocol_runtime.types import Usage

from .operators import FAIL, Operator

FIELDS = frozenset(f.name for f in fields(Usage)) - {"raw", "extra"} | {"total"}


@dataclass(frozen=True, slots=True)
class Sum:
    field: str
    terms: tuple[tuple[str, ...], ...]
    zero: bool


def parse(field: str, text: str) -> Sum:
    terms = [term.strip() for term in text.split("+")]
    return Sum(field, tuple(tuple(t.split(".")) for t in terms if t != "0"), "0" in terms)


def operator(equations: dict[str, str], wire: str) -> Operator:
    sums = [parse(field, text) for field, text in equations.items()]

    def decode(raw: Any) -> Any:
        if type(raw) is not dict:
            return FAIL
        usage = Usage(raw=raw, extra={"wire": wire})
        for s in sums:
            if s.field == "total":
                continue
            found = [v for v in (_at(raw, path) for path in s.terms) if v is not None]
            if found or s.zero:
                setattr(usage, s.field, sum(found))
        return usage

    def encode(usage: Any) -> Any:
        if not isinstance(usage, Usage):
            return FAIL
        own = usage.raw is not None and usage.extra is not None and usage.extra.get("wire") == wire
        if own and decode(usage.raw) == usage:
            return usage.raw
        out: dict[str, Any] = {}
        for s in sorted(sums, key=lambda s: len(s.terms)):
            value = getattr(usage, s.field)
            if value is None and s.zero and len(s.terms) == 1:
                value = 0
            if value is None:
                continue
            known = [_at(out, path) for path in s.terms]
            for path, have in zip(s.terms, known, strict=True):
                if have is None:
                    _put(out, path, max(0, value - sum(v for v in known if v is not None)))
                    break
        return out

    return Operator("usage", decode, encode)


def _at(raw: Any, path: tuple[str, ...]) -> int | None:
    for key in path:
        raw = raw.get(key) if isinstance(raw, dict) else None
    return raw if isinstance(raw, int) and not isinstance(raw, bool) else None


def _put(out: dict[str, Any], path: tuple[str, ...], value: int) -> None:
    for key in path[:-1]:
        out = out.setdefault(key, {})
    out[path[-1]] = value
