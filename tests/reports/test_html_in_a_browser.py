"""Pages in a real browser: no errors, no requests, texts are texts, and the tables work."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from mgrkit.commands.report import report
from mgrkit.reports.html.sources import Beside
from tests.reports import made_results as made
from tests.reports.browser import Browser
from tests.reports.made_results import EVIL

Made = Callable[[Path], tuple[Path, Beside]]


def alone(make: Callable[[Path], Path], name: str) -> Made:
    return lambda folder: (make(folder / name), Beside())


def evaluated(folder: Path) -> tuple[Path, Beside]:
    beside = Beside(predictions=made.verdicts(folder / "verdicts.csv"))
    return made.write(folder / "evaluation.json", made.evaluation()), beside


KINDS: dict[str, Made] = {
    "predictions": alone(
        lambda p: made.write(p, made.predictions()), f"{EVIL.replace('/', '')}.json"
    ),
    "verdicts": alone(made.verdicts, "verdicts.csv"),
    "evaluation": evaluated,
    "under": alone(lambda p: made.write(p, made.under()), "under.json"),
    "comparison": alone(made.comparison, "compared"),
    "folds": alone(lambda p: made.comparison(p, folds=3), "folded"),
    "bundle": alone(made.bundle, "model.safetensors"),
    "vote": alone(made.vote, "vote.safetensors"),
    "search": alone(made.search, "tuned"),
    "run": alone(made.run, "net.run"),
    "tracks": alone(made.tracks, "songs.csv"),
}


def page(folder: Path, source: Path, beside: Beside | None = None, **more: Any) -> str:
    """The address of a report."""
    report(source, folder / "report.html", beside=beside, **more)
    return (folder / "report.html").as_uri()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [390, 1280])
def test_a_text_is_a_text_in_every_field(
    kind: str, width: int, tmp_path: Path, browser: Browser
) -> None:
    source, beside = KINDS[kind](tmp_path)
    address = page(tmp_path, source, beside)
    browser.look(width, dark=width < 600)
    browser.open(address)
    shown = browser.run("document.body.textContent")
    assert EVIL in shown
    assert not set(made.UNSEEN) & set(shown)
    browser.run("for (const one of document.querySelectorAll('.row button')) one.click()")
    browser.run("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
    assert browser.problems == []
    assert [one for one in browser.requests if not one.startswith("data:")] == [address]
    bad = "img[src=x], [onerror], script:not([type='application/json']), iframe, object"
    assert browser.run(f"document.querySelectorAll({json.dumps(bad)}).length") == 1  # ours
    assert "49" not in browser.run("document.title")
    # Nothing but tables and matrices is wider than the page, and they scroll by themselves.
    assert browser.run("document.documentElement.scrollWidth") <= width


def test_the_policy_lets_no_other_script_run_and_nothing_be_fetched(
    tmp_path: Path, browser: Browser
) -> None:
    browser.open(page(tmp_path, made.tracks(tmp_path / "songs.csv")))
    assert browser.problems == []
    browser.run(
        "document.body.append(Object.assign(document.createElement('script'),"
        "{textContent: 'window.wicked = 1'}));"
        "document.body.insertAdjacentHTML('beforeend',"
        "`<img src='http://127.0.0.1:9/x.png' onerror='window.wicked = 2'>`)"
    )
    said = browser.run("fetch('http://127.0.0.1:9/').catch((error) => error.message)")
    assert said == "Failed to fetch"
    assert browser.run("window.wicked") is None
    assert sum("Content Security Policy" in one for one in browser.problems) >= 3


@pytest.fixture
def songs(tmp_path: Path, browser: Browser) -> Browser:
    """The page of 250 songs, of which one is an error."""
    source = made.write(tmp_path / "songs.json", made.predictions(250, "a model"))
    browser.open(page(tmp_path, source))
    return browser


def column(browser: Browser, place: int, count: int = 5) -> list[str]:
    rows = f"[...document.querySelectorAll('table.tracks tbody tr')].slice(0, {count})"
    return browser.run(f"{rows}.map((row) => row.children[{place}].textContent)")


def counted(browser: Browser) -> str:
    return browser.run("document.querySelector('.count').textContent")


def test_a_head_sorts_both_ways_and_what_has_no_value_comes_last(songs: Browser) -> None:
    assert column(songs, 0)[0].endswith("000.wav")  # in the order of the file
    head = "document.querySelector('th[data-key=probability]')"
    songs.run(f"{head}.firstChild.click()")
    least = [float(text) for text in column(songs, 2, 100)]
    assert least == sorted(least)
    assert songs.run(f"{head}.getAttribute('aria-sort')") == "ascending"
    songs.run(f"{head}.firstChild.click()")
    most = [float(text) for text in column(songs, 2, 100)]
    assert most == sorted(most, reverse=True)
    assert most[0] > least[-1]
    while not songs.run("document.querySelector('button.more').hidden"):
        songs.run("document.querySelector('button.more').click()")
    assert column(songs, 0, 300)[-1].endswith("249.wav")  # the error
    assert songs.problems == []


def test_searching_and_choosing_narrow_the_rows(songs: Browser) -> None:
    assert counted(songs) == "250 songs"
    songs.run("document.querySelector('input[type=search]').focus()")
    songs.write("01.WAV PoP")  # every word, whatever its case
    assert counted(songs).endswith(" of 250 songs")
    shown = column(songs, 0, 300)
    assert shown
    assert all(name.endswith("01.wav") for name in shown)
    assert set(column(songs, 1, 300)) == {"pop"}
    songs.run("document.querySelector('input[type=search]').select()")
    songs.write("no such song")
    assert counted(songs) == "0 of 250 songs"
    songs.run("document.querySelector('input[type=search]').select()")
    songs.press("Delete", 46)
    assert counted(songs) == "250 songs"
    songs.run(
        "const select = document.querySelector('[data-filter=state]');"
        "select.value = [...select.options].find((one) => one.text === 'failed').value;"
        "select.dispatchEvent(new Event('change'))"
    )
    assert counted(songs) == "1 of 250 songs"
    assert column(songs, 0)[0].endswith("249.wav")


def test_it_works_by_keyboard(songs: Browser) -> None:
    songs.run("document.querySelector('[data-key=name] button').focus()")
    songs.press("Enter", 13, "\r")
    songs.press("Enter", 13, "\r")
    assert column(songs, 0)[0].endswith("249.wav")
    for _ in range(20):
        songs.press("Tab", 9)
        if "details" in (songs.run("document.activeElement.ariaLabel") or ""):
            break
    songs.press("Enter", 13, "\r")
    assert songs.run("document.activeElement.ariaExpanded") == "true"
    assert "unreadable" in songs.run("document.querySelector('tr.detail').textContent")
    songs.press("Enter", 13, "\r")
    assert songs.run("document.querySelector('tr.detail')") is None


def test_on_paper_all_rows_are_there_and_nothing_to_press(songs: Browser) -> None:
    seen = "[...document.querySelectorAll('{}')].filter((one) => one.checkVisibility()).length"
    pressed = seen.format("nav, button:not(th button), input, select")
    assert songs.run(pressed) > 100
    songs.paper()
    try:
        assert songs.run(pressed) == 0
        assert songs.run(seen.format("table.tracks tbody tr")) == 250
        assert songs.run(seen.format("table.tracks th button")) > 2  # the heads of the columns
        assert counted(songs) == "250 songs"
    finally:
        songs.look(1280)


def test_rows_are_drawn_as_they_are_looked_for(songs: Browser) -> None:
    drawn = "document.querySelectorAll('table.tracks tbody tr').length"
    assert songs.run(drawn) == 100
    assert songs.run("document.querySelector('button.more').textContent") == "Show 100 more of 150"
    songs.run("document.querySelector('button.more').scrollIntoView()")
    assert songs.until(f"{drawn} > 100")


@pytest.mark.parametrize("width", [390, 1280])
def test_a_link_to_a_section_below_a_table_leads_there(
    width: int, tmp_path: Path, browser: Browser
) -> None:
    found = made.result() | {"notes": ["a note"] * 100}
    folder = made.search(tmp_path / "tuned")
    made.write(folder / "tune.json", found)
    head, *rows = (folder / "trials.csv").read_text(encoding="utf-8").splitlines()
    (folder / "trials.csv").write_text("\n".join([head, *rows[:1] * 300]), encoding="utf-8")
    browser.look(width)
    browser.open(page(tmp_path, folder))
    drawn = "document.querySelectorAll('table.tracks tbody tr').length"
    assert browser.run(drawn) == 100
    top = "[...document.querySelectorAll('h2')].find((h) => h.textContent === 'Notes').offsetTop"
    browser.run(
        "[...document.querySelectorAll('nav a')].find((a) => a.textContent === 'Notes').click()"
    )
    assert browser.until(f"Math.abs(scrollY - {top}) < 100")
    browser.run("new Promise((done) => setTimeout(done, 300))")
    assert browser.run(f"Math.abs(scrollY - {top}) < 100")
    assert browser.run(drawn) == 100
    browser.wheel(-50)
    for place in ("h1", "button.more"):  # by hand it grows as ever
        browser.run(f"document.querySelector('{place}').scrollIntoView({{behavior: 'instant'}})")
        browser.run("new Promise((done) => setTimeout(done, 100))")
    assert browser.until(f"{drawn} > 100")


def test_a_phone_shows_rows_as_cards_and_has_another_way_to_sort(songs: Browser) -> None:
    songs.look(390)
    assert (
        songs.run("getComputedStyle(document.querySelector('table.tracks thead')).display")
        == "none"
    )
    assert songs.run("getComputedStyle(document.querySelector('label.narrow')).display") == "grid"
    songs.run(
        "const order = document.querySelector('label.narrow select');"
        "order.value = 'probability descending'; order.dispatchEvent(new Event('change'))"
    )
    most = [float(text) for text in column(songs, 2, 50)]
    assert most == sorted(most, reverse=True)
    assert songs.run("document.documentElement.scrollWidth") == 390


def test_dark_and_light_are_as_the_reader_has_them(songs: Browser) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    songs.look(1280, dark=True)
    dark = songs.run(colour)
    songs.look(1280)
    assert (dark, songs.run(colour)) == ("rgb(20, 23, 27)", "rgb(255, 255, 255)")


def test_details_show_all_genres_and_the_timeline(songs: Browser) -> None:
    songs.run("document.querySelector('.row button').click()")
    text = songs.run("document.querySelector('tr.detail').textContent")
    assert all(genre in text for genre in made.GENRES)
    assert songs.run("document.querySelectorAll('tr.detail ol li').length") == 2
    widths = songs.run(
        "[...document.querySelector('.strip').children].map((one) => one.style.width)"
    )
    assert widths == ["49.5868%", "49.5868%"]  # 30 s each of 60.5


def test_columns_without_a_place_can_be_chosen(tmp_path: Path, browser: Browser) -> None:
    heads = ["path", "sound", *(f"n{number}" for number in range(30))]
    rows = [[f"{r}.wav", f"{r:032x}", *(f"{r}.12345678{n}" for n in range(30))] for r in range(3)]
    (tmp_path / "t.csv").write_text("\n".join(",".join(cells) for cells in [heads, *rows]))
    browser.open(page(tmp_path, tmp_path / "t.csv"))
    names = "[...document.querySelectorAll('table.tracks th')].map((one) => one.textContent)"
    summary = "document.querySelector('.columns summary').textContent"
    assert browser.run(names) == ["track", *(f"n{n}" for n in range(19)), "sound"]
    assert browser.run(summary) == "Columns: 20 of 31"
    assert column(browser, 1) == ["0.12346", "1.1235", "2.1235"]
    browser.run("document.querySelector('.row button').click()")
    assert "0.123456781" in browser.run("document.querySelector('tr.detail').textContent")
    browser.run(
        "const box = document.querySelector('[data-column=\"column n29\"]');"
        "box.checked = true; box.dispatchEvent(new Event('change'))"
    )
    assert browser.run(names)[-2:] == ["n29", "sound"]
    assert browser.run(summary) == "Columns: 21 of 31"
    browser.run("document.querySelector('[data-key=\"column n29\"] button').click()")
    browser.run("document.querySelector('[data-key=\"column n29\"] button').click()")
    assert column(browser, 0) == ["+2.wav", "+1.wav", "+0.wav"]
    browser.run(
        "const order = document.querySelector('label.narrow select');"
        "order.value = ' '; order.dispatchEvent(new Event('change'))"
    )
    assert column(browser, 0) == ["+0.wav", "+1.wav", "+2.wav"]
    assert browser.problems == []


def test_whole_numbers_of_right_classifiers_are_whole(tmp_path: Path, browser: Browser) -> None:
    browser.open(page(tmp_path, made.comparison(tmp_path / "compared", "m")))
    heads = browser.run("[...document.querySelectorAll('thead button')].map((b) => b.textContent)")
    numbers = column(browser, heads.index("right, of 2"), 24)
    assert {"0", "1", "2"} & set(numbers)
    assert not any(number.endswith(".0") for number in numbers)


def test_a_local_sound_is_played_when_it_is_asked_for(tmp_path: Path, browser: Browser) -> None:
    folder = tmp_path / "some music #1 100%"
    folder.mkdir()
    tone = np.sin(np.arange(22_050) / 20) / 3
    soundfile.write(folder / "a ü?.wav", tone, 22_050)
    source = made.write(tmp_path / "songs.json", [
        {"path": str(folder / "a ü?.wav"), "genre": "pop", "probability": 1.0, "unsure": False,
         "genres": [{"genre": "pop", "probability": 1.0}], "seconds": 1.0, "model": "m",
         "warning": ""},
        {"path": "gone.wav", "error": "missing"},
    ])  # fmt: skip
    address = page(tmp_path, source)
    browser.open(address)
    assert browser.run("document.querySelectorAll('audio').length") == 0
    assert browser.run("[...document.querySelectorAll('.row button')].length") == 3  # one plays
    assert browser.run("document.querySelector('img.picture').naturalWidth") == 240
    browser.run("document.querySelector('[aria-label^=play]').click()")
    assert browser.until("document.querySelector('audio').duration") == pytest.approx(1)
    assert browser.problems == []
    asked = {one for one in browser.requests if not one.startswith("data:")}
    assert asked == {address, (folder / "a ü?.wav").as_uri()}
