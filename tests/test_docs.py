"""The guide: what it shows is what the program prints, and it builds into pages that stand alone."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import pullback as pb
from pullback.functions.catalogue import CATALOGUE
from shown import ROOT, commands, examples, pages, printed, run

DOCS = ROOT / "docs"
PAGES = {str(page.relative_to(DOCS)): page for page in pages(DOCS)}
COMMANDS = {
    f"{name}: {command}": (command, output)
    for name, page in PAGES.items()
    for command, output in commands(page)
}


@pytest.mark.parametrize("shown", COMMANDS)
def test_commands(shown: str) -> None:
    command, output = COMMANDS[shown]
    assert printed(command) == output.strip()


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if examples(page).examples])
def test_python(name: str) -> None:
    report = run(examples(PAGES[name]))
    assert not report, report


class Page(HTMLParser):
    """The places of a page, what it links to, and what a browser would load with it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.ids.add(given.get("id", ""))
        if tag == "a":
            self.links.append(given.get("href", ""))
        elif tag == "link" and given.get("rel") in ("stylesheet", "preload", "icon"):
            self.loaded.append(given["href"])
        elif "src" in given:
            self.loaded.append(given["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Page]:
    """The pages that are built, by their files. A warning of the generator is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", str(DOCS), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return {path: Page(path) for path in folder.rglob("*.html")}


def test_every_link_leads_somewhere(site: dict[Path, Page]) -> None:
    for path, page in site.items():
        for link in page.links:
            parts = urlsplit(link)
            if not parts.scheme:
                target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
                assert target in site, (path, link)
                assert not parts.fragment or unquote(parts.fragment) in site[target].ids


def test_nothing_is_loaded_from_elsewhere(site: dict[Path, Page]) -> None:
    for path, page in site.items():
        assert not [place for place in page.loaded if urlsplit(place).netloc], path
    folder = min((path.parent for path in site), key=lambda place: len(place.parts))
    for sheet in folder.rglob("*.css"):
        places = re.findall(r"url\(['\"]?([^'\")]+)", sheet.read_text(encoding="utf-8"))
        assert not [place for place in places if not place.startswith("data:")], sheet
        assert "@import" not in sheet.read_text(encoding="utf-8")


def test_pictures_and_formulas_are_on_the_pages(site: dict[Path, Page]) -> None:
    built = {path.stem: page.tags for path, page in site.items()}
    for name, page in PAGES.items():
        shown = page.read_text(encoding="utf-8").count("```{pullback}")
        assert built[Path(name).stem].count("figure") == shown, name


def test_every_public_name_is_on_the_page_of_python(site: dict[Path, Page]) -> None:
    (python,) = [page for path, page in site.items() if path.name == "api.html"]
    assert not [name for name in pb.__all__ if f"pullback.{name}" not in python.ids]


def test_every_function_is_in_the_table(site: dict[Path, Page]) -> None:
    (functions,) = [path for path in site if path.name == "functions.html"]
    text = re.sub("<[^>]+>", "", functions.read_text(encoding="utf-8"))
    missing = [name for name in CATALOGUE if not re.search(rf"\b{name}\b", text)]
    assert not missing
