"""Structured output: schemas as LangChain has them -> our `ResponseFormat`, and answers -> objects that keep to them.

Nothing is repaired, and nothing passes that does not satisfy the schema: a provider that was asked to keep to one may
not have done so.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Literal, TypeAlias, cast

from langchain_core.exceptions import ModelError, OutputParserException
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.output_parsers import BaseTransformOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.utils.json import parse_partial_json
from pydantic import BaseModel

from ai_protocol_runtime.jsonschema import fits, resolve, types_of
from ai_protocol_runtime.types import ResponseFormat
from ai_protocol_runtime.types.errors import ArgumentError

from ._tools import bound_tool, is_pydantic, own_schema

Method: TypeAlias = Literal["auto", "json_schema", "function_calling", "json_mode"]
Schema: TypeAlias = dict[str, Any]

_FENCED = re.compile(r"\s*```\w*\n(.*)\n\s*```\s*", re.DOTALL)
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST_NAME = 64


class RefusalError(OutputParserException, ModelError):
    """The model refused to answer, or was kept from it; the message says how. The same question is refused again."""


# schemas -> what is bound


def named(schema: Any) -> Any:
    """The schema, with a title where it is a JSON Schema without a name: tools and traces need one."""
    if isinstance(schema, Mapping) and not {"title", "name", "function", "json_schema"} & schema.keys():
        return {"title": "answer", **schema}
    return schema


def response_format(schema: Any, *, strict: bool | None = None, only_strict: bool = False) -> dict[str, Any]:
    """A schema as ``response_format``, in the form that LangChain's agents bind as well.

    A class's own schema allows nothing beside its fields, because some providers take no other. With `only_strict` the
    model keeps to strict schemas only, so that a pydantic class has the strict form unasked, if there is one: what is
    made of the answer has every field anyway.
    """
    if _is_json_schema(schema):
        made = {"name": schema["title"], "description": schema.get("description"), "schema": schema}
    else:
        function = bound_tool(schema)["function"]
        inner = own_schema(schema) or function.get("parameters") or {"type": "object"}
        about = {"description": function["description"]} if function.get("description") else {}
        made = {**function, "schema": about | inner}
    made["name"] = _NOT_IN_NAMES.sub("_", made["name"])[:_LONGEST_NAME]
    made["strict"] = made.get("strict") if strict is None else strict
    if made["strict"] is None and only_strict and is_pydantic(schema):
        made["strict"] = _is_strict(_strict_form(made["schema"])) or None
    if made["strict"]:
        made["schema"] = _strict_form(made["schema"])
    elif isinstance(schema, type) and strict is None:
        made["schema"] = _closed(made["schema"])
    said = {key: made[key] for key in ("name", "description", "schema", "strict") if made.get(key) is not None}
    return {"type": "json_schema", "json_schema": said}


def _is_json_schema(schema: Any) -> bool:
    return isinstance(schema, Mapping) and "title" in schema


def _closed(schema: Any) -> Any:
    """The schema with all its objects closed that do not say whether they are."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: value if key in _VALUES else _closed(value) for key, value in schema.items()}
    if schema.get("properties") and schema.get("type") == "object":  # without any, it is an object of any form
        closed.setdefault("additionalProperties", False)
    return closed


def _strict_form(schema: Schema) -> Schema:
    """The schema as strictness wants it: all its objects closed, every field there (what had a default of null is null
    instead), and nothing beside a reference, so that one with words of its own is written out."""
    made: Schema = _demanding(_closed(schema), schema, frozenset())
    return made


