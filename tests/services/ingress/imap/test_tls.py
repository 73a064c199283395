"""TLS is verified: a server whose certificate nobody vouches for gets no password."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.settings import Settings
from tests.services.ingress.imap.dovecot import Dovecot, running
from tests.services.ingress.imap.hub import NOTES, RECEIVED, hub, letter


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, signed by itself; with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    own = serialization.PrivateFormat.PKCS8
    path = tmp_path_factory.mktemp("tls") / "own.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, own, serialization.NoEncryption())
    )
    return path


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
