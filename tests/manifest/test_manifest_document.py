"""YAML files as data and positions: what is no manifest, and where things stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ai_protocol_runtime.manifest import document
from ai_protocol_runtime.manifest.document import Document
from ai_protocol_runtime.types.errors import ManifestError


def parse(text: str | bytes) -> Document:
    return Document.parse(text, "some.yaml")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3", 3, "`a` stands twice, first in line 1"),
        ("x:\n  - {a: 1, a: 2}", 2, "`a` stands twice"),
        ("a: 1\nb: [1, 2\nc: 3", 3, "flow sequence"),
        ("\ta: 1", 1, "cannot start any token"),
        ("a: éééé\nb: \x07\nc: 1\nd: 2", 2, "character U+0007"),
        ("a: *nobody", 1, "undefined alias"),
        ("a: 1\n---\nb: 2", 2, "single document"),
        ("a: !!python/name:os.system x", 1, "could not determine a constructor"),
        ("? [a]\n: 1", 1, "unhashable key"),
        ("- a", 1, "mapping"),
        ("", 1, "mapping"),
        ("just words", 1, "mapping"),
        (b"a: \xff", None, "UTF-8"),
        ("a: !!int seven", None, "does not fit its tag"),
        ("a: !!timestamp seven", None, "does not fit its tag"),
    ],
)
def test_what_cannot_be_read(text: str | bytes, line: int | None, words: str) -> None:
    with pytest.raises(ManifestError, match=r"some\.yaml") as caught:
        parse(text)
    assert words in caught.value.message
    assert (caught.value.file, caught.value.line) == ("some.yaml", line)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="No such file"):
        Document.read(tmp_path / "none.yaml")


def test_texts_are_texts() -> None:
    """As in YAML 1.2: only true and false are booleans, and nothing is a date."""
    data = parse("{a: off, b: no, c: Yes, d: true, e: False, f: 2026-02-30, g: null, h: 1.5}").data
    assert list(data.values()) == ["off", "no", "Yes", True, False, "2026-02-30", None, 1.5]


def test_byte_order_mark() -> None:
    assert parse(b"\xef\xbb\xbfa: 1").data == {"a": 1}


def test_anchors_and_merging() -> None:
    """A key that is merged in may be said again, also where the merge is merged on."""
    data = parse(
        """
        c: &c {x: 1, y: 1}
        b: &b {<<: *c, x: 2}
        a: {<<: *b, x: 3}
        inline: {<<: {x: 4}, x: 5}
        several: {<<: [*b, *c], z: 0}
        """
    ).data
    assert data["a"] == {"x": 3, "y": 1}
    assert data["inline"] == {"x": 5}
    assert data["several"] == {"x": 2, "y": 1, "z": 0}


def nest(kind: str) -> str:
    """Each line holds the line before ten times."""
    lines = ["a0: &a0 {x: 1}"]
    for n in range(1, 30):
        ten = f"[{', '.join([f'*a{n - 1}'] * 10)}]"
        lines.append(f"a{n}: &a{n} {ten if kind == 'list' else f'{{<<: {ten}}}'}")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (nest("list"), "aliases in it make it too large"),
        (nest("merge"), "aliases in it make it too large"),
        ("a: &a [*a]", "aliases in it make it too large"),
        ("a0: &a0 [x]\n" + "\n".join(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 1000)), "aliases in it"),
        ("[" * 3_000_000, "nested more than"),
        ("- " * 2_000_000, "nested more than"),
        ("? " * 2_000_000, "nested more than"),
        ("a: {b: [" * 100_000, "nested more than"),
        ("a: " + "x" * document.MAX_BYTES, "larger than"),
    ],
    ids=["lists", "merges", "itself", "chain", "flow", "block", "keys", "mixed", "size"],
)
def test_bombs(text: str, words: str) -> None:
    with pytest.raises(ManifestError, match=words):
        parse(text)


def test_lines() -> None:
    doc = parse(
        """\
        a: 1
        b:
          - x
          - c: &c
              d: 1
            e: 2
        7: seven
        f:
          <<: *c
          g: 1
        """
    )
    lines = {(): 1, ("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 1): 4, ("b", 1, "c", "d"): 5, ("b", 1, "e"): 6}
    lines |= {(7,): 7, ("f", "g"): 10, ("f", "d"): 5}
    assert {path: doc.line(path) for path in lines} == lines
    assert [doc.line(path) for path in [("z",), ("b", 2), ("b", "c"), ("a", "b")]] == [None] * 4


def test_an_error_without_a_place_of_its_own_is_about_what_it_would_be_in() -> None:
    error = parse("a: 1\nb:\n  c: [1]").error(("b", "c", 4, "d"), "is missing")
    assert str(error) == "some.yaml:3: is missing"
    assert error.key == "b.c[4].d"


def test_layers() -> None:
    base = Document.parse("id: b\nx: {k: 1, l: [1, 2]}\ny: 1", "base.yaml")
    top = Document.parse("x: {l: [3], m: 2}", "top.yaml").over(base, without=["id"])
    assert top.data == {"x": {"k": 1, "l": [3], "m": 2}, "y": 1}
    assert [str(top.error(path, "!")) for path in [("x", "m"), ("x", "k"), ("y",), ("z",)]] == [
        "top.yaml:1: !",
        "base.yaml:2: !",
        "base.yaml:3: !",
        "top.yaml:1: !",
    ]
    assert base.data["x"] == {"k": 1, "l": [1, 2]}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_what_is_written_is_read(data: dict[str, Any]) -> None:
    """Whatever PyYAML writes is read as it was, and everything in it has a line."""
    text = yaml.safe_dump(data)
    doc = parse(text)
    assert doc.data == data
    last = text.count("\n") + 1

    def walk(value: Any, path: tuple[str | int, ...]) -> None:
        line = doc.line(path)
        assert line is not None
        assert 1 <= line <= last
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in inner:
            walk(item, (*path, key))

    walk(data, ())


@given(st.text(alphabet="ab01:-?,[]{}&*!<>|'\"# \n\t.~", max_size=60) | st.binary(max_size=40))
def test_nonsense_is_read_or_refused(text: str | bytes) -> None:
    try:
        doc = parse(text)
    except ManifestError:
        return
    assert isinstance(doc.data, dict)
