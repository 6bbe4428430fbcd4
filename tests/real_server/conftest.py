from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..langchain.standard.surroundings import pytest_runtest_makereport as pytest_runtest_makereport
from .server import SCRIPTS, Server, install


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is said to fail has to."""
    for item in items:
        fails: dict[str, str] = getattr(getattr(item, "cls", None), "fails", {})
        reason = fails.get(getattr(item, "originalname", ""))
        if reason is not None:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


def running(name: str) -> Iterator[Server]:
    if not SCRIPTS.exists():
        pytest.skip(
            f"there is no {SCRIPTS.parent.name}/{SCRIPTS.name} beside the project, which fetches the model server"
        )
    install()
    server = Server(name).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Answers with text and tool calls."""
    yield from running("tiny")


@pytest.fixture(scope="session")
def thinker() -> Iterator[Server]:
    """Thinks first, for 20 tokens."""
    yield from running("tiny-think")


@pytest.fixture
def mortal() -> Iterator[Server]:
    """One of its own for a test that stops it."""
    yield from running("tiny")
