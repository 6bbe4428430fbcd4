"""A real model server: llama.cpp over a tiny model with random weights. It talks nonsense, in genuine answers.

Scripts beside the project (../shared/real-server) fetch the server and make the models; they are kept in .cache/.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT.parent / "shared" / "real-server"
CACHE = ROOT / ".cache" / "real-server"
KEY = "local-test"
MODELS: dict[str, list[str]] = {"tiny": [], "tiny-think": ["--thinking"]}
OPTIONS: dict[str, list[str]] = {"tiny": [], "tiny-think": ["--reasoning-budget", "20"]}
# The same question gets the same answer: one format has no seed of its own, and a cached prompt changes roundings.
REPEATABLE = ["--seed", "18", "--no-cache-prompt"]
TOOLS = ["gguf==0.19.0", "tokenizers==0.23.3", "numpy"]  # what making a model needs; kept out of the project's own venv


def install() -> None:
    """Fetches and makes what is not there yet; a later run finds it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    if not (CACHE / "llama" / "llama-server").exists():
        _run(sys.executable, SCRIPTS / "get_llama_server.py", CACHE / "llama")
    missing = [name for name in MODELS if not (CACHE / name / "tiny.gguf").exists()]
    if missing and not (CACHE / "lib" / "gguf").exists():
        _run(sys.executable, "-m", "pip", "install", "-q", "--target", CACHE / "lib", *TOOLS)
    for name in missing:
        _run(sys.executable, SCRIPTS / "make_tiny_model.py", CACHE / name, *MODELS[name])


def _run(*command: object) -> None:
    environment = {**os.environ, "PYTHONPATH": str(CACHE / "lib")}
    done = subprocess.run([str(word) for word in command], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """One llama-server; `start` waits until it is ready, `stop` ends that very process."""

    name: str
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Server:
        options = f"--host 127.0.0.1 --port {self.port} -a {self.name} --api-key {KEY} -c 4096 -np 2 -t 2 --offline"
        command = [CACHE / "llama" / "llama-server", "-m", CACHE / self.name / "tiny.gguf", *options.split()]
        command += ["--no-webui", *REPEATABLE, *OPTIONS[self.name]]
        with (CACHE / f"{self.name}.log").open("wb") as log:
            self.process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=subprocess.STDOUT)
        for _ in range(400):
            if self.process.poll() is not None:
                raise RuntimeError(f"llama-server ended: {(CACHE / f'{self.name}.log').read_text()[-2000:]}")
            try:
                urllib.request.urlopen(f"{self.url}/health", timeout=1).close()
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
            else:
                return self
        self.stop()
        raise RuntimeError("llama-server did not become ready in 20 s")

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.process = None
