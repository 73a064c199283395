"""What a mailbox of ours has to know to send: the server that takes its mail, and how our own address is written."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from channels.sending import MailServer, Rejected

Security = Literal["tls", "starttls", "none"]

# RFC 8314, RFC 6409; without TLS a server of one's own network is meant.
_PORTS: Final[dict[Security, int]] = {"tls": 465, "starttls": 587, "none": 25}


class Outlet(BaseModel):
    """`smtp_host` takes what this mailbox sends; without it the mailbox can only receive.

    `from_name` stands before the address. With `plus_addressing=on` answers and bounces come to
    `help+…@shop.example`, which says what they are about: the server of our mailbox has to deliver that to the mailbox.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: Annotated[str, Field(min_length=3, max_length=320)]
    from_name: Annotated[str, Field(max_length=100)] = ""
    smtp_host: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[\w.:-]+$")] | None = None
    smtp_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    smtp_security: Security = "starttls"
    smtp_user: Annotated[str, Field(min_length=1, max_length=320, pattern=r"^[^\x00\r\n]+$")] | None = None
    smtp_password: SecretStr | None = None
    plus_addressing: Literal["on", "off"] = "off"

    @property
    def server(self) -> MailServer:
        """Whom mail is handed to. Raises `Rejected` when nobody is named."""
        if self.smtp_host is None:
            raise Rejected(
                "not_set_up", "This mailbox cannot send yet: set smtp_host to the server that takes its mail."
            )
        password = None if self.smtp_password is None else self.smtp_password.get_secret_value()
        port = self.smtp_port or _PORTS[self.smtp_security]
        return MailServer(self.smtp_host, port, self.smtp_security, self.smtp_user, password)
