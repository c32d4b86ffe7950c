"""Reads a report with a program that was made elsewhere: `check.py junit|markdown|html FILE`.

Ends with 1, and says why on standard output, where that program does not read it as it is meant.
"""

import html.parser
import pathlib
import re
import sys

FOLDER = pathlib.Path(__file__).parent


def junit(text):
    import xmlschema

    schema = xmlschema.XMLSchema(str(FOLDER / "junit-10.xsd"))
    # The schema counts what was skipped in each suite and not over all; readers take it from both places.
    text = re.sub(r'(<testsuites [^>]*?) skipped="[0-9]+"', r"\1", text, count=1)
    return [str(error) for error in schema.iter_errors(text)]


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.seen = [], [], set()

    def handle_starttag(self, tag, attributes):
        self.seen.add(tag)
        if tag not in ("hr", "br", "meta", "link"):
            self.open.append(tag)
        self.wrong += [f"<{tag} {name}=...>" for name, _ in attributes if name.startswith("on")]

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing")


def markdown(text):
    from markdown_it import MarkdownIt

    rendered = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text)
    tags = Tags()
    tags.feed(rendered)
    wrong = tags.wrong + [f"<{tag}> is left open" for tag in tags.open]
    allowed = set("h2 h3 p table thead tbody tr th td details summary pre code ul li".split())
    wrong += [f"<{tag}> comes from a text" for tag in sorted(tags.seen - allowed)]
    if "\n|" in text and "table" not in tags.seen:
        wrong.append("the table is none")
    if text.count("<details>") != rendered.count("<details>"):
        wrong.append("a folded part is none")
    return wrong


def html_page(text):
    import html5lib

    parser = html5lib.HTMLParser(strict=False)
    tree = parser.parse(text)
    wrong = [f"{place}: {name} {about}" for place, name, about in parser.errors]
    names = {re.sub("{.*}", "", element.tag) for element in tree.iter() if isinstance(element.tag, str)}
    active = names & set("script iframe object embed img link form input base audio video foreignObject image use".split())
    wrong += [f"<{name}> is in the page" for name in sorted(active)]
    for element in tree.iter():
        for name, value in element.attrib.items():
            if str(name).startswith("on") or "javascript:" in value or "url(" in value:
                wrong.append(f"<{element.tag} {name}={value!r}>")
            if str(name).endswith("href") and not value.startswith("#"):
                wrong.append(f"a link leads out of the page: {value!r}")
    ids = [element.attrib["id"] for element in tree.iter() if "id" in element.attrib]
    wrong += [f"id {one} stands twice" for one in sorted({one for one in ids if ids.count(one) > 1})] if len(ids) < 5000 else []
    known = set(ids)
    for element in tree.iter():
        target = element.attrib.get("href", "#")
        if target != "#" and target[1:] not in known:
            wrong.append(f"{target} leads nowhere")
    return wrong


def main():
    kind, file = sys.argv[1:]
    text = pathlib.Path(file).read_text(encoding="utf-8")
    wrong = {"junit": junit, "markdown": markdown, "html": html_page}[kind](text)
    for line in wrong[:50]:
        print(line)
    sys.exit(1 if wrong else 0)


main()
