"""Which fingerprints are of one recording: found among many, and judged by their bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mgrkit.audio.chromaprint import HOP, RATE, Beginning, fingerprint
from mgrkit.audio.reading import open_sound
from mgrkit.tracks import fingerprints
from mgrkit.tracks.fingerprints import (
    LEAST,
    MOST,
    OVERLAP,
    PART,
    SAME,
    SILENCE,
    SIMILAR,
    WHOLE,
    Fingerprints,
    Pair,
    Prints,
    best_fit,
    pairs,
    relation,
)
from mgrkit.tracks.linked import linked
from tests.audio.test_chromaprint import PROGRAMS

RANDOM = np.random.default_rng(0)


def words(count: int = 240) -> np.ndarray:
    return RANDOM.integers(0, 2**32, count, dtype=np.uint32)


def copied(one: np.ndarray, unharmed: float = 0.2, bits: int = 2) -> np.ndarray:
    """A copy in which a share of the words is the same, and of the others some bits are turned."""
    made = one.copy()
    harmed = np.flatnonzero(RANDOM.random(len(made)) >= unharmed)
    for _ in range(bits):
        made[harmed] ^= np.uint32(1) << RANDOM.integers(0, 32, len(harmed), dtype=np.uint32)
    return made


def turned(one: np.ndarray, share: float) -> np.ndarray:
    """With a share of the bits turned over."""
    bits = RANDOM.random((len(one), 32)) < share
    return one ^ np.packbits(bits, axis=1).view(np.uint32)[:, 0]


def heard(prints: Prints) -> list[Pair]:
    """Pairs of files that are as long as their fingerprints."""
    return list(pairs(prints, [len(prints[n]) * HOP for n in range(len(prints))]))


def found(prints: list[np.ndarray]) -> set[tuple[int, int]]:
    return {(pair.one, pair.other) for pair in heard(prints)}


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    return best_fit(one, other)[0]


def test_copies_are_found_wherever_they_begin_and_others_are_not() -> None:
    songs = [words() for _ in range(200)]
    copies = [copied(song)[start : 240 - start] for start, song in enumerate(songs[:60])]
    got = heard([*songs, *copies])
    assert {(pair.one, pair.other) for pair in got} == {(n, 200 + n) for n in range(60)}
    assert len(got) == 60
    assert all(0.93 < pair.similarity < 0.98 for pair in got)
    lengths = [240, *(240 - 2 * n for n in range(60))]
    ways = [SAME if length >= MOST * 240 else PART for length in lengths[1:]]
    assert [pair.relation for pair in got] == ways


def test_similarity_is_the_share_of_equal_bits_where_they_fit_best() -> None:
    one = words()
    assert similarity(one, one) == 1
    assert similarity(one[30:], one[:-30]) == 1
    turned = one.copy()
    turned[:120] ^= np.uint32(0xFF)
    assert similarity(one, turned) == pytest.approx(1 - 120 * 8 / (240 * 32))
    assert similarity(turned, one) == similarity(one, turned)
    assert 0.4 < similarity(one, words()) < 0.65
    assert heard([one, turned]) == [Pair(0, 1, similarity(one, turned), SAME)]


def test_a_place_beside_the_one_that_most_words_speak_for_may_fit_better() -> None:
    """Between two words' places many words of either side are the same."""
    one = words()
    other = np.roll(copied(one, 0.05, bits=1), 1)
    places = RANDOM.choice(230, 30, replace=False)
    other[places] = one[places]
    assert found([one, other]) == {(0, 1)}


def test_fewer_equal_bits_are_no_pair() -> None:
    one = words()
    other = copied(one, unharmed=0.2, bits=12)
    assert similarity(one, other) < SIMILAR
    assert found([one, other]) == set()


def test_an_overlap_is_at_least_half_of_the_shorter_and_five_seconds() -> None:
    one = words(400)
    assert found([one, np.concatenate([one[:101], words(99)])]) == set()  # half of it differs
    assert found([one[:250], one[150:]]) == set()  # 100 of 250 overlap
    assert found([one[:250], one[120:]]) == {(0, 1)}
    assert found([one, one[100 : 100 + LEAST]]) == {(0, 1)}
    assert found([one, one[100 : 99 + LEAST]]) == set()
    assert similarity(one, one[:LEAST]) == 1
    assert similarity(one, one[: LEAST - 1]) == 0
    assert similarity(one, one[:0]) == 0


