"""YAML files as data, with the line of everything in them.

Reading costs one pass of the C loader. Lines are looked for when somebody asks, which is when something is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ai_protocol_runtime.types.errors import ManifestError

MAX_BYTES = 5_000_000
"""The largest file that is read."""
MAX_DEPTH = 64
"""How deep values may be nested. The C loader knows no limit of its own, and dies of a thousand times as much."""
MAX_VALUES = 1_000_000
"""How many values a file may have once its aliases are followed."""

Place = tuple[str | int, ...]
"""Where something stands: keys and list indices from the top."""

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BOOL = "tag:yaml.org,2002:bool"
_DATE = "tag:yaml.org,2002:timestamp"
_MERGE = "tag:yaml.org,2002:merge"
_BRACKET = re.compile(r"[\[{]|[\]}]")
_INDENT = re.compile(r"^[ ?-]*", re.MULTILINE)


class _Fault(yaml.MarkedYAMLError):
    """What YAML itself allows and a manifest must not have."""


class _Loader(_Base):  # type: ignore[misc]
    """The safe loader, with no key said twice, and as in YAML 1.2 (and editors) neither dates nor booleans but true and
    false: ``off`` and ``2026-01-31`` are texts."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _DATE and (tag != _BOOL or first in "tTfF")]
        for first, resolvers in _Base.yaml_implicit_resolvers.items()
    }

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._checked: set[int] = set()

    def flatten_mapping(self, node: MappingNode) -> None:
        # Merging puts further keys into the node: it is checked as it stands in the file, the first time it comes here.
        if id(node) not in self._checked:
            self._checked.add(id(node))
            lines: dict[str, int] = {}
            for key, _ in node.value:
                if isinstance(key, ScalarNode):
                    line = key.start_mark.line + 1
                    if key.value in lines:
                        said = f"key `{key.value}` stands twice, first in line {lines[key.value]}"
                        raise _Fault(None, None, said, key.start_mark)
                    lines[key.value] = line
        super().flatten_mapping(node)


class Document:
    """One YAML file: `file` as it is named in errors, and `data`, its mapping.

    Values behind an alias are one object wherever they are used: nothing may be changed in `data`.
    """

    __slots__ = ("_base", "_root", "_text", "data", "file")

    def __init__(self, file: str, data: dict[str, Any], text: str = "", base: Document | None = None) -> None:
        self.file = file
        self.data = data
        self._text = text
        self._base = base
        self._root: Node | None = None

    @classmethod
    def read(cls, path: Path) -> Document:
        """The file at `path`. Raises `ManifestError`, with the line, where it is no YAML mapping or cannot be read."""
        try:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise ManifestError(f"cannot be read: {error.strerror}", file=str(path)) from None
        return cls.parse(content, str(path))

    @classmethod
    def parse(cls, content: bytes | str, file: str) -> Document:
        """The same for the content of a file."""
        if len(content) > MAX_BYTES:
            raise ManifestError(f"is larger than {MAX_BYTES} bytes", file=file)
        try:
            text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
        except UnicodeDecodeError as error:
            raise ManifestError(f"is no UTF-8: {error.reason} at byte {error.start}", file=file) from None
        data = _load(text, file)
        if not isinstance(data, dict):
            raise ManifestError("a manifest is a mapping of keys to values", file=file, line=1)
        return cls(file, data, text)

    def over(self, base: Document, *, without: Collection[str] = ()) -> Document:
        """This document laid over another: maps are merged, lists and values replaced, and null takes away.

        An error names its own file. The keys `without` are not taken from the other.
        """
        below = {key: value for key, value in base.data.items() if key not in without}
        return Document(self.file, merged(self.data, below), self._text, base)

    def line(self, path: Place) -> int | None:
        """The line, from 1, of what stands at `path` in this file; None if nothing does."""
        node, line = self._node(), 1
        for part in path:
            found = _child(node, part)
            if found is None:
                return None
            node, line = found
        return line

    def error(self, path: Place, message: str) -> ManifestError:
        """An error about what stands at `path`, or should: file, key and the line of it, or of what it would be in."""
        place = self
        if _holds(self.data, path):
            while place.line(path) is None and place._base is not None:
                place = place._base
        line = next(line for n in range(len(path), -1, -1) if (line := place.line(path[:n])) is not None)
        return ManifestError(message, file=place.file, line=line, key=dotted(path) or None)

    def _node(self) -> Node | None:
        if self._root is None and self._text:
            self._root = _Loader(self._text).get_single_node()
        return self._root


def dotted(path: Place) -> str:
    """``a.b[0].c``"""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def merged(top: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    """`top` laid over `base`: maps are merged, keys of `base` first, all else is replaced, and null takes away."""
    out = dict(base)
    for key, value in top.items():
        below = base.get(key)
        if value is None and key in base:
            del out[key]
        else:
            out[key] = merged(value, below) if isinstance(value, dict) and isinstance(below, dict) else value
    return out


def _holds(data: Any, path: Place) -> bool:
    for part in path:
        try:
            data = data[part]
        except (LookupError, TypeError):
            return False
    return True


def _load(text: str, file: str) -> Any:
    try:
        if _depth(text) > MAX_DEPTH:
            raise ManifestError(f"is nested more than {MAX_DEPTH} deep", file=file)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if "*" in text:
                _measure(node, {})
            return None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.context, error.problem) if part)
        raise ManifestError(said, file=file, line=None if mark is None else mark.line + 1) from None
    except yaml.reader.ReaderError as error:
        # The C loader counts its position in bytes.
        line = text.partition(chr(error.character))[0].count("\n") + 1
        raise ManifestError(f"character U+{error.character:04X}: {error.reason}", file=file, line=line) from None
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        raise ManifestError(f"a value does not fit its tag: {error}", file=file) from None


def _depth(text: str) -> int:
    """No less than how deep the text is nested: by its brackets, wherever they stand, and by its indentation."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(text):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest + max(map(len, _INDENT.findall(text))) // 2


def _measure(node: Node | None, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Values and depth of a node, aliases followed. Raises _Fault where that is too much, or without end."""
    if node is None or isinstance(node, ScalarNode):
        return 1, 0
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = MAX_VALUES, MAX_DEPTH  # until it is known: only what contains itself meets this
    inner = node.value if isinstance(node, SequenceNode) else [value for _, value in node.value]
    sizes = [_measure(value, known) for value in inner]
    size, depth = 1 + sum(size for size, _ in sizes), 1 + max((depth for _, depth in sizes), default=0)
    if size > MAX_VALUES or depth > MAX_DEPTH:
        raise _Fault(None, None, "the aliases in it make it too large", node.start_mark)
    known[id(node)] = size, depth
    return size, depth


def _child(node: Node | None, part: str | int) -> tuple[Node, int] | None:
    """The value of a key or an index in a node, and the line where it begins."""
    if isinstance(node, SequenceNode):
        if isinstance(part, int) and 0 <= part < len(node.value):
            return node.value[part], node.value[part].start_mark.line + 1
        return None
    if not isinstance(node, MappingNode):
        return None
    for key, value in node.value:
        if isinstance(key, ScalarNode) and key.value == str(part) and key.tag != _MERGE:
            return value, key.start_mark.line + 1
    for key, value in node.value:
        if key.tag == _MERGE:
            for source in value.value if isinstance(value, SequenceNode) else [value]:
                found = _child(source, part)
                if found is not None:
                    return found
    return None
