"""One document, two forms, nothing loaded from elsewhere."""

from html.parser import HTMLParser

from training.report.blocks import Bullets, Heading, Paragraph, Picture, Table, markdown, page


def document(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG")
    return [
        Heading("Title", 1),
        Paragraph("1 < 2 & so on"),
        Bullets(["one", "two"]),
        Table(["name", "figure"], [["a|b", "1"]], "a note"),
        Picture(path, "what it shows"),
    ]


def test_markdown_has_every_block(tmp_path):
    text = markdown(document(tmp_path), "pictures")
    assert text.startswith("# Title\n\n1 < 2 & so on\n\n- one\n- two\n\n| name | figure |")
    assert "| --- | ---: |\n| a\\|b | 1 |\n\na note" in text
    assert "![what it shows](pictures/a.png)" in text


def test_the_page_is_escaped_closed_and_self_contained(tmp_path):
    text = page(document(tmp_path), "Title")
    assert "1 &lt; 2 &amp; so on" in text
    assert 'src="data:image/png;base64,iVBORw=="' in text
    assert "http" not in text

    class Balance(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open: list[str] = []

        def handle_starttag(self, tag, attrs):
            if tag not in {"meta", "img"}:
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    parser = Balance()
    parser.feed(text)
    assert parser.open == []
