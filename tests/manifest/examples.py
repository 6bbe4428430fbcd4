"""A small provider with its wire format and models, and a folder to write such files into."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from textwrap import dedent

ACME = """\
id: acme
name: Acme
aliases: [acme-ai, roadrunner]
docs: {checked: 2026-01-31, pages: ["https://acme.test/docs"]}
base_url: "https://api.acme.test"
credentials: {env: [ACME_API_KEY]}
headers: {acme-version: 2023-06-01}
protocols:
  talk:
    path: /v1/talk
    refuse:
      - seed
      - {path: top_k, when: {tools: null}}
  shout: {path: /v1/shout}
errors:
  message: [oops]
  rules:
    - {status: 418, error: overloaded}
rate_limit_headers: {tokens_limit: acme-tokens}
timeouts: {idle: 30}
"""

DEFAULTS = """\
errors:
  message: [error.message]
  rules:
    - {status: 4xx, error: invalid_request}
request_id_headers: [x-request-id]
rate_limit_headers: {tokens_limit: x-tokens, requests_limit: x-requests}
timeouts: {idle: 60, connect: 5}
"""

TALK = """\
id: talk
docs: {checked: 2026-01-31, pages: ["https://acme.test/docs"]}
request: {model: $model}
answer: {id: $id}
"""

MODELS = """\
provider: acme
docs: {checked: 2026-01-31, pages: ["https://acme.test/docs"]}
models:
  anvil-1:
    aliases: [anvil, anvil-1-*]
    context_window: 1000
    inputs: [text, image]
    reasoning: {efforts: [off, low], default: low}
    prices: {input: 1, output: 2.5}
    released: 2026-01-01
  anvil-2: {reasoning: true, temperature: false}
"""


class Folder:
    """A folder of manifests that can be edited; every edit is another version, however fast it comes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._times = itertools.count(1_000_000_000, 1000)

    def write(self, name: str, text: str) -> Path:
        file = self.path / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), "utf-8")
        time = next(self._times)
        os.utime(file, (time, time))
        return file

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.path / f"{name}.yaml").read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def remove(self, name: str) -> None:
        (self.path / f"{name}.yaml").unlink()
