"""The constructs of docs/wire-language.md, one by one, on a made-up format."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_protocol_runtime.types import (
    Answer,
    Candidate,
    Loss,
    Media,
    Message,
    Raw,
    Request,
    ResponseFormat,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
)
from ai_protocol_runtime.types.errors import ManifestError
from ai_protocol_runtime.wire import WireFormat

from .formats import made_up


def both_ways(fmt: WireFormat, body: dict[str, Any]) -> Request:
    """Decoded, and encoded back to the same JSON."""
    request = fmt.decode_request(body)
    assert fmt.encode_request(request) == body
    return request


def turn(*content: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": list(content)}]}


def part_of(fmt: WireFormat, value: Any) -> Any:
    return both_ways(fmt, turn(value)).messages[0].parts[0]


def bare(fmt: WireFormat, part: Any, losses: list[Loss] | None = None) -> Any:
    """A part that comes from nowhere, written."""
    body = fmt.encode_request(Request("m", [Message("user", [part])]), losses)
    return body["messages"][0]["content"]


def test_a_constant_must_be_equal_and_of_the_same_type() -> None:
    fmt = made_up(tables="part: {text: {v: 1, text: $text}}")
    assert part_of(fmt, {"v": 1, "text": "a"}).text == "a"
    assert part_of(fmt, {"v": True, "text": "a"}).kind == "raw"


def test_an_optional_constant_may_be_absent_or_null_and_comes_back_so() -> None:
    fmt = made_up(tables="part: {text: {type~: text, text: $text}}")
    for value in ({"text": "a"}, {"type": None, "text": "a"}, {"type": "text", "text": "a"}):
        assert part_of(fmt, value).text == "a"
    assert bare(fmt, Text("a")) == [{"type": "text", "text": "a"}]
    assert part_of(fmt, {"type": "other", "text": "a"}).kind == "raw"


def test_a_required_hole_does_not_take_null() -> None:
    assert part_of(made_up(), {"type": "text", "text": None}).kind == "raw"


def test_a_default_is_written_for_strangers_only() -> None:
    fmt = made_up(tables="part: {image: {type: image, url: $url, detail: $detail=auto}}")
    assert part_of(fmt, {"type": "image", "url": "u"}).detail is None
    assert bare(fmt, Media("image", url="u")) == [{"type": "image", "url": "u", "detail": "auto"}]


def test_a_default_of_answers_is_not_written_in_requests() -> None:
    fmt = made_up(
        tables="part: {text: {id: $~=new, text: $text}, tool_call: {call: $id~=c_0, name: $name}}",
        answer="{id: $id~=a_0, $with: $candidates | candidate}",
    )
    for part in ({"id": "x", "text": "a"}, {"text": "a"}, {"call": "c", "name": "f"}, {"name": "f"}):
        part_of(fmt, part)
    said = Message("assistant", [Text("a"), ToolCall(None, "f")])
    assert fmt.encode_request(Request("m", [said]))["messages"][0]["content"] == [{"text": "a"}, {"name": "f"}]
    written = fmt.encode_answer(Answer(candidates=[Candidate(said)]))
    assert written["id"] == "a_0"
    assert written["content"] == [{"id": "new", "text": "a"}, {"call": "c_0", "name": "f"}]


def test_a_text_the_pattern_does_not_allow_gives_way_to_a_digest() -> None:
    fmt = made_up(tables='part: {tool_call: {id: "$id | spelt [a-z0-9]{1,40}", name: $name}}')
    assert part_of(fmt, {"id": "f:0", "name": "f"}).id == "f:0"
    losses: list[Loss] = []
    ids = ["abc", "f:0", "f:1", "f_0", "é", "", "a" * 41, "\ud800"]
    written = [bare(fmt, ToolCall(id, "f"), losses)[0]["id"] for id in ids]
    assert written[0] == "abc"
    assert len(set(written)) == len(ids)
    assert all(re.fullmatch("[a-z0-9]{1,40}", id) for id in written)
    assert written == [bare(fmt, ToolCall(id, "f"))[0]["id"] for id in ids]
    assert losses == []


def schema_through(operators: str, schema: Any) -> Any:
    """What is written of a schema; read, it is what it is, and comes back so."""
    fmt = made_up(
        request="{model: $model~, format~: $format | format}", tables=f"format: {{schema: $schema | {operators}}}"
    )
    assert both_ways(fmt, {"model": "m", "format": schema, "messages": []}).format.schema == schema  # type: ignore[union-attr]
    losses: list[Loss] = []
    written = fmt.encode_request(Request("m", format=ResponseFormat("schema", schema=schema)), losses)["format"]
    assert losses == []
    return written


def test_keywords_of_a_schema_are_described() -> None:
    inner = {"type": "integer", "minimum": 1, "description": "How many."}
    bounded = {"type": "integer", "description": "How many.\n\n{minimum: 1}"}
    listed = {"type": "array", "items": inner, "minItems": 2, "maximum": [3, "x"]}
    schema = {
        "$defs": {"minimum": inner},
        "type": "object",
        "properties": {"minimum": inner, "list": listed, "one": {"minItems": 1}},
        "default": {"minimum": 3},
        "anyOf": [inner, True],
        "minimum": None,
    }
    assert schema_through("described minItems but 0 1 | described minimum maximum", schema) == {
        "$defs": {"minimum": bounded},
        "type": "object",
        "properties": {
            "minimum": bounded,
            "list": {"type": "array", "items": bounded, "description": '{maximum: [3,"x"]}\n\n{minItems: 2}'},
            "one": {"minItems": 1},
        },
        "default": {"minimum": 3},
        "anyOf": [bounded, True],
        "description": "{minimum: null}",
    }


def test_a_keyword_of_a_schema_is_renamed() -> None:
    schema = {"properties": {"oneOf": {"oneOf": [{"type": "string"}, {"const": {"oneOf": 1}}]}}}
    renamed = {"properties": {"oneOf": {"anyOf": [{"type": "string"}, {"const": {"oneOf": 1}}]}}}
    assert schema_through("renamed oneOf anyOf", schema) == renamed


def test_blank_texts_are_not_sent_where_they_are_none() -> None:
    fmt = made_up(blanks="false")
    said = [
        Message("user", [Text(" \n"), Text("a ")]),
        Message("assistant", [Text("\n\n")]),
        Message("user", [Text("b")]),
        Message("assistant", [Text("so: \n")]),
    ]
    losses: list[Loss] = []
    sent = fmt.encode_request(Request("m", said), losses)["messages"]
    assert [[part["text"] for part in message["content"]] for message in sent] == [["a "], ["b"], ["so:"]]
    assert [(loss.what, loss.value) for loss in losses] == [("text", " \n"), ("text", "\n\n"), ("text", "so: \n")]
    again = fmt.encode_request(Request("m", [*said, Message("user", [Text("")])]))["messages"]
    assert [part["text"] for message in again[-2:] for part in message["content"]] == ["so: \n", ""]
    answer = fmt.decode_answer({"content": [{"type": "text", "text": "\n"}]})
    assert answer.message.parts == [Text("\n", extra=answer.message.parts[0].extra)]
    assert (
        fmt.encode_answer(Answer(candidates=[Candidate(Message("assistant", [Text(" ")]))]))["content"][0]["text"]
        == " "
    )
    sent = fmt.encode_request(Request("m", [answer.message]))["messages"]
    assert sent == [{"role": "assistant", "content": [{"type": "text", "text": "\n"}]}]


TOOLS = [Tool("a"), Raw({"type": "search"}), Tool("b"), Tool("c")]
CHOOSING = (
    "{model: $model~, tools~: [$tools | tool], tool_choice~: $tool_choice | choice}",
    "{tool: {tool: {name: $name}}, choice: {any: must, auto: may}}",
)


@pytest.mark.parametrize(
    ("choice", "offered", "said", "lost"),
    [
        (ToolChoice("named", "b"), ["b"], "must", []),
        (ToolChoice("allowed", names=["c", "a"]), ["a", "c"], "must", []),
        (ToolChoice("auto"), ["a", None, "b", "c"], "may", []),
        (ToolChoice("named", "x"), ["a", None, "b", "c"], None, ["tool_choice"]),
    ],
)
def test_a_choice_without_words_is_what_is_offered(
    choice: ToolChoice, offered: list[str | None], said: str | None, lost: list[str]
) -> None:
    fmt = made_up(request=CHOOSING[0], tables=CHOOSING[1])
    losses: list[Loss] = []
    body = fmt.encode_request(Request("m", tools=list(TOOLS), tool_choice=choice), losses)
    assert [tool.get("name") for tool in body["tools"]] == offered
    assert body.get("tool_choice") == said
    assert [loss.what for loss in losses] == lost


def test_an_anonymous_default_takes_anything_and_fills_nothing() -> None:
    fmt = made_up(request="{model: $model~, object: $=thing}")
    assert fmt.encode_request(Request("m"))["object"] == "thing"
    both_ways(fmt, {"model": "m", "object": "another", "messages": []})
    both_ways(fmt, {"model": "m", "messages": []})


def test_unknown_keys_nulls_and_empties_come_back_at_any_depth() -> None:
    fmt = made_up(tables="part: {image: {type: image, source: {url: $url, mime: $mime_type~}}}")
    part = part_of(fmt, {"type": "image", "x": [1], "source": {"url": "u", "mime": None, "y": {}}, "z": ""})
    assert part.url == "u"


def test_an_edit_wins_over_the_complement() -> None:
    fmt = made_up(tables="part: {image: {type: image, source: {url: $url, mime: $mime_type~}}}")
    part = part_of(fmt, {"type": "image", "source": {"url": "u", "mime": None, "y": 1}})
    part = replace(part, url="v", mime_type="image/png")
    assert bare(fmt, part) == [{"type": "image", "source": {"url": "v", "mime": "image/png", "y": 1}}]


def test_the_complement_stays_on_its_own_wire() -> None:
    here = made_up()
    there = made_up(id="elsewhere")
    part = part_of(here, {"type": "text", "text": "a", "secret": 1})
    assert bare(there, part) == [{"type": "text", "text": "a"}]


def test_aliases_keep_their_spelling() -> None:
    fmt = made_up(tables="part: {text: {type: text, text|content: $text}}")
    assert part_of(fmt, {"type": "text", "content": "a"}).text == "a"
    assert part_of(fmt, {"type": "text", "text": "a", "content": "b"}).text == "a"
    assert bare(fmt, Text("a")) == [{"type": "text", "text": "a"}]


def test_a_template_is_read_by_its_holes() -> None:
    fmt = made_up(tables='part: {image: [{url: "data:$mime_type;base64,$data"}, {url: $url}]}')
    part = part_of(fmt, {"url": "data:image/png;base64,QUJD"})
    assert (part.mime_type, part.data) == ("image/png", "QUJD")
    assert part_of(fmt, {"url": "https://x"}).url == "https://x"


@pytest.mark.parametrize(
    ("shape", "value", "field", "now"),
    [
        (
            "{type: call, id: $id, name: $name, arguments: $arguments | json_text}",
            {"a": [1, None]},
            "arguments",
            '{"a":[1,null]}',
        ),
        ("{type: call, id: $id, name: $name, arguments: $arguments | text}", '{"a": 1}', "arguments", '{"a": 1}'),
        ("{type: call, id: $id, name: $name, arguments: $arguments | text}", {"a": 1}, "arguments", '{"a":1}'),
    ],
)
def test_operators_on_arguments(shape: str, value: Any, field: str, now: Any) -> None:
    fmt = made_up(tables=f"part: {{tool_call: {shape}}}")
    assert getattr(part_of(fmt, {"type": "call", "id": "1", "name": "f", "arguments": value}), field) == now


def test_operators_that_do_not_give_back_what_they_took_leave_it_in_the_complement() -> None:
    fmt = made_up(request="{model: $model~, stop: $stop~ | listed}")
    assert both_ways(fmt, {"model": "m", "stop": "x", "messages": []}).stop == ["x"]
    assert both_ways(fmt, {"model": "m", "stop": ["x"], "messages": []}).stop == ["x"]
    fmt = made_up(tables="part: {image: {type: image, data: $data | base64}}")
    assert part_of(fmt, {"type": "image", "data": "-_8"}).data == "+/8"


def test_a_map_reads_many_to_one_and_keeps_unknown_words() -> None:
    fmt = made_up(
        maps="roles: {user: [user, tool], model: assistant}",
        messages="[{at: messages, role: [user, assistant, tool], "
        "shape: {role: $role | roles, content: [$parts | part]}}]",
    )
    body = {"messages": [{"role": "model", "content": [{"type": "text", "text": "a"}]}]}
    assert both_ways(fmt, body).messages[0].role == "assistant"
    written = fmt.encode_request(Request(None, [Message("tool", [Text("a")])]))
    assert written["messages"][0]["role"] == "user"


def test_one_of_remembers_which_and_prefers_the_home_of_the_parts() -> None:
    shape = "{role: $role, content: {$one_of: [$parts | plain, [$parts | part]]}}"
    fmt = made_up(
        messages=f"[{{at: messages, role: [user, assistant], shape: {shape}}}]", tables="plain: {text: $text | string}"
    )
    both_ways(fmt, {"messages": [{"role": "user", "content": "a"}]})
    both_ways(fmt, {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]})
    both_ways(fmt, {"messages": [{"role": "user", "content": ""}]})
    both_ways(fmt, {"messages": [{"role": "user", "content": []}]})
    assert fmt.encode_request(Request(None, [Message("user", [Text("a")])]))["messages"][0]["content"] == "a"
    two = fmt.encode_request(Request(None, [Message("user", [Text("a"), Text("b")])]))
    assert two["messages"][0]["content"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]


def test_join_reads_several_texts_as_one() -> None:
    fmt = made_up(tables="part: {reasoning: {type: r, summary: {$join: {type: t, text: $text}, $else: []}}}")
    part = part_of(fmt, {"type": "r", "summary": [{"type": "t", "text": "a"}, {"type": "t", "text": "b"}]})
    assert part.text == "ab"
    assert bare(fmt, replace(part, text="c")) == [{"type": "r", "summary": [{"type": "t", "text": "c"}]}]
    assert part_of(fmt, {"type": "r", "summary": []}).text == ""


def test_a_group_is_spread_and_wrapped_again() -> None:
    tables = (
        "part: {group: {type: box, id: $=box, inside: [$parts | thing]}, tool_call: {type: c, id: $id, name: $name}}\n"
    )
    fmt = made_up(tables=tables + "thing: {text: {text: $text}}")
    content = [
        {"type": "box", "id": "1", "inside": [{"text": "a"}, {"text": "b"}]},
        {"type": "box", "id": "2", "inside": [{"text": "c"}]},
        {"type": "c", "id": "3", "name": "f"},
    ]
    parts = both_ways(fmt, turn(*content)).messages[0].parts
    assert [p.kind for p in parts] == ["text", "text", "text", "tool_call"]
    strangers = fmt.encode_request(Request("m", [Message("user", [Text("a"), Text("b"), ToolCall("1", "f")])]))
    assert strangers["messages"][0]["content"][0] == {
        "type": "box",
        "id": "box",
        "inside": [{"text": "a"}, {"text": "b"}],
    }


def test_several_keys_share_the_parts_of_a_message() -> None:
    shape = "{role: $role, thoughts~: $parts+ | thought, content~: [$parts | part], calls~: [$parts | call]}"
    fmt = made_up(
        messages=f"[{{at: messages, role: [user, assistant], shape: {shape}}}]",
        tables="thought: {reasoning: $text | string}\ncall: {tool_call: {id: $id, name: $name}}",
    )
    body = {"messages": [{"role": "assistant", "thoughts": "t", "calls": [{"id": "1", "name": "f"}]}]}
    assert [p.kind for p in both_ways(fmt, body).messages[0].parts] == ["reasoning", "tool_call"]


def test_an_unknown_part_is_raw_shown_and_sent_back_only_home() -> None:
    fmt = made_up()
    part = part_of(fmt, {"type": "hologram", "x": 1})
    assert part == Raw({"type": "hologram", "x": 1}, part.extra)
    losses: list[Loss] = []
    written = made_up(id="elsewhere").encode_request(Request("m", [Message("user", [Text("a"), part])]), losses)
    assert written["messages"][0]["content"] == [{"type": "text", "text": "a"}]
    assert [loss.what for loss in losses] == ["raw"]


def test_what_has_no_place_is_named() -> None:
    losses: list[Loss] = []
    bare(made_up(), Text("a", cache={"type": "ephemeral"}), losses)
    made_up().encode_request(Request("m", [Message("user", [Media("image", url="u")])], top_k=3), losses)
    assert [loss.what for loss in losses] == ["text.cache", "image", "top_k"]


def test_the_variant_that_loses_least_is_taken() -> None:
    fmt = made_up(tables="part: {image: [{type: a, url: $url}, {type: b, url: $url, detail: $detail}]}")
    assert bare(fmt, Media("image", url="u"))[0]["type"] == "a"
    assert bare(fmt, Media("image", url="u", detail="low"))[0]["type"] == "b"


def test_neighbours_of_one_voice_are_merged_and_linked() -> None:
    fmt = made_up(
        merge="[[user, tool], [assistant]]",
        messages="[{at: messages, role: [user, assistant, tool], shape: {role: $role, content: [$parts | part]}}]",
        tables="part: {text: {type: text, text: $text}, tool_call: {type: c, id: $id, name: $name}, "
        "tool_result: {type: r, of: $call_id}}",
    )
    history = [Message("user", [Text("a")]), Message("user", [Text("b")]), Message("assistant", [ToolCall(None, "f")])]
    written = fmt.encode_request(Request("m", history))["messages"]
    assert [len(m["content"]) for m in written] == [2, 1]
    assert written[1]["content"][0]["id"] == "call_0"


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"tables": "part: {txt: {type: text}}"}, "tables.part.txt", "did you mean `text`"),
        (
            {"tables": "part: {text: {type: text, text: $text | strng}}"},
            "tables.part.text.text",
            "did you mean `string`",
        ),
        (
            {"tables": 'part: {text: {type: text, text: "$text | spelt [a"}}'},
            "tables.part.text.text",
            "no operator",
        ),
        ({"request": "{model: $modle}"}, "request.model", "did you mean `model`"),
        ({"request": "{model: {$oneof: [$model]}}"}, "request.model.$oneof", "unknown construct"),
        (
            {"stream": "{manner: events, dispatch: type, events: {x: {opne: {}}}}"},
            "stream.events.x.opne",
            "did you mean `open`",
        ),
        ({"messages": "[{at: messages, role: user, shap: {}}]"}, "messages.0.shap", "did you mean `shape`"),
        ({"usage": "{inptu: a}"}, "usage.inptu", "did you mean `input`"),
    ],
)
def test_a_mistake_is_named_with_its_place(changes: dict[str, str], key: str, words: str) -> None:
    with pytest.raises(ManifestError, match=words.replace("$", r"\$")) as caught:
        made_up(**changes)
    assert caught.value.key == key


def test_usage_is_a_sum_solved_both_ways() -> None:
    usage = "{input: fresh + cached, cache_read: cached, output: out, total: all}"
    fmt = made_up(usage=usage, answer="{usage: $usage~ | usage, $with: $candidates | candidate}")
    answer = fmt.decode_answer({"content": [], "usage": {"fresh": 3, "cached": 4, "out": 5, "other": 6}})
    assert answer.usage is not None
    assert (answer.usage.input, answer.usage.cache_read, answer.usage.output) == (7, 4, 5)
    answer.usage = replace(answer.usage, raw=None)
    assert fmt.encode_answer(answer)["usage"] == {"fresh": 3, "cached": 4, "out": 5, "all": 12}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "id", "x", "$"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.lists(json_values, max_size=4), st.dictionaries(st.text(max_size=6), json_values, max_size=3))
def test_anything_comes_back_as_it_was(content: list[Any], more: dict[str, Any]) -> None:
    """Whatever stands in a request, the complement and the raw parts carry it."""
    body = {
        **more,
        "messages": [
            {"role": "user", "content": content, **{k: v for k, v in more.items() if k not in ("role", "content")}}
        ],
    }
    if body.get("model", "") is None or not isinstance(body.get("model", ""), str):
        body.pop("model")
    assert made_up().encode_request(made_up().decode_request(json.loads(json.dumps(body)))) == body
