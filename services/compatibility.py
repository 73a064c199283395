"""Whether readers of an older JSON Schema can read what a newer one describes. Pure."""

from dataclasses import dataclass
from typing import Any, Final, cast

Schema = dict[str, Any]

_WORDS: Final = frozenset(("title", "description", "default", "examples", "$id", "$schema", "$defs", "$ref"))
_COMPARED_APART: Final = frozenset(("properties", "required"))


def breaks(old: Schema, new: Schema) -> list[str]:
    """What a reader of `old` could not read in a fact of `new`, as sentences; [] when there are only additions.

    Properties that need not be there may be added. Anything else (also a new word in a closed list, which an older
    reader refuses) needs a new version of the fact.
    """
    return _Comparison(old, new).of(old, new, "the fact")


@dataclass(frozen=True, slots=True)
class _Comparison:
    old_root: Schema
    new_root: Schema

    def of(self, old: Schema, new: Schema, at: str) -> list[str]:
        old, new = _resolved(old, self.old_root), _resolved(new, self.new_root)
        found: list[str] = []
        for word in sorted((old.keys() | new.keys()) - _WORDS - _COMPARED_APART):
            before, after = old.get(word), new.get(word)
            if isinstance(before, dict) and isinstance(after, dict):
                found += self.of(cast("Schema", before), cast("Schema", after), f"{at}, {word}")
            elif before != after:
                found.append(f"{at}: {word} was {before!r}, now {after!r}")
        return found + self._properties(old, new, at)

    def _properties(self, old: Schema, new: Schema, at: str) -> list[str]:
        before: dict[str, Schema] = old.get("properties", {})
        after: dict[str, Schema] = new.get("properties", {})
        needed, need = set[str](old.get("required", [])), set[str](new.get("required", []))
        found = [f"{at}: {name} is gone" for name in before if name not in after]
        found += [f"{at}: {name} must be there now" for name in sorted(need - needed)]
        found += [f"{at}: {name} need not be there any more" for name in sorted(needed - need) if name in after]
        for name, schema in before.items():
            if name in after:
                found += self.of(schema, after[name], f"{at}.{name}")
        return found


def _resolved(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    return schema if reference is None else root["$defs"][reference.removeprefix("#/$defs/")]
