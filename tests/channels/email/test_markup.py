import pytest

from channels.email import markup, mime


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<div>" * 20_000 + "deep", "deep"),
        ("<p>one<p>two", "one\n\ntwo"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc"),
        ("a<style>p { }</style>b<SCRIPT>if (a < b) {}</script >c", "abc"),
        ("<title>no</title><!-- no > --><![if no]>yes<![endif]>", "yes"),
        ("<svg><text>no</text></svg><object>no<object>no</object>no</object>yes", "yes"),
        ("<a href=\"x>y\" title='>'>link</a> <p it's>text", "link\n\ntext"),
        ('one <a href="x>two</a> three', "one two three"),
        ("<pre>a  b\n  c</pre>d   e", "a  b\nc\n\nd e"),
        ('<img alt="A &amp; B" src=x><img data-alt=no>&lt;b&gt; 1 < 2', "A & B<b> 1 < 2"),
        ("<br/>a<BR>b<hr>c", "a\nb\nc"),
        ("a <3 b", "a <3 b"),
        ("cut off <a hre", "cut off"),
        ("a&#" + "9" * 5000 + ";b&#" + "0" * 5000 + "65;<p>c", "a\ufffdbA\n\nc"),
    ],
)
def test_html_is_read_as_a_person_reads_it(html: str, text: str) -> None:
    assert markup.text_of(html) == text


def test_a_quotation_ends_with_its_own_element() -> None:
    html = '<div class="gmail_quote">old<div>older</div>old</div>new<blockquote>quoted</blockquote>'
    lines = markup.text_of(html, marks_quotes=True).split("\n")
    assert [line for line in lines if line] == ["> old", "> older", "> old", "new", "> quoted"]


def test_a_date_with_its_zone_goes_before_one_that_was_cut() -> None:
    raw = b"Date: Tue, 7 Apr 2026 10:00:t\nDate: Tue, 7 Apr 2026 10:00:01 +0000\n\nhi"
    moment = mime.read(raw).date
    assert moment is not None
    assert moment.isoformat() == "2026-04-07T10:00:01+00:00"


def test_html_beyond_the_bound_is_told() -> None:
    mail = mime.read(b"Content-Type: text/html\n\n" + b"<p>a</p>" * 300_000)
    assert mail.defects == ("Only the first 2000000 characters of HTML are in the text.",)
    assert mail.html is not None
    assert len(mail.html) == 2_400_000
