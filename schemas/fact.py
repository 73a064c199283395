"""What every fact is: frozen, in the past tense, split into a clear and a personal part."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json

Assurance = Literal["none", "claimed", "verified"]
_SEAM: Final = b',"personal":'


class Part(BaseModel):
    """A piece of a fact. Strict where it is made; readers pass `extra="ignore"` (see `schemas.event`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Fact(Part):
    """One thing that happened. A subclass pins `type` and `version` with `Literal`.

    Everything that a person wrote or is goes into a field named `personal`; the rest may be read by anyone who runs
    the installation. The two parts are stored apart: `personal` is sealed under the key of its subject.
    """

    def clear_json(self) -> bytes:
        """The part without personal data, as compact JSON in field order (the same fact gives the same bytes)."""
        return self.__pydantic_serializer__.to_json(self, exclude={"personal"}, exclude_none=True)

    def personal_json(self) -> bytes | None:
        """The personal part as JSON, or None for a fact that has none."""
        personal: Part | None = getattr(self, "personal", None)
        if personal is None:
            return None
        return personal.__pydantic_serializer__.to_json(personal, exclude_none=True)


def join(clear: bytes, personal: bytes | None) -> bytes:
    """The published form: the clear object with `personal` put in as its last member, joined as bytes."""
    if personal is None:
        return clear
    return clear[:-1] + _SEAM + personal + b"}"


def split(published: bytes) -> tuple[bytes, bytes | None]:
    """The two parts again, byte for byte as `join` had them; None where there is no personal part.

    Raises:
        ValueError: it is no JSON.
    """
    from_json(published)
    at = published.find(_SEAM)
    while at >= 0:
        clear, personal = published[:at] + b"}", published[at + len(_SEAM) : -1]
        # A member of an inner object may have this name; a text cannot hold a bare quotation mark.
        if _is_json(clear) and _is_json(personal):
            return clear, personal
        at = published.find(_SEAM, at + 1)
    return published, None


def _is_json(text: bytes) -> bool:
    try:
        from_json(text)
    except ValueError:
        return False
    return True
