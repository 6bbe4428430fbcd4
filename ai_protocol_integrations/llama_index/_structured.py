"""Structured output: a pydantic class -> what is asked of the model, and its answers -> objects of the class.

Nothing passes that does not satisfy the class: a provider that was asked to keep to its schema may not have done so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from llama_index.core.base.llms.types import ChatResponse, ToolCallBlock
from llama_index.core.program.utils import create_flexible_model
from pydantic import BaseModel, ValidationError

from ai_protocol_integrations._growing import PartialObjects
from ai_protocol_integrations._schemas import class_format, json_format, load_json

from .errors import OutputError, RefusalError

Model = TypeVar("Model", bound=BaseModel)


class Structured(Generic[Model]):
    """How one class is asked for. `kwargs` go with the call: the class as the format of the answer where the model
    `keeps` to schemas (``"strict"``: to strict ones only), else as a tool that has to be called."""

    def __init__(self, output_cls: type[Model], keeps: bool | str) -> None:
        self._cls = output_cls
        self._as_tool = not keeps
        format = class_format(output_cls, only_strict=keeps == "strict")
        self._name = format.name or output_cls.__name__
        self.kwargs: dict[str, Any]
        if self._as_tool:
            function = {"name": self._name, "description": format.description or "", "parameters": format.schema}
            self.kwargs = {"tools": [{"type": "function", "function": function}], "tool_choice": "any"}
        else:
            self.kwargs = {"response_format": json_format(format)}

    def read(self, response: ChatResponse) -> Model:
        """The object of a whole answer. Raises `OutputError`, or `RefusalError`."""
        more = response.message.additional_kwargs
        if refused := more.get("refusal"):
            raise RefusalError(f"the model refused to answer: {refused}", refused)
        try:
            text = self.text(response)
            value = load_json(text) if isinstance(text, str) else text
            return self._cls.model_validate(value)
        except ValueError as error:  # validation errors are, too
            raise self._explained(error, response) from error

    def text(self, response: ChatResponse) -> Any:
        """The JSON text of the answer, or what it has become already."""
        if not self._as_tool:
            return response.message.content or ""
        called = self._called(response)
        if called is None:
            raise OutputError(f"the model did not call {self._name}")
        return called.tool_kwargs

    def _called(self, response: ChatResponse) -> ToolCallBlock | None:
        calls = (block for block in response.message.blocks if isinstance(block, ToolCallBlock))
        return next((call for call in calls if call.tool_name == self._name), None)

    @staticmethod
    def _explained(error: ValueError, response: ChatResponse) -> OutputError:
        raw = response.raw if isinstance(response.raw, dict) else {}
        reason, output = raw.get("finish_reason"), response.message.content
        if reason == "content_filter":
            return RefusalError("the provider kept the model from answering (content_filter)", output)
        said = f"the answer does not satisfy the class: {error}" if isinstance(error, ValidationError) else str(error)
        if reason == "length":
            said += " (the answer was cut off at max_tokens)"
        return OutputError(said, output)


class Growing(Generic[Model]):
    """The object of one stream, as far as it has come: of a class whose fields may all be missing, until what there is
    satisfies the class itself."""

    def __init__(self, wanted: Structured[Model], output_cls: type[Model]) -> None:
        self._wanted, self._cls = wanted, output_cls
        self._flexible = create_flexible_model(output_cls)
        self._objects = PartialObjects(1)
        self._last: ChatResponse | None = None
        self._told: Any = None

    def feed(self, response: ChatResponse) -> Iterator[Any]:
        self._last = response
        try:
            said = self._wanted.text(response)
        except OutputError:  # not yet
            return
        value = self._objects.read("", said) if isinstance(said, str) else said
        if value and value != self._told:
            self._told = value
            yield self._as_far(value)

    def _as_far(self, value: Any) -> Any:
        for cls in (self._cls, self._flexible):
            try:
                return cls.model_validate(value)
            except ValidationError:
                continue
        return self._flexible()

    def end(self) -> Iterator[Model]:
        """The whole object, checked. Raises what `Structured.read` does."""
        if self._last is not None:
            yield self._wanted.read(self._last)
