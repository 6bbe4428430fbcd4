"""The shape of a JSON object: it alone has parts of its own, and so keeps a complement key by key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import notation as n
from .operators import FAIL, KEEP, MISSING
from .shapes import Captures, HoleShape, Rest, Shape, ThingShape, Writing, equal, pour

if TYPE_CHECKING:
    from .tables import Table


@dataclass(slots=True)
class Entry:
    first: str
    others: tuple[str, ...]
    optional: bool
    shape: Shape
    noted: (
        bool  # what is written when there is nothing to say: a constant, a default, an `$else`; absence is then noted
    )
    const: Any  # the constant, or ABSENT
    pool: str | None  # the list of the thing itself that this entry takes from
    tables: list[Table]
    quick: str  # the hole that is all there is to say here, if so: without a value, nothing is written


class ObjShape:
    def __init__(self, entries: list[Entry], also: list[ThingShape]) -> None:
        self.entries, self.also = entries, also
        self.must = [e for e in entries if not e.optional and e.const is not n.ABSENT]
        self.others = [e for e in entries if e.optional or e.const is n.ABSENT]
        self.firsts = {e.first for e in entries} | {"$"}
        pools = [e.pool for e in entries if e.pool]
        self.shared = {pool: [e for e in entries if e.pool == pool] for pool in pools if pools.count(pool) > 1}
        # what the thing itself must have for this shape to be written
        self.required = {e.shape.name for e in entries if isinstance(e.shape, HoleShape) and not e.optional}

    def match(self, value: Any, got: Captures, used: set[str] | None = None) -> Rest:
        """With `used`, another shape reads the same object: say which keys were read, and leave the others to it."""
        if type(value) is not dict:
            return FAIL
        for e in self.must:
            if not equal(value.get(e.first, n.ABSENT), e.const):
                return FAIL
        rest: Captures = {}
        notes: Captures = {}
        own: Captures = {}
        read = {e.first for e in self.must}
        for e in self.others:
            key = e.first
            if key not in value:
                for key in e.others:
                    if key in value:
                        notes.setdefault("as", {})[e.first] = key
                        break
                else:
                    if not e.optional:
                        return FAIL
                    if e.noted:
                        notes.setdefault("no", []).append(e.first)
                    continue
            found = value[key]
            left = e.shape.match(found, own)
            if left is FAIL:
                if not e.optional or e.const is not n.ABSENT:
                    return FAIL
                left = KEEP
            read.add(key)
            if left is KEEP:
                rest[e.first] = {"$raw": found}
            elif left is not None:
                rest[e.first] = left
        for other in self.also:
            if other.match(value, own, read) is FAIL and not other.optional:
                return FAIL
        if used is None:
            if len(read) < len(value):
                for key in value:
                    if key == "$":
                        notes["$"] = value[key]
                    elif key not in read:
                        rest[key] = value[key]
        else:
            used |= read
        if notes:
            rest["$"] = notes
        pour(own, got)
        if not own and not rest:
            return KEEP
        return rest or None

    def build(self, src: Captures, rest: Rest, out: Writing) -> Any:
        made: Captures = {}
        rest = rest if isinstance(rest, dict) else {}
        notes = rest.get("$", {})
        shares = self._shares(src, out) if self.shared else {}
        for e in self.entries:
            if e.quick and src.get(e.quick) is None and e.first not in rest:
                continue
            key = notes["as"].get(e.first, e.first) if "as" in notes else e.first
            own = rest.get(e.first)
            own = own if isinstance(own, dict) else None  # what else stands there is no complement of ours
            absent = e.noted and e.first in notes.get("no", ())
            if e.const is not n.ABSENT:
                if not absent:
                    made[key] = own["$raw"] if own is not None and "$raw" in own else e.shape.build(src, None, out)
                continue
            if e.first in shares:
                share = shares[e.first]
                if not share and e.optional and not e.noted and e.first not in rest:
                    continue
                src = {**src, e.pool or "": share}
            mark = out.mark()
            value = e.shape.build(src, own, out)
            nothing = out.filled == mark[0]
            if nothing and own is not None and "$raw" in own:
                out.undo(mark)
                made[key] = own["$raw"]
            elif value is MISSING:
                if not e.optional:
                    return MISSING
                out.filled = mark[0]
            elif nothing and e.optional and own is None and (absent or not e.noted):
                continue  # also a default that was not there, and still holds
            else:
                made[key] = value
        for other in self.also:
            laid = other.build(src, None, out)
            if isinstance(laid, dict):
                made = {**laid, **made}
        for key, value in rest.items():
            if key not in self.firsts:
                made.setdefault(key, value)
        if "$" in notes:
            made["$"] = notes["$"]
        return made

    def _shares(self, src: Captures, out: Writing) -> dict[str, list[Any]]:
        """Several entries take from one list: a part goes back to its home table, a new one to the first that takes
        it."""
        shares: dict[str, list[Any]] = {}
        for pool, slots in self.shared.items():
            shares.update((e.first, []) for e in slots)
            for thing in src.get(pool) or ():
                if (taker := _taker(slots, thing)) is None:
                    out.lose(thing.kind, thing)
                else:
                    shares[taker.first].append(thing)
        return shares

    def holes(self) -> set[str]:
        found = set().union(*(e.shape.holes() for e in self.entries)) if self.entries else set()
        return found.union(*(other.holes() for other in self.also))

    def tables(self) -> list[Table]:
        found = [t for e in self.entries if e.pool != "citations" for t in e.tables]
        return found + [t for other in self.also for t in other.tables()]


def _taker(slots: list[Entry], thing: Any) -> Entry | None:
    """The entry that a thing goes to: its home, else the first that takes it."""
    first: Entry | None = None
    for e in slots:
        for table in e.tables:
            if table.takes(thing):
                break
        else:
            continue
        if not thing.extra or any(table.is_home(thing) for table in e.tables):
            return e
        first = first or e
    return first
