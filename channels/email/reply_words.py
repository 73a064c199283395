"""How mail programs announce a quotation or end a mail, by language. Data only; `reply.py` reads it."""

from typing import Final

WROTE: Final = (
    "wrote|writes|said|sent|schrieb|hat geschrieben|geschrieben|a écrit|a ecrit|écrit|escribió|escribio|ha escrito|"
    "escribe|"
    "escreveu|scrisse|ha scritto|schreef|geschreven|heeft|skrev|skrifar|skrifaði|kirjoitti|napisał(?:a|\\(a\\))?|pisze|"
    "napsal(?:a|\\(a\\))?|napísal(?:a|\\(a\\))?|napisao|napisala|piše|írta|a scris|написал(?:а|\\(а\\)|\\(-а\\))?|"
    "пишет|писал|"
    "написав|пише|написа|έγραψε|yazdı|yazmış|viết|menulis|menulis|tulis|eskribis|kirjutas|rakstīja|rašė|"
    "نوشت(?:ه است|ه|ند)?|كتب(?:ت)?|כתב/ה|כתבה|כתב|ने लिखा|লিখেছেন|เขียนว่า|写道|寫道|撰写|"
    "のメール|さんは書きました|書きました|"
    "작성|님이 작성|게시물"
)
"""The verb in "On <date> <name> wrote:"."""

OPENERS: Final = (
    "on|le|am|il|el|em|op|den|på|pä|w dniu|dnia|dne|v|в|у|на|a|az|la|in data|il giorno|in|ons|tor|fre|lör|sön|mån|tis|"
    "lun|mar|mer|jeu|ven|sam|dim|tir|man|tor|lør|søn|mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|pe|ke|to|la|"
    "su|ma|ti|"
    "στις|tarihinde|vào|pada|à|kl|en|die|el día|dia|ngày|في|بتاريخ|يوم|در|در تاریخ|به تاریخ|ב|בתאריך|ביום|在|于|於|"
    "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
)
"""What that line begins with, beside a date."""

ORIGINAL: Final = (
    "original message|original mail|original e-mail|ursprüngliche nachricht|urspruengliche nachricht|originalnachricht|"
    "originalmail|message d['’]origine|message original|mensaje original|mensagem original|"
    "messaggio originale|oorspronkelijk bericht|originele bericht|oprindelig (?:besked|meddelelse)|"
    "opprinnelig (?:melding|epost|e-post)|ursprungligt meddelande|originalmeddelande|alkuperäinen viesti|"
    "oryginalna wiadomość|wiadomość oryginalna|wiadomość pierwotna|původní (?:zpráva|e-mail)|pôvodná správa|"
    "eredeti üzenet|"
    "mesaj original|mesajul original|исходное сообщение|исходное письмо|оригинальное сообщение|"
    "первоначальное сообщение|"
    "вихідне повідомлення|оригінальне повідомлення|αρχικό μήνυμα|özgün (?:ileti|mesaj)|orijinal (?:mesaj|ileti)|"
    "thư gốc|pesan asli|پیام اصلی|پیغام اصلی|الرسالة الأصلية|رسالة أصلية|ההודעה המקורית|הודעה מקורית|"
    "原始邮件|原始郵件|原邮件|"
    "元のメッセージ|オリジナルメッセージ|원본 메시지|원본 메일|original message processed by.{0,20}"
)
FORWARDED: Final = (
    "forwarded message|begin forwarded message|forwarded by|weitergeleitete nachricht|"
    "anfang der weitergeleiteten nachricht|"
    "message transféré|message transmis|début du message (?:réexpédié|transféré)|mensaje reenviado|"
    "inicio del mensaje reenviado|mensagem encaminhada|início da mensagem (?:reencaminhada|encaminhada)|"
    "messaggio inoltrato|"
    "inizio messaggio inoltrato|doorgestuurd bericht|begin doorgestuurd bericht|videresendt (?:besked|meddelelse)|"
    "videresendt melding|vidarebefordrat (?:meddelande|mejl)|vidarebefordrat brev|välitetty viesti|"
    "przekazana wiadomość|wiadomość przekazana|přeposlaná zpráva|továbbított üzenet|пересылаемое сообщение|"
    "пересланное сообщение|переслане повідомлення|yönlendirilen (?:ileti|mesaj)|iletilen (?:ileti|mesaj)|"
    "پیام بازارسالی|پیام هدایت شده|پیام ارسال شده|رسالة معاد توجيهها|الرسالة المعاد توجيهها|הודעה שהועברה|"
    "转发的邮件|转发邮件|轉寄郵件|転送されたメッセージ|전달된 메시지"
)
FIELDS: Final = {
    "from": "from|von|de|da|van|fra|från|lähettäjä|od|feladó|от|від|de la|από|kimden|gönderen|từ|dari|از|فرستنده|من|"
    "מאת|发件人|寄件者|寄件人|"
    "差出人|送信者|보낸 사람|보낸사람",
    "date": "sent|date|gesendet|datum|envoyé|envoyé le|date d['’]envoi|enviado|enviado el|enviada em|enviado em|"
    "fecha|data|inviato|"
    "inviato il|verzonden|dato|sendt|skickat|lähetetty|päivämäärä|päiväys|wysłano|odesláno|odoslané|dátum|elküldve|"
    "küldve|"
    "отправлено|дата|надіслано|trimis|trimis la|ημερομηνία|στάλθηκε|gönderildi|gönderme|tarih|đã gửi|ngày|dikirim|"
    "tanggal|"
    "تاریخ|ارسال|ارسال شده|زمان|التاريخ|تاريخ الإرسال|תאריך|נשלח|"
    "发送时间|发送日期|寄件日期|日期|日時|送信日時|보낸 날짜|날짜|보낸날짜",
    "to": "to|an|à|a|para|aan|til|till|vastaanottaja|do|komu|címzett|кому|către|προς|kime|alıcı|đến|tới|kepada|به|"
    "گیرنده|إلى|אל|"
    "收件人|收件者|宛先|받는 사람|받는사람|cc|kopie|copie|kopia|kopi|копия|رونوشت|抄送|副本|참조",
    "subject": "subject|betreff|objet|asunto|assunto|oggetto|onderwerp|emne|ämne|aihe|temat|předmět|predmet|tárgy|"
    "тема|subiect|"
    "θέμα|konu|chủ đề|subjek|perihal|موضوع|الموضوع|עניין|נושא|主题|主旨|件名|题目|제목",
}
"""Names of the header fields that Outlook and others write above a quotation."""

