"""What the recorded traffic says of the wire formats, in tables.

    python tests/corpus/report.py [--test NAME ...] [--format FORMAT] [--show N] [--reasons N] [--only ID] [--find TEXT]

A row counts what was tried, what held, and what does not count (with the reason). `<` marks a share that is too low,
`*` one that is tracked in tracked.json and has fallen. Under a row stand its most frequent sorts of failure and, with
`--show`, the first N failing exchanges in full: - is what should be, + is what came. `--find TEXT` shows only
failures that have the text in a reason; `--only ID` tries one exchange and shows it in full.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.corpus.recordings import ABSENT, CORPUS, WIRES, exchanges
from tests.corpus.rows import Row, rows_of, too_low
from tests.corpus.suites import SUITES
from tests.corpus.trips import Outcome


def table(name: str, rows: list[Row], seconds: float, reasons: int) -> None:
    summary = " ".join((SUITES[name].load().__doc__ or "").split())
    print(f"\n== {name}  ({seconds:.1f} s)  {summary}")
    width = max((len(row.label) for row in rows), default=0)
    for row in rows:
        share = "-" if row.share is None else f"{row.share:.2%}"
        mark = too_low(name, row) or " "
        aside = "".join(f"  [{n} not counted: {why}]" for why, n in row.excused.most_common(4))
        print(f"{mark} {row.label:{width}} {row.good:>6}/{row.counted:<6}{share:>8}{aside}")
        for reason, ids in row.reasons(reasons):
            print(f"  {'':{width}} {len(ids):>6}  {reason}   {' '.join(dict.fromkeys(ids[:3]))}")


def show(failing: list[Outcome]) -> None:
    for outcome in failing:
        print(f"\n  {outcome.label}  {outcome.id}")
        print("".join(f"    {line}\n" for line in outcome.detail), end="")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--test", action="append", choices=list(SUITES), help="may be repeated; default: all")
    parser.add_argument("--format", choices=WIRES)
    parser.add_argument("--show", type=int, default=0, metavar="N", help="failing exchanges to show in full")
    parser.add_argument("--reasons", type=int, default=8, metavar="N", help="sorts of failure to list a row")
    parser.add_argument("--only", metavar="ID", help="one exchange, shown in full")
    parser.add_argument("--find", metavar="TEXT", help="show only failures with this in the label or a reason")
    chosen = parser.parse_args()
    if not CORPUS.is_dir():
        print(ABSENT)
        return 2
    found = [e for e in exchanges() if chosen.format in (None, e.wire) and chosen.only in (None, e.id)]
    low = []
    for name in chosen.test or SUITES:
        start = time.perf_counter()
        outcomes = [outcome for e in found for outcome in SUITES[name].load()(e)]
        rows = rows_of(outcomes)
        table(name, rows, time.perf_counter() - start, chosen.reasons)
        low += [f"{name}: {row.label} {row.share:.2%}" for row in rows if too_low(name, row)]
        failing = [o for o in outcomes if not o.ok and not o.excused]
        if chosen.find:
            failing = [o for o in failing if any(chosen.find in text for text in (o.label, *o.reasons))]
        show(failing[: chosen.show or (len(failing) if chosen.only or chosen.find else 0)])
    print(f"\n{len(low)} rows are too low", *low, sep="\n  ")
    return bool(low)


if __name__ == "__main__":
    sys.exit(main())
