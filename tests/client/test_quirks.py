"""What a provider does otherwise than its wire format, and the paths into JSON that say where."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from ai_protocol_runtime.flow.masking import scrub
from ai_protocol_runtime.flow.paths import ABSENT, alter, find, steps
from ai_protocol_runtime.flow.quirks import apply_quirks
from ai_protocol_runtime.manifest.schema import Protocol

BODY = {
    "model": "m",
    "temperature": 1,
    "messages": [{"role": "system", "name": "a"}, {"role": "user"}],
    "nested": {"words": ["x", "y"]},
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("model", ["m"]),
        ("messages[].name", ["a"]),
        ("messages[].role", ["system", "user"]),
        ("nested.words[]", ["x", "y"]),
        ("nested.words", [["x", "y"]]),
        ("model.name", []),
        ("model[]", []),
        ("none.such", []),
    ],
)
def test_paths_lead_to_values(path: str, found: list[Any]) -> None:
    assert list(find(BODY, steps(path))) == found


def test_a_path_may_begin_with_a_list() -> None:
    assert list(find([{"a": 1}, {"a": 2}], steps("[].a"))) == [1, 2]


@pytest.mark.parametrize(
    ("protocol", "changes", "lost"),
    [
        ({"defaults": {"stream": False}}, {"stream": False}, []),
        ({"defaults": {"temperature": 0}}, {}, []),
        ({"defaults": {"options.seed": 1}}, {"options": {"seed": 1}}, []),
        (
            {"defaults": {"messages[].name": "n"}},
            {"messages": [{"role": "system", "name": "a"}, {"role": "user", "name": "n"}]},
            [],
        ),
        (
            {"replace": {"messages[].role": {"system": "developer"}}},
            {"messages": [{"role": "developer", "name": "a"}, {"role": "user"}]},
            [],
        ),
        ({"replace": {"nested.words[]": {"x": "X"}}}, {"nested": {"words": ["X", "y"]}}, []),
        ({"refuse": ["temperature"]}, {"temperature": ABSENT}, [("temperature", 1)]),
        ({"refuse": ["top_p"]}, {}, []),
        (
            {"refuse": ["messages[].name"]},
            {"messages": [{"role": "system"}, {"role": "user"}]},
            [("messages[].name", "a")],
        ),
        ({"refuse": [{"path": "temperature", "when": {"model": "m"}}]}, {"temperature": ABSENT}, [("temperature", 1)]),
        ({"refuse": [{"path": "temperature", "when": {"model": ["a", "b"]}}]}, {}, []),
        (
            {"refuse": [{"path": "temperature", "when": {"nested": None}}]},
            {"temperature": ABSENT},
            [("temperature", 1)],
        ),
        ({"refuse": [{"path": "temperature", "when": {"tools": None}}]}, {}, []),
        ({"rename": {"temperature": "heat"}}, {"temperature": ABSENT, "heat": 1}, []),
        (
            {"rename": {"messages[].name": "author"}},
            {"messages": [{"role": "system", "author": "a"}, {"role": "user"}]},
            [],
        ),
        (
            {"defaults": {"a": 1}, "replace": {"model": {"m": "M"}}, "refuse": ["a"], "rename": {"model": "name"}},
            {"model": ABSENT, "name": "M"},
            [("a", 1)],
        ),
    ],
)
def test_quirks(protocol: dict[str, Any], changes: dict[str, Any], lost: list[Any]) -> None:
    before, losses = copy.deepcopy(BODY), []
    quirks = Protocol.model_validate_json(json.dumps({"path": "/p", **protocol}))
    after = apply_quirks(quirks, BODY, losses, "Acme")
    assert after == {key: value for key, value in {**BODY, **changes}.items() if value is not ABSENT}
    assert [(loss.what, loss.value) for loss in losses] == lost
    assert before == BODY  # the caller's own objects may be in it


def test_what_does_not_change_is_the_same_object() -> None:
    assert alter(BODY, steps("no.such"), lambda value: ABSENT) is BODY
    assert alter(BODY, steps("model"), lambda value: "n")["messages"] is BODY["messages"]


KEY = "made-up-0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Incorrect API key provided: {KEY}.", "Incorrect API key provided: ***."),
        ("Incorrect API key provided: made-up-********cdef.", "Incorrect API key provided: ***."),
        ("Invalid key ****cdef", "Invalid key ***"),
        ("Invalid key made...cdef", "Invalid key ***"),
        ("so... then ** and *bold*", "so... then ** and *bold*"),
        ("other ****wxyz", "other ****wxyz"),
    ],
)
def test_keys_are_masked_even_as_providers_echo_them(text: str, shown: str) -> None:
    assert scrub({"error": [text]}, (KEY,)) == {"error": [shown]}


def test_a_stand_in_is_no_secret() -> None:
    assert scrub("nothing was found", ("no",)) == "nothing was found"
