"""Tags to words: what is known of a clip, and one sentence that says it and nothing else."""

import random
from collections.abc import Mapping
from typing import Any, Literal, get_args

import pandas as pd

from smoothclap.errors import SmoothClapError
from smoothclap.paralinguistics.bins import DIMENSIONS, Bins
from smoothclap.paralinguistics.egemaps import MEASURES

Style = Literal["tags", "emotion", "natural"]
STYLES: tuple[str, ...] = get_args(Style)

TAGS = (*MEASURES, "gender", *DIMENSIONS, "emotion")
"""Every tag, in the order a caption names them."""

NOTHING_KNOWN = "a person speaks"
"""The caption where no tag is known (style `emotion`: where the emotion is not)."""


class CaptionError(SmoothClapError):
    """A caption was asked for that cannot be written."""


# Spread is worded "varies ... in pitch", not ParaCLAP's "has a low pitch variation": that contains "low pitch".
_TAG_WORDS: dict[str, dict[str, str]] = {
    "pitch_mean": {b: f"has a {b} pitch" for b in ("low", "normal", "high")},
    "pitch_sd": {
        "low": "varies little in pitch",
        "normal": "varies normally in pitch",
        "high": "varies much in pitch",
    },
    "intensity_mean": {"low": "is quiet", "normal": "is of normal loudness", "high": "is loud"},
    "intensity_sd": {
        "low": "varies little in loudness",
        "normal": "varies normally in loudness",
        "high": "varies much in loudness",
    },
    "jitter_mean": {b: f"has a {b} jitter" for b in ("low", "normal", "high")},
    "jitter_sd": {
        "low": "varies little in jitter",
        "normal": "varies normally in jitter",
        "high": "varies much in jitter",
    },
    "shimmer_mean": {b: f"has a {b} shimmer" for b in ("low", "normal", "high")},
    "shimmer_sd": {
        "low": "varies little in shimmer",
        "normal": "varies normally in shimmer",
        "high": "varies much in shimmer",
    },
    "duration": {
        "low": "speaks for a short time",
        "normal": "speaks for a normal time",
        "high": "speaks for a long time",
    },
    **{d: {b: f"has {b} {d}" for b in ("low", "mid", "high")} for d in DIMENSIONS},
}

# Style `natural`. First the wording used without a seed. A value without words here goes unsaid: in speech,
# what is ordinary is not mentioned, and nobody has everyday words for the spread of jitter.
_VOICE_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "pitch_mean": {"low": ("low-pitched", "deep"), "high": ("high-pitched", "high in pitch")},
    "intensity_mean": {"low": ("quiet", "soft"), "high": ("loud", "powerful")},
    "pitch_sd": {"low": ("monotone", "flat in melody"), "high": ("lively in melody", "rich in intonation")},
    "intensity_sd": {
        "low": ("even in volume", "constant in volume"),
        "high": ("dynamic", "changing in volume"),
    },
    "roughness": {"low": ("smooth", "clear"), "high": ("rough", "hoarse")},
}
_STATE_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "arousal": {
        "low": ("low arousal", "little energy"),
        "mid": ("medium arousal", "moderate energy"),
        "high": ("high arousal", "a lot of energy"),
    },
    "valence": {
        "low": ("low valence", "a negative mood"),
        "mid": ("medium valence", "a middling mood"),
        "high": ("high valence", "a positive mood"),
    },
    "dominance": {
        "low": ("low dominance", "a submissive manner"),
        "mid": ("medium dominance",),
        "high": ("high dominance", "a dominant manner"),
    },
}
_LENGTH_WORDS = {"low": ("short", "brief"), "high": ("long", "lengthy")}
# Only true synonyms: "furious" would say more than "angry", and "unhappy" holds another label's word.
_EMOTION_WORDS: dict[str, tuple[str, ...]] = {
    "angry": ("sounds angry", "speaks with anger", "speaks angrily"),
    "bored": ("sounds bored", "speaks with boredom"),
    "calm": ("sounds calm", "speaks calmly"),
    "disgusted": ("sounds disgusted", "speaks with disgust"),
    "fearful": ("sounds fearful", "speaks with fear", "sounds afraid"),
    "happy": ("sounds happy", "speaks with happiness", "speaks happily", "sounds joyful"),
    "neutral": ("sounds neutral", "speaks in a neutral tone"),
    "sad": ("sounds sad", "speaks with sadness", "speaks sadly", "sounds sorrowful"),
    "surprised": ("sounds surprised", "speaks with surprise"),
    "pleasantly surprised": ("sounds pleasantly surprised", "speaks with pleasant surprise"),
}
_UNKNOWN_SUBJECTS = ("a person", "someone")
_SUBJECTS = {"female": "a woman", "male": "a man"}
_POSSESSIVES = {"female": "her", "male": "his"}