def test_files_are_the_same_parts_or_overlap_by_how_much_of_each_is_common() -> None:
    assert relation(100, 100 * MOST + 0.1, 0) == SAME
    assert relation(100, 100 * MOST - 0.1, 0) == PART
    assert relation(100 * MOST - 0.1, 100, 0) == PART
    assert relation(100, 20, 82) == PART  # fades out: 18 of 20 s
    assert relation(100, 20, 82.1) == OVERLAP
    assert relation(20, 100, -80) == PART
    assert relation(30, 30, 30 * (1 - MOST) - 0.1) == SAME
    assert relation(30, 30, 30 * (1 - MOST) + 0.1) == OVERLAP
    assert relation(3600, 200, 0) == PART  # the first song of an album
    assert MOST > 0.5  # so that no file is the same as two with nothing in common
    assert WHOLE > MOST


def test_two_files_are_the_same_only_if_two_thirds_agree() -> None:
    """Half of the bits of other music are equal, too: of .62 of a song and other music .81."""
    song, other = words(480), words(480)
    for kept, how in ((300, OVERLAP), (340, SAME), (470, SAME)):
        both = [song, np.r_[song[:kept], other[kept:]]]
        assert similarity(*both) > SIMILAR
        assert [pair.relation for pair in heard(both)] == [how], kept


def test_no_file_is_the_same_as_two_that_have_nothing_in_common() -> None:
    """Half of it is the one's, half the other's, and the rest of each a little alike."""
    medley = words(480)
    one, other = medley.copy(), medley.copy()
    one[240:] = turned(medley[240:], 0.37)
    other[:240] = turned(medley[:240], 0.37)
    assert similarity(one, medley) > SIMILAR < similarity(other, medley)
    assert similarity(one, other) < SIMILAR
    assert {pair.relation for pair in heard([one, other, medley])} == {OVERLAP}


def test_a_short_stretch_that_is_harmed_does_not_count() -> None:
    """A drop-out of a second, or a jingle over the end."""
    song = words(480)
    bad = copied(song)
    bad[100:108], bad[-8:] = words(8), words(8)
    assert fingerprints._agreeing(song, bad, 0) == 1


def test_what_the_fingerprints_no_longer_hear_counts_by_the_files_lengths() -> None:
    song = words(948)
    both = [song, copied(song)]
    assert [pair.relation for pair in pairs(both, [240.0, 239.0])] == [SAME]
    assert [pair.relation for pair in pairs(both, [240.0, 3600.0])] == [PART]


def test_a_medley_joins_no_songs() -> None:
    songs = [words() for _ in range(3)]
    got = heard([*songs, copied(np.concatenate(songs), 0.5)])
    assert [(pair.one, pair.other, pair.relation) for pair in got] == [
        (number, 3, PART) for number in range(3)
    ]


def test_a_clip_is_found_in_a_song_although_a_tenth_of_its_words_is_unharmed() -> None:
    """As many as are where it begins half a word later than the song's; 25 clips of half a minute.

    A sketch of a size for all has a quarter of these: of clip and song together not two of them.
    """
    songs = [words(948) for _ in range(25)]
    clips = [copied(song[300:521], unharmed=0.1, bits=3) for song in songs]
    lost = {(number, 25 + number) for number in range(25)} - found([*songs, *clips])
    assert len(lost) <= 1


def test_a_loop_is_laid_where_most_of_it_overlaps() -> None:
    """It fits as well a turn earlier, which most of the words speak for that are new in it."""
    loop = np.tile(words(150), 2)
    cut = copied(loop, unharmed=0.6, bits=1)[95:]
    assert [pair.relation for pair in heard([loop, cut])] == [SAME]
    assert best_fit(loop, cut)[1] == 95


