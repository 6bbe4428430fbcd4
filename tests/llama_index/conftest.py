"""For all tests with LlamaIndex: nothing is fetched, and nothing of LlamaIndex's own is warned of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import llama_index.core
import pytest
from llama_index.core import set_global_tokenizer

OWN = (
    "ignore:The `__fields(_set)?__` attribute is deprecated",
    "ignore:Accessing the 'model_(computed_)?fields' attribute on the instance is deprecated",
    "ignore:The `json` method is deprecated",
    "ignore:is_running called from within a step",
)
"""Warnings of LlamaIndex's own: it reads every attribute of its agents, which are pydantic models, and asks others for
what is deprecated."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            for warning in OWN:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture(autouse=True, scope="session")
def counted_by_words() -> Iterator[None]:
    """Words are tokens. LlamaIndex would take tiktoken's, of which it brings the one that it asks for by default."""
    before = llama_index.core.global_tokenizer
    set_global_tokenizer(str.split)
    yield
    llama_index.core.global_tokenizer = before
