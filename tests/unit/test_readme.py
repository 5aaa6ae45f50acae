"""The README says what the code does, where a machine can tell."""

from __future__ import annotations

import re
from pathlib import Path

from cli.main import app
from services.common.action_catalogue import CATALOGUE, LATER
from tools import configuration_table

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def documented_variables() -> set[str]:
    """Variables that have a row in one of the tables."""
    rows = re.findall(r"^\| (`OUTBOUND_[^|]+)\|", README, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"OUTBOUND_\w+", row)}


def mentioned_variables(*places: str) -> set[str]:
    """Variables that sources spell out whole."""
    text = "".join(
        path.read_text()
        for place in places
        for path in [ROOT / place, *(ROOT / place).rglob("*.py")]
        if path.is_file()
    )
    return set(re.findall(r'"(OUTBOUND_[A-Z0-9_]*[A-Z0-9])"', text))


def test_configuration_tables_are_those_of_the_settings_classes() -> None:
    assert configuration_table.replaced(README) == README


def test_every_variable_of_the_simulated_network_has_a_row() -> None:
    assert mentioned_variables("simnet") <= documented_variables()


def test_every_variable_of_commands_and_tests_has_a_row() -> None:
    known = documented_variables()
    for name in mentioned_variables("cli", "tests/fixtures", "tests/e2e/test_ten_thousand.py"):
        assert name in known or name.removesuffix("_FILE") in known, name


def test_no_row_names_a_variable_that_nobody_reads() -> None:
    fields = set(re.findall(r"OUTBOUND_\w+", configuration_table.tables()))
    read = mentioned_variables("cli", "simnet", "tests")
    assert documented_variables() - fields - read == set()


def test_commands_named_in_the_pages_exist() -> None:
    commands = {command.name for command in app.registered_commands}
    for page in PAGES:
        named = set(re.findall(r"^(?:\$ )?outbound ([a-z]+)", page.read_text(), re.MULTILINE))
        assert named <= commands, page


def test_make_targets_named_in_the_pages_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE))
        assert named <= targets, page


def test_links_and_folders_lead_somewhere() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
    table = README.partition("## Where things live")[2].partition("##")[0]
    for row in re.findall(r"^\| (`[^|]+)\|", table, re.MULTILINE):
        for name in re.findall(r"`([\w./-]+)`", row):
            assert (ROOT / name).exists(), name


def test_pages_name_no_machine() -> None:
    for page in [*PAGES, ROOT / "docker-compose.yml", ROOT / "Dockerfile"]:
        assert str(ROOT) not in page.read_text(), page


def test_the_page_of_flows_names_every_action_and_option() -> None:
    page = (ROOT / "docs" / "flows.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)`[^|]*\| ([^|]*)\|", page, re.MULTILINE))
    assert set(rows) == set(CATALOGUE)
    for word, row in rows.items():
        named = set(re.findall(r"`(\w+)`", row))
        kept_out = {"on_end_flow_id"}
        assert set(CATALOGUE[word].options) - kept_out <= named, word
    refused = page.partition("The other documented words")[2].partition("So are")[0]
    assert set(re.findall(r"`(\w+)`", refused)) == set(LATER)
