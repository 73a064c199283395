"""The form as JSON Schema (2020-12), for programs that post to it."""

from typing import Any

from channels.forms.settings import FormField, WebFormConfig


def json_schema(config: WebFormConfig) -> dict[str, Any]:
    """What a JSON post looks like. Titles are in the form's first language."""
    properties: dict[str, Any] = {field.name: _property(config, field) for field in config.fields}
    properties["language"] = {"type": "string", "enum": list(config.languages)}
    properties["token"] = {"type": "string"}
    required = [field.name for field in config.fields if field.required]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "title": config.title.get(config.languages[0]) or next(iter(config.title.values()), ""),
        "properties": properties,
        "required": [*required, "token"] if config.require_token else required,
        "additionalProperties": False,
    }


def _property(config: WebFormConfig, field: FormField) -> dict[str, Any]:
    title = field.label.get(config.languages[0]) or next(iter(field.label.values()), field.name)
    if field.type == "checkbox":
        return {"title": title, "type": "boolean"} | ({"const": True} if field.required else {})
    shape: dict[str, Any] = {"title": title, "type": "string", "maxLength": field.max_length}
    if field.required:
        shape["minLength"] = 1
    if field.type == "email":
        shape["format"] = "idn-email"
    if field.type == "choice":
        shape["enum"] = [choice.value for choice in field.choices]
    return shape
