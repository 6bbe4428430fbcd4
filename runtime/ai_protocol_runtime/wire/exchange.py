"""What every wire format is made of: the shape of what is asked, and the shape of what is answered or refused."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from ai_protocol_runtime.types import Loss
from ai_protocol_runtime.types.errors import MalformedResponseError

from . import notation as n
from .compiler import Compiler, Fault
from .kinds import KINDS
from .objects import ObjShape
from .operators import FAIL, KEEP, MISSING
from .shapes import Captures, HoleShape, Writing


class Exchange:
    """A compiled wire format. Immutable, and safe to share between threads."""

    def __init__(self, data: dict[str, Any], fault: Fault) -> None:
        compiler = Compiler(data, fault)
        self.id: str = data["id"]
        self.data = data
        self.compiler = compiler
        self.answers = compiler.tables["answer"]
        self._paths = [_path_pattern(p) for p in data.get("path") or ()]
        self._in_path = {name for p in self._paths for name in p.groupindex}
        self._error = (
            compiler.shape(compiler.notation.read(data["error"], ("error",)), ("error",)) if "error" in data else None
        )
        node = compiler.notation.read(data["request"], ("request",))
        request = compiler.shape(node, ("request",))
        if not isinstance(request, ObjShape):
            raise fault(("request",), "a request is an object")
        self._request = request
        self._asked = KINDS[compiler.asked]
        compiler.check(request.holes(), self._asked, ("request",))
        defaults = ((e.shape.name, e.shape.default) for e in request.entries if isinstance(e.shape, HoleShape))
        self.demands = {name: default for name, default in defaults if name and default is not n.ABSENT}
        """Fields that a request has to have, and what it says where nobody does."""
        self._unsaid = sorted(self._asked.fields - request.holes() - self._in_path)

    # requests

    def _write(self, request: Any, out: Writing) -> dict[str, Any]:
        """The body of a request; what the format demands and what it has no place for is lost in `out`."""
        src = {name: getattr(request, name) for name in self._asked.ordered}
        for name in self._in_path:
            src.pop(name, None)
        rest = request.extra.get("rest") if self.is_own(request) else None
        body = self._request.build(src, rest, out)
        if not isinstance(body, dict):
            missing = sorted(r for r in self._request.required if src.get(r) is None)
            out.lose("request", missing, "the wire format demands it")
            body = {}
        return body

    def _lose_unsaid(self, request: Any, out: Writing) -> None:
        for name in self._unsaid:
            value = getattr(request, name)
            if value is not None and value not in ([], ""):
                out.lose(name, value)

    def _read(self, body: Any, path: str) -> tuple[Captures, dict[str, Any]]:
        """What a request says, in its body and its path, and its `extra`."""
        own: Captures = {}
        rest = self._request.match(body, own) if isinstance(body, dict) else FAIL
        if rest is FAIL:
            raise MalformedResponseError(f"this is no {self.id} request")
        for pattern in self._paths:
            found = pattern.search(path)
            if found is not None:
                own.update({k: unquote(v) for k, v in found.groupdict().items() if v is not None})
                break
        extra: dict[str, Any] = {"wire": self.id}
        if rest is not None and rest is not KEEP:
            extra["rest"] = rest
        return own, extra

    def is_own(self, thing: Any) -> bool:
        """Whether it came from this wire."""
        return bool(thing.extra) and thing.extra.get("wire") == self.id

    # answers

    def _answered(self, body: Any, refused: type[Any]) -> Any:
        """The answer in this body: an error object where one should be is `refused` with that."""
        answer = self.answers.read_one(body, {})
        if answer is not FAIL:
            return answer
        error = self.error_in(body)
        if error is None:
            raise MalformedResponseError(f"this is no {self.id} answer", body=body)
        return refused(error=error, extra={"wire": self.id, "rest": body})

    def error_body(self, error: Any) -> Any:
        """An error object as this format sends it."""
        return (
            self._error.build({"error": error}, None, Writing(self.id, answer=True))
            if self._error
            else {"error": error}
        )

    def error_in(self, body: Any) -> Any:
        """The provider's own error object in this JSON, or None."""
        own: Captures = {}
        if self._error is None or self._error.match(body, own) is FAIL:
            return None
        return own.get("error")


class ServiceFormat(Exchange):
    """A wire format of a service that is asked once and answers once: embeddings, reranking.

    Requests and answers are those of `kinds.SERVICES`, by the format's `service`.
    """

    def __init__(self, data: dict[str, Any], fault: Fault) -> None:
        super().__init__(data, fault)
        inputs = [v for table in self.compiler.tables.values() for v in table.kinds.get("input", ())]
        said = set().union(*(v.holes for v in inputs))
        self._unsaid = [name for name in self._unsaid if name not in said]
        self._answer = KINDS[self.compiler.answered].cls

    def encode_request(self, request: Any, losses: list[Loss] | None = None) -> dict[str, Any]:
        """The JSON body of a request. What the format has no place for is added to `losses`."""
        out = Writing(self.id)
        body = self._write(request, out)
        self._lose_unsaid(request, out)
        if losses is not None:
            losses += out.losses
        return body

    def decode_request(self, body: Any, path: str = "") -> Any:
        """A request as it arrived. Raises MalformedResponseError where the body is none of this format."""
        own, extra = self._read(body, path)
        return self._asked.cls(**own, extra=extra)

    def decode_answer(self, body: Any) -> Any:
        """An answer. An error object where one should be is its `error`; MalformedResponseError where it is neither."""
        return self._answered(body, self._answer)

    def encode_answer(self, answer: Any, losses: list[Loss] | None = None) -> dict[str, Any]:
        """The JSON of an answer. What the format has no place for is added to `losses`."""
        out = Writing(self.id, answer=True)
        body = self.answers.write_one(answer, {}, out)
        if losses is not None:
            losses += out.losses
        return {} if body is MISSING else body


def _path_pattern(template: str) -> re.Pattern[str]:
    """``/models/${model}:generate`` as a pattern that finds the holes in a path."""
    pattern = ""
    end = 0
    for match in re.finditer(r"\$\{([a-z_]+)\}|\*", template):
        pattern += re.escape(template[end : match.start()])
        pattern += f"(?P<{match[1]}>.+)" if match[1] else "[^/:?]+"
        end = match.end()
    return re.compile(pattern + re.escape(template[end:]))
