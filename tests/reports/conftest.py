"""One browser for the tests of pages; they are skipped where there is none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.reports.browser import Browser, chromium, opened


@pytest.fixture(scope="session")
def _browser() -> Iterator[Browser]:
    if not chromium():
        pytest.skip("there is no Chromium (Debian: apt-get install chromium)")
    with opened() as browser:
        yield browser


@pytest.fixture
def browser(_browser: Browser) -> Browser:
    """A tab as wide as a desktop, with nothing noted as yet."""
    _browser.run("location.href") and _browser.open("about:blank")
    _browser.look(1280)
    _browser.problems.clear()
    _browser.requests.clear()
    return _browser