def tags_of(labels: Mapping[str, Any], binned: Mapping[str, Any]) -> dict[str, str]:
    """The tags of one clip.

    Args:
        labels: what the corpus says; `emotion` and `gender` are read, where they are there and not missing.
        binned: words of `Bins.assign` by column: measures and dimensions.

    Returns:
        Tag by name, in the order of `TAGS`. What is missing or empty is absent, never guessed.

    Examples:
        >>> tags_of({"emotion": "angry", "gender": None}, {"pitch_mean": "high", "jitter_mean": pd.NA})
        {'pitch_mean': 'high', 'emotion': 'angry'}
    """
    known = {**binned, "emotion": labels.get("emotion"), "gender": labels.get("gender")}
    return {tag: str(known[tag]).strip() for tag in TAGS if _is_known(known.get(tag))}


def tag_table(table: pd.DataFrame, measures: pd.DataFrame, bins: Bins) -> list[dict[str, str]]:
    """The tags of many clips.

    Args:
        table: one row a clip, with any of `emotion`, `gender`, `arousal`, `valence`, `dominance`.
        measures: the measures of the same clips in the same order (`egemaps.measures`); its index is not read.
        bins: thresholds fitted on the training split.

    Returns:
        The tags of every clip, in order.

    Raises:
        ValueError: the two tables are not of one length.
    """
    if len(table) != len(measures):
        raise ValueError(f"{len(table)} clips but measures of {len(measures)}")
    values = measures.reset_index(drop=True)
    for dimension in DIMENSIONS:
        if dimension in table:
            values[dimension] = table[dimension].array
    labels = table[[column for column in ("emotion", "gender") if column in table]]
    rows = zip(labels.to_dict("records"), bins.assign(values).to_dict("records"), strict=True)
    return [tags_of(label, binned) for label, binned in rows]


def caption(tags: Mapping[str, str], *, style: str, seed: int | None = None) -> str:
    """Write the tags as one sentence.

    - `tags`: ParaCLAP's wording, every tag named, also the normal ones.
    - `emotion`: the emotion alone.
    - `natural`: a fluent sentence. Normal measures go unsaid; jitter and shimmer are said as one roughness, and
      only where they do not disagree; emotions and dimensions have synonyms.

    Without a seed the caption names all there is to say, in a fixed order and wording. With one, `tags` and
    `natural` draw a non-empty subset, its order and its wording; a known emotion is always kept. The caption
    depends on the tags, the style and the seed only. An emotion without entry in the table passes through.

    Args:
        tags: see `tags_of`.
        style: one of `STYLES`.
        seed: seed of the draw.

    Raises:
        CaptionError: an unknown style, or a tag that is none of `low`, `normal` (`mid`), `high`.

    Examples:
        >>> known = {"pitch_mean": "high", "intensity_mean": "high", "emotion": "angry", "gender": "female"}
        >>> caption(known, style="tags")
        'speaker has a high pitch and is loud and is female and emotion is angry'
        >>> caption(known, style="emotion")
        'emotion is angry'
        >>> caption(known, style="natural")
        'A woman sounds angry, and her voice is high-pitched and loud.'
        >>> caption({}, style="tags")
        'a person speaks'
    """
    if style not in STYLES:
        raise CaptionError(f"caption style '{style}' is unknown; choose one of {', '.join(STYLES)}")
    for tag, value in tags.items():
        if tag in _TAG_WORDS and value not in _TAG_WORDS[tag]:
            raise CaptionError(f"tag '{tag}' is '{value}'; it must be one of {', '.join(_TAG_WORDS[tag])}")
    draw = None if seed is None else random.Random(seed)
    if style == "tags":
        return _tags_style(tags, draw)
    if style == "emotion":
        return f"emotion is {tags['emotion']}" if "emotion" in tags else NOTHING_KNOWN
    return _natural_style(tags, draw)


