"""The genres that a file's own tags name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from mgrkit.audio.tags.artist import Tags, container_tags, found_tags
from mgrkit.audio.tags.id3 import BY_NUMBER

LONGEST = 100
"""Characters of a name; what is longer names no genre."""
_MOST = 16
_SPACES = re.compile(r"\s+")
_REFERENCE = re.compile(r"\((\d{1,9}|RX|CR)\)", re.ASCII)
_WORDS = {"RX": "Remix", "CR": "Cover"}
_NO_TEXT = ("Cc", "Cs", "Zl", "Zp")
_NOTHING = {"", "genre", "na", "none", "undefined", "unknown", "unknowngenre"}

# As id3.org and Winamp (from 80 on) number them; 255 and all others are none.
ID3V1 = tuple(
    """Blues|Classic Rock|Country|Dance|Disco|Funk|Grunge|Hip-Hop|Jazz|Metal|New Age|Oldies|Other|
    Pop|R&B|Rap|Reggae|Rock|Techno|Industrial|Alternative|Ska|Death Metal|Pranks|Soundtrack|
    Euro-Techno|Ambient|Trip-Hop|Vocal|Jazz+Funk|Fusion|Trance|Classical|Instrumental|Acid|House|
    Game|Sound Clip|Gospel|Noise|Alternative Rock|Bass|Soul|Punk|Space|Meditative|Instrumental Pop|
    Instrumental Rock|Ethnic|Gothic|Darkwave|Techno-Industrial|Electronic|Pop-Folk|Eurodance|Dream|
    Southern Rock|Comedy|Cult|Gangsta Rap|Top 40|Christian Rap|Pop/Funk|Jungle|Native American|
    Cabaret|New Wave|Psychedelic|Rave|Showtunes|Trailer|Lo-Fi|Tribal|Acid Punk|Acid Jazz|Polka|
    Retro|Musical|Rock & Roll|Hard Rock|Folk|Folk-Rock|National Folk|Swing|Fast Fusion|Bebop|Latin|
    Revival|Celtic|Bluegrass|Avantgarde|Gothic Rock|Progressive Rock|Psychedelic Rock|
    Symphonic Rock|Slow Rock|Big Band|Chorus|Easy Listening|Acoustic|Humour|Speech|Chanson|Opera|
    Chamber Music|Sonata|Symphony|Booty Bass|Primus|Porn Groove|Satire|Slow Jam|Club|Tango|Samba|
    Folklore|Ballad|Power Ballad|Rhythmic Soul|Freestyle|Duet|Punk Rock|Drum Solo|A Cappella|
    Euro-House|Dancehall|Goa|Drum & Bass|Club-House|Hardcore|Terror|Indie|Britpop|Afro-Punk|
    Polsk Punk|Beat|Christian Gangsta Rap|Heavy Metal|Black Metal|Crossover|
    Contemporary Christian|Christian Rock|Merengue|Salsa|Thrash Metal|Anime|J-Pop|Synthpop|
    Abstract|Art Rock|Baroque|Bhangra|Big Beat|Breakbeat|Chillout|Downtempo|Dub|EBM|Eclectic|
    Electro|Electroclash|Emo|Experimental|Garage|Global|IDM|Illbient|Industro-Goth|Jam Band|
    Krautrock|Leftfield|Lounge|Math Rock|New Romantic|Nu-Breakz|Post-Punk|Post-Rock|Psytrance|
    Shoegaze|Space Rock|Trop Rock|World Music|Neoclassical|Audiobook|Audio Theatre|
    Neue Deutsche Welle|Podcast|Indie Rock|G-Funk|Dubstep|Garage Rock|Psybient""".replace(
        "|\n    ", "|"
    ).split("|")
)
"""The genres of ID3v1 by their numbers, 0 to 191."""


def genre_tags(path: str | Path) -> list[str]:
    """The genres that a sound file's tags name, 16 at most, in their order.

    All values of a tag count. Of several tags those of the one come first that
    `mgrkit.audio.tags.artist.artist_tag` takes first; the number of ID3v1, which knows few genres,
    counts only where no other tag names one. Nothing is decoded.

    Raises
    ------
    OSError : the file cannot be read.
    """
    tags, complete = found_tags(path)
    found = _genres(tags)
    # Of a number that it does not know FFmpeg makes another genre.
    if found or complete or any(name.lower() == "genre" for name, _ in tags):
        return found
    return _genres(container_tags(path))


def _genres(tags: Tags) -> list[str]:
    for wanted in ("genre", BY_NUMBER):
        texts = [text for name, text in tags if name.lower() == wanted]
        found = dict.fromkeys(genre for text in texts for genre in genres_in(text))
        if found:
            return list(found)[:_MOST]
    return []


def genres_in(text: str) -> list[str]:
    """The genres in a text of a tag, those before a NUL or a semicolon apart.

    Numbers, alone or in brackets, are those of ID3v1 (id3.org, "ID3v2.3.0", TCON); others than
    these, what stands for nothing and what is longer than 100 characters is no genre.

    >>> genres_in("(17)"), genres_in("(4)Eurodisco"), genres_in("17"), genres_in("Rock; Pop")
    (['Rock'], ['Disco', 'Eurodisco'], ['Rock'], ['Rock', 'Pop'])
    >>> genres_in("(255)"), genres_in(" Unknown "), genres_in("((Odd) Pop")
    ([], [], ['(Odd) Pop'])
    """
    parts = re.split("[\0;]", text, maxsplit=_MOST)[:_MOST]
    # Spaces and control characters may stand around a name, but not without end.
    return [genre for part in parts if len(part) <= 10 * LONGEST for genre in _of_part(part)]


def name_problem(name: str) -> str:
    """Why a name cannot be written into files as a genre; '' where it is read back as it is.

    >>> name_problem("(17)"), name_problem("Hip-Hop"), name_problem("Pop, Rock")
    ('it would be read back as Rock', '', '')
    >>> name_problem("Rock; Pop")
    'it would be read back as Rock and Pop'
    """
    if len(name) > LONGEST:
        return f"it has {len(name):,} characters, and {LONGEST} are the most"
    if any(unicodedata.category(char) in _NO_TEXT for char in name):
        return "it holds control characters or line ends"
    read = genres_in(name)
    if read == [unicodedata.normalize("NFC", name.strip())]:
        return ""
    return f"it would be read back as {' and '.join(read) or 'no genre'}"


def _of_part(text: str) -> Iterator[str]:
    text = _clean(text)
    while reference := _REFERENCE.match(text):
        yield from _numbered(reference[1])
        text = text[reference.end() :].lstrip()
    if text.startswith("(("):
        text = text[1:]
    if text in _WORDS or text.isdigit():
        yield from _numbered(text)
    elif len(text) <= LONGEST and _letters(text) not in _NOTHING:
        yield text


def _numbered(number: str) -> Iterator[str]:
    if number in _WORDS:
        yield _WORDS[number]
    elif number.isascii() and len(number) < 10 and int(number) < len(ID3V1):
        yield ID3V1[int(number)]


def _clean(text: str) -> str:
    """In one Unicode form, with a space for each run of spaces and control characters."""
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip(" \ufeff\u200b")


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
