"""What a form says to the person who fills it in. Languages without sentences of their own get the English ones."""

from typing import Final

_ENGLISH: Final = {
    "required": "Please fill this in.",
    "tick": "Please tick this box.",
    "too_long": "Please write at most {limit} characters; there are {length}.",
    "email": "This is no email address. One looks like name@example.com.",
    "tel": "This is no phone number. Write it with its area code, like 0912 345 6789 or +98 912 345 6789.",
    "address": "Please write an email address or a phone number.",
    "choice": "Please pick one of the answers.",
    "checkbox": "This can only be true or false.",
    "unknown": "The form has no field of this name.",
    "too_many_files": "Please choose at most {limit} files.",
    "too_large_file": "{name} is too large: a file may have {limit} MB.",
    "errors": "Please mend what is marked, then send again.",
    "optional": "optional",
    "pick": "Please choose",
    "files": "Files",
    "send": "Send",
    "honeypot": "Leave this empty",
    "reference": "Your reference",
    "keep": "Keep it: with it we find your message at once.",
}

_PERSIAN: Final = {
    "required": "این بخش را پر کنید.",
    "tick": "این گزینه را علامت بزنید.",
    "too_long": "حداکثر {limit} نویسه بنویسید؛ اکنون {length} نویسه است.",
    "email": "این نشانی ایمیل درست نیست. نمونه: name@example.com",
    "tel": "این شمارهٔ تلفن درست نیست. آن را با کد بنویسید، مانند 09123456789",
    "address": "یک نشانی ایمیل یا شمارهٔ تلفن بنویسید.",
    "choice": "یکی از گزینه‌ها را انتخاب کنید.",
    "checkbox": "این مقدار فقط true یا false است.",
    "unknown": "فرم بخشی به این نام ندارد.",
    "too_many_files": "حداکثر {limit} فایل انتخاب کنید.",
    "too_large_file": "{name} بزرگ است: هر فایل حداکثر {limit} مگابایت.",
    "errors": "بخش‌های مشخص‌شده را درست کنید و دوباره بفرستید.",
    "optional": "اختیاری",
    "pick": "انتخاب کنید",
    "files": "فایل‌ها",
    "send": "ارسال",
    "honeypot": "این بخش را خالی بگذارید",
    "reference": "کد پیگیری شما",
    "keep": "این کد را نگه دارید؛ با آن پیام شما را زود پیدا می‌کنیم.",
}

_SENTENCES: Final = {"fa": _PERSIAN, "en": _ENGLISH}
_RIGHT_TO_LEFT: Final = frozenset({"fa", "ar", "ckb", "he", "ku", "ps", "ur"})
_PERSIAN_DIGITS: Final = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def say(language: str, what: str, **values: object) -> str:
    """The sentence in this language, with its values put in; numbers in the language's digits."""
    sentence = _SENTENCES.get(language, _ENGLISH)[what]
    shown = {name: _shown(language, value) for name, value in values.items()}
    return sentence.format(**shown) if shown else sentence


def direction(language: str) -> str:
    """How the language is written: `rtl` or `ltr`."""
    return "rtl" if language in _RIGHT_TO_LEFT else "ltr"


def _shown(language: str, value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text.translate(_PERSIAN_DIGITS) if language == "fa" and not isinstance(value, str) else text
