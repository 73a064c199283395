import pytest

from channels.contract import InboundRequest
from channels.errors import InvalidFields, Malformed, Trapped
from schemas.customer import ConsentStated, PreferenceStated
from schemas.interaction import Content, InteractionReceived
from tests.channels.forms.posts import FORM, NONCE, form, json_post, multipart_post, page_post

FILLED = {
    "name": "Sara",
    "phone": "۰۹۱۲ ۱۲۳ ۴۵۶۷",
    "topic": "Order",
    "message": "Where is\r\nmy order?\x00",
    "order": "A-17",
}


def _received(request: InboundRequest) -> InteractionReceived:
    fact = FORM.parse(request)[0].fact
    assert isinstance(fact, InteractionReceived)
    return fact


def test_a_post_of_a_page() -> None:
    (heard,) = FORM.parse(page_post(FILLED))
    assert (heard.source_key, heard.address) == (f"token:{NONCE}", "tel:+989121234567")
    fact = _received(page_post(FILLED))
    assert (fact.kind, fact.channel, fact.assurance) == ("form", "forms/web", "claimed")
    assert fact.personal == Content(
        address="tel:+989121234567",
        name="Sara",
        subject="Order",
        text="Where is\nmy order?",
        fields={"order": "A-17"},
    )


def test_json_and_multipart_say_the_same_as_a_page() -> None:
    said = _received(page_post(FILLED)).personal
    assert _received(json_post(dict(FILLED))).personal == said
    assert _received(multipart_post(FILLED, [])).personal == said


def test_of_two_addresses_the_first_in_the_form_counts_and_the_other_is_kept() -> None:
    said = _received(page_post(FILLED | {"email": "Sara@Example.com"})).personal
    assert said is not None
    assert (said.address, said.fields["phone"]) == ("mailto:sara@example.com", "۰۹۱۲ ۱۲۳ ۴۵۶۷")


def test_a_post_without_an_address_has_one_of_its_own() -> None:
    first, again = FORM.parse(page_post({"message": "hi"})), FORM.parse(page_post({"message": "hi"}))
    assert first[0].address == again[0].address
    assert first[0].address.startswith("form:")
    other = FORM.parse(json_post({"message": "hi"}))
    assert other[0].address != first[0].address


def test_files_become_blobs() -> None:
    files = [("فاکتور.pdf", "application/pdf", b"%PDF-\r\n\x00"), ("", "application/octet-stream", b"")]
    (heard,) = FORM.parse(multipart_post(FILLED, files))
    assert isinstance(heard.fact, InteractionReceived)
    (attachment,) = heard.fact.attachments
    assert (attachment.media_type, attachment.bytes) == ("application/pdf", 8)
    assert [(blob.blob_id, blob.content) for blob in heard.blobs] == [(attachment.attachment_id, b"%PDF-\r\n\x00")]
    assert heard.fact.personal is not None
    assert heard.fact.personal.attachments[0].name == "فاکتور.pdf"


def test_a_preferred_channel_and_consent_are_stated() -> None:
    received, preference, consent = FORM.parse(
        page_post(FILLED | {"reply_by": "sms", "news": "true", "language": "fa"})
    )
    assert isinstance(preference.fact, PreferenceStated)
    assert preference.fact.channels == ("sms",)
    assert isinstance(consent.fact, ConsentStated)
    assert (consent.fact.granted, consent.fact.wording_version) == (True, "2026-01")
    assert consent.fact.personal is not None
    assert consent.fact.personal.wording == "خبرنامه"
    assert {received.address, preference.address, consent.address} == {"tel:+989121234567"}


def test_false_in_json_is_a_refusal_and_a_box_left_alone_is_silence() -> None:
    refused = FORM.parse(json_post({"message": "hi", "news": False}))
    assert [heard.fact.granted for heard in refused if isinstance(heard.fact, ConsentStated)] == [False]
    assert len(FORM.parse(page_post({"message": "hi"}))) == 1


