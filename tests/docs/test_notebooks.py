"""Every notebook runs from top to bottom, in a kernel of its own, without a key."""

from __future__ import annotations

from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))

pytestmark = [pytest.mark.notebooks, pytest.mark.filterwarnings("default")]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient").NotebookClient
    notebook = nbformat.read(path, as_version=4)
    beside = {"metadata": {"path": str(path.parent)}}  # where Jupyter runs them too
    client(notebook, timeout=120, kernel_name="python3", resources=beside).execute()
    assert any(cell.get("outputs") for cell in notebook.cells)
