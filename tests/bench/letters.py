"""Mails of 50 KB as they are written today: a newsletter in HTML, a long thread with quotes, a picture in base64."""

import random
from email.message import EmailMessage
from email.policy import SMTP

_SIZE = 50_000
_WORDS = ("سلام", "سفارش", "من", "هنوز", "نرسیده", "است", "لطفاً", "شماره", "order", "parcel", "delivery", "thanks")
_SHAPES = 3


def letters(count: int, seed: int, recipient: str) -> list[bytes]:
    """So many different mails, of the three shapes in turn. The same seed gives the same mails."""
    dice = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    return [_letter(dice, number, recipient) for number in range(count)]


def _letter(dice: random.Random, number: int, recipient: str) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f"سارا احمدی <customer{number % 500}@example.com>"
    mail["To"], mail["Subject"] = recipient, f"سفارش شمارهٔ {dice.randrange(10**6)}"
    mail["Message-ID"] = f"<{dice.getrandbits(96):x}@example.com>"
    mail["Date"] = "Sat, 21 Mar 2026 09:30:00 +0330"
    for hop in range(5):
        mail["Received"] = f"from mx{hop}.example.com by mx{hop + 1}.example.com with ESMTPS; {mail['Date']}"
    (_newsletter, _thread, _picture)[number % _SHAPES](mail, dice)
    return mail.as_bytes()


def _newsletter(mail: EmailMessage, dice: random.Random) -> None:
    rows: list[str] = []
    while sum(map(len, rows)) < _SIZE // 2:
        style = f"padding:{dice.randrange(30)}px;color:#{dice.randrange(1 << 24):06x}"
        rows.append(f'<tr><td style="{style}"><a href="https://shop.example/{len(rows)}">{_line(dice)}</a></td></tr>\n')
    mail.set_content("\n".join(_line(dice) for _ in range(20)))
    mail.add_alternative(f"<html><body><table>\n{''.join(rows)}</table></body></html>", "html", cte="quoted-printable")


def _thread(mail: EmailMessage, dice: random.Random) -> None:
    mail["In-Reply-To"] = mail["References"] = f"<{dice.getrandbits(96):x}@shop.example>"
    lines = [_line(dice), "", "On Fri, 20 Mar 2026 at 18:00, Shop <help@bench.example> wrote:"]
    while sum(len(line.encode()) for line in lines) < _SIZE * 7 // 10:
        lines.append("> " * dice.randint(1, 4) + _line(dice))
    mail.set_content("\n".join(lines), cte="base64")


def _picture(mail: EmailMessage, dice: random.Random) -> None:
    mail.set_content("\n".join(_line(dice) for _ in range(10)), cte="8bit")
    mail.add_attachment(dice.randbytes(_SIZE * 7 // 10), maintype="image", subtype="jpeg", filename="عکس.jpg")


def _line(dice: random.Random) -> str:
    return " ".join(dice.choices(_WORDS, k=10))
