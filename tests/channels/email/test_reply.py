import pytest

from channels.email import markup, reply

TWO = "First line.\n\nSecond line."


@pytest.mark.parametrize(
    "quotation",
    [
        "On Mon, 2 Apr 2012 at 18:26, Ann Lee <ann@shop.example> wrote:\n\n> Hi",
        "On 2 Apr 2012, at 18:26, Ann Lee <\nann@shop.example> wrote:\n\nHi",
        "Am 2. April 2012 um 18:26 schrieb Ann Lee <ann@shop.example>:\n> Hi",
        "Le lun. 2 avr. 2012 à 18:26, Ann Lee <ann@shop.example>\na écrit :\n\n> Hi",
        "در تاریخ ۲۰۱۲/۰۴/۰۲ ۱۸:۲۶، آن لی <ann@shop.example> نوشت:\n> سلام",
        "در دوشنبه ۲ آوریل ۲۰۱۲ ساعت ۱۸:۲۶ آن لی نوشته است:\n\n> سلام",
        "02.04.2012, 18:26, Ann Lee <ann@shop.example>:\n\nHi",
        "-----Original Message-----\nFrom: Ann Lee\nSubject: Hi\n\nHi",
        "----- پیام اصلی -----\nسلام",
        "________________________________\nFrom: Ann <ann@shop.example>\nSent: Monday\nTo: desk\nSubject: Hi\n\nHi",
        "از: آن <ann@shop.example>\nتاریخ: دوشنبه\nبه: میز\nموضوع: سلام\n\nسلام",
        "> Hi\n> there",
    ],
)
def test_the_quotation_goes(quotation: str) -> None:
    assert reply.written(f"{TWO}\n\n{quotation}\n") == TWO


@pytest.mark.parametrize(
    "signature", ["-- \nAnn Lee\nShop", "Kind regards,\nAnn", "با تشکر\nآن", "Sent from my iPhone", "-Ann Lee"]
)
def test_the_signature_goes_but_can_be_had(signature: str) -> None:
    parsed = reply.parse(f"{TWO}\n\n{signature}\n")
    assert parsed.written == TWO
    assert parsed.unquoted == f"{TWO}\n\n{signature}"


@pytest.mark.parametrize(
    "text",
    [
        "On 5 May 2024 I sent you the following:\n- one\n- two",
        "From: Berlin\nTo: Munich\nOne ticket, please.",
        "Please see:\n-- first\n-- second\nThanks!",
        "FYI\n\n---------- Forwarded message ----------\nFrom: a@b.example\nSubject: x\n\nText",
        "Regards were sent to you all by my aunt.",
    ],
)
def test_what_only_looks_like_a_sign_stays(text: str) -> None:
    assert reply.written(text) == text


def test_answers_between_the_lines_stay() -> None:
    text = "On 5 May 2024, at 10:00, Ann <a@b.example> wrote:\n> One?\n\nYes.\n\n> Two?\n\nNo."
    assert reply.written(text) == "Yes.\nNo."


def test_html_quotations_are_marked() -> None:
    html = '<p>Hello</p><div class="gmail_quote">On Monday Bob wrote:<blockquote>Old</blockquote></div>'
    assert reply.written(markup.text_of(html, marks_quotes=True)) == "Hello"


@pytest.mark.parametrize("line", ["On ", "On 5 May 2024 10:30 a@b\n", "*" * 390 + "\n", "> a\n", "From: a@b\n", "a@"])
def test_hostile_texts_lose_no_line(line: str) -> None:
    text = (line * 65_536)[:65_536]
    assert "\n".join(one for _, one in reply.parse(text).lines) == text
