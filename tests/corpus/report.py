"""What the recorded traffic says of the wire formats, in tables.

    python tests/corpus/report.py [--test NAME ...] [--format FORMAT] [--show N] [--reasons N] [--only ID] [--find TEXT]

A row counts what was tried, what held, and what does not count (with the reason). Under it stand the most frequent
sorts of failure and, with `--show`, the first N failing exchanges in full: - is what should be, + is what came.
`--find TEXT` shows only failures that have the text in a reason; `--only ID` runs one exchange.
"""

from __future__ import annotations

import argparse
import collections
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.corpus.recordings import ABSENT, CORPUS, WIRES, exchanges
from tests.corpus.trips import Outcome
from tests.corpus.suites import SUITES


def table(name: str, outcomes: list[Outcome], seconds: float, reasons: int) -> None:
    summary = (SUITES[name].__doc__ or "").split("\n\n")[0].replace("\n", " ").replace("    ", "")
    print(f"\n== {name}  ({seconds:.1f} s)  {summary}")
    rows: dict[str, list[Outcome]] = collections.defaultdict(list)
    for outcome in outcomes:
        rows[outcome.label].append(outcome)
    width = max(map(len, rows), default=0)
    for label, row in sorted(rows.items()):
        counted = [o for o in row if not o.excused]
        good = sum(o.ok for o in counted)
        share = f"{good / len(counted):8.2%}" if counted else "       -"
        left_out = collections.Counter(o.excused for o in row if o.excused)
        aside = "".join(f"  [{n} not counted: {why}]" for why, n in left_out.items())
        print(f"  {label:{width}} {good:>6}/{len(counted):<6}{share}{aside}")
        why: dict[str, list[str]] = collections.defaultdict(list)
        for o in counted:
            for reason in o.reasons if not o.ok else ():
                why[reason].append(o.id)
        for reason, ids in sorted(why.items(), key=lambda item: -len(item[1]))[:reasons]:
            print(f"  {'':{width}} {len(ids):>6}  {reason}   {' '.join(dict.fromkeys(ids[:3]))}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--test", action="append", choices=list(SUITES), help="may be repeated; default: all")
    parser.add_argument("--format", choices=WIRES)
    parser.add_argument("--show", type=int, default=0, metavar="N", help="failing exchanges to show in full")
    parser.add_argument("--reasons", type=int, default=8, metavar="N", help="sorts of failure to list a row")
    parser.add_argument("--only", metavar="ID", help="one exchange, shown in full")
    parser.add_argument("--find", metavar="TEXT", help="show only failures with this in a reason")
    chosen = parser.parse_args()
    if not CORPUS.is_dir():
        print(ABSENT)
        return 2
    found = [
        e for e in exchanges() if chosen.format in (None, e.wire) and (chosen.only is None or e.id == chosen.only)
    ]
    for name in chosen.test or SUITES:
        start = time.perf_counter()
        outcomes = [outcome for e in found for outcome in SUITES[name](e)]
        table(name, outcomes, time.perf_counter() - start, chosen.reasons)
        failing = [o for o in outcomes if not o.ok and not o.excused]
        if chosen.find:
            failing = [o for o in failing if any(chosen.find in reason for reason in o.reasons)]
        for outcome in failing[: chosen.show or (10**9 if chosen.only else 0)]:
            print(f"\n  {outcome.label}  {outcome.id}")
            print("".join(f"    {line}\n" for line in outcome.detail), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
