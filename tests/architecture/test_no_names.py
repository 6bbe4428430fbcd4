"""No line of Python knows a provider's name, or a wire format's: those are in manifests/ and nowhere else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import yaml

from .source import ROOT, Module, modules, strings

# Names that stand for a provider or its format without being the id of a manifest.
BRANDS = set(
    re.findall(
        r"\w+",
        """
        amazon anthropic aws azure bedrock claude cohere converse deepseek gemini google gpt grok groq huggingface
        minimax mistral moonshot ollama openai openrouter qwen vertex vertexai vllm xai zhipu
        """,
    )
)
# Ids that are words of plain English too: forbidden by themselves, harmless in a sentence or a longer name.
ORDINARY = set(
    re.findall(
        r"\w+",
        """
        cloud custom fireworks gateway jan lambda lemonade local mock novita parallel perplexity poolside portkey
        replicate simulator snowflake test together upstage venice voyage writer
        """,
    )
)
# The provider that is part of this project: an error about a missing key names it, as the keyless way.
OURS = {"simulator"}


def ids() -> set[str]:
    found = set()
    for kind in ("providers", "wire"):
        for file in sorted((ROOT / "manifests" / kind).glob("[!_]*.yaml")):
            manifest = yaml.safe_load(file.read_text())
            found |= {file.stem, manifest.get("id", file.stem), *manifest.get("aliases", [])}
    return {name.lower() for name in found}


def words_of(name: str) -> set[str]:
    """``_fromOpenAIChat`` and ``from_openai_chat`` are both from, openai, chat."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower().strip("_").split("_")
    return {*split, *("".join(pair) for pair in pairwise(split))}


def definitions(module: Module) -> Iterator[tuple[ast.AST, str]]:
    """Names that this module gives, not those that it takes from a library."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node, node.name
        elif isinstance(node, ast.arg):
            yield node, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node, node.id


def offences(module: Module, names: set[str]) -> Iterator[str]:
    telling = sorted(names - ORDINARY, key=len, reverse=True)
    within = re.compile(rf"(?<![a-z0-9])({'|'.join(map(re.escape, telling))})(?![a-z0-9])")
    for node in strings(module):
        text = str(node.value).lower()
        hit = within.search(text)
        if hit or (text in names and text not in OURS):
            yield f"{module.where(node)}: {node.value!r} names {hit[1] if hit else text}"
    for defined, name in definitions(module):
        if hits := words_of(name) & set(telling):
            yield f"{module.where(defined)}: the name {name} says {', '.join(sorted(hits))}"


def test_no_provider_or_format_is_named_in_code() -> None:
    names = ids() | BRANDS
    assert [line for module in modules().values() for line in offences(module, names)] == []


def test_the_test_sees_names() -> None:
    """What has to be caught, and what has not."""
    code = '''
"""Docstrings may say Anthropic."""
a = "openai-chat"
b = "https://api.groq.com"
c = f"{a}:GEMINI_API_KEY"
def read_anthropic_usage(x): return "together"
d = "all together, in a local file: opening, ollamas"
'''
    module = Module("m", Path(ROOT / "m.py"), ast.parse(code))
    found = [line.split(": ", 1)[1] for line in offences(module, {"openai-chat", "together", "local"} | BRANDS)]
    assert sorted(found) == [
        "':GEMINI_API_KEY' names gemini",
        "'https://api.groq.com' names groq",
        "'openai-chat' names openai-chat",
        "'together' names together",
        "the name read_anthropic_usage says anthropic",
    ]