def _demanding(schema: Any, root: Schema, within: frozenset[str]) -> Any:
    """`within`: the references that are being written out; inside, they stay references."""
    if isinstance(schema, list):
        return [_demanding(item, root, within) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(reference := schema.get("$ref"), str) and len(schema) > 1 and "$defs" not in schema:
        if reference in within:
            return {"$ref": reference}
        found = resolve(reference, root)
        if isinstance(found, dict):
            written = _closed({**found, **{key: schema[key] for key in schema if key != "$ref"}})
            return _demanding(written, root, within | {reference})
    made = {key: value if key in _VALUES else _demanding(value, root, within) for key, value in schema.items()}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made["required"] = list(made["properties"])
    if "default" in made and made["default"] is None:
        del made["default"]
    return made


def _is_strict(schema: Schema) -> bool:
    """Whether a schema is in strict form: an object, and all its objects closed with all of their fields required."""
    return "object" in types_of(schema) and "anyOf" not in schema and _is_strict_within(schema)


def _is_strict_within(schema: Any) -> bool:
    if not isinstance(schema, dict) or schema.keys() & _NEVER_STRICT or not schema.keys() & _SAYING:
        return False
    if "$ref" in schema and len(schema) > 1:
        return False
    if "object" in types_of(schema):
        fields, required = schema.get("properties", {}), schema.get("required", [])
        if schema.get("additionalProperties") is not False or any(name not in required for name in fields):
            return False
    named = [inner for key in ("properties", "$defs", "definitions") for inner in schema.get(key, {}).values()]
    listed = [schema["items"]] if "items" in schema else []
    return all(map(_is_strict_within, [*named, *listed, *schema.get("anyOf", [])]))


_VALUES = ("default", "const", "enum", "examples")
_SAYING = frozenset(("type", "$ref", "anyOf", "enum", "const"))
_NEVER_STRICT = frozenset(
    ("allOf", "oneOf", "not", "if", "dependentRequired", "dependentSchemas", "patternProperties", "prefixItems")
)


def to_format(said: Any, *, only_strict: bool = False) -> ResponseFormat | str:
    """Our type for a ``response_format``: a vendor's dict, or a schema in any form. Its objects are closed unless it
    says ``strict: False``, because some providers take no other; with `only_strict` (see `response_format`) one that
    is then in strict form is strict. Raises `ArgumentError`."""
    kind = said.get("type") if isinstance(said, Mapping) else None
    if kind == "text":
        return "plain"
    if kind == "json_object":
        return "json"
    if kind != "json_schema":
        if not (isinstance(said, type) or (isinstance(said, Mapping) and ("properties" in said or "title" in said))):
            raise ArgumentError(f"response_format must be a dict with a type, or a schema, not {said!r}")
        said = response_format(named(said), only_strict=only_strict)
    inner = said.get("json_schema", said)
    if not isinstance(inner, Mapping) or not isinstance(inner.get("schema"), dict):
        raise ArgumentError("response_format of type json_schema needs a schema")
    name = inner.get("name") or "answer"
    schema, strict = inner["schema"], inner.get("strict")
    if strict is not False:
        schema = _closed(schema)
    if strict is None and only_strict and _is_strict(schema):
        strict = True
    return ResponseFormat("schema", name, schema, strict, inner.get("description"))


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
        return self._checked(_loaded(text), text)

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
            fault = _fault(value, self.wanted)
        except (ValueError, RecursionError) as error:
            raise OutputParserException(f"the answer does not satisfy the schema: {error}", llm_output=text) from error
        if fault:
            raise OutputParserException(f"the answer does not satisfy the schema: {fault}", llm_output=text)
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
        self._text = ""
        self._call: int | None = None  # the index of the first tool call: only that one counts
        self._told: Any = None

    def feed(self, chunk: str | BaseMessage) -> Iterator[Any]:
        self._chunks.append(chunk)
        if is_pydantic(self._parser.wanted):
            return
        piece = self._piece(chunk)
        if not piece:
            return
        self._text += piece
        try:
            value = parse_partial_json(self._text)
        except (ValueError, RecursionError):
            return
        if isinstance(value, dict) and value and value != self._told:
            self._told = value
            yield value

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


def _loaded(text: str) -> Any:
    fenced = _FENCED.fullmatch(text)
    try:
        return json.loads(fenced[1] if fenced else text, strict=False)
    except (ValueError, RecursionError) as error:
        raise OutputParserException(f"the answer is not JSON: {error}", llm_output=text) from error


def _fault(value: Any, schema: Any) -> str | None:
    """Why a value does not satisfy a JSON Schema (None: any object), as near as can be said."""
    schema = {"type": "object"} if schema is None else schema
    if fits(value, schema):
        return None
    if isinstance(value, dict):
        missing = [name for name in schema.get("required") or () if name not in value]
        if missing:
            return f"it lacks {', '.join(missing)}"
        properties = schema.get("properties") or {}
        wrong = [name for name in value if name in properties and not fits(value[name], properties[name], schema)]
        if wrong:
            return f"its {', '.join(wrong)} is not as the schema has it"
    shown = json.dumps(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."


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
