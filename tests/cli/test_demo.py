"""The demo, as somebody without a key sees it, and against a server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ai_protocol_runtime.manifest import manifests
from ai_protocol_runtime.simulator import Server

pytest.importorskip("langchain_core", reason="the demo is a LangChain chain; langchain-core is not installed")
DEMO = Path(__file__).parents[2] / "scripts" / "demo.py"


def demo(**environment: str) -> list[list[str]]:
    """What it prints, line by line in words. Keys of this machine are not seen by it."""
    env = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ} | environment
    done = subprocess.run([sys.executable, DEMO], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line.split() for line in done.stdout.splitlines()]


def test_without_a_key() -> None:
    lines = demo()
    for protocol in manifests().provider("simulator").protocols:
        rows = [line for line in lines if line[:1] == [protocol]]
        assert [row[1] for row in rows] == ["whole", "streamed"]
        assert all("get_weather(city='Rome')" in row for row in rows)
        assert all("Sunny," in row for row in rows)


def test_against_a_server() -> None:
    with Server() as server:
        lines = demo(AI_PROTOCOL_BASE_URL=server.url, AI_PROTOCOL_MODEL="llamacpp/some-model")
    after = lines[next(i for i, line in enumerate(lines) if line[:1] == ["llamacpp/some-model:"]) :]
    answered = {line[0] for line in after if "Sunny," in line}
    assert answered == set(manifests().provider("llamacpp").protocols)
