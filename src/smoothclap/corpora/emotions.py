"""The words for emotions: one adjective each, and the words corpora use for the same."""

EMOTIONS = (
    "angry",
    "bored",
    "calm",
    "disgusted",
    "fearful",
    "happy",
    "neutral",
    "pleasantly surprised",
    "sad",
    "surprised",
)
"""The canonical emotions. Adjectives, because a caption says "the speaker is angry"."""

SYNONYMS = {
    "anger": "angry",
    "boredom": "bored",
    "calmness": "calm",
    "disgust": "disgusted",
    "fear": "fearful",
    "afraid": "fearful",
    "scared": "fearful",
    "happiness": "happy",
    "joy": "happy",
    "joyful": "happy",
    "neutrality": "neutral",
    "pleasant surprise": "pleasantly surprised",
    "pleasant_surprise": "pleasantly surprised",
    "sadness": "sad",
    "surprise": "surprised",
}
"""Words of the same meaning. Only these are replaced: "excited" stays "excited"."""


def canonical(word: str) -> str:
    """Give the canonical adjective of a label; an unknown word is only trimmed and lower-cased.

    Args:
        word: a label as a corpus writes it.

    Returns:
        The word of `EMOTIONS` it means, or the word itself in lower case.

    Examples:
        >>> canonical(" Happiness "), canonical("Excited")
        ('happy', 'excited')
    """
    plain = word.strip().lower()
    return SYNONYMS.get(plain, plain)
