"""Shares of the files, told by their paths alone."""

from __future__ import annotations

import pytest

from mgrkit.errors import UsageError
from mgrkit.files.shards import Shard


@pytest.mark.parametrize(
    "text", ["0/4", "5/4", "1/0", "1", "1/", "/2", "a/b", "1/2/3", "-1/2", "1/10001"]
)
def test_what_names_no_share_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="K/N"):
        Shard.of(text)


def test_a_share_hangs_on_the_path_alone_and_never_changes() -> None:
    names = [f"blues/{number}.wav" for number in range(6)]
    assert [Shard.holding(name, 4).number for name in names] == [4, 4, 2, 2, 4, 1]


def test_each_file_is_in_one_share_and_shares_are_of_one_size() -> None:
    paths = [f"{number % 40}/{number}.mp3" for number in range(10_000)]
    shares = [Shard(number, 8) for number in range(1, 9)]
    taken = [[path for path in paths if share.takes(path)] for share in shares]
    assert sorted(path for share in taken for path in share) == sorted(paths)
    assert all(1_150 < len(share) < 1_350 for share in taken)


def test_names_that_no_text_has_have_a_share() -> None:
    assert sum(Shard(number, 3).takes("\udcff.wav") for number in (1, 2, 3)) == 1


def test_a_writer_s_name_is_read_back() -> None:
    assert Shard.of_writer(Shard(3, 12).writer) == Shard(3, 12)
    assert Shard.of_writer("0") is None
