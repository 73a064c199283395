from dataclasses import replace

import pytest

from channels.contract import InboundRequest
from channels.email.smtp import Smtp, SmtpConfig
from channels.errors import Malformed
from schemas.interaction import Content, InteractionReceived, ReceiptReported
from tests.channels.samples import BOUNCE, LETTER, MAIL_ORIGIN, mail

CHANNEL = Smtp(SmtpConfig(address="help@acme.example"))
OURS = Smtp(SmtpConfig(address="help@acme.example", authserv_id="mx.acme.example"))
KIB = 1024


def _received(request: InboundRequest, channel: Smtp = CHANNEL) -> InteractionReceived:
    fact = channel.parse(request)[0].fact
    assert isinstance(fact, InteractionReceived)
    return fact


def _said(request: InboundRequest) -> Content:
    said = _received(request).personal
    assert said is not None
    return said


def _mail(headers: str, text: str = "hi") -> InboundRequest:
    return mail(f"{headers}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode())


def test_a_letter() -> None:
    (heard,) = CHANNEL.parse(LETTER)
    assert heard.address == "mailto:sara@example.com"
    assert heard.occurred_at is not None
    assert heard.occurred_at.isoformat() == "2026-11-20T13:00:00+03:30"
    said = _said(LETTER)
    assert (said.name, said.subject, said.recipient) == ("Sara", "سفارش من", "mailto:help@acme.example")
    assert said.text.strip() == "Where is my order? سفارش من کجاست؟"
    assert (said.message_id, said.references) == ("one@example.com", ("root@acme.example", "zero@acme.example"))
    assert said.recipients == ("mailto:help@acme.example",)


@pytest.mark.parametrize("text", ["hi", "hi\r\nthere", "\r\nhi\r\n\r\nthere\r\n\r\n", "hi\nthere", " hi "])
def test_what_quotes_nothing_has_no_fuller_text(text: str) -> None:
    assert _said(_mail("From: a@example.com", text)).full_text is None
    quoting = _said(_mail("From: a@example.com", f"{text}\r\n\r\n> your order\r\n"))
    assert quoting.full_text is not None
    assert "> your order" in quoting.full_text
    assert "> your order" not in quoting.text


def test_the_whole_mail_and_its_files_become_blobs() -> None:
    (heard,) = CHANNEL.parse(LETTER)
    fact = _received(LETTER)
    assert [(one.media_type, one.bytes) for one in fact.attachments] == [("application/pdf", 5)]
    assert [name.name for name in _said(LETTER).attachments] == ["a.pdf"]
    assert [blob.content for blob in heard.blobs] == [LETTER.body, b"%PDF-"]
    assert heard.blobs[1].blob_id == fact.attachments[0].attachment_id


def test_mails_of_one_thread_share_a_conversation() -> None:
    root = _mail("From: a@example.com\r\nMessage-ID: <root@acme.example>")
    answer = _mail("From: b@example.com\r\nMessage-ID: <two@b>\r\nIn-Reply-To: <root@acme.example>")
    other = _mail("From: b@example.com\r\nMessage-ID: <three@b>")
    assert _received(root).conversation_id == _received(answer).conversation_id == _received(LETTER).conversation_id
    assert _received(other).conversation_id != _received(root).conversation_id
    assert len({_received(one).interaction_id for one in (root, answer, other, LETTER)}) == 4


def test_a_copy_by_another_way_is_the_same_mail() -> None:
    copy = replace(LETTER, body=b"Received: from elsewhere\n" + LETTER.body)
    assert CHANNEL.parse(copy)[0].source_key == CHANNEL.parse(LETTER)[0].source_key


def test_a_delivery_report_is_a_receipt_for_our_own_mail() -> None:
    report, receipt = CHANNEL.parse(BOUNCE)
    assert isinstance(report.fact, InteractionReceived)
    assert report.fact.automatic == "bounce"
    assert isinstance(receipt.fact, ReceiptReported)
    assert receipt.address == "mailto:sara@example.com"
    assert receipt.fact.interaction_id == MAIL_ORIGIN.derive("ours@acme.example", "interaction")
    assert (receipt.fact.state, receipt.fact.reported, receipt.fact.error_code) == ("failed", "failed", "5.1.1")
    assert receipt.fact.personal is not None
    assert receipt.fact.personal.detail == "550 5.1.1 No such user"


@pytest.mark.parametrize(
    ("header", "automatic"),
    [
        ("X-Mailer: hand", "human"),
        ("Auto-Submitted: no", "human"),
        ("Auto-Submitted: auto-replied", "auto_reply"),
        ("Auto-Submitted: auto-generated", "bulk"),
        ("List-Id: <news.example.com>", "bulk"),
    ],
)
def test_who_wrote_it(header: str, automatic: str) -> None:
    assert _received(_mail(f"From: a@example.com\r\n{header}")).automatic == automatic


@pytest.mark.parametrize(
    ("results", "assurance", "evidence"),
    [
        ("mx.acme.example; dmarc=pass header.from=example.com", "verified", ("dmarc=pass",)),
        ("mx.acme.example; dmarc=pass (p=none) header.from=EXAMPLE.com", "verified", ("dmarc=pass",)),
        ("mx.acme.example; dmarc=pass header.from=evil.example", "claimed", ("dmarc=pass",)),
        ("mx.acme.example; dkim=pass header.d=example.com; spf=fail", "verified", ("dkim=pass", "spf=fail")),
        ("mx.acme.example; dkim=pass header.d=list.example", "claimed", ("dkim=pass",)),
        ("mx.acme.example; spf=pass smtp.mailfrom=example.com", "claimed", ("spf=pass",)),
        ("mx.acme.example; dmarc=fail header.from=example.com", "claimed", ("dmarc=fail",)),
        ("mx.evil.example; dmarc=pass header.from=example.com", "claimed", ()),
        ("mx.evil.example (mx.acme.example); dmarc=pass header.from=example.com", "claimed", ()),
        ("mx.acme.example 1; none", "claimed", ()),
        ("", "claimed", ()),
    ],
)
def test_only_our_own_server_proves_a_sender(results: str, assurance: str, evidence: tuple[str, ...]) -> None:
    request = _mail(f"Authentication-Results: {results}\r\nFrom: Sara <sara@example.com>")
    assert (_received(request, OURS).assurance, _received(request, OURS).evidence) == (assurance, evidence)
    assert _received(request).assurance == "claimed"


def test_below_our_own_result_only_the_sender_writes() -> None:
    real, forged = "mx.acme.example; dmarc=fail", "mx.acme.example; dmarc=pass header.from=example.com"
    request = _mail(f"Authentication-Results: {real}\r\nAuthentication-Results: {forged}\r\nFrom: sara@example.com")
    assert _received(request, OURS).assurance == "claimed"


def test_two_senders_prove_none() -> None:
    passed = "Authentication-Results: mx.acme.example; dmarc=pass header.from=example.com"
    request = _mail(f"{passed}\r\nFrom: sara@example.com, boss@bank.example")
    assert _received(request, OURS).assurance == "claimed"


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ("From: Sara <SARA@example.com>\r\nReply-To: evil@example.net", "mailto:sara@example.com"),
        ("Sender: office@example.com", "mailto:office@example.com"),
        ("Subject: nobody", "mailto:sara@example.com"),
        ("From: root@localhost", "mailto:root@localhost"),
        ("From: no address at all", "mailto:sara@example.com"),
    ],
)
def test_whom_it_is_from(headers: str, address: str) -> None:
    assert CHANNEL.parse(_mail(headers))[0].address == address


