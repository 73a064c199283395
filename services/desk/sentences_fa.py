"""جمله‌های سامانه به فارسی: هرچه دربارهٔ پیام‌ها و گفتگوها گفته می‌شود. {} جای عدد یا نام است."""

import re
from functools import cache
from typing import Final

_REFUSALS: Final = {
    "Another agent has taken this conversation.": "همکار دیگری این گفتگو را برداشته است.",
    "Another agent has this conversation: it is theirs to give back.": (
        "این گفتگو نزد همکار دیگری است و پس دادنش با اوست."
    ),
    "This conversation is closed: open it again to answer.": "این گفتگو بسته است: برای پاسخ دادن دوباره بازش کنید.",
    "This conversation is closed: open it again to take it.": "این گفتگو بسته است: برای برداشتن دوباره بازش کنید.",
    "Another agent has taken this conversation: take it over to answer.": (
        "همکار دیگری این گفتگو را برداشته است: برای پاسخ دادن آن را بگیرید."
    ),
    "It was answered while you wrote. Read that answer; send yours again if it is still needed.": (
        "هنگامی که می‌نوشتید پاسخ داده شد. آن پاسخ را بخوانید و اگر هنوز لازم است دوباره بفرستید."
    ),
    "There is no such conversation.": "چنین گفتگویی نیست.",
    "There is no way to answer this customer.": "راهی برای پاسخ به این مشتری نیست.",
    "Say why this answer should take another channel.": "بگویید چرا این پاسخ باید از راه دیگری برود.",
    "It is too late to take this message back: it was sent, or is being sent.": (
        "برای برگرداندن دیر است: این پیام فرستاده شده یا در حال رفتن است."
    ),
    "There is nothing to take back: this message failed before it was sent.": (
        "چیزی برای برگرداندن نیست: این پیام پیش از رفتن ناکام ماند."
    ),
    "There is nothing to say: write a text, or attach a file.": "چیزی نوشته نشده است: متنی یا پرونده‌ای بگذارید.",
    "Who asked this is erased: there is nobody left to answer.": "پرسنده پاک شده است: کسی برای پاسخ نمانده است.",
    "A machine wrote this, and an automatic message never answers one.": (
        "این را یک دستگاه نوشته است و پیام خودکار به دستگاه پاسخ نمی‌دهد."
    ),
    "The files have {} bytes together; a message takes up to {}.": (
        "پرونده‌ها با هم {} بایت‌اند؛ یک پیام تا {} بایت می‌گیرد."
    ),
    "There is a conversation with this id already.": "گفتگویی با این شناسه هست.",
    "There is no doubt about this message that somebody would have to settle.": (
        "دربارهٔ این پیام تردیدی نیست که کسی باید برطرف کند."
    ),
    "There is no such message.": "چنین پیامی نیست.",
    "There is no tenant {}.": "سازمان {} در این سامانه نیست.",
    "This command id was used for something else.": "این شناسهٔ فرمان برای کار دیگری به کار رفته است.",
    "This holds half a character (a lone surrogate), which cannot be sent.": (
        "در متن نیمی از یک نویسه هست که نمی‌توان فرستاد."
    ),
    "Too long: a message with its mark-up takes up to {} KB.": "بلند است: پیام با قالبش تا {} کیلوبایت می‌گیرد.",
}
_MESSAGES: Final = {
    "It was tried {} times or for a day. The last answer was: ": "{} بار یا یک روز کوشش شد. آخرین پاسخ این بود: ",
    "It was not handed over: the record could not be reached.": "تحویل داده نشد: پایگاه داده در دسترس نبود.",
    "It is not known where it should go.": "معلوم نیست به کجا باید برود.",
    "A file that belongs to it is not there any more.": "پرونده‌ای که پیوست آن است دیگر نیست.",
    "A fault of ours ended it in the middle of being handed over.": "خطایی از ما آن را در میانهٔ تحویل قطع کرد.",
    "Our process ended while it was being handed over: nobody knows whether the provider took it.": (
        "برنامهٔ ما هنگام تحویل بسته شد: معلوم نیست ارائه‌دهنده آن را گرفته باشد."
    ),
    "What is known of this customer was erased.": "آنچه از این مشتری می‌دانستیم پاک شده است.",
    "Quiet hours: it waits until they are over.": "ساعت آرامش است: تا پایان آن می‌ماند.",
    "{} brought no delivery in time; {} is the next way.": "با {} به‌موقع نرسید؛ راه بعدی {} است.",
    "The inbox that it should leave by is not there, or does not work.": (
        "صندوقی که باید از آن برود نیست یا کار نمی‌کند."
    ),
    "The inbox {} is closed.": "صندوق {} بسته است.",
    "The settings of {} are not right: {}.": "تنظیمات {} درست نیست: {}.",
    "Nothing can be sent by {}.": "با {} نمی‌توان چیزی فرستاد.",
    "The provider did not answer in time.": "ارائه‌دهنده به‌موقع پاسخ نداد.",
    "The provider reports a failure: {}.": "ارائه‌دهنده خطا گزارش کرد: {}.",
    "The provider reports that it was not delivered.": "ارائه‌دهنده گزارش کرد که نرسیده است.",
    "There is no text to send.": "متنی برای فرستادن نیست.",
    "The customer's mail address is not one that can be written to.": "به نشانی ایمیل مشتری نمی‌توان نوشت.",
    "The customer's mail server knows no such mailbox.": "کارساز ایمیل مشتری چنین صندوقی نمی‌شناسد.",
    "The customer's mailbox has moved, and its server does not say where to.": (
        "صندوق ایمیل مشتری جابه‌جا شده و معلوم نیست به کجا."
    ),
    "The customer's mailbox is full.": "صندوق ایمیل مشتری پر است.",
    "The customer's mailbox is switched off.": "صندوق ایمیل مشتری خاموش است.",
    "The domain of the customer's mail address takes no mail.": "دامنهٔ نشانی ایمیل مشتری ایمیل نمی‌پذیرد.",
    "The mail server answers in a way that nobody understands ({}).": "پاسخ کارساز ایمیل نامفهوم است ({}).",
    "The mail server asks to try again later ({}).": "کارساز ایمیل می‌خواهد که بعداً دوباره بکوشیم ({}).",
    "The mail server cannot be reached at the moment.": "کارساز ایمیل اکنون در دسترس نیست.",
    "The mail server did not answer: it may have taken the mail.": "کارساز ایمیل پاسخ نداد: شاید ایمیل را گرفته باشد.",
    "The mail server does not let this mailbox in: check smtp_user, smtp_password.": (
        "کارساز ایمیل این صندوق را راه نمی‌دهد: smtp_user و smtp_password را بررسی کنید."
    ),
    "The mail server does not let this mailbox send from its own address.": (
        "کارساز ایمیل نمی‌گذارد این صندوق با نشانی خودش بفرستد."
    ),
    "The mail server refused the mail ({}).": "کارساز ایمیل آن را نپذیرفت ({}).",
    "The mail server refuses the mail by its rules, as spam or for where it comes from.": (
        "کارساز ایمیل آن را بنا بر قاعده‌هایش نپذیرفت: یا هرزنامه‌اش دانست یا مبدأش را."
    ),
    "The mail server takes no addresses in letters other than English ones.": (
        "کارساز ایمیل نشانی با حروف غیرانگلیسی نمی‌پذیرد."
    ),
    "The mail server takes nothing at the moment ({}).": "کارساز ایمیل اکنون چیزی نمی‌پذیرد ({}).",
    "The mail server's answer ({}) does not tell whether it took the mail.": (
        "از پاسخ کارساز ایمیل ({}) معلوم نیست ایمیل را گرفته باشد."
    ),
    "The mail with its files is larger than mail servers take.": (
        "ایمیل با پیوست‌هایش بزرگ‌تر از آن است که کارسازهای ایمیل می‌پذیرند."
    ),
    "This mailbox cannot send yet: set smtp_host to the server that takes its mail.": (
        "این صندوق هنوز نمی‌تواند بفرستد: smtp_host را تنظیم کنید."
    ),
    "This mailbox's own address cannot be sent from.": "با نشانی خود این صندوق نمی‌توان فرستاد.",
    "A carrier filtered the message out.": "اپراتور پیام را پالایش کرد و نرساند.",
    "A trial account at Twilio reaches only numbers that were verified there.": (
        "حساب آزمایشی Twilio فقط به شماره‌هایی می‌فرستد که آنجا تأیید شده‌اند."
    ),
    "More than 24 hours have passed since the customer wrote: only a template may be sent.": (
        "بیش از ۲۴ ساعت از نوشتهٔ مشتری گذشته است: فقط قالب آماده می‌توان فرستاد."
    ),
    "No files can go with a call.": "با تماس نمی‌توان پرونده فرستاد.",
    "No files can go with a short message from here: send a link, or an e-mail.": (
        "از اینجا با پیامک نمی‌توان پرونده فرستاد: پیوند یا ایمیل بفرستید."
    ),
    "No number to call was given.": "شماره‌ای برای تماس داده نشد.",
    "No number to write to was given.": "شماره‌ای برای پیامک داده نشد.",
    "The Twilio account is closed, suspended or without money.": "حساب Twilio بسته، معلق یا بی‌اعتبار است.",
    "The Twilio account may not send to this country: allow it in Twilio's Geo Permissions.": (
        "حساب Twilio اجازهٔ فرستادن به این کشور را ندارد: در Geo Permissions آن را مجاز کنید."
    ),
    "The customer answered STOP to this number: nothing may be sent until they write START.": (
        "مشتری به این شماره STOP فرستاده است: تا START نفرستد نمی‌توان چیزی فرستاد."
    ),
    "The customer's carrier or Twilio blocks messages to this number.": (
        "اپراتور مشتری یا Twilio پیام به این شماره را می‌بندد."
    ),
    "The inbox's number is not registered with carriers of the customer's country.": (
        "شمارهٔ این صندوق نزد اپراتورهای کشور مشتری ثبت نشده است."
    ),
    "The messaging service at Twilio has no number that it could send from.": (
        "سرویس پیام در Twilio شماره‌ای برای فرستادن ندارد."
    ),
    "The phone is off, out of reach or cannot take messages.": "گوشی خاموش یا خارج از دسترس است یا پیام نمی‌پذیرد.",
    "The text is longer than Twilio takes (1,600 characters).": (
        "متن بلندتر از آن است که Twilio می‌پذیرد (۱٬۶۰۰ نویسه)."
    ),
    "The text is longer than can be read out ({} characters).": "متن بلندتر از آن است که خوانده شود ({} نویسه).",
    "There is no text to read out, and the inbox's answer=… connects to nobody.": (
        "متنی برای خواندن نیست و answer=… این صندوق به کسی وصل نمی‌کند."
    ),
    "This address cannot be called.": "با این نشانی نمی‌توان تماس گرفت.",
    "This inbox cannot send yet: set its account_sid, as Twilio's console shows it.": (
        "این صندوق هنوز نمی‌تواند بفرستد: account_sid آن را از کنسول Twilio تنظیم کنید."
    ),
    "This inbox has no number to call from: add it with --address.": (
        "این صندوق شماره‌ای برای تماس ندارد: با ‎--address بیفزایید."
    ),
    "This inbox has no number to send from: add it with --address.": (
        "این صندوق شماره‌ای برای فرستادن ندارد: با ‎--address بیفزایید."
    ),
    "This inbox's own number cannot send: check at Twilio what it is able to do.": (
        "شمارهٔ این صندوق نمی‌تواند بفرستد: توانایی‌هایش را در Twilio ببینید."
    ),
    "This number takes no text messages, it is a landline.": "این شماره پیامک نمی‌پذیرد؛ تلفن ثابت است.",
    "Too many messages wait at Twilio for this inbox's number.": (
        "پیام‌های بسیاری نزد Twilio در نوبت شمارهٔ این صندوق‌اند."
    ),
    "Twilio cannot be reached at the moment.": "Twilio اکنون در دسترس نیست.",
    "Twilio cannot take messages at the moment.": "Twilio اکنون پیام نمی‌پذیرد.",
    "Twilio cannot use the URL for reports: TAMAS_PUBLIC_URL must be reachable for the world.": (
        "Twilio نمی‌تواند به نشانی گزارش‌ها برسد: TAMAS_PUBLIC_URL باید از بیرون در دسترس باشد."
    ),
    "Twilio did not answer: it may have taken the message.": "Twilio پاسخ نداد: شاید پیام را گرفته باشد.",
    "Twilio does not call this number.": "Twilio با این شماره تماس نمی‌گیرد.",
    "Twilio does not let this inbox in: its account_sid, key or token is not right.": (
        "Twilio این صندوق را راه نمی‌دهد: account_sid، کلید یا توکن درست نیست."
    ),
    "Twilio has no way from this inbox's number to the customer's.": (
        "Twilio از شمارهٔ این صندوق راهی به شمارهٔ مشتری ندارد."
    ),
    "Twilio knows no such account: check account_sid and api_base.": (
        "Twilio چنین حسابی نمی‌شناسد: account_sid و api_base را بررسی کنید."
    ),
    "Twilio knows no such messaging service: check messaging_service.": (
        "Twilio چنین سرویس پیامی نمی‌شناسد: messaging_service را بررسی کنید."
    ),
    "Twilio refused the message ({}).": "Twilio پیام را نپذیرفت ({}).",
    "Twilio says that this is no number that can be reached.": "به گفتهٔ Twilio این شماره در دسترس نیست.",
    "Twilio takes no more at the moment.": "Twilio اکنون بیش از این نمی‌پذیرد.",
    "Twilio's API is not where api_base says: the answer leads elsewhere.": (
        "نشانی API در api_base درست نیست: پاسخ به جای دیگری می‌برد."
    ),
    "Twilio's answer ({}) does not tell whether it took the message.": (
        "از پاسخ Twilio ({}) معلوم نیست پیام را گرفته باشد."
    ),
}
SENTENCES: Final = _REFUSALS | _MESSAGES


def persian(sentence: str) -> str | None:
    """The sentence in Persian, with the numbers and names that it has; None for one that nobody has translated.

    What ends with a colon goes on with another sentence.
    """
    if sentence in SENTENCES:
        return SENTENCES[sentence]
    for pattern, said, goes_on in _patterns():
        found = pattern.fullmatch(sentence)
        if found is None:
            continue
        *given, rest = found.groups() if goes_on else (*found.groups(), "")
        # Isolated, so that codes keep their order among words that run from right to left.
        return said.format(*(f"\u2066{one}\u2069" for one in given)) + (persian(rest) or rest)
    return None


@cache
def _patterns() -> list[tuple[re.Pattern[str], str, bool]]:
    made: list[tuple[re.Pattern[str], str, bool]] = []
    for sentence, said in SENTENCES.items():
        goes_on = sentence.endswith(": ")
        if goes_on or "{}" in sentence:
            written = re.escape(sentence).replace(r"\{\}", "(.+?)") + "(.*)" * goes_on
            made.append((re.compile(written, re.DOTALL), said, goes_on))
    return made
