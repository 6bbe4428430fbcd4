"""A wire format's counting: a request of the chat format, asked how many tokens it has instead of for an answer."""

from __future__ import annotations

from typing import Any

from ai_protocol_runtime.types import Usage
from ai_protocol_runtime.types.errors import MalformedResponseError

from .compiler import Compiler
from .kinds import KINDS
from .objects import ObjShape
from .operators import FAIL
from .shapes import Writing


class Counting:
    """Compiled from a wire format's `count`.

    `only`: keys of the chat request that are sent, where not all are; `add`: the shape of keys that are sent besides;
    `inside`: the key in which all of it stands; `answer`: the shape of the count.
    """

    def __init__(self, data: dict[str, Any], compiler: Compiler) -> None:
        for key in data:
            if key not in _KEYS:
                raise compiler.fault(("count", key), f"`count` has no key `{key}`; it knows {', '.join(_KEYS)}")
        if "answer" not in data:
            raise compiler.fault(("count",), "`count` needs an `answer`")
        self._wire = compiler.wire
        self._only = frozenset(data["only"]) if "only" in data else None
        self._inside: str | None = data.get("inside")
        self._add = self._shape(compiler, data.get("add") or {}, "add")
        compiler.check(self._add.holes(), KINDS["request"], ("count", "add"))
        self._answer = self._shape(compiler, data["answer"], "answer")
        compiler.check(self._answer.holes(), KINDS["usage"], ("count", "answer"))

    @staticmethod
    def _shape(compiler: Compiler, source: Any, name: str) -> ObjShape:
        shape = compiler.shape(compiler.notation.read(source, ("count", name)), ("count", name))
        if not isinstance(shape, ObjShape):
            raise compiler.fault(("count", name), f"`{name}` is an object")
        return shape

    def encode_request(self, body: dict[str, Any], model: str) -> dict[str, Any]:
        """The body of a request for a count, from the body of the request for an answer."""
        added = self._add.build({"model": model}, None, Writing(self._wire))
        kept = body if self._only is None else {key: value for key, value in body.items() if key in self._only}
        counted = {**kept, **added}
        return counted if self._inside is None else {self._inside: counted}

    def decode_request(self, body: Any) -> Any:
        """The body of the chat request that is to be counted."""
        if self._inside is None or not isinstance(body, dict):
            return body
        return body.get(self._inside, body)

    def decode_answer(self, body: Any) -> Usage:
        """The count. Raises MalformedResponseError where there is none."""
        own: dict[str, Any] = {}
        if self._answer.match(body, own) is FAIL:
            raise MalformedResponseError(f"this is no count of {self._wire}", body=body)
        return Usage(**own, raw=body, extra={"wire": self._wire})

    def encode_answer(self, usage: Usage) -> Any:
        counts = {name: getattr(usage, name) for name in KINDS["usage"].fields}
        return self._answer.build(counts, None, Writing(self._wire, answer=True))


_KEYS = ("only", "add", "inside", "answer")
