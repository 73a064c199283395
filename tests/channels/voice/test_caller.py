import pytest

from channels.voice.caller import caller_address


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("+989121234567", "tel:+989121234567"),
        (" 0912 123 4567 ", "tel:+989121234567"),
        ("sip:sara@PBX.example:5061;transport=tls", "sip:sara@pbx.example"),
        ("SIPS:Sara@pbx.example?x=1", "sip:Sara@pbx.example"),
        ("sip:sara:secret@pbx.example", "sip:sara@pbx.example"),
        ("sip:+989121234567@carrier.example;user=phone", "tel:+989121234567"),
        ("sip:+989121234567@carrier.example", "sip:+989121234567@carrier.example"),
        ("client:sara", "client:sara"),
        ("1000", "voice:1000"),
        ("Reception 2", "voice:Reception2"),
    ],
)
def test_who_calls(written: str, address: str) -> None:
    assert caller_address(written, "IR") == address


@pytest.mark.parametrize(
    "written",
    [
        *("", "  ", "+", "Anonymous", "anonymous", "Restricted", "UNAVAILABLE", "+266696687", "266696687"),
        *("+7378742833", "+2562533", "+8656696", "+86282452253"),
        *("sip:anonymous@anonymous.invalid", "sip:Anonymous@pbx.example", "sip:pbx.example", "client:anonymous"),
        "9" * 300,
    ],
)
def test_who_does_not_want_to_be_known(written: str) -> None:
    assert caller_address(written, "IR") is None
