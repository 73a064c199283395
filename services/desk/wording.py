"""What the desk says. A missing Persian word is a fault of ours, which a test finds."""

from typing import Final

from services.desk.sentences_fa import persian
from services.desk.words_en import ENGLISH
from services.desk.words_fa import PERSIAN

WORDS: Final = {"en": ENGLISH, "fa": PERSIAN}


def say(language: str, word: str, **given: object) -> str:
    """The word in this language. Raises KeyError: there is none."""
    return WORDS[language][word].format(**given) if given else WORDS[language][word]


def has(word: str) -> bool:
    """Whether there is such a word."""
    return word in ENGLISH


def told(language: str, sentence: str) -> str:
    """A sentence of the house, such as why something was refused, in this language if it has it."""
    return (persian(sentence) or sentence) if language == "fa" else sentence
