"""Mail leaves under TLS with a login: nothing goes to a server that nobody vouches for, or that refuses the login."""

from pathlib import Path
from typing import Literal

import pytest

from channels.sending import MailServer, Unsent
from services.wires.mail import MailWire
from tests.certificates import self_signed
from tests.services.wires.relay import PASSWORD, USER, relay

Security = Literal["tls", "starttls"]
# Its port speaks nothing but TLS, which aiosmtpd does not know of.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
MAIL = b"Subject: hi\r\n\r\nhello\r\n"
BOTH: tuple[Security, Security] = ("tls", "starttls")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize("security", BOTH)
async def test_a_trusted_server_takes_it(
    certificate: Path, security: Security, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    wire = MailWire()
    async with relay(certificate, security) as server:
        place = MailServer("127.0.0.1", server.port, security, USER, PASSWORD)
        for _ in range(2):
            answer = await wire.submit(place, "help@shop.example", "sara@example.com", MAIL)
            assert (answer.code, answer.phase) == (250, "end")
        refused = await wire.submit(
            MailServer("127.0.0.1", server.port, security, USER, "wrong"), "a@b.example", "c@d.example", MAIL
        )
    await wire.close()
    assert (refused.code, refused.phase) == (535, "connect")
    assert [envelope.content for envelope in server.taken] == [MAIL, MAIL]


@pytest.mark.parametrize("security", BOTH)
async def test_a_server_that_nobody_vouches_for_gets_nothing(certificate: Path, security: Security) -> None:
    wire = MailWire()
    async with relay(certificate, security) as server:
        with pytest.raises(Unsent):
            await wire.submit(
                MailServer("127.0.0.1", server.port, security, USER, PASSWORD), "a@b.example", "c@d.example", MAIL
            )
    await wire.close()
    assert server.taken == []
