"""Everything that mgrkit raises on purpose.

    MgrkitError            one line for a person: what, which file, what to do
    |-- UsageError         the call was wrong                             exit 2
    |-- RunError           the run could not start or go on               exit 3
    |   |-- BundleError    a file of a trained model cannot be used       exit 3
    |   `-- WeightsError   a network's weights are not there, or others   exit 3
    |-- Stopped            a person ended the run                         exit 130 or 143
    |-- ReaderGoneError    whoever read the results has gone              exit 141
    `-- ItemError          one item failed, the others go on              exit 1
        `-- AudioError     its sound cannot be used

An ``ItemError`` carries a short ``reason`` (``silent``, ``truncated``, ``exists``, ...) that
stands in front of its message in the table, so that failures can be counted by kind.
"""

from collections.abc import Iterable


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


class Stopped(MgrkitError):  # noqa: N818
    """The run ended early because a person asked it to.

    Parameters
    ----------
    code : the exit code, 128 and the number of the signal: 130 for Ctrl-C, 143 for SIGTERM.
    """

    def __init__(self, message: str, hint: str = "", code: int = 130) -> None:
        super().__init__(message, hint)
        self.exit_code = code


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


def nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    """A hint: the known name that is `most_like` this one, else all of them."""
    known = sorted(known)
    found = most_like(name, known)
    return f"did you mean {found}?" if found else f"{otherwise} {', '.join(known) or 'none'}"


def most_like(name: str, known: Iterable[str]) -> str:
    """The known name that is most like this one, in small letters or large; '' where none is.

    >>> most_like("Pnik", ["blue", "pink"]), most_like("country", ["blue", "pink"])
    ('pink', '')
    """
    import difflib  # slow, and needed where something is wrong only

    folded = {other.casefold(): other for other in known}
    close = difflib.get_close_matches(name.casefold(), folded, 1)
    return folded[close[0]] if close else ""
