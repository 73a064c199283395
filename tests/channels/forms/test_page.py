import json
import re
from html.parser import HTMLParser

import jsonschema
import pytest
from pydantic import ValidationError
from selectolax.lexbor import LexborHTMLParser

from channels.forms.page import style
from channels.forms.settings import WebFormConfig
from channels.forms.web import WebForm
from tests.channels.forms.posts import FIELDS, FORM, SECRET, form, token

EVIL = '"><script>alert(1)</script>'


def _tree(html: str) -> LexborHTMLParser:
    return LexborHTMLParser(html)


@pytest.mark.parametrize(("language", "direction"), [("fa", "rtl"), ("en", "ltr")])
def test_every_control_has_a_label_of_its_own(language: str, direction: str) -> None:
    tree = _tree(FORM.page(language, token()))
    root = tree.css_first("html")
    assert root is not None
    assert (root.attributes["lang"], root.attributes["dir"]) == (language, direction)
    controls = [node.attributes for node in tree.css("input:not([type=hidden]), textarea, select")]
    labels = [node.attributes["for"] for node in tree.css("label")]
    assert sorted(str(control["id"]) for control in controls) == sorted(map(str, labels))
    assert {control["name"] for control in controls} == {
        "website",
        "attachments",
        *(str(field["name"]) for field in FIELDS),
    }


def test_pages_hold_nothing_that_a_strict_policy_refuses() -> None:
    for html in (FORM.page("fa", token()), FORM.thanks_page("7K3M-2QXD")):
        tree = _tree(html)
        assert not tree.css("script, style, img, iframe, [style], base")
        assert [link.attributes["href"] for link in tree.css("link")] == ["style.css"]
        assert re.search(r"\son\w+=", html) is None
        HTMLParser().feed(html)
    assert b"url(" not in style()
    assert b"@import" not in style()


def test_what_was_typed_is_shown_again_with_what_is_wrong_and_never_as_markup() -> None:
    html = FORM.page("en", token(), [("email", "No."), ("attachments", "Too many.")], {"name": EVIL, "message": EVIL})
    tree = _tree(html)
    assert not tree.css("script")
    name, message, email = (tree.css_first(selector) for selector in ("#name", "#message", "#email"))
    assert name is not None
    assert name.attributes["value"] == EVIL
    assert message is not None
    assert message.text() == EVIL
    assert email is not None
    assert (email.attributes["aria-invalid"], email.attributes["aria-describedby"]) == ("true", "email-error")
    summary = tree.css_first("[role=alert]")
    assert summary is not None
    assert "No." in summary.text()
    assert "Too many." in summary.text()


def test_choices_and_boxes_keep_their_state() -> None:
    tree = _tree(FORM.page("en", token(), (), {"reply_by": "email", "news": "true"}))
    assert [node.attributes["value"] for node in tree.css("option[selected]")] == ["email"]
    assert len(tree.css("#news[checked]")) == 1


def test_thanks_tell_the_reference() -> None:
    assert "7K3M-2QXD" in FORM.thanks_page("7K3M-2QXD", "en")
    assert EVIL not in form(thanks=EVIL).thanks_page("7K3M-2QXD", "en")


def test_a_form_works_without_any_setting_but_its_secret() -> None:
    plain = WebForm(WebFormConfig.model_validate({"token_secret": SECRET}))
    assert "شمارهٔ موبایل" in plain.page("fa", token())
    assert plain.json_schema()["required"] == ["name", "contact", "message"]


def test_the_schema_takes_what_the_form_takes() -> None:
    schema = FORM.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate({"message": "x", "reply_by": "sms", "news": False, "language": "fa"}, schema)
    wrong: list[dict[str, object]] = [
        {},
        {"message": ""},
        {"message": "x", "reply_by": "fax"},
        {"message": "x", "other": 1},
    ]
    for value in wrong:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(value, schema)


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [{"name": "token", "label": "x"}],
        [{"name": "website", "label": "x"}],
        [{"name": "a", "label": "x"}, {"name": "a", "label": "y"}],
        [{"name": "a", "label": "x", "type": "choice"}],
        [{"name": "a", "label": "x", "maps_to": "consent"}],
        [{"name": "A b", "label": "x"}],
        [{"name": f"a{number}", "label": "x", "max_length": 15_000} for number in range(3)],
    ],
)
def test_fields_that_cannot_work_are_refused(fields: list[dict[str, object]]) -> None:
    with pytest.raises(ValidationError):
        form(fields=json.dumps(fields))


@pytest.mark.parametrize("settings", [{"fields": "{"}, {"languages": ""}, {"languages": "Farsi"}, {"title": "{"}])
def test_settings_that_cannot_work_are_refused(settings: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        form(**settings)
