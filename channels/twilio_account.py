"""What an inbox at Twilio has to know of its account, to hear and to send.

Source: https://www.twilio.com/docs/iam/api-keys
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

API: Final = "https://api.twilio.com"


class TwilioAccount(BaseModel):
    """`auth_token` signs what Twilio posts; while it is being changed, `auth_token_previous` still passes.

    Only for sending: `account_sid`, and `api_key` with its secret where the auth token itself shall not be used.
    `api_base` is where Twilio's API answers, for regions of theirs and for tests.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    auth_token: Annotated[SecretStr, Field(min_length=1)]
    auth_token_previous: Annotated[SecretStr, Field(min_length=1)] | None = None
    account_sid: Annotated[str, Field(pattern=r"^AC[0-9a-fA-F]{32}$")] | None = None
    api_key: Annotated[str, Field(pattern=r"^SK[0-9a-fA-F]{32}$")] | None = None
    api_secret: Annotated[SecretStr, Field(min_length=1)] | None = None
    api_base: Annotated[str, Field(pattern=r"^https?://[^\s/?#@]+$")] = API

    def signers(self) -> tuple[bytes, ...]:
        """The auth tokens that a signature may be made with."""
        tokens = (self.auth_token, self.auth_token_previous)
        return tuple(token.get_secret_value().encode() for token in tokens if token is not None)

    def login(self, account_sid: str) -> tuple[str, str]:
        """User and password for the API."""
        if self.api_key is not None and self.api_secret is not None:
            return self.api_key, self.api_secret.get_secret_value()
        return account_sid, self.auth_token.get_secret_value()
