"""What reading one mail may cost: bounds that hold for it and the mails inside it together."""

from dataclasses import dataclass
from typing import Final

from channels.errors import Malformed

_MOST_PARTS: Final = 1000
_MOST_FIELDS: Final = 10_000
_MOST_CANDIDATES: Final = 20_000
"""Places in a mail that look like a delimiter."""


@dataclass(slots=True)
class Effort:
    """What a mail has cost so far, together with the mails inside it."""

    parts: int = 0
    fields: int = 0
    candidates: int = 0
    rendered_chars: int = 0

    def add(self, fields: int) -> None:
        """One more part with so many header fields."""
        self.parts += 1
        self.fields += fields
        if self.parts > _MOST_PARTS:
            raise Malformed(f"This mail has more than {_MOST_PARTS} parts.")
        if self.fields > _MOST_FIELDS:
            raise Malformed(f"The parts of this mail have more than {_MOST_FIELDS} header fields.")

    def look(self) -> None:
        """One more place that looks like a delimiter."""
        self.candidates += 1
        if self.candidates > _MOST_CANDIDATES:
            raise Malformed(f"More than {_MOST_CANDIDATES} places in this mail look like a delimiter of its parts.")
