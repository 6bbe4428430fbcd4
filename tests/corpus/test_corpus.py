"""The recorded traffic, read and written by the wire formats.

`python tests/corpus/report.py` shows the same figures as tables, with the exchanges that fail. With
`CORPUS_RAISE=1` the tracked shares that have risen are stored in `tracked.json`.
"""

from __future__ import annotations

import os

import pytest

from .recordings import ABSENT, CORPUS, exchanges
from .rows import raise_tracked, rows_of, too_low, tracked
from .suites import SUITES

pytestmark = [pytest.mark.corpus, pytest.mark.skipif(not CORPUS.is_dir(), reason=ABSENT)]


@pytest.mark.parametrize("name", SUITES)
def test_recorded_traffic(name: str) -> None:
    suite = SUITES[name]
    if suite.sdk:
        for package in ("openai", "anthropic", "google.genai"):
            pytest.importorskip(package)
    test = suite.load()
    rows = rows_of([outcome for exchange in exchanges() for outcome in test(exchange)])
    if suite.tracked and os.environ.get("CORPUS_RAISE"):
        raise_tracked(name, rows)
    assert rows, "nothing was tried"
    if suite.tracked:
        open_rows = {row.label for row in rows if suite.required(row.label) is None and row.share is not None}
        assert open_rows == set(tracked()[name]), "tracked.json has other rows"
    low = [str(row) for row in rows if too_low(name, row)]
    assert not low, "\n".join(["too low:", *low])
