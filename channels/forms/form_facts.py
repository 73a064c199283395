"""A submission that fits its form, in our words."""

from typing import Final
from uuid import UUID

from channels.contract import Blob, Heard, Origin
from channels.forms.checks import TICKED
from channels.forms.settings import FormField, Meaning, WebFormConfig, said_in
from channels.forms.submission import Submission
from channels.phone import customer_address
from schemas.customer import ConsentStated, PreferenceStated, Stated
from schemas.interaction import Attachment, AttachmentName, Content, InteractionReceived

CHANNEL: Final = "forms/web"
_LONGEST_NAME: Final = 300
# What a field means to us stands in its own place; the first of several with one meaning is it.
_PLACED: Final[tuple[Meaning, ...]] = ("address", "name", "subject", "text")
_STATED: Final[tuple[Meaning, ...]] = ("preferred_channel", "consent")


def facts(config: WebFormConfig, origin: Origin, key: str, submission: Submission, language: str) -> list[Heard]:
    """The post, the channel that the person prefers, and what they allow or forbid."""
    address = _address(config, origin, key, submission)
    received = _received(config, origin, key, submission, address)
    blobs = tuple(
        Blob(attachment.attachment_id, file.content)
        for attachment, file in zip(received.attachments, submission.files, strict=True)
    )
    heard = [Heard(key, address, received, None, blobs)]
    for field in config.fields:
        value = submission.values.get(field.name, "")
        # A box that a page leaves out was not ticked, which is no refusal; `false` in JSON is one.
        if value and field.maps_to in _STATED:
            stated = Stated(address=address, wording=said_in(field.label, language))
            fact = _stated(config, field, value, received.interaction_id, stated)
            heard.append(Heard(f"{key}/{field.name}", address, fact))
    return heard


def _received(
    config: WebFormConfig, origin: Origin, key: str, submission: Submission, address: str
) -> InteractionReceived:
    placed = {meaning: _first(config, submission, meaning) for meaning in _PLACED}
    names = {field.name for field in placed.values() if field is not None}
    files = tuple((origin.derive(f"{key}/{index}", "attachment"), file) for index, file in enumerate(submission.files))
    return InteractionReceived(
        interaction_id=origin.derive(key, "interaction"),
        kind="form",
        channel=CHANNEL,
        assurance="none" if address.startswith("form:") else "claimed",
        attachments=tuple(
            Attachment(attachment_id=file_id, media_type=file.media_type, bytes=len(file.content))
            for file_id, file in files
        ),
        personal=Content(
            address=address,
            name=_value(submission, placed["name"]),
            subject=_value(submission, placed["subject"]),
            text=_value(submission, placed["text"]) or "",
            attachments=tuple(
                AttachmentName(attachment_id=file_id, name=file.name[:_LONGEST_NAME]) for file_id, file in files
            ),
            fields={
                field.name: submission.values[field.name]
                for field in config.fields
                if field.name not in names and submission.values.get(field.name)
            },
        ),
    )


def _address(config: WebFormConfig, origin: Origin, key: str, submission: Submission) -> str:
    """What the person gave to be answered at; without one, an address of this post alone."""
    field = _first(config, submission, "address")
    given = customer_address(submission.values[field.name], config.region) if field else None
    return given or f"form:{origin.derive(key, 'address')}"


def _stated(
    config: WebFormConfig, field: FormField, value: str, interaction_id: UUID, stated: Stated
) -> PreferenceStated | ConsentStated:
    if field.maps_to == "preferred_channel":
        return PreferenceStated(interaction_id=interaction_id, channels=(value,), personal=stated)
    return ConsentStated(
        interaction_id=interaction_id,
        channel=CHANNEL,
        purpose=field.purpose,
        granted=value in TICKED,
        wording_version=config.consent_wording_version,
        personal=stated,
    )


def _first(config: WebFormConfig, submission: Submission, meaning: Meaning) -> FormField | None:
    return next(
        (field for field in config.fields if field.maps_to == meaning and submission.values.get(field.name)), None
    )


def _value(submission: Submission, field: FormField | None) -> str | None:
    return submission.values[field.name] if field else None
