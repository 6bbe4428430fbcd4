"""Comparing vectors: with numpy and without it the same."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ai_protocol_runtime import vectors
from ai_protocol_runtime.types.errors import ArgumentError
from ai_protocol_runtime.vectors import cosine, top_k

plain = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
numbers = st.floats(-1e300, 1e300, allow_subnormal=False)


def matrices(columns: int) -> st.SearchStrategy[list[list[float]]]:
    return st.lists(st.lists(numbers, min_size=columns, max_size=columns), max_size=5)


@pytest.fixture(params=["numpy", "plain"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "numpy":
        pytest.importorskip("numpy")
    else:
        monkeypatch.setattr(vectors, "find_spec", lambda name: None)
    return str(request.param)


@pytest.mark.usefixtures("way")
def test_cosines() -> None:
    assert cosine([[1, 0], [2, 2]], [[3, 0], [0, 1], [-1, 0]]) == [
        [1.0, 0.0, -1.0],
        [round(math.sqrt(0.5), 12), round(math.sqrt(0.5), 12), -round(math.sqrt(0.5), 12)],
    ]
    assert cosine([[0, 0], [1e-300, 0]], [[1e300, 0], [0, 0]]) == [[0.0, 0.0], [1.0, 0.0]]
    assert cosine([], [[1]]) == []
    assert cosine([[1], [2]], []) == [[], []]
    assert cosine([[]], [[]]) == [[0.0]]


@pytest.mark.usefixtures("way")
def test_the_nearest() -> None:
    known = [[0, 1], [1, 0], [1, 1], [2, 0], [0, 0]]
    assert top_k([1, 0], known, 3) == ([1, 3, 2], [1.0, 1.0, round(math.sqrt(0.5), 12)])
    assert top_k([1, 0], known, 9)[0] == [1, 3, 2, 0, 4]  # of equal ones the earlier first
    assert top_k([1, 0], [], 2) == ([], [])


@pytest.mark.usefixtures("way")
def test_what_cannot_be_compared() -> None:
    with pytest.raises(ArgumentError, match="not of 2, 3"):
        cosine([[1, 2]], [[1, 2, 3]])
    with pytest.raises(ArgumentError, match="not of 1, 2"):
        top_k([1], [[1], [1, 2]], 1)
    with pytest.raises(ArgumentError, match="k must be"):
        top_k([1], [[1]], 0)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite(number: float) -> None:
    with pytest.raises(ArgumentError, match="not finite"):
        top_k([1, 1], [[1, 1], [number, 1]], 1)


@plain
@given(st.integers(1, 6).flatmap(lambda n: st.tuples(matrices(n), matrices(n))))
def test_both_ways_are_one(monkeypatch: pytest.MonkeyPatch, both: tuple[Any, Any]) -> None:
    pytest.importorskip("numpy")
    quick = cosine(*both)
    with monkeypatch.context() as patched:
        patched.setattr(vectors, "find_spec", lambda name: None)
        slow = cosine(*both)
    assert [len(row) for row in quick] == [len(row) for row in slow] == [len(both[1])] * len(both[0])
    for fast, exact in zip(quick, slow, strict=True):
        assert fast == pytest.approx(exact, abs=2e-12)  # the last place may be rounded the other way
        assert all(-1 <= number <= 1 for number in fast)


def test_arrays_of_numpy(way: str) -> None:
    numpy = pytest.importorskip("numpy")
    known = numpy.eye(3, dtype="float32")
    assert top_k(known[1], known, 1) == ([1], [1.0])
    assert type(top_k(known[1], known, 1)[1][0]) is float
    assert cosine(known, []) == [[], [], []]


def test_numpy_is_not_needed() -> None:
    code = (
        "import sys; sys.modules['numpy'] = None; from ai_protocol_runtime.vectors import top_k; "
        "print(top_k([1, 0], [[0, 1], [1, 0]], 1))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert shown.stdout.strip() == "([1], [1.0])", shown.stderr
