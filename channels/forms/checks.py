"""Whether what was posted fits the form, in sentences for the person who filled it in."""

from typing import Final

from channels.errors import InvalidFields
from channels.forms.settings import RESERVED, FormField, WebFormConfig
from channels.forms.submission import Submission
from channels.forms.wording import say
from channels.phone import customer_address, e164, mailbox

TICKED: Final = frozenset({"true", "on", "1", "yes"})
_UNTICKED: Final = frozenset({"", "false", "off", "0", "no"})


def check(config: WebFormConfig, submission: Submission, language: str) -> None:
    """Pass or raise `InvalidFields` with one sentence for each field that does not fit."""
    errors = [
        (field.name, sentence)
        for field in config.fields
        if (sentence := _sentence(config, field, submission.values.get(field.name, ""), language))
    ]
    if not submission.is_page:
        known = {*RESERVED, config.honeypot, *(field.name for field in config.fields)}
        errors += [(name[:40], say(language, "unknown")) for name in submission.values if name not in known]
    errors += [("attachments", sentence) for sentence in _file_sentences(config, submission, language)]
    if errors:
        raise InvalidFields(tuple(errors))


def _sentence(config: WebFormConfig, field: FormField, value: str, language: str) -> str | None:
    if not value or (field.type == "checkbox" and value in _UNTICKED):
        return say(language, "tick" if field.type == "checkbox" else "required") if field.required else None
    if len(value) > field.max_length:
        return say(language, "too_long", limit=field.max_length, length=len(value))
    return None if _fits(config, field, value) else say(language, _kind(field))


def _kind(field: FormField) -> str:
    return "address" if field.type in ("text", "textarea") else field.type


def _fits(config: WebFormConfig, field: FormField, value: str) -> bool:
    match field.type:
        case "email":
            return mailbox(value) is not None
        case "tel":
            return e164(value, config.region) is not None
        case "choice":
            return any(choice.value == value for choice in field.choices)
        case "checkbox":
            return value in TICKED
        case "text" | "textarea":
            return field.maps_to != "address" or _can_be_reached(value, config.region)


def _can_be_reached(value: str, region: str) -> bool:
    address = customer_address(value, region)
    return address is not None and address.startswith(("tel:", "mailto:"))


def _file_sentences(config: WebFormConfig, submission: Submission, language: str) -> list[str]:
    limit = config.most_attachments
    if len(submission.files) > limit:
        return [say(language, "too_many_files", limit=limit)]
    return [
        say(language, "too_large_file", name=file.name, limit=config.most_attachment_bytes / 1_048_576)
        for file in submission.files
        if len(file.content) > config.most_attachment_bytes
    ]
