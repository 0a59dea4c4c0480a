"""One headless chromium for all pages under test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from ltviz.bench import served
from ltviz.errors import ConfigError


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The browser; without one the test is skipped with the reason, and fails where LTVIZ_REQUIRE_BROWSER=1."""
    session = served.browser()
    try:
        chromium = session.__enter__()
    except ConfigError as missing:
        if os.environ.get("LTVIZ_REQUIRE_BROWSER") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    yield chromium
    session.__exit__(None, None, None)
