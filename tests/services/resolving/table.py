"""What is given, then: inbox and address (and until when it is held) | why | every other way with why not.

The words are those of `given`.
"""

from typing import Final

TABLE: Final = """
# the channel of the question

ask=sms inboxes=sms
    sms>T | question |
ask=sms inboxes=sms,mail
    sms>T | question | mail:no_address
ask=sms inboxes=sms,mail knows=M
    sms>T | question | mail>M:consent_missing
ask=sms inboxes=sms2,sms
    sms>T | question | sms2>T:less_preferred
ask=mail inboxes=mail,sms knows=T
    mail>M | question | sms>T:consent_missing
ask=mail inboxes=imap,mail
    mail>M | question | imap>M:less_preferred
ask=imap inboxes=mail,imap
    imap>M | question | mail>M:less_preferred
ask=chat inboxes=chat,sms,mail
    chat>C | question | sms:no_address mail:no_address
ask=telegram inboxes=telegram,whatsapp,chat
    telegram>G | question | whatsapp:no_address chat:no_address
ask=whatsapp inboxes=whatsapp,sms knows=T
    whatsapp>W | question | sms>T:consent_missing
ask=smswa inboxes=sms,smswa
    smswa>W | question | sms:no_address
ask=sender inboxes=sms
    - | - | sms:no_address

# a form is answered on the channel that it asked for, else at the address left in it

ask=form+tel inboxes=form,sms,mail,voice
    sms>T | form_address | voice>T:carries_no_text form:one_way mail:no_address
ask=form+mail inboxes=form,sms,mail
    mail>M | form_address | form:one_way sms:no_address
ask=form+tel inboxes=form,sms,mail stated=sms
    sms>T | stated | form:one_way mail:no_address
ask=form+mail inboxes=form,sms,mail stated=email
    mail>M | stated | form:one_way sms:no_address
ask=form+mail inboxes=form,sms,mail stated=sms
    mail>M | form_address | sms:no_address form:one_way
ask=form+mail inboxes=form,sms,mail stated=sms knows=T
    mail>M | form_address | sms>T:consent_missing form:one_way
ask=form+mail inboxes=form,sms,mail stated=sms knows=T allows=T
    sms>T | stated | mail>M:less_preferred form:one_way
ask=form+tel inboxes=form,sms stated=fax
    sms>T | form_address | fax:no_inbox form:one_way
ask=form+tel inboxes=form,sms,voice stated=phone
    sms>T | form_address | voice>T:carries_no_text form:one_way
ask=form inboxes=form,sms,mail
    - | - | form:one_way sms:no_address mail:no_address
ask=form inboxes=form,sms,mail knows=M allows=M
    mail>M | consented | form:one_way sms:no_address

# a call is answered by message

ask=call inboxes=voice,sms
    sms>T | call_by_message | voice>T:carries_no_text
ask=call inboxes=voice,sms,mail knows=M
    sms>T | call_by_message | voice>T:carries_no_text mail>M:consent_missing
ask=call inboxes=voice,sms,mail knows=M allows=M file=email
    mail>M | on_file | voice>T:carries_no_text sms>T:less_preferred
ask=call inboxes=voice
    - | - | voice>T:carries_no_text
ask=call inboxes=voice,sms call
    voice>T | question | sms>T:cannot_call
ask=sms inboxes=voice,sms call
    - | - | sms>T:cannot_call voice>T:consent_missing
ask=sms inboxes=voice,sms call allows=T
    voice>T | consented | sms>T:cannot_call

# stated in this contact, on file, last used

ask=sms inboxes=sms,mail knows=M allows=M file=email
    mail>M | on_file | sms>T:less_preferred
ask=sms inboxes=sms,mail knows=M file=email
    sms>T | question | mail>M:consent_missing
ask=sms inboxes=sms,mail knows=M allows=M file=email stated=sms
    sms>T | stated | mail>M:less_preferred
ask=sms inboxes=sms,mail,chat knows=M,C allows=M,C file=chat,email
    mail>M | on_file | chat>C:cannot_start sms>T:less_preferred
ask=sms inboxes=sms,mail,chat knows=M,C allows=M,C file=chat,email heard=chat:C:-900
    chat>C | on_file | mail>M:less_preferred sms>T:less_preferred
ask=sms inboxes=sms,telegram knows=G allows=G heard=telegram:G:-9000 file=telegram
    telegram>G | on_file | sms>T:less_preferred
ask=sms inboxes=sms,mail knows=M allows=M file=E-Mail
    mail>M | on_file | sms>T:less_preferred
ask=sms inboxes=sms,mail knows=M allows=M stated=email/smtp file=sms
    mail>M | stated | sms>T:less_preferred
ask=mail inboxes=mail,sms,sms2 knows=T allows=T file=sms
    sms>T | on_file | sms2>T:less_preferred mail>M:less_preferred
ask=mail inboxes=mail,sms,sms2 knows=T allows=T file=sms heard=sms2:T:-5000
    sms2>T | on_file | sms>T:less_preferred mail>M:less_preferred
ask=mail inboxes=mail,sms knows=T,T2 allows=T2 file=sms
    sms>T2 | on_file | sms>T:consent_missing mail>M:less_preferred
ask=sms inboxes=sms,mail knows=M allows=M file=fax,pager,email
    mail>M | on_file | fax:no_inbox pager:no_inbox sms>T:less_preferred
ask=sms inboxes=sms,mail knows=M allows=M file=voice
    sms>T | question | voice:no_inbox mail>M:less_preferred

# consent

ask=sms inboxes=sms,mail knows=M allows=M files=1 file=sms
    mail>M | consented | sms>T:no_attachments
ask=chat inboxes=chat,mail knows=M files=1
    - | - | chat>C:no_attachments mail>M:consent_missing
ask=chat inboxes=chat,mail knows=M files=1 allows=M
    mail>M | consented | chat>C:no_attachments
ask=chat inboxes=chat,mail knows=M files=1 allows=M purpose=marketing
    - | - | chat>C:no_attachments mail>M:consent_missing
ask=chat inboxes=chat,mail knows=M files=1 allows=M purpose=any
    mail>M | consented | chat>C:no_attachments
ask=sms inboxes=sms forbids=T
    sms>T | question |
ask=sms inboxes=sms forbids=T:0
    - | - | sms>T:consent_withdrawn
ask=sms inboxes=sms forbids=T/sms:5
    - | - | sms>T:consent_withdrawn
ask=sms inboxes=sms forbids=T/voice:5
    sms>T | question |
ask=sms inboxes=sms forbids=T:5 purpose=marketing
    sms>T | question |
ask=sms inboxes=sms forbids=T:5 allows=T:6
    sms>T | question |
ask=sms inboxes=sms forbids=T:5 allows=T:5
    - | - | sms>T:consent_withdrawn
ask=sms inboxes=sms,mail knows=M allows=M forbids=T:5
    mail>M | consented | sms>T:consent_withdrawn
ask=sms inboxes=sms,mail knows=M allows=M:-90 forbids=M/email:-80 file=email
    sms>T | question | mail>M:consent_withdrawn
ask=sms inboxes=sms,mail knows=M allows=M/sms file=email
    sms>T | question | mail>M:consent_missing
inboxes=sms,mail knows=T,M
    - | - | sms>T:consent_missing mail>M:consent_missing
inboxes=sms,mail knows=T,M allows=M
    mail>M | consented | sms>T:consent_missing
inboxes=sms,mail knows=T,M allows=M,T file=sms
    sms>T | on_file | mail>M:less_preferred

# what a channel can do

ask=sms inboxes=sms text=1600
    sms>T | question |
ask=sms inboxes=sms,mail knows=M allows=M text=1601
    mail>M | consented | sms>T:too_long
ask=sms inboxes=sms text=1601
    - | - | sms>T:too_long
ask=sms inboxes=sms script=😀 text=801
    - | - | sms>T:too_long
ask=sms inboxes=sms closed=sms
    - | - | sms>T:inbox_closed
ask=sms inboxes=sms,sms2 closed=sms
    sms2>T | question | sms>T:inbox_closed
ask=whatsapp inboxes=whatsapp asked=1439
    whatsapp>W | question |
ask=whatsapp inboxes=whatsapp,sms knows=T asked=1440
    - | - | whatsapp>W:window_shut sms>T:consent_missing
ask=whatsapp inboxes=whatsapp,sms knows=T asked=1440 allows=T
    sms>T | consented | whatsapp>W:window_shut
ask=whatsapp inboxes=whatsapp asked=2000 heard=whatsapp:W:-30
    whatsapp>W | question |
ask=sms inboxes=sms,whatsapp knows=W allows=W file=whatsapp
    sms>T | question | whatsapp>W:cannot_start
ask=sms inboxes=sms,whatsapp knows=W allows=W file=whatsapp heard=whatsapp:W:-60
    whatsapp>W | on_file | sms>T:less_preferred

# an agent's override

ask=sms inboxes=sms,mail knows=M allows=M override=email
    mail>M | override | sms>T:overridden
ask=sms inboxes=sms,mail knows=M override=email
    - | - | mail>M:consent_missing sms>T:overridden
ask=sms inboxes=sms,mail knows=M allows=M file=email override=sms
    sms>T | override | mail>M:overridden
ask=sms inboxes=sms,mail override=fax
    - | - | fax:no_inbox sms>T:overridden mail:overridden
ask=sms inboxes=sms forbids=T:5 override=sms
    - | - | sms>T:consent_withdrawn
ask=chat inboxes=chat,mail knows=M allows=M files=1 override=chat
    - | - | chat>C:no_attachments mail>M:overridden

# quiet hours

ask=sms inboxes=sms quiet=22-8 at=23:00
    sms>T @26T04:30Z | question |
ask=sms inboxes=sms quiet=22-8 at=23:00 asked=14
    sms>T | question |
ask=sms inboxes=sms quiet=22-8 at=23:00 asked=15
    sms>T @26T04:30Z | question |
ask=sms inboxes=sms quiet=22-8 at=07:59
    sms>T @25T04:30Z | question |
ask=sms inboxes=sms quiet=22-8 at=08:00
    sms>T | question |
ask=sms inboxes=sms quiet=22-8 at=22:00
    sms>T @26T04:30Z | question |
ask=sms inboxes=sms quiet=13-16 at=13:30
    sms>T @25T12:30Z | question |
ask=sms inboxes=sms house-quiet=21-9 at=21:30
    sms>T @26T05:30Z | question |
ask=sms inboxes=sms house-quiet=21-9 quiet=23-6 at=21:30
    sms>T | question |
ask=sms inboxes=sms quiet=23-6 stated-quiet=20-10 at=21:30
    sms>T @26T06:30Z | question |
ask=sms inboxes=sms quiet=22-8 at=23:00 zone=Europe/Berlin
    sms>T | question |
ask=sms inboxes=sms quiet=22-8 at=01:00 zone=Europe/Berlin
    sms>T @25T07:00Z | question |
ask=sms inboxes=sms quiet=22-8 at=23:00 zone=Mars/Olympus
    sms>T @26T04:30Z | question |
ask=sms inboxes=sms,mail knows=M allows=M file=email quiet=22-8 at=23:00 asked=2
    mail>M @26T04:30Z | on_file | sms>T:less_preferred
ask=sms inboxes=sms,mail knows=M allows=M override=email quiet=22-8 at=23:00 asked=2
    mail>M @26T04:30Z | override | sms>T:overridden
ask=chat inboxes=chat quiet=22-8 at=02:00 asked=3
    chat>C | question |
ask=call inboxes=voice,sms quiet=22-8 at=23:00 asked=3
    sms>T | call_by_message | voice>T:carries_no_text
ask=call inboxes=voice,sms quiet=22-8 at=23:00 asked=90
    sms>T @26T04:30Z | call_by_message | voice>T:carries_no_text
ask=whatsapp inboxes=whatsapp,sms knows=T allows=T asked=1200 quiet=22-8 at=23:00
    sms>T @26T04:30Z | consented | whatsapp>W:window_shuts_in_quiet_hours
ask=whatsapp inboxes=whatsapp asked=600 quiet=22-8 at=23:00
    whatsapp>W @26T04:30Z | question |
ask=sms inboxes=sms quiet=22-8 at=23:00 asked=-5
    sms>T @26T04:30Z | question |

# what nobody wrote for this customer goes back where they asked, and nowhere else

ask=sms inboxes=sms,mail knows=M allows=M file=email auto
    sms>T | question |
ask=sms inboxes=sms,mail knows=M allows=M stated=email auto
    sms>T | question |
ask=sms inboxes=sms,mail knows=M allows=M forbids=T:5 auto
    - | - | sms>T:consent_withdrawn
ask=form+mail inboxes=form,sms,mail knows=T allows=T file=sms auto
    mail>M | form_address |
ask=form inboxes=form,sms,mail knows=T,M allows=T,M auto
    - | - |
ask=sender inboxes=sms,mail knows=M allows=M auto
    - | - |
ask=sms inboxes=sms,mail knows=M allows=M file=email quiet=22-8 at=23:00 asked=2 auto
    sms>T | question |
ask=sms inboxes=sms quiet=22-8 at=23:00 auto
    sms>T @26T04:30Z | question |
"""