DEVICE: Final = (
    "sent from my|sent from (?:outlook|mail|yahoo|proton|gmail|samsung|android|windows|blackberry|iphone|ipad)|"
    "sent with|"
    "sent via|get outlook for|envoyé de(?:puis)? mon|von meinem .{1,40} gesendet|gesendet (?:von|mit)|"
    "diese nachricht wurde von mein|"
    "enviado (?:desde|do|de) (?:mi|meu)|inviato da(?:l mio)?|verzonden (?:vanaf|met|vanuit)|verstuurd (?:vanaf|met)|"
    "skickat från min|sendt fra min|lähetetty .{1,40}(?:stani|lta)|wysłane? z|odesláno z|отправлено (?:с|из)|"
    "надіслано з|"
    "iphone'?umdan gönderildi|gửi từ|dikirim dari|ارسال(?:‌| )?شده از|فرستاده شده از|أُرسلت من|مرسل من|נשלח מה|发自我的|"
    "從我的|"
    "iphoneから送信|나의 iphone에서"
)
CLOSINGS: Final = (
    "(?:kind|best|warm|warmest|many|with (?:kind|best|warm)) regards|kindest regards|regards|best wishes|"
    "yours (?:sincerely|truly|faithfully)|"
    "(?:mit )?(?:freundliche[nm]?|beste[nm]?|viele[nm]?|liebe[nm]?|herzliche[nm]?) gr(?:ü|ue)(?:ß|ss)en?|mfg|"
    "(?:bien )?cordialement|bien à vous|sincères salutations|salutations distinguées|(?:un )?(?:cordial )?saludos?|"
    "saludos cordiales|atentamente|un saludo|atenciosamente|cumprimentos|com os melhores cumprimentos|abraços|"
    "cordiali saluti|distinti saluti|saluti|(?:met )?vriendelijke groeten?|hartelijke groeten?|groeten|"
    "(?:med )?(?:venlige?|vennlige?|vänlige?|vänliga) h(?:ilsen|ilsner|älsning(?:ar)?|älsning)|mvh|hilsen|hälsningar|"
    "ystävällisin terveisin|terveisin|pozdrawiam|z poważaniem|s pozdravem|s pozdravom|üdvözlettel|cu stimă|"
    "с уважением|з повагою|με εκτίμηση|saygılarımla|saygılarımızla|trân trọng|hormat saya|"
    "با (?:تشکر|احترام|سپاس)(?: فراوان)?|ارادتمند|با تقدیم احترام|مع (?:التحية|خالص التحية|أطيب التحيات)|"
    "تحياتي|בברכה|此致|敬上|顺祝商祺"
)
