"""``mgrkit data cite``: who made a collection."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from mgrkit.tracks.collections.lookup import COLLECTIONS, find_collection
from tests.cli.test_commands import mgrkit


@pytest.mark.parametrize("name", COLLECTIONS)
def test_cite(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    collection = find_collection(name)
    about = collection.about
    assert mgrkit("data", "cite", name) == 0
    text = capsys.readouterr().out
    assert about.citation in text
    assert all(fault in text for fault in about.faults)
    files = [file for form in collection.forms for file in form.downloads]
    assert files
    assert all(text.count(f"{file.url}, ") == 1 and file.digest in text for file in files)
    assert all(form.path in text for form in collection.forms)
    assert mgrkit("data", "cite", name, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["name"] == name
    assert [form["downloads"] for form in found["forms"]] == [
        [asdict(file) for file in form.downloads] for form in collection.forms
    ]
    assert [one["track"] for one in found["bad"]] == [one.track for one in collection.bad]
    assert found["citation"].startswith("@")
    assert found["citation"].count("{") == found["citation"].count("}")


def test_an_unknown_collection(capsys: pytest.CaptureFixture[str]) -> None:
    assert mgrkit("data", "cite", "gtzam") == 2
    assert "did you mean gtzan?" in capsys.readouterr().err
