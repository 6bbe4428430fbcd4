"""A file can be read in one sitting."""

from .source import modules

LONGEST = 600


def test_no_file_is_too_long() -> None:
    lengths = {str(module): len(module.path.read_text().splitlines()) for module in modules().values()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}