def test_silence_is_alike_in_all_and_does_not_count() -> None:
    silence = np.full(200, SILENCE, np.uint32)
    late = [np.concatenate([silence, words(100)]) for _ in range(40)]
    assert found(late) == set()
    assert similarity(late[0], late[1]) < SIMILAR
    assert similarity(silence, silence) == 0
    assert found([late[0], np.concatenate([silence[:150], late[0][200:]])]) == {(0, 1)}


def noise(count: int = 240) -> np.ndarray:
    """Words as those of hiss: one pattern, of which a tenth of the bits is turned."""
    return turned(np.full(count, 0xFBDEFB75, np.uint32), 0.1)


def test_hiss_is_alike_in_all_and_does_not_count_beyond_chance() -> None:
    hisses = [noise() for _ in range(40)]
    assert similarity(hisses[0], hisses[1]) > SIMILAR
    assert found(hisses) == set()
    assert found([*hisses, copied(hisses[3], 0.5, bits=1)[10:]]) == {(3, 40)}


def test_many_copies_of_one_are_all_joined() -> None:
    song = words()
    prints = [copied(song, 0.5, bits=1) for _ in range(300)] + [words() for _ in range(20)]
    got = found(prints)
    assert len(got) == 299  # no more are compared than it takes
    sets = linked([number, *(pair for pair in got if number in pair)] for number in range(320))
    assert [len(one) for one in sets] == [300] + [1] * 20


def test_a_word_that_other_files_have_too_hides_no_copy() -> None:
    """Three other files that lie between the copies have all of their words, in another order."""
    song = words(60)
    between = [RANDOM.permutation(song) for _ in range(3)]
    assert found([song, *between, song]) == {(0, 4)}


def test_what_is_found_does_not_hang_on_how_much_is_counted_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    songs = [words() for _ in range(30)]
    prints = [copied(song, 0.5) for song in songs for _ in range(4)]
    got = heard(prints)
    assert len(got) == 30 * 3
    monkeypatch.setattr(fingerprints, "_AT_ONCE", 50)
    assert heard(prints) == got


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_or_none(count: int) -> None:
    assert found([words() for _ in range(count)]) == set()
    assert found([words(LEAST - 1)] * count) == set()
    assert found([words(0)] * count) == set()


def test_fingerprints_in_a_file_are_as_those_in_a_list() -> None:
    songs = [words(size) for size in (240, 0, 500, 40)]
    prints = [*songs, copied(songs[2])]
    with Fingerprints() as kept:
        for one in prints:
            kept.append(one)
        assert len(kept) == 5
        for number in (3, 0, 4, 1, 2):
            np.testing.assert_array_equal(kept[number], prints[number])
        assert heard(kept) == heard(prints) != []
        kept.arrange([4, 2])
        assert len(kept) == 2
        np.testing.assert_array_equal(kept[0], prints[4])
        kept.append(songs[0])
        np.testing.assert_array_equal(kept[2], songs[0])
        np.testing.assert_array_equal(kept[1], songs[2])


@pytest.mark.skipif(not PROGRAMS, reason="neither imageio-ffmpeg nor fpcalc is here")
def test_real_clips_are_found_in_songs_wherever_they_begin(data: Path) -> None:
    """On a word of the song's, and half a word later, where their words differ most."""
    names = ("disco.00000", "hiphop.00003", "reggae.00001", "rock.00003", "classical.00001")
    clips = [clip(data / "gtzan" / "clips" / f"{name}.flac") for name in names]
    for begin in (242 * 1365, 242 * 1365 + 682):
        for number, one in enumerate(clips):
            before, after = clips[number - 1], clips[number - 2]
            song = np.concatenate([np.tile(before, 2)[:begin], one, after, after])
            both = [fingerprint(song[: 120 * RATE]), fingerprint(one)]
            got = list(pairs(both, [len(song) / RATE, len(one) / RATE]))
            assert [pair.relation for pair in got] == [PART], (names[number], begin)
            assert got[0].similarity > 0.9


def clip(path: Path) -> np.ndarray:
    heard = Beginning()
    with open_sound(path) as sound:
        for block in sound.blocks():
            heard.push(block, sound.rate)
    return heard.samples()
