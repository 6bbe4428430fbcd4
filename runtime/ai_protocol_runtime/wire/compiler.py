"""From the nodes of one wire format's notation to compiled shapes and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ai_protocol_runtime.types.errors import ManifestError

from . import notation as n
from . import operators, usage
from .kinds import KINDS, SERVICES, STRUCTURE, Kind
from .objects import Entry, ObjShape
from .shapes import (
    ConstShape,
    ElementShape,
    HoleShape,
    ItemsShape,
    JoinShape,
    OneOfShape,
    ReferShape,
    Shape,
    SingleShape,
    TemplateShape,
    ThingShape,
)
from .tables import Group, Table, Variant, required_of

Fault = Callable[[n.Path, str], ManifestError]


class Compiler:
    """Compiles the shapes of one wire format; `fault` makes the error for a path in its file."""

    def __init__(self, data: dict[str, Any], fault: Fault) -> None:
        self.data, self.fault = data, fault
        self.wire: str = data["id"]
        self.maps = {name: operators.mapping(name, table) for name, table in (data.get("maps") or {}).items()}
        for name in self.maps:
            if operators.find(name) or name in (data.get("tables") or {}):
                raise fault(("maps", name), f"`{name}` is also an operator or a table; call it something else")
        named = dict(self.maps)
        self.usage = usage.operator(data.get("usage") or {}, self.wire)
        if "usage" in data:
            for field in data["usage"]:
                if field not in usage.FIELDS:
                    raise fault(
                        ("usage", field), f"usage has no `{field}`{n.nearest(str(field), sorted(usage.FIELDS))}"
                    )
            named["usage"] = self.usage
        sources: dict[str, Any] = dict(data.get("tables") or {})
        paths: dict[str, n.Path] = {name: ("tables", name) for name in sources}
        self.asked, self.answered = SERVICES[data.get("service") or "chat"]
        for name in ("answer", "piece"):  # an answer can stand inside an event, so they are tables too
            if name in data:
                sources[name] = {self.answered: data[name]}
                paths[name] = ()
        self.sources, self.paths = sources, paths
        self.notation = n.Notation(named, frozenset(sources), fault)
        private = frozenset(data.get("private") or ())
        derived = frozenset(data.get("derived") or ())
        self.tables = {name: Table(name, self.wire, private, derived) for name in sources}
        self.nodes: dict[tuple[str, str, int], n.Node] = {}
        for name in sources:
            self._table(name)
        self._resolve()

    # tables

    def _table(self, name: str) -> None:
        source, path, table = self.sources[name], self.paths[name], self.tables[name]
        if not isinstance(source, dict):
            raise self.fault(path, "a table is `kind: shape` or `kind: [shapes]`")
        for key, shapes in source.items():
            here = (*path, key) if path else (name,)
            if key == "$raw":
                table.keep_raw = bool(shapes)
            elif key == "group":
                self._group(table, shapes, here)
            elif key not in KINDS:
                raise self.fault(here, f"`{key}` is no kind of thing{n.nearest(str(key), [*KINDS, 'group'])}")
            else:
                table.kinds[key] = []
                for number, shape in enumerate(shapes if isinstance(shapes, list) else [shapes]):
                    where = (*here, number) if isinstance(shapes, list) else here
                    node = self.notation.read(shape, where)
                    self.nodes[name, key, number] = node
                    table.kinds[key].append(Variant(KINDS[key], number, self.shape(node, where), set(), set(), set()))

    def _group(self, table: Table, data: Any, path: n.Path) -> None:
        node = self.notation.read(data, path)
        items = [e.node for e in node.entries if isinstance(e.node, n.Items)] if isinstance(node, n.Obj) else []
        shape = self.shape(node, path)
        if len(items) != 1 or not isinstance(shape, ObjShape) or items[0].hole.table is None:
            raise self.fault(path, "a group is an object with one list of things: `content: [$parts | table]`")
        table.group = Group(shape, self.tables[items[0].hole.table], items[0].hole.name)

    def _resolve(self) -> None:
        """Which holes of a table's shapes belong to the thing, and which to what stands around it."""
        for table in self.tables.values():
            if table.kinds and table.kinds.keys() <= STRUCTURE:
                table.keep_raw = False
            for variants in table.kinds.values():
                for v in variants:
                    v.required = required_of(v.shape) & v.kind.fields
            table.ready()
        changed = True
        while changed:  # tables name each other, so until nothing moves
            changed = False
            for table in self.tables.values():
                for v in table.variants:
                    holes = v.shape.holes()
                    if holes != v.holes:
                        v.holes, v.outer, changed = holes, holes - v.kind.fields, True
                table.outer = set().union(*(v.outer for v in table.variants)) if table.variants else set()
        for name, table in self.tables.items():
            top = name in ("answer", "piece")
            if top:
                self.check(table.outer, KINDS[self.answered], (name,))
            known = {f for kind in KINDS.values() for f in kind.fields}
            for hole in table.outer - known:
                path = self.paths[name]
                raise self.fault(path, f"`${hole}` is a field of nothing{n.nearest(hole, sorted(known))}")

    def check(self, holes: set[str], kind: Kind, path: n.Path, besides: frozenset[str] = frozenset()) -> None:
        """Every hole of a top shape must be a field of what it reads."""
        for hole in sorted(holes - kind.fields - besides):
            where = next(self._find("$" + hole, path), path)
            raise self.fault(where, f"{kind.name} has no field `{hole}`{n.nearest(hole, sorted(kind.fields))}")

    def _find(self, text: str, path: n.Path) -> Iterator[n.Path]:
        data: Any = self.data
        for key in path:
            data = data[key]
        stack: list[tuple[Any, n.Path]] = [(data, path)]
        while stack:
            value, here = stack.pop()
            if isinstance(value, dict):
                stack += [(v, (*here, k)) for k, v in value.items()]
            elif isinstance(value, list):
                stack += [(v, (*here, k)) for k, v in enumerate(value)]
            elif isinstance(value, str) and text in value:
                yield here

    # shapes

    def shape(self, node: n.Node, path: n.Path) -> Shape:
        if isinstance(node, n.Const):
            return ConstShape(node.value)
        if isinstance(node, n.Hole):
            return self._hole(node)
        if isinstance(node, n.Template):
            return TemplateShape(node)
        if isinstance(node, n.Items):
            return ItemsShape(node.hole, self.tables[node.hole.table or ""])
        if isinstance(node, n.Single):
            return SingleShape(node.hole)
        if isinstance(node, n.OneOf):
            return OneOfShape([self.shape(o, path) for o in node.options], node.otherwise)
        if isinstance(node, n.Refer):
            return ReferShape(node, ItemsShape(node.items.hole, self.tables[node.items.hole.table or ""]))
        if isinstance(node, n.Join):
            return JoinShape(self.shape(node.shape, path), node.hole.name, node.otherwise)
        return self._object(node, path)

    def _hole(self, hole: n.Hole) -> HoleShape | ThingShape | ElementShape:
        if hole.table is None:
            return HoleShape(hole)
        if hole.name == "part":
            return ElementShape(hole.name, self.tables[hole.table])
        return ThingShape(hole, self.tables[hole.table], _is_list(hole.name))

    def _object(self, node: n.Obj, path: n.Path) -> ObjShape:
        entries = []
        for e in node.entries:
            shape = self.shape(e.node, (*path, e.names[0]))
            tables = shape.tables()
            pools = sorted(_pools(e.node)) if tables else []
            if len(pools) > 1:
                raise self.fault(
                    (*path, e.names[0]), f"a key takes things from one list, not from {' and '.join(pools)}"
                )
            const = e.node.value if isinstance(e.node, n.Const) else n.ABSENT
            noted = (
                (const is not n.ABSENT and e.optional)
                or (isinstance(e.node, n.Hole) and e.node.default is not n.ABSENT)
                or (isinstance(e.node, (n.OneOf, n.Join)) and e.node.otherwise is not n.ABSENT)
            )
            pool = pools[0] if pools else None
            quick = shape.name if isinstance(shape, HoleShape) and shape.optional and not noted else ""
            entries.append(Entry(e.names[0], e.names[1:], e.optional, shape, noted, const, pool, tables, quick))
        also = [shape for shape in map(self._hole, node.also) if isinstance(shape, ThingShape)]
        return ObjShape(entries, also)


def _is_list(name: str) -> bool:
    """Whether this field holds a list of things."""
    return any(name in kind.lists for kind in KINDS.values())


def _pools(node: n.Node) -> set[str]:
    """Names of the lists that a node takes things from."""
    if isinstance(node, n.Items):
        return {node.hole.name}
    if isinstance(node, n.Hole):
        return {node.name} if node.table and _is_list(node.name) else set()
    if isinstance(node, n.OneOf):
        return set().union(*(_pools(o) for o in node.options))
    if isinstance(node, n.Obj):
        return set().union(*(_pools(e.node) for e in node.entries)) if node.entries else set()
    return set()
