"""The columns of every track table that mgrkit reads or writes."""

PIECE_START = "piece_start"
"""In tables of windows: where the piece begins that a window is of, in seconds."""

TABLE = "tracks.csv"

COLUMNS = (
    "path",  # of the output (or would-be output), relative to the table, POSIX
    "genre",
    "group",  # what must not be split, usually the artist (read from ``artist`` too)
    "split",  # train, valid, test, or empty
    "parent",  # the root recording, relative to where it was found
    "start",  # seconds into the source
    "seconds",  # of sound
    "rate",  # Hz
    "channels",
    "kind",  # noisy, mel, stft, ...
    "status",  # ok or failed
    "reason",  # of a failure
    "source",  # the file it was made from, relative to SRC
    "settings",  # digest of the settings that decided its bytes
)

LINEAGE = ("genre", "group", "split", "parent")
"""The columns that a SRC's table hands on; its further columns are copied too."""

CATALOGUE = (
    "path",  # of the file, relative to the table, POSIX
    "genre",
    "group",  # the artist
    "split",  # train, valid, test, or empty
    "split_by",  # how the parts were dealt, the same in all rows: published, grouped, random
    "parent",  # the root recording of a slice or a noisy copy
    "album",
    "title",
    "seconds",  # of sound, as stated
    "licence",
    "source_id",  # what its collection calls it, such as fma:000002
    "status",  # ok or failed
    "reason",  # of a failure, or a warning
    "duplicate_of",  # the path of another file of the very same sound
)
"""The columns of a collection's track table; its further columns are kept."""

SPLIT_BY = "split_by"
"""The column, handed on like others, that says how the parts of a split were dealt."""

RECORDING_OF = "recording_of"
"""The column, handed on like others, that names the best file of the same recording."""

NOISY = "noisy"
"""The kind of a noisy copy."""

NOISE = "noise"
"""The column, handed on like others, that says which noise a copy was mixed with."""

SNR = "snr"
"""The column, handed on like others, that says at which signal-to-noise ratio, in dB."""