def test_a_repeat_is_known_by_its_key_or_its_content() -> None:
    keyed = FORM.parse(json_post({"message": "hi"}, ("idempotency-key", "abc")))
    assert keyed[0].source_key == "key:abc"
    bare = FORM.parse(json_post({"message": "hi", "name": "x"}))
    same = FORM.parse(json_post({"name": "x", "message": "hi"}))
    other = FORM.parse(json_post({"name": "y", "message": "hi"}))
    assert bare == same
    assert bare[0].source_key != other[0].source_key


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({}, "message", "Please fill this in."),
        ({"message": "  "}, "message", "Please fill this in."),
        ({"message": "x", "email": "sara@"}, "email", "This is no email address. One looks like name@example.com."),
        ({"message": "x", "phone": "12"}, "phone", "This is no phone number."),
        ({"message": "x", "topic": "y" * 21}, "topic", "Please write at most 20 characters; there are 21."),
        ({"message": "x", "reply_by": "pigeon"}, "reply_by", "Please pick one of the answers."),
        ({"message": "x", "news": "maybe"}, "news", "This can only be true or false."),
    ],
)
def test_what_a_person_has_to_mend(values: dict[str, str], field: str, sentence: str) -> None:
    with pytest.raises(InvalidFields) as refused:
        FORM.parse(page_post(values | {"language": "en"}))
    ((name, said),) = refused.value.errors
    assert name == field
    assert said.startswith(sentence)


def test_errors_are_told_in_the_language_of_the_reader() -> None:
    with pytest.raises(InvalidFields) as refused:
        FORM.parse(page_post({"topic": "y" * 21, "language": "fa"}))
    assert dict(refused.value.errors) == {
        "topic": "حداکثر ۲۰ نویسه بنویسید؛ اکنون ۲۱ نویسه است.",
        "message": "این بخش را پر کنید.",
    }


@pytest.mark.parametrize(
    ("posted", "accepted", "language"),
    [("en", "fa", "en"), ("", "de, en-GB;q=0.8", "en"), ("", "de", "fa"), ("", "", "fa"), ("xx", "en", "en")],
)
def test_the_language_of_an_answer(posted: str, accepted: str, language: str) -> None:
    request = json_post({"language": posted}, ("accept-language", accepted))
    assert FORM.language(request) == language


def test_a_refusal_that_quotes_a_name_holds_no_nul() -> None:
    with pytest.raises(InvalidFields) as refused:
        FORM.parse(json_post({"message": "hi", "mess\0age": "hi"}))
    assert [name for name, _ in refused.value.errors] == ["mess\ufffdage"]


def test_an_unknown_field_in_json_is_not_lost_silently() -> None:
    with pytest.raises(InvalidFields, match="massage"):
        FORM.parse(json_post({"message": "x", "massage": "y"}))
    assert FORM.parse(page_post({"message": "x", "utm_source": "y"}))


@pytest.mark.parametrize(
    "files",
    [[("a", "text/plain", b"x")] * 4, [("a.bin", "application/octet-stream", b"x" * 101)]],
)
def test_files_are_limited(files: list[tuple[str, str, bytes]]) -> None:
    with pytest.raises(InvalidFields, match="attachments"):
        form(most_attachment_bytes="100").parse(multipart_post({"message": "x"}, files))


def test_a_machine_that_fills_in_the_hidden_field_is_trapped() -> None:
    with pytest.raises(Trapped):
        FORM.parse(page_post({"message": "x", "website": "http://spam.example"}))


def test_a_machine_that_is_faster_than_people_is_trapped() -> None:
    assert form(minimum_fill_seconds="30").parse(page_post({"message": "x"}))
    with pytest.raises(Trapped, match="30"):
        form(minimum_fill_seconds="31").parse(page_post({"message": "x"}))


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("application/json", b"[]"),
        ("application/json", b"{"),
        ("application/json", b'{"message": {"a": 1}}'),
        ("text/plain", b"message=x"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"--x"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="message"\r\n\r\nhello'),
        ("multipart/form-data; boundary=b", b""),
    ],
)
def test_what_cannot_be_read(media_type: str, content: bytes) -> None:
    plain = page_post({})
    request = InboundRequest(
        "POST", plain.url, (("content-type", media_type),), content, plain.received_at, plain.origin
    )
    with pytest.raises(Malformed):
        FORM.parse(request)
    assert FORM.values(request) == {}
