"""What genders, languages and splits are called in the table, and in the wild."""

from iso639 import Lang
from iso639.exceptions import InvalidLanguageValue

GENDERS = ("female", "male")
SPLITS = ("train", "dev", "test")
SHORT_GENDERS = {"f": "female", "w": "female", "woman": "female", "m": "male", "man": "male"}


def gender(word: str) -> str:
    """Give "female" or "male" for the usual short forms; another word only in lower case.

    Examples:
        >>> gender("F"), gender("Male")
        ('female', 'male')
    """
    return SHORT_GENDERS.get(word.lower(), word.lower())


def language_code(word: str) -> str:
    """Give the ISO 639-1 code of a language's name or code; a word that is none, in lower case.

    Examples:
        >>> language_code("deu"), language_code("Urdu"), language_code("talk")
        ('de', 'ur', 'talk')
    """
    for spelling in (word.lower(), word.title()):
        try:
            language = Lang(spelling)
        except InvalidLanguageValue:
            continue
        return str(language.pt1 or language.pt3)
    return word.lower()


def holds_for_all(key: str, value: str) -> bool:
    """Say whether `value`, being no column, may stand for every clip.

    Examples:
        >>> holds_for_all("language", "ur"), holds_for_all("emotion", "happy")
        (True, False)
    """
    if key == "language":
        return len(language_code(value)) == 2
    if key == "gender":
        return gender(value) in GENDERS
    return key == "split" and value in SPLITS
