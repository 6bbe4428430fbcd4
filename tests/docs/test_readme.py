"""The README is true: its examples run, its own provider loads, its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ai_protocol_runtime.manifest import Manifests
from ai_protocol_runtime.wire import SERVICES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


KEYLESS = [block for block in blocks("python") if '"simulator/' in block]


@pytest.mark.filterwarnings("ignore:.* attribute .*is deprecated")  # LlamaIndex reads every attribute of its agents
@pytest.mark.parametrize("number", range(len(KEYLESS)))
def test_examples_run(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(KEYLESS[number], f"README.md, example {number}", "exec"), {"__name__": "readme"})
    assert "print" not in KEYLESS[number] or capsys.readouterr().out.strip()


def test_own_provider_loads(tmp_path: Path) -> None:
    (block,) = [block for block in blocks("yaml") if "base_url" in block]
    manifest = yaml.safe_load(block)
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers" / f"{manifest['id']}.yaml").write_text(block)
    assert Manifests(tmp_path).provider(manifest["id"]).id == manifest["id"]


def test_providers_are_those_of_the_manifests() -> None:
    rows = set()
    known = Manifests()
    for provider in map(known.provider, known.providers()):
        usual = provider.default_protocol or next(iter(provider.protocols), None)
        formats = [name for service in SERVICES for name in provider.endpoints(service)]
        formats.sort(key=lambda name: name != usual)
        rows.add(f"| `{provider.id}` {provider.name} | {', '.join(formats)} |")
    listed = set(re.findall(r"^\| `.*? \| .*? \|", TEXT, re.MULTILINE))
    assert listed == rows


def test_links_lead_somewhere() -> None:
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", TEXT) if "://" not in target]
    anchors = {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    }
    for target in targets:
        assert target[1:] in anchors if target.startswith("#") else (ROOT / target).exists(), target
