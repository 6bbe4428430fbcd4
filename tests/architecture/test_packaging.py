"""What is shipped: both packages, the manifests, and nothing else at top level."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .source import ROOT


@pytest.mark.skipif(not os.environ.get("CI"), reason="in CI only: pip fetches the build backend")
def test_wheel(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(pip, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    top = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert top == {"ai_protocol_integrations", "ai_protocol_runtime"}
    for folder in ("providers", "wire"):
        here = {file.name for file in (ROOT / "manifests" / folder).glob("*.yaml")}
        assert here
        assert {f"ai_protocol_runtime/manifests/{folder}/{name}" for name in here} <= set(names)
    assert {f"{package}/py.typed" for package in top} <= set(names)
    assert any(name.endswith("/licenses/LICENSE") for name in names)
