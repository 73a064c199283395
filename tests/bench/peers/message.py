"""What both peers keep of a message, and how they check Twilio's signature: by the book, and tuned."""

import base64
import gc
import hashlib
import hmac
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated
from uuid import uuid4

from fastapi import Depends, FastAPI, Form, Header, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from twilio.request_validator import RequestValidator


class InboundSms(BaseModel):
    model_config = ConfigDict(extra="allow")

    message_sid: str = Field(alias="MessageSid")
    account_sid: str = Field(alias="AccountSid")
    sender: str = Field(alias="From")
    recipient: str = Field(alias="To")
    body: str = Field("", alias="Body")
    num_media: int = Field(0, alias="NumMedia")


class CallReport(BaseModel):
    model_config = ConfigDict(extra="allow")

    call_sid: str = Field(alias="CallSid")
    status: str = Field(alias="CallStatus")
    sender: str = Field(alias="From")
    recipient: str = Field(alias="To")
    sequence: str = Field("", alias="SequenceNumber")

    @property
    def message_sid(self) -> str:
        return f"{self.call_sid}/{self.status}/{self.sequence}"

    @property
    def body(self) -> str:
        return self.status


class FormPost(BaseModel):
    name: str
    sender: str = Field(alias="contact")
    body: str = Field(alias="message")
    message_sid: str = Field(default_factory=lambda: uuid4().hex)
    recipient: str = "form"


class Signed:
    """By the book: a dependency of FastAPI's with Twilio's own validator."""

    def __init__(self, path: str = "/sms") -> None:
        self._validator = RequestValidator(os.environ["TOKEN"])
        self._url = os.environ["PUBLIC_URL"] + path

    async def __call__(self, request: Request, x_twilio_signature: Annotated[str, Header()]) -> None:
        if not self._validator.validate(self._url, await form_of(request), x_twilio_signature):
            raise HTTPException(403)


async def signed_message(request: Request) -> InboundSms:
    """Tuned: the form read once, the signature by hand."""
    return InboundSms.model_validate(await signed_form(request))


async def signed_form(request: Request) -> Mapping[str, str]:
    form = await form_of(request)
    text = f"{os.environ['PUBLIC_URL']}{request.url.path}" + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(os.environ["TOKEN"].encode(), text.encode(), hashlib.sha1).digest()
    if not hmac.compare_digest(base64.b64encode(digest).decode(), request.headers.get("X-Twilio-Signature", "")):
        raise HTTPException(403)
    return form


async def form_of(request: Request) -> Mapping[str, str]:
    return {name: str(value) for name, value in (await request.form()).items()}


DIAL = "<Response><Dial><Sip>sip:desk@pbx.example</Sip></Dial></Response>"
Kept = InboundSms | CallReport | FormPost


def add_calls_and_form(api: FastAPI, keep: Callable[[Kept], Awaitable[None]], *, tuned: bool) -> None:
    """The same for calls, whose first post is told whom to dial, and for a form's JSON."""

    async def told(report: CallReport) -> Response:
        await keep(report)
        return Response(DIAL if report.status == "ringing" else "<Response/>", media_type="text/xml")

    async def call(report: Annotated[CallReport, Form()]) -> Response:
        return await told(report)

    async def signed_call(request: Request) -> Response:
        return await told(CallReport.model_validate(await signed_form(request)))

    async def form(post: FormPost) -> dict[str, str]:
        await keep(post)
        return {"id": post.message_sid}

    for path in ("/voice", "/voice/status"):
        if tuned:
            api.post(path)(signed_call)
        else:
            api.post(path, dependencies=[Depends(Signed(path))])(call)
    api.post("/form", status_code=202)(form)


def freeze() -> None:
    """What is alive at the start stays: the collector need not walk it again."""
    gc.collect()
    gc.freeze()
