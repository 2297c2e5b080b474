"""Which fingerprints are of one recording: found among many, and judged by their bits."""

from __future__ import annotations

import numpy as np
import pytest

from mgrkit.tracks import fingerprints
from mgrkit.tracks.fingerprints import (
    LEAST,
    SILENCE,
    SIMILAR,
    Fingerprints,
    Pair,
    same_recordings,
    similarity,
)
from mgrkit.tracks.linked import linked

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


def found(prints: list[np.ndarray]) -> set[tuple[int, int]]:
    return {(pair.one, pair.other) for pair in same_recordings(prints)}


def test_copies_are_found_wherever_they_begin_and_others_are_not() -> None:
    songs = [words() for _ in range(200)]
    copies = [copied(song)[start : 240 - start] for start, song in enumerate(songs[:60])]
    pairs = list(same_recordings([*songs, *copies]))
    assert {(one, other) for one, other, _ in pairs} == {(n, 200 + n) for n in range(60)}
    assert len(pairs) == 60
    assert all(0.93 < fit < 0.98 for _, _, fit in pairs)


def test_similarity_is_the_share_of_equal_bits_where_they_fit_best() -> None:
    one = words()
    assert similarity(one, one) == 1
    assert similarity(one[30:], one[:-30]) == 1
    turned = one.copy()
    turned[:120] ^= np.uint32(0xFF)
    assert similarity(one, turned) == pytest.approx(1 - 120 * 8 / (240 * 32))
    assert similarity(turned, one) == similarity(one, turned)
    assert 0.4 < similarity(one, words()) < 0.65
    assert list(same_recordings([one, turned])) == [Pair(0, 1, similarity(one, turned))]


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


def test_silence_is_alike_in_all_and_does_not_count() -> None:
    silence = np.full(200, SILENCE, np.uint32)
    late = [np.concatenate([silence, words(100)]) for _ in range(40)]
    assert found(late) == set()
    assert similarity(late[0], late[1]) < SIMILAR
    assert similarity(silence, silence) == 0
    assert found([late[0], np.concatenate([silence[:150], late[0][200:]])]) == {(0, 1)}


def noise(count: int = 240) -> np.ndarray:
    """Words as those of hiss: one pattern, of which a tenth of the bits is turned."""
    turned = RANDOM.random((count, 32)) < 0.1
    return np.uint32(0xFBDEFB75) ^ np.packbits(turned, axis=1).view(np.uint32)[:, 0]


def test_hiss_is_alike_in_all_and_does_not_count_beyond_chance() -> None:
    hisses = [noise() for _ in range(40)]
    assert similarity(hisses[0], hisses[1]) > SIMILAR
    assert found(hisses) == set()
    assert found([*hisses, copied(hisses[3], 0.5, bits=1)[10:]]) == {(3, 40)}


def test_many_copies_of_one_are_all_joined() -> None:
    song = words()
    prints = [copied(song, 0.5, bits=1) for _ in range(300)] + [words() for _ in range(20)]
    pairs = found(prints)
    assert len(pairs) == 299  # no more are compared than it takes
    sets = linked([number, *(pair for pair in pairs if number in pair)] for number in range(320))
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
    pairs = list(same_recordings(prints))
    assert len(pairs) == 30 * 3
    monkeypatch.setattr(fingerprints, "_AT_ONCE", 50)
    assert list(same_recordings(prints)) == pairs


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
        assert list(same_recordings(kept)) == list(same_recordings(prints)) != []
        kept.arrange([4, 2])
        assert len(kept) == 2
        np.testing.assert_array_equal(kept[0], prints[4])
        kept.append(songs[0])
        np.testing.assert_array_equal(kept[2], songs[0])
        np.testing.assert_array_equal(kept[1], songs[2])
