"""A real IMAP server: Debian's `dovecot-imapd`, with its own configuration in a folder of its own, as any user."""

import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient

from services.embedded.process import free_port

USER = "help"
PASSWORD = "a password of the mailbox"

_CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
protocols = imap
listen = 127.0.0.1
log_path = {folder}/dovecot.log
default_login_user = {login_user}
default_internal_user = {internal_user}
default_internal_group = {internal_group}
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%u
mailbox_list_index = no
mail_max_userip_connections = 100
imap_capability = {capability}
ssl = {ssl}
{certificate}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service anvil {{
  chroot =
}}
{more}
"""


@dataclass
class Dovecot:
    """One server with one user; `port` speaks plain (and STARTTLS), `tls_port` TLS where it has a certificate."""

    folder: Path
    port: int
    tls_port: int
    certificate: Path | None = None
    capability: str = ""
    more: str = ""
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        (self.folder / "dovecot.conf").write_text(self._config())
        self.process = subprocess.Popen(
            [_program(), "-F", "-c", str(self.folder / "dovecot.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(200):
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                    if connection.recv(4) == b"* OK":
                        return
            except OSError:
                time.sleep(0.05)
        raise AssertionError((self.folder / "dovecot.log").read_text())

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, and with SIGKILL all that it has started."""
        if self.process is None:
            return
        if number == signal.SIGKILL:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        self.process.wait(20)
        self.process = None
        (self.folder / "run" / "master.pid").unlink(missing_ok=True)

    @contextmanager
    def client(self, mailbox: str | None = None) -> Generator[Any]:
        """Somebody else at the same mailbox, such as a person's mail program."""
        with IMAPClient("127.0.0.1", self.port, ssl=False, timeout=20) as client:
            client.login(USER, PASSWORD)
            if mailbox is not None:
                client.select_folder(mailbox)
            yield client

    def append(self, *mails: bytes, mailbox: str = "INBOX") -> None:
        with self.client() as client:
            for mail in mails:
                client.append(mailbox, mail)

    def remove(self, *uids: int, mailbox: str = "INBOX") -> None:
        with self.client(mailbox) as client:
            client.delete_messages(list(uids))
            client.expunge()

    def flagged(self, flag: bytes, mailbox: str = "INBOX") -> list[int]:
        """UIDs that have this flag or keyword."""
        with self.client(mailbox) as client:
            found: dict[int, tuple[bytes, ...]] = client.get_flags(client.search("ALL"))
            return sorted(uid for uid, flags in found.items() if flag in flags)

    def _config(self) -> str:
        is_root = os.getuid() == 0
        own = pwd.getpwuid(os.getuid()).pw_name
        mail = pwd.getpwnam("nobody") if is_root else pwd.getpwuid(os.getuid())
        certificate = self.certificate
        return _CONFIG.format(
            folder=self.folder,
            port=self.port,
            tls_port=self.tls_port if certificate else 0,
            login_user="dovenull" if is_root else own,
            internal_user="dovecot" if is_root else own,
            internal_group="dovecot" if is_root else grp.getgrgid(os.getgid()).gr_name,
            uid=mail.pw_uid,
            gid=mail.pw_gid,
            capability=self.capability,
            ssl="yes" if certificate else "no",
            certificate=f"ssl_cert = <{certificate}\nssl_key = <{certificate}" if certificate else "",
            more=self.more.format(folder=self.folder),
        )


@contextmanager
def running(*, certificate: Path | None = None, capability: str = "", more: str = "") -> Generator[Dovecot]:
    """Started, with an empty INBOX; a test that needs it does not run where it is not installed.

    `more` is more of its configuration, with `{folder}` for its own.
    """
    folder = Path(tempfile.mkdtemp(prefix="tamas-dovecot-"))
    server = Dovecot(folder, free_port(), free_port(), certificate, capability, more)
    try:
        folder.chmod(0o755)
        (folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        (folder / "mail").mkdir()
        (folder / "mail").chmod(0o777)
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _program() -> str:
    found = shutil.which("dovecot", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None or not Path("/usr/lib/dovecot/imap").exists():
        pytest.skip("needs dovecot-imapd (apt-get install dovecot-imapd)")
    return found