def test_a_mail_that_names_no_sender_anywhere() -> None:
    nobody = replace(_mail("Subject: nobody"), headers=(("mail-from", "<>"),))
    with pytest.raises(Malformed, match="no sender"):
        CHANNEL.parse(nobody)


def test_a_long_text_is_cut_and_kept_whole_beside() -> None:
    text = "سلام " * 30_000
    (heard,) = CHANNEL.parse(_mail("From: a@example.com", text))
    assert isinstance(heard.fact, InteractionReceived)
    said = heard.fact.personal
    assert said is not None
    assert len(said.text.encode()) <= 60 * KIB
    assert text.startswith(said.text[:20_000])
    whole = {blob.blob_id: blob.content for blob in heard.blobs}
    assert said.excerpt_of is not None
    assert whole[said.excerpt_of].decode().strip() == text.strip()


def test_a_fact_never_outgrows_its_limit() -> None:
    many = ", ".join(f"somebody{number}@example.com" for number in range(20_000))
    ids = " ".join(f"<{'x' * 400}{number}@example.com>" for number in range(100))
    headers = f"From: a@example.com\r\nTo: {many}\r\nReferences: {ids}\r\nSubject: {'s' * 100_000}"
    fact = _received(_mail(headers, "\x01" * 300_000))
    assert len(fact.personal_json() or b"") + len(fact.clear_json()) <= 256 * KIB


@pytest.mark.parametrize("depth", [2000])
def test_a_mail_that_is_deeper_than_any_real_one(depth: int) -> None:
    raw = b"From: a@example.com\n" + b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level) for level in range(depth)
    )
    with pytest.raises(Malformed):
        CHANNEL.parse(mail(raw))


def test_smtp_answers_in_its_own_codes() -> None:
    acks = CHANNEL.acks
    assert (acks.accepted.status, acks.malformed.status, acks.away.status) == (250, 250, 451)
