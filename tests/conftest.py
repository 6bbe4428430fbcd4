"""For all tests: hypothesis without deadlines (machines differ), and always the same examples in CI."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("project", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("project")
