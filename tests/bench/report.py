"""How large a report of 10,000 songs is, and how soon Chromium shows, sorts and searches it.

    python tests/bench/report.py [FOLDER] [--rows 10000] [--pictures 200] [--rounds 9] [--record]

FOLDER holds real sound files, by default gtzan/clips in MGRKIT_TEST_DATA; the songs that have
pictures are links to them, in turn. The predictions are made: ten genres and a timeline of seven
pieces each. Chromium runs without a window; the time to open is from the call until the page is
loaded and its script has drawn the first rows.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from mgrkit.audio import SUFFIXES
from mgrkit.commands.report import report
from tests.bench.record import record
from tests.reports.browser import opened

GENRES = [
    "blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock",
]  # fmt: skip
PIECES = 7
DATA = Path(os.environ.get("MGRKIT_TEST_DATA") or ROOT.parent / "shared" / "data")
CLIPS = DATA / "gtzan" / "clips"
_SORT = "document.querySelector('[data-key=probability] button').click()"
_SEARCH = """
const input = document.querySelector('input[type=search]');
input.value = 'artist 12'; input.dispatchEvent(new Event('input'));
"""


def predictions(folder: Path, sounds: list[Path], rows: int, pictures: int) -> Path:
    """The JSON lines of made predictions; the first ones name links to the sounds."""
    random = np.random.default_rng(0)
    out = folder / "songs.jsonl"
    with out.open("w", encoding="utf-8") as file:
        for number in range(rows):
            name = f"music/Artist {number % 313}/Album {number % 1009}/{number:05} A song.flac"
            if number < pictures:
                link = folder / name
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(sounds[number % len(sounds)])
            file.write(json.dumps(prediction(str(folder / name), random)) + "\n")
    return out


def prediction(path: str, random: np.random.Generator) -> dict[str, Any]:
    song, *pieces = (ranked(random) for _ in range(PIECES + 1))
    timeline = [
        {"start": 30.0 * place, "seconds": 30.0, **genres[0], "genres": genres}
        for place, genres in enumerate(pieces)
    ]
    return {
        "path": path, **song[0], "genres": song, "unsure": song[0]["probability"] < 0.4,
        "seconds": 30.0 * PIECES, "model": "vote", "warning": "", "timeline": timeline,
    }  # fmt: skip


def ranked(random: np.random.Generator) -> list[dict[str, Any]]:
    shares = random.dirichlet(np.full(len(GENRES), 0.5))
    order = np.argsort(-shares)
    return [{"genre": GENRES[n], "probability": round(float(shares[n]), 4)} for n in order]


def timed(browser: Any, script: str) -> float:
    began = time.perf_counter()
    browser.run(script)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path, default=CLIPS)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    sounds = sorted(p.resolve() for p in asked.folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name), Path(name) / "report.html"
        os.chdir(folder)
        source = predictions(folder, sounds, asked.rows, asked.pictures)
        began = time.perf_counter()
        made = report(source, out, pictures=asked.pictures)
        seconds = time.perf_counter() - began
        times: dict[str, list[float]] = {"open": [], "sort": [], "search": []}
        with opened() as browser:
            browser.look(1280)
            for _ in range(asked.rounds):
                browser.open("about:blank")
                times["open"].append(browser.open(out.as_uri()))
                assert browser.run("document.querySelectorAll('table.tracks tbody tr').length")
                times["sort"].append(timed(browser, _SORT))
                times["search"].append(timed(browser, _SEARCH))
            assert not browser.problems, browser.problems
        size = out.stat().st_size
    print(f"{made.rows} rows, {made.pictures} pictures: {size / 1e6:.2f} MB in {seconds:.1f} s")
    for what, every in times.items():
        median, least, most = statistics.median(every), min(every), max(every)
        print(f"{what}: {1000 * median:.0f} ms ({1000 * least:.0f} to {1000 * most:.0f})")
    if asked.record:
        spread = {w: f"({min(t):.2f} to {max(t):.2f})" for w, t in times.items()}
        middle = {w: f"**{statistics.median(t):.2f} s** {spread[w]}" for w, t in times.items()}
        rows = f"{made.rows:,} songs with timelines"
        sort_and_search = f"sort {middle['sort']}, search {middle['search']}"
        record(
            "report",
            [
                (f"{rows}: opened by Chromium", "under 2 s", middle["open"]),
                (f"{rows}: sorted and searched", "none", sort_and_search),
                (f"{rows}, {made.pictures} pictures", "under 15 MB", f"**{size / 1e6:.1f} MB**"),
                (f"{made.pictures} pictures of clips of 30 s: made", "none", f"{seconds:.1f} s"),
            ],
        )  # fmt: skip


if __name__ == "__main__":
    main()
