"""What a client costs, beside the least it could cost.

    python benchmarks/bench.py [--rounds 7] [--only NAME ...] [--json FILE] [--check]

CPU time of the client's process, against a provider in a process of its own whose answers are encoded beforehand.
Every client has its own process too, and the rounds are interleaved, so that what else the machine does falls on all
alike; the best round counts, because noise only adds. Compare ratios, not microseconds. Classes of other packages take
part where they are installed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NEEDS = {
    "AIClient": "ai_protocol_runtime.client",
    "AIClient (Messages)": "ai_protocol_runtime.client",
    "LangChain floor": "langchain_core",
    "LangChain floor (Messages)": "langchain_core",
    "ChatAIProtocol": "ai_protocol_integrations.langchain",
    "ChatAIProtocol (Messages)": "ai_protocol_integrations.langchain",
    "ChatOpenAI": "langchain_openai",
    "ChatAnthropic": "langchain_anthropic",
    "LlamaIndex floor": "llama_index.core",
    "LlamaIndex floor (Messages)": "llama_index.core",
    "AIProtocolLLM": "ai_protocol_integrations.llama_index",
    "AIProtocolLLM (Messages)": "ai_protocol_integrations.llama_index",
    "OpenAI (LlamaIndex)": "llama_index.llms.openai",
}
RAW = {"openai": "raw httpx", "messages": "raw httpx (Messages)"}
CASES = {
    "call": 100,
    "a call": 100,
    "text": 2000,
    "a text": 2000,
    "tool": 2000,
    "a tool": 2000,
    "tool, long": 8000,  # what grows with the square of the length shows here
    "a tool, long": 8000,
    "build": 200,
}
RATIO_AIMS = {"call": 1.8, "text": 2.5, "tool": 3.5}
FLOOR_AIMS = {
    "ChatAIProtocol": {"text": 1.3, "tool": 1.6},
    "AIProtocolLLM": {"text": 1.5},
}
"""Of a delta, beside the least that the framework costs."""
LONG_AIM = 1.25
"""A fragment of a call that has 8,000 of them, beside one of 2,000."""
BUILD_AIM, IMPORT_AIM = 200.0, 50.0  # microseconds, milliseconds


def floor_of(name: str) -> str:
    return RAW["messages"] if "Messages" in name or name == "ChatAnthropic" else RAW["openai"]


def framework_floor_of(name: str) -> str | None:
    if name.startswith("Chat"):
        framework = "LangChain floor"
    elif name.startswith(("AIProtocolLLM", "OpenAI")):
        framework = "LlamaIndex floor"
    else:
        return None
    return f"{framework} (Messages)" if floor_of(name) == RAW["messages"] else framework


def kind_of(case: str) -> str:
    return case.removeprefix("a ").removesuffix(", long")


def installed(name: str) -> bool:
    try:
        return name not in NEEDS or find_spec(NEEDS[name]) is not None
    except ModuleNotFoundError:
        return False


class Client:
    """A client in its own process."""

    def __init__(self, name: str, url: str) -> None:
        code = [sys.executable, str(HERE / "clients.py"), name, url]
        self.name = name
        self.process = subprocess.Popen(code, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, case: str, n: int) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"case": case, "n": n}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name}: its process ended in case {case!r}")
        return json.loads(line)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


def import_time(module: str, rounds: int = 5) -> float:
    """CPU milliseconds of importing a module into a fresh interpreter: the median."""
    code = f"import time; t = time.process_time(); import {module}; print((time.process_time() - t) * 1e3)"
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(rounds)
    ]
    return statistics.median(float(run.stdout) for run in runs)


def measure(names: list[str], rounds: int) -> dict[str, dict[str, float]]:
    provider = subprocess.Popen([sys.executable, str(HERE / "provider.py")], stdout=subprocess.PIPE, text=True)
    clients = []
    try:
        assert provider.stdout
        url = f"http://127.0.0.1:{int(provider.stdout.readline())}"
        for name in names:
            clients.append(Client(name, url))
            clients[-1].run("check", CASES["text"])
        best: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(lambda: float("inf")))
        for done in range(rounds):
            for case, n in CASES.items():
                for client in clients:
                    if case == "build" and client.name in RAW.values():
                        continue
                    best[client.name][case] = min(best[client.name][case], client.run(case, n))
            print(f"\rround {done + 1} of {rounds}", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        return {name: dict(cases) for name, cases in best.items()}
    finally:
        for client in clients:
            client.close()
        provider.terminate()
        provider.wait()


def missed(best: dict[str, dict[str, float]], imported: float) -> list[str]:
    """The aims that our own classes do not reach."""
    found = [f"import: {imported:.0f} ms > {IMPORT_AIM:.0f} ms"] if imported > IMPORT_AIM else []
    for name, cases in best.items():
        if not name.startswith(("AIClient", *FLOOR_AIMS)):
            continue
        for case, value in cases.items():
            if case == "build":
                if value > BUILD_AIM:
                    found.append(f"{name}, build: {value:.0f} us > {BUILD_AIM:.0f} us")
                continue
            if case.endswith("long") and value > LONG_AIM * (short := cases[case.removesuffix(", long")]):
                found.append(f"{name}, {case}: {value / short:.2f}x of a short one > {LONG_AIM}x")
            ratio, aim = value / best[floor_of(name)][case], RATIO_AIMS[kind_of(case)]
            if ratio > aim and not name.startswith("AIProtocolLLM"):  # whole messages in every piece: its floor counts
                found.append(f"{name}, {case}: {ratio:.2f}x > {aim}x")
        aims = FLOOR_AIMS.get(name.removesuffix(" (Messages)"), {})
        found += [
            f"{name}, {case}: {ratio:.2f}x of its framework's own > {aims[kind_of(case)]}x"
            for case, ratio in beside_framework(best, name).items()
            if ratio > aims.get(kind_of(case), ratio)
        ]
    return found


def beside_framework(best: dict[str, dict[str, float]], name: str) -> dict[str, float]:
    """What a delta costs in a class of a framework, as a multiple of the least that it could."""
    floor = best.get(framework_floor_of(name) or "")
    if floor is None:
        return {}
    return {case: best[name][case] / floor[case] for case in CASES if kind_of(case) in ("text", "tool")}


def table(best: dict[str, dict[str, float]]) -> str:
    lines = [f"{'CPU us':32}" + "".join(f"{case.replace('a ', 'async '):>16}" for case in CASES)]
    for name, cases in best.items():
        cells = []
        for case in CASES:
            value, base = cases.get(case), best[floor_of(name)].get(case)
            ratio = f" {value / base:5.2f}x" if value and base else " " * 7
            cells.append(f"{value:9.1f}{ratio}" if value else f"{'-':>9}{ratio}")
        lines.append(f"{name:32}" + "".join(f"{cell:>16}" for cell in cells))
    aims = [f"<= {RATIO_AIMS[kind_of(case)]}x" if case != "build" else f"< {BUILD_AIM:.0f}       " for case in CASES]
    lines.append(f"{'aim':32}" + "".join(f"{aim:>16}" for aim in aims))
    for name in best:
        if ratios := beside_framework(best, name):
            shown = (f"{ratios[case]:.2f}x" if case in ratios else "" for case in CASES)
            lines.append(f"{name + ' / floor':32}" + "".join(f"{ratio:>16}" for ratio in shown))
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="clients beside raw httpx, by name")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--check", action="store_true", help="exit 1 when an aim is missed")
    options = parser.parse_args()

    every = [*RAW.values(), *NEEDS]
    order = sorted(every, key=lambda name: (floor_of(name) != RAW["openai"], every.index(name)))
    names = [n for n in order if installed(n) and (n in RAW.values() or not options.only or n in options.only)]
    best = measure(names, options.rounds)
    imported = import_time("ai_protocol_integrations")
    print(table(best))
    print(f"\nimport ai_protocol_integrations: {imported:.1f} ms CPU (aim < {IMPORT_AIM:.0f} ms)")
    misses = missed(best, imported)
    for miss in misses:
        print(f"MISSED  {miss}")
    if options.json:
        options.json.write_text(json.dumps({"cpu_us": best, "import_ms": imported}, indent=2))
    return 1 if options.check and misses else 0


if __name__ == "__main__":
    sys.exit(main())
