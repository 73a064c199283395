"""What both peers keep of a message."""

from pydantic import BaseModel, ConfigDict, Field


class InboundSms(BaseModel):
    model_config = ConfigDict(extra="allow")

    message_sid: str = Field(alias="MessageSid")
    account_sid: str = Field(alias="AccountSid")
    sender: str = Field(alias="From")
    recipient: str = Field(alias="To")
    body: str = Field("", alias="Body")
    num_media: int = Field(0, alias="NumMedia")
