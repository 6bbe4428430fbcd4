from __future__ import annotations

from .surroundings import allowed as allowed
from .surroundings import provider_url as provider_url
from .surroundings import pytest_runtest_makereport as pytest_runtest_makereport
from .surroundings import vcr as vcr
from .surroundings import web as web
