"""The root of every error a user can meet."""


class SmoothClapError(Exception):
    """A fault the user can mend.

    The message is one line, names the file or option at fault and says how to mend it. The command line
    prints it and leaves with status 1; no traceback is shown unless `--debug` is given.
    """


class MissingExtraError(SmoothClapError):
    """An optional part of smoothclap is not installed."""

    def __init__(self, what: str, extra: str, note: str = "") -> None:
        message = f"{what} needs the extra [{extra}]: pip install 'smoothclap[{extra}]'"
        super().__init__(f"{message} ({note})" if note else message)
