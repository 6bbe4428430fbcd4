"""Structured output: schemas as LangChain has them -> our `ResponseFormat`, and answers -> objects that keep to them.

Nothing is repaired, and nothing passes that does not satisfy the schema: a provider that was asked to keep to one may
not have done so.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Literal, TypeAlias, cast

from langchain_core.exceptions import ModelError, OutputParserException
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.output_parsers import BaseTransformOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from pydantic import BaseModel

from ai_protocol_integrations._growing import GrowingJSON
from ai_protocol_integrations._schemas import (
    VENDORS_FORMATS,
    class_format,
    fault,
    is_pydantic,
    json_format,
    load_json,
    make_format,
    read_format,
)
from ai_protocol_runtime.types import ResponseFormat

from ._tools import bound_tool

Method: TypeAlias = Literal["auto", "json_schema", "function_calling", "json_mode"]


class RefusalError(OutputParserException, ModelError):
    """The model refused to answer, or was kept from it; the message says how. The same question is refused again."""


# schemas -> what is bound


def named(schema: Any) -> Any:
    """The schema, with a title where it is a JSON Schema without a name: tools and traces need one."""
    if isinstance(schema, Mapping) and not {"title", "name", "function", "json_schema"} & schema.keys():
        return {"title": "answer", **schema}
    return schema


def response_format(schema: Any, *, strict: bool | None = None, only_strict: bool = False) -> dict[str, Any]:
    """A schema as ``response_format``, in the form that LangChain's agents bind as well. For `strict` and `only_strict`
    see `class_format`; a TypedDict is closed too, any other schema stays as it is unless it is to be strict."""
    if is_pydantic(schema):
        return json_format(class_format(schema, strict=strict, only_strict=only_strict))
    if isinstance(schema, Mapping) and "title" in schema:
        return json_format(make_format(schema["title"], schema.get("description"), dict(schema), strict))
    function = bound_tool(schema)["function"]
    name, description = function["name"], function.get("description")
    about = {"description": description} if description else {}
    inner = about | (function.get("parameters") or {"type": "object"})
    close = isinstance(schema, type) and strict is None
    said = function.get("strict") if strict is None else strict
    return json_format(make_format(name, description, inner, said, close=close))


def to_format(said: Any, *, only_strict: bool = False) -> ResponseFormat | str:
    """Our type for a ``response_format``: a vendor's dict (see `read_format`), or a schema in any form."""
    is_dict = isinstance(said, Mapping) and said.get("type") not in VENDORS_FORMATS
    if isinstance(said, type) or (is_dict and ("properties" in said or "title" in said)):
        said = response_format(named(said), only_strict=only_strict)
    return read_format(said, only_strict=only_strict)


# answers -> objects


