"""Templates of the desk. Every number that a person reads goes through one filter, every word through the wording."""

from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.desk import statics
from services.desk.users import Language
from services.desk.wording import has, say, told

_TEMPLATES: Final = Path(__file__).with_name("templates")
_PERSIAN: Final = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_KILO: Final = 1024
DIRECTIONS: Final[dict[Language, str]] = {"en": "ltr", "fa": "rtl"}


def render(name: str, language: Language, **given: Any) -> str:
    """A page or a part of one. `given` is what the template asks for; a missing one is a fault."""
    return (
        _environment()
        .get_template(name)
        .render(
            given,
            language=language,
            direction=DIRECTIONS[language],
            say=partial(say, language),
            told=partial(told, language),
            digits=partial(digits, language),
            size=partial(_size, language),
            static=statics.url,
            kind_of=kind_of,
            clock=_clock,
            step_word=partial(_step, language),
        )
    )


def digits(language: Language, value: object) -> str:
    """A number of ours in the digits of this language; what customers wrote is never changed."""
    return str(value).translate(_PERSIAN) if language == "fa" else str(value)


def kind_of(channel: str) -> str:
    """The kind of a channel as templates know it: what has no icon of its own is `other`."""
    kind = channel.partition("/")[0]
    return kind if has(f"kind_{kind}") else "other"


def _clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d}"


def _step(language: Language, step: str) -> str:
    return say(language, f"step_{step}") if has(f"step_{step}") else step


def _size(language: Language, count: int) -> str:
    if count < _KILO:
        return f"{digits(language, count)} B"
    kilo = count / _KILO
    if kilo < _KILO:
        return f"{digits(language, f'{kilo:.0f}')} kB"
    return f"{digits(language, f'{kilo / _KILO:.1f}')} MB"


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
