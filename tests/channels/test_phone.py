import pytest

from channels.phone import customer_address, e164, mailbox, sender_address


@pytest.mark.parametrize(
    ("written", "region", "number"),
    [
        ("+989121234567", "IR", "+989121234567"),
        ("09121234567", "IR", "+989121234567"),
        ("۰۹۱۲ ۱۲۳ ۴۵۶۷", "IR", "+989121234567"),
        ("0098 912 123 4567", "IR", "+989121234567"),
        ("(415) 867-5309", "US", "+14158675309"),
        ("020 8765 4321", "GB", "+442087654321"),
        ("12", "IR", None),
        ("8675309", "US", None),
        ("", "IR", None),
        ("سلام", "IR", None),
        ("9" * 5000, "IR", None),
        ("+0123456789", "IR", None),
    ],
)
def test_a_number_as_people_write_it(written: str, region: str, number: str | None) -> None:
    assert e164(written, region) == number


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        ("+989121234567", "tel:+989121234567"),
        ("09121234567", "tel:+989121234567"),
        ("whatsapp:+989121234567", "whatsapp:+989121234567"),
        ("BANK MELLI", "sms:BANK MELLI"),
        ("12345", "sms:12345"),
        ("messenger:108765", "messenger:108765"),
        ("", None),
        ("  ", None),
    ],
)
def test_a_sender_as_a_gateway_names_it(sender: str, address: str | None) -> None:
    assert sender_address(sender, "IR") == address


@pytest.mark.parametrize(
    ("written", "address"),
    [
        (" Ali@Example.COM ", "mailto:ali@example.com"),
        ("mailto:ali@example.com", "mailto:ali@example.com"),
        ("0912 123 4567", "tel:+989121234567"),
        ("tel:+98-912-123-4567", "tel:+989121234567"),
        ("ali@", None),
        ("call me", None),
        ("", None),
    ],
)
def test_an_address_as_a_person_types_it(written: str, address: str | None) -> None:
    assert customer_address(written, "IR") == address


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("Jose\u0301@example.com", "jos\u00e9@example.com"),
        ("a@xn--mgba3gch31f.example", "a@\u0646\u0627\u0645\u0647\u0627\u06cc.example"),
        ('"a b"@Example.com', '"a b"@example.com'),
    ],
)
def test_one_mailbox_has_one_spelling(written: str, normal: str) -> None:
    assert mailbox(written) == normal
    assert mailbox(normal) == normal


@pytest.mark.parametrize("written", ["a@example", "a@mail.local", "a b@example.com", "Ali <a@example.com>", "@", ""])
def test_what_nobody_out_there_can_write_to_is_no_mailbox(written: str) -> None:
    assert mailbox(written) is None


@pytest.mark.parametrize("written", ["09121234567", "Ali@Example.com", "+44 20 8765 4321"])
def test_an_address_that_was_read_is_read_the_same_again(written: str) -> None:
    address = customer_address(written, "IR")
    assert address is not None
    assert customer_address(address, "IR") == address