class StructuredOutput(BaseTransformOutputParser[Any]):
    """Reads the object that an answer brings, in a call of the tool `tool` or as JSON in its text.

    It is checked against `wanted` (a pydantic class or a JSON Schema; None: any object). A pydantic class gives an
    instance, everything else dicts, which come in a stream as far as they have come. With `tools`, an answer that
    only calls tools is None.

    Raises `OutputParserException`: the answer is no JSON, or does not satisfy the schema; and `RefusalError`.
    """

    wanted: Any = None
    tool: str | None = None
    tools: bool = False

    @property
    def _type(self) -> str:
        return "ai-protocol-structured-output"

    def parse(self, text: str) -> Any:
        try:
            value = load_json(text)
        except ValueError as error:
            raise OutputParserException(str(error), llm_output=text) from error.__cause__
        return self._checked(value, text)

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        generation = result[0]
        if not isinstance(generation, ChatGeneration):
            return self.parse(generation.text)
        message = cast("AIMessage", generation.message)
        _refused(message)
        if self.tools and message.tool_calls and not message.text:
            return None
        try:
            return self.parse(str(message.text)) if self.tool is None else self._called(message, self.tool)
        except OutputParserException as error:
            raise _explained(error, message) from error.__cause__

    def _called(self, message: AIMessage, name: str) -> Any:
        args = next((call["args"] for call in message.tool_calls if call["name"] == name), None)
        if args is not None:
            return self._checked(args, json.dumps(args))
        for call in message.invalid_tool_calls:
            if call["name"] == name:
                raise OutputParserException(f"the answer cannot be used: {call['error']}", llm_output=call["args"])
        raise OutputParserException(f"the model did not call {name}", llm_output=str(message.text))

    def _checked(self, value: Any, text: str) -> Any:
        try:
            if is_pydantic(self.wanted):
                if issubclass(self.wanted, BaseModel):
                    return self.wanted.model_validate_json(json.dumps(value))
                return self.wanted.parse_obj(value)
            wrong = fault(value, self.wanted)
        except (ValueError, RecursionError) as error:
            raise OutputParserException(f"the answer does not satisfy the schema: {error}", llm_output=text) from error
        if wrong:
            raise OutputParserException(f"the answer does not satisfy the schema: {wrong}", llm_output=text)
        return value

    # streams: dicts as they grow, and the last word only after everything is checked

    def _transform(self, input: Iterator[str | BaseMessage]) -> Iterator[Any]:
        growing = _Growing(self)
        for chunk in input:
            yield from growing.feed(chunk)
        yield from growing.end()

    async def _atransform(self, input: AsyncIterator[str | BaseMessage]) -> AsyncIterator[Any]:
        growing = _Growing(self)
        async for chunk in input:
            for value in growing.feed(chunk):
                yield value
        for value in growing.end():
            yield value


class _Growing:
    """The object of one stream, as far as it has come."""

    def __init__(self, parser: StructuredOutput) -> None:
        self._parser = parser
        self._chunks: list[Any] = []
        self._reader = GrowingJSON()
        self._call: int | None = None  # the index of the first tool call: only that one counts
        self._told: Any = None

    def feed(self, chunk: str | BaseMessage) -> Iterator[Any]:
        self._chunks.append(chunk)
        if is_pydantic(self._parser.wanted):
            return
        piece = self._piece(chunk)
        if not piece:
            return
        self._reader.feed(piece)
        if self._reader.broken:  # it may be fenced: what it is shows at the end
            return
        value = self._reader.value
        if isinstance(value, dict) and value and self._is_news(value):
            self._told = value
            yield value

    def _is_news(self, value: Any) -> bool:
        try:
            return bool(value != self._told)
        except RecursionError:  # no JSON nests so deep, as Python has it
            return False

    def _piece(self, chunk: str | BaseMessage) -> str:
        if isinstance(chunk, str):
            return chunk
        if self._parser.tool is None:
            return str(chunk.text)
        calls = chunk.tool_call_chunks if isinstance(chunk, AIMessageChunk) else []
        if self._call is None and calls:
            self._call = calls[0]["index"]
        return "".join(call["args"] or "" for call in calls if call["index"] == self._call)

    def end(self) -> Iterator[Any]:
        if not self._chunks:
            return
        first, *others = self._chunks
        if isinstance(first, str):
            value = self._parser.parse("".join(self._chunks))
        else:
            whole = first + others if others else first
            value = self._parser.parse_result([ChatGeneration(message=whole)])
        if value != self._told:
            yield value


def _refused(message: AIMessage) -> None:
    text = message.additional_kwargs.get("refusal")  # in v0
    for block in message.content if isinstance(message.content, list) else ():
        value = block.get("value") if isinstance(block, dict) and block.get("type") == "non_standard" else None
        if isinstance(value, dict) and value.get("type") == "refusal":
            text = str(value.get("refusal"))
    if text:
        raise RefusalError(f"the model refused to answer: {text}", llm_output=text)


def _explained(error: OutputParserException, message: AIMessage) -> OutputParserException:
    """The error, with what the provider said of how the answer ended."""
    reason = message.response_metadata.get("finish_reason")
    if reason == "content_filter":
        return RefusalError("the provider kept the model from answering (content_filter)", llm_output=error.llm_output)
    if reason == "length":
        return OutputParserException(f"{error} (the answer was cut off at max_tokens)", llm_output=error.llm_output)
    return error
