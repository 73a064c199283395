"""Inboxes that several tests add."""

from services.tenancy.store import NewInbox

SMS = NewInbox("sms/twilio", "Sales", "+98 21 9100 0000", {}, {"auth_token": "twilio-secret"})
MAIL = NewInbox("email/smtp", "Help", "Help@Shop.example")
FORM = NewInbox("forms/web", "contact")
