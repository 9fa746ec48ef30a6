"""A document as blocks, written as Markdown and as one self-contained HTML file."""

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is the title."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; no markup in it."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of sentences."""

    items: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first column is a name, the others are figures. `note` stands under it."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG file and the sentence that says what it shows."""

    path: Path
    caption: str


Block = Heading | Paragraph | Bullets | Table | Picture

STYLE = """
:root { color-scheme: light dark; --line: #d5d9de; --soft: #f4f6f8; --ink: #1b1f24; --pale: #59636e;
  --page: #ffffff }
@media (prefers-color-scheme: dark) { :root { --line: #3a4048; --soft: #20252b; --ink: #e8eaed;
  --pale: #a2abb5; --page: #15181c } }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 62rem; color: var(--ink);
  background: var(--page); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 1rem }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .6rem; padding-top: .9rem; border-top: 1px solid var(--line) }
h3 { font-size: 1.05rem; margin: 1.8rem 0 .4rem }
p, ul { max-width: 46rem }
li { margin: .25rem 0 }
.wide { overflow-x: auto; margin: .8rem 0 }
table { border-collapse: collapse; font-size: .87rem; font-variant-numeric: tabular-nums }
th, td { padding: .34rem .7rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; vertical-align: top }
th { color: var(--pale); font-weight: 600; border-bottom-width: 2px }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0;
  background: var(--page) }
.note, figcaption { color: var(--pale); font-size: .87rem; max-width: 46rem }
figure { margin: 1.2rem 0 }
img { max-width: 100%; height: auto; background: #fff; border-radius: 4px }
"""


def markdown(blocks: Sequence[Block], pictures: str) -> str:
    """Return the document as Markdown; `pictures` is the folder to name in links to them."""
    parts = []
    for block in blocks:
        match block:
            case Heading():
                parts.append(f"{'#' * block.level} {block.text}")
            case Paragraph():
                parts.append(block.text)
            case Bullets():
                parts.append("\n".join(f"- {item}" for item in block.items))
            case Table():
                rule = ["---"] + ["---:"] * (len(block.header) - 1)
                lines = [_line(block.header), _line(rule), *map(_line, block.rows)]
                parts.append("\n".join(lines) + (f"\n\n{block.note}" if block.note else ""))
            case Picture():
                parts.append(f"![{block.caption}]({pictures}/{block.path.name})\n\n{block.caption}")
    return "\n\n".join(parts) + "\n"


def page(blocks: Sequence[Block], title: str) -> str:
    """Return the document as one HTML page with its pictures inside; it loads nothing."""
    body = "\n".join(_element(block) for block in blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"{body}\n</body>\n</html>\n"
    )


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _element(block: Block) -> str:
    match block:
        case Heading():
            return f"<h{block.level}>{html.escape(block.text)}</h{block.level}>"
        case Paragraph():
            return f"<p>{html.escape(block.text)}</p>"
        case Bullets():
            items = "".join(f"<li>{html.escape(item)}</li>" for item in block.items)
            return f"<ul>{items}</ul>"
        case Table():
            head = "".join(f"<th>{html.escape(cell)}</th>" for cell in block.header)
            rows = "".join(
                "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in block.rows
            )
            note = f'<p class="note">{html.escape(block.note)}</p>' if block.note else ""
            return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{note}'
        case Picture():
            data = base64.b64encode(block.path.read_bytes()).decode("ascii")
            caption = html.escape(block.caption)
            return (
                f'<figure><img alt="{caption}" src="data:image/png;base64,{data}">'
                f"<figcaption>{caption}</figcaption></figure>"
            )
