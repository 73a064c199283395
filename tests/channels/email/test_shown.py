"""Mails for a frame of ours: what runs or fetches is gone, what a reader needs is there."""

from base64 import b64encode
from email.message import EmailMessage

import pytest

from channels.email.shown import cleaned, shown, whole_of
from channels.email.smtp import Smtp, SmtpConfig
from schemas.interaction import InteractionReceived
from tests.channels.samples import LETTER

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
MIB = 1024 * 1024


def _mail(html: str, *pictures: tuple[str, str, bytes]) -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Message-ID"] = "a@b.example", "help@acme.example", "<1@b.example>"
    made.set_content("as text")
    made.add_alternative(html, subtype="html")
    body = made.get_payload(1)
    assert isinstance(body, EmailMessage)
    for content_id, subtype, content in pictures:
        body.add_related(content, "image", subtype, cid=f"<{content_id}>")
    return made.as_bytes()


@pytest.mark.parametrize(
    "html",
    [
        "<script>x()</script>",
        "<img src=x onerror=x()>",
        "<svg onload=x()><script>x()</script></svg>",
        "<math><mtext><table><mglyph><style><img src=x onerror=x()></style></mglyph></table></mtext></math>",
        "<iframe src=https://x.example></iframe>",
        '<iframe srcdoc="<script>x()</script>"></iframe>',
        "<object data=https://x.example></object><embed src=https://x.example>",
        "<form action=https://x.example><input name=x><button>x</button></form>",
        "<base href=https://x.example>",
        '<meta http-equiv=refresh content="0;url=https://x.example">',
        "<link rel=stylesheet href=https://x.example>",
        "<style>@import 'https://x.example'</style>",
        "<a href=javascript:x()>y</a>",
        "<a href='java\tscript:x()'>y</a>",
        "<a href=data:text/html,x()>y</a>",
        "<a href=/x.example>y</a>",
        "<img src=//x.example/x>",
        "<img src=data:image/svg+xml;base64,PHN2Zz4=>",
        "<img srcset=https://x.example>",
        "<table background=https://x.example><tr><td background=https://x.example>y</table>",
        "<p style='background:url(https://x.example)'>y</p>",
        "<p style='background:u\\72l(https://x.example)'>y</p>",
        "<p style='background:image-set(\"https://x.example\" 1x)'>y</p>",
        "<p style='position:fixed;inset:0;z-index:9'>y</p>",
        "<p style='width:expression(x())'>y</p>",
        "<video src=https://x.example poster=https://x.example></video>",
        "<noscript><p title='</noscript><img src=x onerror=x()>'></noscript>",
    ],
)
def test_nothing_that_runs_or_fetches_is_left(html: str) -> None:
    clean, _ = cleaned(html, {})
    for piece in ("x.example", "x()", "script", "onerror", "data:", "url(", "position", "svg", "PHN2"):
        assert piece not in clean, clean


def test_links_lead_out_of_the_frame_and_tell_nobody_where_from() -> None:
    clean, _ = cleaned("<a href=https://x.example/y target=_top rel=opener>y</a><a href=mailto:a@b.example>z</a>", {})
    assert clean == (
        '<a href="https://x.example/y" target="_blank" rel="noopener noreferrer">y</a>'
        '<a href="mailto:a@b.example" target="_blank" rel="noopener noreferrer">z</a>'
    )


def test_a_layout_keeps_its_look() -> None:
    html = '<table width="600" bgcolor="#eeeeee"><tbody><tr><td style="padding:8px;background:rgb(1, 2, 3)">y</td></tr>'
    clean, _ = cleaned(html, {})
    assert clean.startswith(html)


def test_remote_pictures_are_counted_and_the_mails_own_are_there() -> None:
    html = '<img src="https://x.example/1"><img src="HTTP://x.example/2" alt="Offer"><img src="cid:logo@b.example">'
    found = shown(_mail(html, ("logo@b.example", "png", PNG)))
    assert found.html is not None
    assert found.html.strip() == f'<img><img alt="Offer"><img src="data:image/png;base64,{b64encode(PNG).decode()}">'
    assert (found.remote, found.text.strip()) == (2, "as text")


def test_the_pictures_of_a_mail_have_bounds() -> None:
    half, large = b"\x89PNG" + b"\0" * (MIB // 2), b"\x89PNG" + b"\0" * MIB
    html = '<img src="cid:1" alt="a"><img src="cid:2" alt="b"><img src="cid:3" alt="c"><img src="cid:4" alt="d">'
    found = shown(_mail(html, ("1", "png", half), ("2", "png", large), ("3", "svg+xml", PNG), ("4", "png", PNG)))
    assert found.html is not None
    assert found.html.count('src="data:image/png') == 2
    assert '<img alt="b"><img alt="c">' in found.html
    written = f'<img src="data:image/png;base64,{b64encode(half).decode()}">'
    assert cleaned(written * 3, {})[0].count("src") == 1


def test_a_mail_of_text_has_no_html_and_long_html_its_beginning() -> None:
    assert shown(LETTER.body).html is None
    found = shown(_mail("<p>hi</p>" * 300_000))
    assert found.html is not None
    assert MIB < len(found.html) < 2 * MIB


def test_the_whole_mail_is_kept_where_its_interaction_says() -> None:
    (heard,) = Smtp(SmtpConfig(address="help@acme.example")).parse(LETTER)
    assert isinstance(heard.fact, InteractionReceived)
    assert heard.blobs[0].blob_id == whole_of(heard.fact.interaction_id)
