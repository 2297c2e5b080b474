"""Everything that mgrkit raises on purpose.

    MgrkitError            one line for a person: what, which file, what to do
    |-- UsageError         the call was wrong                             exit 2
    |-- RunError           the run could not start or go on               exit 3
    |   |-- BundleError    a file of a trained model cannot be used       exit 3
    |   `-- WeightsError   a network's weights are not there, or others   exit 3
    |-- ReaderGoneError    whoever read the results has gone              exit 141
    `-- ItemError          one item failed, the others go on              exit 1
        `-- AudioError     its sound cannot be used

An ``ItemError`` carries a short ``reason`` (``silent``, ``truncated``, ``exists``, ...) that
stands in front of its message in the table, so that failures can be counted by kind.
"""

import difflib
from collections.abc import Mapping, Sequence


class MgrkitError(Exception):
    """A failure that a person can act on.

    Parameters
    ----------
    message : what happened and to which file.
    hint : what to do about it; shown after the message.
    """

    exit_code = 3

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(MgrkitError):
    """The call was wrong: an option out of range, OUT equal to SRC, settings that disagree."""

    exit_code = 2


class RunError(MgrkitError):
    """The run could not start or go on: no input, no permission, disk full."""

    exit_code = 3


class BundleError(RunError):
    """The file of a trained model is damaged, of a newer format, or not what it says."""


class WeightsError(RunError):
    """The weights that a feature set needs are not there, cannot be got, or are not those."""


class ReaderGoneError(MgrkitError):
    """Whoever read the results has gone, as in ``mgrkit ... | head``: the run ends quietly."""

    exit_code = 141  # what a shell tells of a program that SIGPIPE ended


class ItemError(MgrkitError):
    """One item failed; the run goes on.

    Parameters
    ----------
    reason : one or two words with hyphens, the kind of failure.
    again : True when the failure lies in the circumstances (a time limit, a file in the
        way) rather than in the item, so that the next run tries it again.
    """

    exit_code = 1

    def __init__(self, reason: str, message: str, hint: str = "", again: bool = False) -> None:
        super().__init__(message, hint)
        self.reason = reason
        self.again = again

    def __str__(self) -> str:
        return f"{self.reason}: {super().__str__()}"

    def __reduce__(self) -> tuple[type, tuple[str, str, str, bool]]:
        return type(self), (self.reason, self.message, self.hint, self.again)


class AudioError(ItemError):
    """The sound of a file cannot be used: not decodable, silent, truncated, ..."""


class Stopped(MgrkitError):  # noqa: N818
    """A fit ended early because it was asked to; the command ends with 130 or 143."""

    exit_code = 130


def nearest(name: str, known: Mapping[str, object] | Sequence[str], otherwise: str) -> str:
    """A hint: the known name that is most like this one, else all of them."""
    folded = {other.casefold(): other for other in known}
    close = difflib.get_close_matches(name.casefold(), folded, 1)
    if close:
        return f"did you mean {folded[close[0]]}?"
    return f"{otherwise} {', '.join(sorted(known)) or 'none'}"
