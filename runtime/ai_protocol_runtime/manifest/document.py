"""YAML files as data, with the line of everything in them.

Reading costs one pass of the C loader. Lines are looked for when somebody asks, which is when something is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ai_protocol_runtime.types.errors import ManifestError

MAX_BYTES = 5_000_000
"""The largest manifest that is read."""
MAX_NODES = 500_000
"""How many values a manifest may have once its aliases are followed."""
MAX_DEPTH = 100
"""How deep the values of a manifest may be nested."""

Place = tuple[str | int, ...]
"""Where something stands in a file: keys and list indices from the top."""

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BOOL = "tag:yaml.org,2002:bool"
_MERGE = "tag:yaml.org,2002:merge"


class _Loader(_Base):  # type: ignore[misc]
    """The safe loader; only true and false are booleans, as in YAML 1.2 and in editors, and keys said twice are noted."""

    yaml_implicit_resolvers = {  # noqa: RUF012  (as the base class has it)
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL or first in "tTfF"]
        for first, resolvers in _Base.yaml_implicit_resolvers.items()
    }

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.twice: list[tuple[str, int, int]] = []

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:
        first: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if isinstance(key, ScalarNode):
                line = key.start_mark.line + 1
                before = first.setdefault((key.tag, key.value), line)
                if before is not line and key.start_mark.index != 0:
                    self.twice.append((key.value, before, line))
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping
