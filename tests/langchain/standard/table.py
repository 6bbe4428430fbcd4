"""Runs the standard suites and prints what became of them, wire format by wire format:

python tests/langchain/standard/table.py
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections import Counter
from pathlib import Path

import pytest


class Results:
    """A plugin of pytest that counts outcomes by suite and wire format, and keeps the names of skipped tests."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self.skipped: dict[str, list[str]] = {}
        self._about: dict[str, tuple[str, str]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            format = getattr(getattr(item, "cls", None), "format", None)
            if format is not None:
                self._about[item.nodeid] = format.protocol, item.path.stem.removeprefix("test_standard_")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.nodeid not in self._about or (report.when != "call" and not report.failed):
            return
        protocol, suite = self._about[report.nodeid]
        self.counts[protocol, suite, report.outcome] += 1
        if report.skipped:
            self.skipped.setdefault(protocol, []).append(report.nodeid.rpartition("::test_")[2])

    def table(self) -> str:
        suites = [(suite, outcome) for suite in ("unit", "integration") for outcome in ("passed", "failed")]
        lines = [f"{'':20}" + "".join(f"{' '.join(head):>20}" for head in suites) + "  skipped"]
        for protocol in dict.fromkeys(protocol for protocol, _, _ in self.counts):
            counts = "".join(f"{self.counts[protocol, *head]:20}" for head in suites)
            lines.append(f"{protocol:20}{counts}  {', '.join(self.skipped.get(protocol, ['-']))}")
        return "\n".join(lines)


if __name__ == "__main__":
    results, said = Results(), io.StringIO()
    with contextlib.redirect_stdout(said):
        status = pytest.main([str(Path(__file__).parent), "-m", "not real_server"], plugins=[results])
    print(said.getvalue() if status else results.table())
    sys.exit(status)
