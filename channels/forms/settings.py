"""What an operator sets for a form. Everything arrives as text, as `tamas inbox add forms/web … --set k=v` gives it."""

import re
from typing import Annotated, Final, Literal, Self

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator


def _by_language(value: object) -> object:
    if not isinstance(value, str):
        return value
    return orjson.loads(value) if value.lstrip().startswith("{") else {"": value}


Texts = Annotated[dict[str, str], BeforeValidator(_by_language)]
"""A text by language (`fa`, `en`). A plain text in the settings is for every language, under the name ""."""

FieldType = Literal["text", "email", "tel", "choice", "checkbox", "textarea"]
Meaning = Literal["address", "name", "subject", "text", "consent", "preferred_channel", "none"]

RESERVED: Final = frozenset({"token", "language", "attachments"})
_NAME: Final = r"^[a-z][a-z0-9_]{0,39}$"
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}")
_MOST_CHARS_IN_ALL: Final = 40_000

DEFAULT_FIELDS: Final = """[
{"name": "name", "label": {"fa": "نام", "en": "Name"}, "required": true, "max_length": 200, "maps_to": "name"},
{"name": "contact", "label": {"fa": "شمارهٔ موبایل یا ایمیل", "en": "Mobile number or email"}, "required": true,
 "max_length": 254, "maps_to": "address"},
{"name": "subject", "label": {"fa": "موضوع", "en": "Subject"}, "max_length": 200, "maps_to": "subject"},
{"name": "message", "type": "textarea", "label": {"fa": "پیام شما", "en": "Your message"}, "required": true,
 "max_length": 10000, "maps_to": "text"}
]"""


def said_in(texts: Texts, language: str) -> str:
    """The text in this language, else the one for all, else the first."""
    return texts.get(language) or texts.get("") or next(iter(texts.values()), "")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Choice(_Part):
    """One answer that a person may pick."""

    value: Annotated[str, Field(min_length=1, max_length=100)]
    label: Texts


class FormField(_Part):
    """One field. `maps_to` says what it means to us; of several with one meaning the first filled in counts.

    `purpose` is for what a ticked consent allows us to write.
    """

    name: Annotated[str, Field(pattern=_NAME)]
    label: Texts
    hint: Texts = Field(default_factory=dict)
    type: FieldType = "text"
    required: bool = False
    max_length: Annotated[int, Field(ge=1, le=15_000)] = 500
    choices: tuple[Choice, ...] = ()
    maps_to: Meaning = "none"
    purpose: Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")] = "marketing"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.name in RESERVED:
            raise ValueError(f"{self.name} is a name of the form itself: give the field another.")
        if (self.type == "choice") != bool(self.choices):
            raise ValueError(f"{self.name}: a choice needs choices, and nothing else may have them.")
        if self.maps_to == "consent" and self.type != "checkbox":
            raise ValueError(f"{self.name}: consent is given with a checkbox.")
        return self


class WebFormConfig(_Part):
    """A form. `fields` is JSON, a list of `FormField`; `title` and `thanks` are a text or JSON by language.

    `token_secret` seals the token in a page, good for `token_lifetime_seconds`. A post younger than
    `minimum_fill_seconds` comes from a machine; 0 asks nothing.
    """

    token_secret: Annotated[SecretStr, Field(min_length=16)]
    address: str = ""
    region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "IR"
    languages: tuple[str, ...] = ("fa", "en")
    title: Texts = Field(default_factory=lambda: {"fa": "پیام به ما", "en": "Write to us"})
    thanks: Texts = Field(
        default_factory=lambda: {
            "fa": "پیام شما رسید. به شما پاسخ می‌دهیم.",
            "en": "We have your message and will answer.",
        }
    )
    fields: tuple[FormField, ...] = Field(default=DEFAULT_FIELDS, validate_default=True)  # pyright: ignore[reportAssignmentType]
    consent_wording_version: Annotated[str, Field(min_length=1, max_length=40)] = "1"
    token_lifetime_seconds: Annotated[int, Field(ge=60, le=604_800)] = 86_400
    minimum_fill_seconds: Annotated[int, Field(ge=0, le=60)] = 0
    honeypot: Annotated[str, Field(pattern=_NAME)] = "website"
    require_token: bool = False
    most_attachments: Annotated[int, Field(ge=0, le=20)] = 3
    most_attachment_bytes: Annotated[int, Field(ge=1, le=26_214_400)] = 5_242_880

    @field_validator("fields", mode="before")
    @classmethod
    def _from_json(cls, value: object) -> object:
        return orjson.loads(value) if isinstance(value, str) else value

    @field_validator("languages", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @model_validator(mode="after")
    def _whole(self) -> Self:
        names = [field.name for field in self.fields]
        if not names or len(set(names)) != len(names) or self.honeypot in {*names, *RESERVED}:
            raise ValueError("A form needs fields, each with its own name, and none named as the honeypot.")
        if sum(field.max_length for field in self.fields) > _MOST_CHARS_IN_ALL:
            raise ValueError(f"The fields may hold {_MOST_CHARS_IN_ALL} characters in all: lower their max_length.")
        if not self.languages or not all(_LANGUAGE.fullmatch(language) for language in self.languages):
            raise ValueError("languages is a list like fa,en.")
        return self
