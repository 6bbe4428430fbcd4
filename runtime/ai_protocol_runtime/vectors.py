"""Comparing vectors: with numpy where it is installed, else without it, more slowly and to the same figures.

A vector is a sequence of numbers, a matrix a sequence of vectors of one length; arrays of numpy are both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from heapq import nsmallest
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeAlias

from .types.errors import ArgumentError

Vector: TypeAlias = Sequence[float]
Matrix: TypeAlias = Sequence[Vector]

_DIGITS = 12
"""Decimal places of a cosine: as many as hardly depend on the order in which products are added; two ways of adding
differ in the last of them, if at all."""


def cosine(rows: Matrix, columns: Matrix) -> list[list[float]]:
    """The cosine of each row with each column, from -1 to 1: ``len(rows)`` lists of ``len(columns)`` numbers.

    They are rounded to 12 decimal places. A vector of zeros has no direction; its cosine with any other is 0. Raises
    `ArgumentError` where vectors differ in length, or hold what is not finite.
    """
    lengths = sorted({len(vector) for matrix in (rows, columns) for vector in matrix})
    if len(lengths) > 1:
        raise ArgumentError(f"only vectors of one length can be compared, not of {', '.join(map(str, lengths))}")
    if not lengths or not len(rows) or not len(columns):
        return [[] for _ in rows]
    numpy = import_module("numpy") if find_spec("numpy") else None
    found = _plain(rows, columns) if numpy is None else _quick(numpy, rows, columns)
    if any(math.isnan(number) for row in found for number in row):
        raise ArgumentError("a vector holds a number that is not finite")
    return [[round(max(-1.0, min(1.0, number)), _DIGITS) for number in row] for row in found]


def top_k(query: Vector, vectors: Matrix, k: int) -> tuple[list[int], list[float]]:
    """Places (from 0) of the `k` vectors nearest to the query by their cosine, best first, and these cosines.

    Of equal ones the earlier comes first; there are fewer than `k` where there are fewer vectors. Raises
    `ArgumentError` as `cosine` does, and for a `k` below 1.
    """
    if k < 1:
        raise ArgumentError(f"k must be at least 1, not {k!r}")
    (scores,) = cosine([query], vectors)
    places = nsmallest(k, range(len(scores)), key=lambda place: (-scores[place], place))
    return places, [scores[place] for place in places]


def _plain(rows: Matrix, columns: Matrix) -> list[list[float]]:
    ours, theirs = [_unit(vector) for vector in rows], [_unit(vector) for vector in columns]
    return [[math.fsum(a * b for a, b in zip(one, other, strict=True)) for other in theirs] for one in ours]


def _unit(vector: Vector) -> list[float]:
    length = math.hypot(*vector)
    return [number / length if length else 0.0 for number in vector]


def _quick(numpy: Any, rows: Matrix, columns: Matrix) -> list[list[float]]:
    def divided(numbers: Any, sizes: Any) -> Any:
        return numpy.divide(numbers, sizes, out=numpy.zeros_like(numbers), where=sizes != 0)

    def units(matrix: Matrix) -> Any:
        numbers = numpy.asarray(matrix, dtype=float)
        # By the largest first, so that no square is too large or too small for a number.
        numbers = divided(numbers, numpy.abs(numbers).max(axis=1, keepdims=True, initial=0))
        return divided(numbers, numpy.linalg.norm(numbers, axis=1, keepdims=True))

    with numpy.errstate(invalid="ignore"):
        found: list[list[float]] = (units(rows) @ units(columns).T).tolist()
    return found
