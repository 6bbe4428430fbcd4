"""Run the suite of tests/llama_index/suite on AIProtocolLLM and on LlamaIndex's own LLM classes, and write down what
comes of it.

    python3 scripts/llama_index_suite.py            # make llama-compare
    python3 scripts/llama_index_suite.py --from results.xml

A virtual environment of its own (.venv-peers) gets this package, what its tests need and the other classes, once. The
suite runs there, with a simulated provider on this machine; its results, as JUnit XML, are in .venv-peers/suite.xml (or
are taken `--from` a file, and nothing runs). A Markdown table of them replaces what stands between the two marks in
docs/llama-index.md: for every rule, and for every group of scenarios, how many tests a class passes, and the first
fault. AIProtocolLLM is tested in seven wire formats; the one in which it does worst counts.

Ends with 1 if AIProtocolLLM fails in anything.
"""

from __future__ import annotations

import argparse
import ast
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SUITE = ROOT / "tests/llama_index/suite"
PAGE = ROOT / "docs/llama-index.md"
MARKS = "<!-- comparison -->\n", "<!-- /comparison -->"
VENV = ROOT / ".venv-peers"
PYTHON = VENV / "bin/python"
PEERS = (
    "llama-index-llms-openai",
    "llama-index-llms-anthropic",
    "anthropic<1",  # with later ones llama-index-llms-anthropic 0.12.3 sends nothing: every call is a TypeError
    "llama-index-llms-litellm",
    "mcp",  # without it litellm fails as soon as there are tools
)
SHOWN = ("llama-index-core", "llama-index-llms-openai", "openai", "llama-index-llms-anthropic", "anthropic")
SHOWN += ("llama-index-llms-litellm", "litellm")
OURS = "AIProtocolLLM"
COLUMNS = (OURS, "OpenAI", "Anthropic", "LiteLLM")
LONGEST = 72
"""Characters of a fault."""


@dataclass
class Score:
    """How often a subject passed, and where it did not at first."""

    passed: int = 0
    total: int = 0
    fault: str = ""

    def note(self, fault: str | None) -> None:
        self.total += 1
        self.passed += fault is None
        self.fault = self.fault or fault or ""

    @property
    def share(self) -> float:
        return self.passed / self.total if self.total else 1.0

    def __str__(self) -> str:
        told = f"**{self.passed}**/{self.total}" if self.fault else f"{self.passed}/{self.total}"
        return f"{told} {_cell(self.fault)}".strip() if self.total else "–"


@dataclass
class Row:
    """A rule, or a group of scenarios, with the score of each subject."""

    title: str
    scores: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))

    def of(self, column: str) -> Score:
        """Of our class that in the wire format in which it did worst."""
        if column != OURS:
            return self.scores[column]
        ours = {name.partition("/")[2]: score for name, score in self.scores.items() if name.startswith("ours/")}
        name, worst = min(ours.items(), key=lambda item: item[1].share, default=("", Score()))
        return Score(worst.passed, worst.total, f"{name}: {worst.fault}") if worst.fault else worst


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--from", dest="results", type=Path, help="results of an earlier run, as JUnit XML")
    results: Path | None = options.parse_args().results
    install()
    if results is None:
        results = VENV / "suite.xml"
        run(results)
    rows = read(results)
    write(f"{versions()}\n\n{table(rows)}\n")
    failed = [row.title for row in rows if row.of(OURS).fault]
    print(*(f"{OURS} fails: {title}" for title in failed), sep="\n")
    return bool(failed)


def install() -> None:
    """The environment; it is made anew when what it is made from has changed."""
    stamp = VENV / ".installed"
    sources = (ROOT / "pyproject.toml", Path(__file__))
    if stamp.exists() and all(stamp.stat().st_mtime > source.stat().st_mtime for source in sources):
        return
    subprocess.run(["sh", "scripts/make_venv.sh", str(VENV)], cwd=ROOT, check=True)
    (VENV / ".gitignore").write_text("*\n")
    pip("--upgrade", "pip>=25.1")  # the first that knows --group
    pip("-e", ".[llama-index]", "--group", "test", *PEERS)
    stamp.touch()


def pip(*arguments: str) -> None:
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "-q", *arguments]
    subprocess.run(command, cwd=ROOT, check=True)


def run(results: Path) -> None:
    """All subjects. Warnings are no errors here: those of other packages are not ours to judge."""
    results.unlink(missing_ok=True)
    arguments = ["-W", "ignore", "-p", "no:cacheprovider", "--tb=no", "--no-summary", "-o", "verbosity_assertions=2"]
    command = [str(PYTHON), "-m", "pytest", str(SUITE), *arguments, f"--junitxml={results}"]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"LLAMA_SUITE_PEERS": "1"}, check=False)
    if not results.exists():
        sys.exit("the suite did not run to its end")


def versions() -> str:
    """What was compared."""
    ask = f"from importlib.metadata import version\nfor name in {SHOWN}: print(name, version(name))"
    done = subprocess.run([str(PYTHON), "-c", ask], capture_output=True, text=True, check=True)
    return f"Tests passed of all, with {', '.join(done.stdout.splitlines())}:"


def read(results: Path) -> list[Row]:
    """The scores, in the order of the files."""
    rows = {key: Row(title) for key, title in titles().items()}
    for case in ElementTree.parse(results).iter("testcase"):  # we wrote it
        subject = next((item.get("value") for item in case.iter("property") if item.get("name") == "subject"), None)
        module, function = str(case.get("classname")).rpartition(".")[2], str(case.get("name")).partition("[")[0]
        row = rows.get((module, function)) or rows.get((module, ""))
        if subject is None or row is None:
            continue
        found = next((item for item in case if item.tag in ("failure", "error")), None)
        row.scores[subject].note(None if found is None else str(found.get("message")).partition("\n")[0])
    return [row for row in rows.values() if row.scores]


def titles() -> dict[tuple[str, str], str]:
    """The rows: each test of a module of rules, and each other module as one."""
    found: dict[tuple[str, str], str] = {}
    for path in sorted(SUITE.glob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        about = (ast.get_docstring(tree) or path.stem).partition("\n")[0].rstrip(".")
        if not about.startswith("Rules: "):
            found[path.stem, ""] = about.partition(":")[0]
            continue
        tests = (node.name for node in tree.body if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef))
        found |= {(path.stem, name): name.removeprefix("test_").replace("_", " ") for name in tests if "test_" in name}
    return found


def table(rows: list[Row]) -> str:
    """Scenarios, then rules, then the sums."""
    total = Row("**all**")
    for row in rows:
        for name, score in row.scores.items():
            total.scores[name].passed += score.passed
            total.scores[name].total += score.total
    ordered = sorted(rows, key=lambda row: row.title[0].islower())
    cells = [[row.title, *(str(row.of(column)) for column in COLUMNS)] for row in [*ordered, total]]
    lines = [["", *COLUMNS], ["---"] * (1 + len(COLUMNS)), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(fault: str) -> str:
    said = fault.removeprefix("AssertionError: ").replace("|", "\\|").replace("`", "'")
    short = said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"
    return f"`{short}`" if short else ""


def write(text: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, begin, rest = page.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not begin or not end:
        sys.exit(f"{PAGE.relative_to(ROOT)} lacks the marks {MARKS[0].strip()} and {MARKS[1]}, with the table between")
    PAGE.write_text(f"{before}{begin}{text}{end}{after}", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    sys.exit(main())
