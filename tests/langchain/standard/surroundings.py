"""What the standard suites need around them: servers, files of the web, and a watch over what is skipped."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from ai_protocol_integrations.langchain import ChatAIProtocol
from ai_protocol_runtime.simulator import Server, Simulator

from .formats import KEY, TESTS, Format
from .web import fetch

OURS = {tuple(ChatAIProtocol.lc_id())}


@pytest.fixture(scope="session")
def provider_url() -> Iterator[Callable[[str], str]]:
    """Where a provider is, by its id. Without the right key it answers nothing."""
    with ExitStack() as stack:
        yield cache(lambda provider: stack.enter_context(Server(Simulator(provider=provider, api_key=KEY))).url)


@pytest.fixture(autouse=True)
def web(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpx, "get", fetch)
    monkeypatch.setenv("LANGCHAIN_TESTS_USER_AGENT", "nobody asks")


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """For `load`, "all" objects are those of LangChain's own partners; whoever loads another's class has to name it."""
    loading = import_module("langchain_core.load.load")  # the package has a function of that name
    known = loading._get_default_allowed_class_paths
    monkeypatch.setattr(loading, "_get_default_allowed_class_paths", lambda mode: known(mode) | OURS)


@pytest.fixture
def vcr() -> Any:
    """In place of a cassette: the server is here, so that nothing has to be recorded before a stream can be timed."""
    return SimpleNamespace(responses=["from the server"])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Skipped is what a format lacks, and nothing else."""
    report = yield
    format = format_of(item)
    if report.when == "call" and format is not None:
        lacking = {TESTS[feature] for feature in format.lacks if feature in TESTS}
        if (report.skipped and not hasattr(report, "wasxfail")) != (getattr(item, "originalname", "") in lacking):
            what = "skipped, though the format does not lack it" if report.skipped else "not skipped"
            report.outcome, report.longrepr = "failed", f"{item.nodeid}: {what}: {report.longrepr}"
    return report


def format_of(item: pytest.Item) -> Format | None:
    """The format that a test of the suites is about."""
    return getattr(getattr(item, "cls", None), "format", None)
