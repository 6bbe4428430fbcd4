"""Holds what was measured on recorded traffic against the aims: ``check_fidelity.py ROWS.json``.

The rows are what `fidelity.py --json` writes, one an exchange: its `family`, how much of the answer was `kept`, and
what is `bad`. Exits 1 when an aim is missed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

REQUIRED = ("openai-chat", "openai-responses", "anthropic-messages", "gemini", "cohere", "ollama")
# Shown, not judged: the reference leaves out cited text and takes a provider's own tools for calls. What it says when
# that is put right is in tests/corpus/test_next_formats.py.
SHOWN = {"bedrock-converse"}
EXACT_FAMILY, EXACT_OVERALL, KEPT_OVERALL = 0.99, 0.995, 0.95


def main(file: str) -> int:
    rows = json.loads(Path(file).read_text())

    def share(families: Collection[str], measure: Callable[[Any], float]) -> float:
        values = [measure(row) for row in rows if row["family"] in families]
        return sum(values) / len(values) if values else 0.0

    def exact(row: Any) -> float:
        return not row["bad"]

    seen = {row["family"] for row in rows}
    checks = [(f"exact, {family}", share([family], exact), EXACT_FAMILY) for family in REQUIRED]
    checks.append(("exact, overall", share(seen - SHOWN, exact), EXACT_OVERALL))
    checks.append(("kept, overall", share(REQUIRED, lambda row: row["kept"]), KEPT_OVERALL))
    for what, value, aim in checks:
        print(f"{'ok  ' if value >= aim else 'MISS'}  {what:26} {value:7.2%}  (aim {aim:.1%})")
    for family in sorted(seen & SHOWN):
        print(f"      exact, {family:19} {share([family], exact):7.2%}  (not judged: the reference is at fault)")
    return 0 if all(value >= aim for _, value, aim in checks) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