def _tags_style(tags: Mapping[str, str], draw: random.Random | None) -> str:
    named = _drawn([tag for tag in TAGS if tag in tags], draw)
    phrases = [
        f"is {tags[tag]}" if tag == "gender" else _TAG_WORDS[tag][tags[tag]]
        for tag in named
        if tag != "emotion"
    ]
    clauses = [f"speaker {' and '.join(phrases)}"] if phrases else []
    if "emotion" in named:
        clauses.insert(0 if draw and draw.random() < 0.5 else len(clauses), f"emotion is {tags['emotion']}")
    return " and ".join(clauses) or NOTHING_KNOWN


def _natural_style(tags: Mapping[str, str], draw: random.Random | None) -> str:
    said: dict[str, tuple[str, ...]] = {}
    heard = {**tags, "roughness": _roughness(tags)}
    for tag, words in (_VOICE_WORDS | _STATE_WORDS | {"duration": _LENGTH_WORDS}).items():
        if heard.get(tag) in words:
            said[tag] = words[heard[tag]]
    if tags.get("gender") in _SUBJECTS:
        said["gender"] = (_SUBJECTS[tags["gender"]],)
    emotion = tags.get("emotion")
    if emotion in _EMOTION_WORDS:
        said["emotion"] = _EMOTION_WORDS[emotion]
    phrase = {tag: _choose(said[tag], draw) for tag in _drawn(list(said), draw)}

    voice = _listed([words for tag, words in phrase.items() if tag in _VOICE_WORDS])
    state = _listed([words for tag, words in phrase.items() if tag in _STATE_WORDS])
    if "emotion" in phrase:
        predicate = phrase["emotion"] + (f", showing {state}" if state else "")
    else:
        predicate = f"speaks with {state}" if state else "speaks"
    sentence = f"{phrase.get('gender') or _choose(_UNKNOWN_SUBJECTS, draw)} {predicate}"
    if voice and draw is not None and draw.random() < 0.5:
        sentence = f"with a voice that is {voice}, {sentence}"
    elif voice:
        possessive = _POSSESSIVES[tags["gender"]] if "gender" in phrase else "the"
        sentence = f"{sentence}, and {possessive} voice is {voice}"
    if emotion is not None and emotion not in _EMOTION_WORDS:
        sentence += f"; the emotion is {emotion}"
    if "duration" in phrase:
        sentence += f"; the clip is {phrase['duration']}"
    return f"{sentence[0].upper()}{sentence[1:]}."


def _roughness(tags: Mapping[str, str]) -> str:
    """Jitter and shimmer as one word: the one that is not normal, or none where they disagree."""
    marked = {tags[tag] for tag in ("jitter_mean", "shimmer_mean") if tag in tags} - {"normal"}
    return marked.pop() if len(marked) == 1 else "normal"


def _drawn(names: list[str], draw: random.Random | None) -> list[str]:
    """All names in order, or a drawn non-empty subset in drawn order with the emotion kept."""
    if draw is None or not names:
        return names
    kept = set(draw.sample(names, draw.randint(1, len(names))))
    chosen = [name for name in names if name in kept or name == "emotion"]
    draw.shuffle(chosen)
    return chosen


def _choose(words: tuple[str, ...], draw: random.Random | None) -> str:
    return words[0] if draw is None else draw.choice(words)


def _listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def _is_known(value: Any) -> bool:
    return not pd.isna(value) and str(value).strip() != ""
