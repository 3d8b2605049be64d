"""Finding a corpus' sound files in a folder by their names, and refusing what is another folder."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from smoothclap.corpora.schema import CorpusError, Problem

SOUNDS = (".wav", ".flac")


def require(path: Path) -> None:
    """Refuse a path that does not exist, naming what is there instead.

    Raises:
        CorpusError: nothing is at `path`.
    """
    if path.exists():
        return
    parent = next(folder for folder in path.absolute().parents if folder.is_dir())
    missing = path.absolute().relative_to(parent).parts[0]
    near = get_close_matches(missing, sorted(entry.name for entry in parent.iterdir()), n=1)
    hint = f"did you mean {parent / near[0]}?" if near else f"{parent} holds nothing of a similar name"
    raise CorpusError(f"{path}: not found; {hint}")


def sound_files(folder: Path) -> list[Path]:
    """All WAV and FLAC files below `folder`, sorted; hidden ones and macOS' copies are passed over."""

    def ordinary(file: Path) -> bool:
        parts = file.relative_to(folder).parts
        return not any(part.startswith(".") or part == "__MACOSX" for part in parts)

    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in SOUNDS and ordinary(file))


def named_files(
    folder: Path, pattern: str, *, title: str, layout: str
) -> tuple[list[Path], list[re.Match[str]], list[Problem]]:
    """Find the sound files whose names follow a corpus' pattern.

    Archives are often unpacked with the whole tree in them twice; a name met again is the same clip, so the
    one nearest to the top is kept and the others are told of.

    Args:
        folder: the corpus' folder; its files may lie in folders below.
        pattern: regular expression of the whole file name without its ending.
        title: the corpus' name in messages.
        layout: an example path in messages.

    Returns:
        The files in order of their paths, the match of each, and what was odd.

    Raises:
        CorpusError: `folder` is absent, is a file, or most of its sound files are named differently.
    """
    require(folder)
    expected = f"expected {title}, for example {layout}"
    if not folder.is_dir():
        raise CorpusError(f"{folder}: is a file, not a folder; {expected} (unpack an archive first)")
    sounds = sound_files(folder)
    matches = {file: match for file in sounds if (match := re.fullmatch(pattern, file.stem))}
    strangers = [file for file in sounds if file not in matches]
    if len(matches) <= len(strangers):
        found = f"{len(sounds)} sound files, {len(matches)} of them so named" if sounds else contents(folder)
        example = f", such as {strangers[0].relative_to(folder)}" if strangers else ""
        raise CorpusError(f"{folder}: {expected}; found {found}{example}")
    problems = []
    if strangers:
        message = f"passed over: not named as in {title} ({layout})"
        problems.append(Problem("unknown name", message, as_text(strangers)))
    kept: dict[str, Path] = {}
    for file in sorted(matches, key=lambda file: (len(file.parts), file)):
        kept.setdefault(file.stem, file)
    files = sorted(kept.values())
    if again := sorted(set(matches) - set(files)):
        message = "passed over: a file of the same name lies nearer to the top, or is a WAV beside a FLAC"
        problems.append(Problem("same name twice", message, as_text(again)))
    return files, [matches[file] for file in files], problems


def contents(folder: Path) -> str:
    """Say in a few words what a folder without sound files holds."""
    names = sorted(entry.name for entry in folder.iterdir())
    if not names:
        return "an empty folder"
    return "no WAV or FLAC file but " + ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def as_text(files: Iterable[Path]) -> tuple[str, ...]:
    """Absolute paths as text, for a `Problem`."""
    return tuple(str(file.absolute()) for file in files)
