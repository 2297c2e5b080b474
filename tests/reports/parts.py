"""What stands on a page, for tests to look at."""

from __future__ import annotations

from typing import Any

from mgrkit.reports.html.page import Facts, Page


def section(page: Page, title: str) -> list[Any]:
    return list(next(one.parts for one in page.sections if one.title == title))


def facts(part: Facts) -> dict[str, str]:
    return {one.name: one.value for one in part.facts}
