"""The pages of a form. They hold no script and no style of their own, so the strictest policy fits them."""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from channels.forms.checks import TICKED
from channels.forms.settings import FormField, WebFormConfig, said_in
from channels.forms.wording import direction, say

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_TEMPLATES: Final = Path(__file__).with_name("templates")
_AUTOCOMPLETE: Final = {"email": "email", "tel": "tel"}


@cache
def style() -> bytes:
    """The stylesheet, which the pages expect beside them as `style.css`."""
    return (_TEMPLATES / "style.css").read_bytes()


def form_page(
    config: WebFormConfig,
    language: str,
    token: str,
    errors: Sequence[tuple[str, str]] = (),
    values: Mapping[str, str] | None = None,
) -> str:
    """The form to fill in, with what was typed before and what is wrong with it."""
    wrong, typed = dict(errors), values or {}
    return _template("form.html.jinja").render(
        _frame(config, language),
        token=token,
        honeypot=config.honeypot,
        fields=[_shown(field, language, wrong.get(field.name), typed.get(field.name, "")) for field in config.fields],
        has_errors=bool(errors),
        file_errors=[sentence for name, sentence in errors if name == "attachments"],
        most_attachments=config.most_attachments,
    )


def thanks_page(config: WebFormConfig, language: str, reference: str) -> str:
    """What a person sees once their post is kept."""
    return _template("thanks.html.jinja").render(
        _frame(config, language), thanks=said_in(config.thanks, language), reference=reference
    )


def _frame(config: WebFormConfig, language: str) -> dict[str, Any]:
    return {
        "language": language,
        "direction": direction(language),
        "title": said_in(config.title, language),
        "say": partial(say, language),
    }


def _shown(field: FormField, language: str, error: str | None, value: str) -> dict[str, Any]:
    hint = said_in(field.hint, language)
    described_by = [f"{field.name}-{note}" for note, is_there in (("hint", hint), ("error", error)) if is_there]
    return {
        "name": field.name,
        "type": field.type,
        "label": said_in(field.label, language),
        "hint": hint,
        "error": error,
        "described_by": " ".join(described_by),
        "required": field.required,
        "max_length": field.max_length,
        "value": value in TICKED if field.type == "checkbox" else value,
        "direction": "ltr" if field.type in ("email", "tel") else "auto",
        "autocomplete": "name" if field.maps_to == "name" else _AUTOCOMPLETE.get(field.type),
        "choices": [{"value": choice.value, "label": said_in(choice.label, language)} for choice in field.choices],
    }


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _template(name: str) -> Any:
    return _environment().get_template(name)
