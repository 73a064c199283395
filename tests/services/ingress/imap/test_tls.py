"""TLS is verified: a server whose certificate nobody vouches for gets no password."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.settings import Settings
from tests.certificates import self_signed
from tests.services.ingress.imap.dovecot import Dovecot, running
from tests.services.ingress.imap.hub import NOTES, RECEIVED, hub, letter


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server(certificate: Path) -> Iterator[Dovecot]:
    with running(certificate=certificate) as made:
        yield made


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
async def test_mail_is_read_when_the_certificate_is_trusted(
    settings: Settings, server: Dovecot, certificate: Path, monkeypatch: pytest.MonkeyPatch, tls: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    port = server.tls_port if tls == "implicit" else server.port
    async with hub(settings, server, tls=tls, port=str(port), poll_seconds="3600") as our, our.running():
        for number in range(1, 4):
            await asyncio.to_thread(server.append, letter(number))
            await our.until(RECEIVED, number)


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
async def test_and_nothing_is_said_when_it_is_not(settings: Settings, server: Dovecot, tls: str) -> None:
    port = server.tls_port if tls == "implicit" else server.port
    async with hub(settings, server, tls=tls, port=str(port)) as our, our.running():
        await our.until(NOTES, given=("refused",))
        ((reason,),) = our.rows(NOTES, "refused")
        assert "shows a certificate that is not to be trusted: self-signed certificate" in reason
        assert "Login" not in (server.folder / "dovecot.log").read_text()
