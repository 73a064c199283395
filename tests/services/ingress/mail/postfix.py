"""A real mail server: Debian's `postfix`, an instance of its own with its own queue; the system's is not touched."""

import asyncio
import os
import pwd
import shutil
import signal
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from services.embedded.process import free_port

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
myhostname = mx.relay.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
smtpd_client_restrictions =
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_authorized_verp_clients = 127.0.0.1
recipient_delimiter = +
message_size_limit = 0
mailbox_size_limit = 0
virtual_mailbox_limit = 0
disable_dns_lookups = yes
relay_domains = shop.example
relay_transport = lmtp:inet:127.0.0.1:{lmtp_port}
virtual_mailbox_domains = example.com
virtual_mailbox_base = {folder}
virtual_mailbox_maps = static:mail/
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
default_transport = error:5.1.2 Only examples are delivered here
lmtp_data_done_timeout = {patience_seconds}s
minimal_backoff_time = 1000s
transport_retry_time = 1s
"""

_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""


@dataclass
class Postfix:
    """It takes mail by SMTP at `port`, hands that for shop.example to our LMTP and keeps that for example.com."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        self.process = subprocess.Popen(
            [_program(), "-c", str(self.folder), "start-fg"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(400):
            try:
                smtplib.SMTP("127.0.0.1", self.port, timeout=5).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(self.log())

    def stop(self) -> None:
        """End its master: what was started is a script that waits for it."""
        if self.process is not None:
            os.kill(int((self.folder / "queue" / "pid" / "master.pid").read_text()), signal.SIGTERM)
            self.process.wait(20)

    def send(
        self, mail: bytes, *recipients: str, sender: str = "sara@example.com", options: tuple[str, ...] = ()
    ) -> None:
        """As a mail program does."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as client:
            client.sendmail(sender, recipients, mail, mail_options=options)

    def flush(self) -> None:
        """Try at once what waits."""
        subprocess.run([Path(_program()).with_name("postqueue"), "-c", str(self.folder), "-f"], check=True)

    def log(self) -> str:
        path = self.folder / "postfix.log"
        return path.read_text() if path.exists() else ""

    def waiting(self) -> int:
        """Mails that were tried and wait for the next time."""
        return sum(path.is_file() for path in (self.folder / "queue" / "deferred").rglob("*"))

    def kept(self) -> list[bytes]:
        """Mails for somebody at example.com."""
        return [path.read_bytes() for path in sorted((self.folder / "mail" / "new").glob("*"))]

    async def until_kept(self, number: int) -> list[bytes]:
        return await self._until(lambda: self.kept() if len(self.kept()) >= number else None)

    async def until_waiting(self, number: int) -> None:
        await self._until(lambda: [b""] if self.waiting() == number else None)

    async def _until(self, look: Callable[[], list[bytes] | None]) -> list[bytes]:
        for _ in range(500):
            found = await asyncio.to_thread(look)
            if found is not None:
                return found
            await asyncio.sleep(0.03)
        raise AssertionError(self.log())


@contextmanager
def relaying(lmtp_port: int, *, patience_seconds: int = 20) -> Generator[Postfix]:
    """Started, with an empty queue. A test that needs it does not run where it is not installed, or not as root."""
    _program()
    folder = Path(tempfile.mkdtemp(prefix="tamas-postfix-"))
    server = Postfix(folder, free_port())
    nobody, owner = pwd.getpwnam("nobody"), pwd.getpwnam("postfix")
    given = {"folder": folder, "port": server.port, "lmtp_port": lmtp_port, "patience_seconds": patience_seconds}
    try:
        folder.chmod(0o755)
        (folder / "main.cf").write_text(_MAIN.format(uid=nobody.pw_uid, gid=nobody.pw_gid, **given))
        (folder / "master.cf").write_text(_MASTER.format(**given))
        for name, user in (("queue", None), ("data", owner), ("mail", nobody)):
            (folder / name).mkdir(mode=0o755)
            if user is not None:
                os.chown(folder / name, user.pw_uid, user.pw_gid)
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _program() -> str:
    found = shutil.which("postfix", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip("needs postfix (apt-get install postfix)")
    if os.getuid() != 0:
        pytest.skip("needs root: postfix's master starts its parts as several users")
    return found
