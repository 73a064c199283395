"""Small real doors: an HTTP server that verifies with the inbox's own channel, and a mail server."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from channels.contract import Channel, InboundRequest, Origin
from channels.errors import BadSignature
from services.embedded.process import free_port


@contextmanager
def http_door(public_url: str, handler: Channel, origin: Origin) -> Generator[tuple[str, list[InboundRequest]]]:
    """Its base URL, and what passed."""
    passed: list[InboundRequest] = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"] or 0))
            request = InboundRequest(
                "POST", public_url + self.path, _pairs(self.headers), body, datetime.now(UTC), origin
            )
            try:
                handler.verify(request)
            except BadSignature:
                self.send_response(403)
            else:
                passed.append(request)
                self.send_response(200)
                self.send_header("Tamas-Result", "accepted" if len(passed) == 1 else "duplicate")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", passed
    server.shutdown()
    server.server_close()


def _pairs(headers: Message) -> tuple[tuple[str, str], ...]:
    return tuple((name.lower(), value) for name, value in headers.items())


class _Mailbox:
    def __init__(self, address: str) -> None:
        self.address = address
        self.taken: list[Envelope] = []

    async def handle_RCPT(self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]) -> str:  # noqa: N802
        if address != self.address:
            return "550 5.1.1 Unknown"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Known"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        self.taken.append(envelope)
        return "250 2.0.0 Kept"


@contextmanager
def mail_door(address: str) -> Generator[tuple[str, list[Envelope]]]:
    """`host:port` of a server for this address, and what it took."""
    mailbox = _Mailbox(address)
    port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield f"127.0.0.1:{port}", mailbox.taken
    controller.stop()
