"""`outbound import`: stream a list of people into an outdial, with progress and every rejected row."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from cli.commands.running import (
    DEFAULT,
    AccessKey,
    DataDir,
    Json,
    Url,
    connect,
    is_terminal,
    reports_errors,
)
from cli.errors import CommandError, ExitCode, writing
from services.common.clock import boot_seconds

_CHUNK = 256 * 1024
_KINDS = {".csv": "text/csv", ".ndjson": "application/x-ndjson", ".jsonl": "application/x-ndjson"}
_SHOWN_REJECTS = 20


@reports_errors
def import_targets(
    outdial: Annotated[str, typer.Argument(help="Outdial id.")],
    file: Annotated[Path, typer.Argument(help="CSV or NDJSON file; - reads standard input.")],
    data_dir: DataDir = DEFAULT,
    url: Url = "",
    access_key: AccessKey = "",
    kind: Annotated[str, typer.Option("--format", help="csv or ndjson; default: by name.")] = "",
    region: Annotated[str, typer.Option(help="Region of numbers without +, such as US.")] = "",
    duplicates: Annotated[str, typer.Option(help="reject, skip or allow.")] = "reject",
    strict: Annotated[bool, typer.Option(help="Numbers must be valid, not only possible.")] = False,
    column: Annotated[
        list[str] | None, typer.Option("--map", help="COLUMN=FIELD, may be repeated.")
    ] = None,
    key: Annotated[
        str, typer.Option(help="Idempotency key; default: made from the file, so a rerun resumes.")
    ] = "",
    rejects: Annotated[
        Path | None, typer.Option(help="Write every rejected row to this NDJSON file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Import a list. Exits 1 when rows were rejected; the valid ones are in either way."""
    query: dict[str, Any] = {"duplicates": duplicates, "strict": str(strict).lower()}
    if region:
        query["region"] = region
    for pair in column or []:
        name, found, field = pair.partition("=")
        if not found or not name or not field:
            raise CommandError(f"--map {pair}: accepted is COLUMN=FIELD", ExitCode.USAGE)
        query[f"map.{name}"] = field
    if str(file) != "-" and not file.is_file():
        raise CommandError(f"{file}: no such file", ExitCode.USAGE)
    if rejects is not None:
        # Asked now: after a long import it would be too late.
        with writing(rejects):
            rejects.open("a").close()
    content = _content_type(file, kind)
    size = file.stat().st_size if str(file) != "-" else None
    started = boot_seconds()
    with connect(data_dir, url, access_key) as client:
        result = client.upload(
            f"/outdials/{outdial}/targets/import",
            _with_progress(_chunks(file), size, shown=not as_json and is_terminal()),
            kind=content,
            key=key or _key(outdial, file, query),
            **query,
        )
        seconds = max(boot_seconds() - started, 1e-6)
        if rejects is not None and result["rejected_count"]:
            path = f"/outdials/{outdial}/imports/{result['import_id']}/rejects"
            with writing(rejects), rejects.open("w") as output:
                for row in client.lines(path, format="ndjson"):
                    output.write(json.dumps(row, ensure_ascii=False) + "\n")
    rate = result["row_count"] / seconds
    if as_json:
        typer.echo(json.dumps({**result, "seconds": seconds, "rows_per_second": rate}))
    else:
        _show(result, seconds, rate, rejects)
    if result["rejected_count"]:
        raise typer.Exit(ExitCode.FAILED)


def _show(result: dict[str, Any], seconds: float, rate: float, rejects: Path | None) -> None:
    console = Console()
    console.print(
        f"{result['accepted_count']:,} of {result['row_count']:,} rows imported in {seconds:.1f} s "
        f"({rate:,.0f} rows/s), {result['rejected_count']:,} rejected, "
        f"{result['duplicate_count']:,} duplicates skipped"
    )
    shown = result["rejects"][:_SHOWN_REJECTS]
    for row in shown:
        console.print(
            f"  line {row['line']}: {row['field']} {row['value']!r}: {row['reason']}", markup=False
        )
    left = result["rejected_count"] - len(shown)
    if left > 0:
        place = f"in {rejects}" if rejects else "with --rejects FILE"
        console.print(f"  and {left:,} more, {place}")


def _content_type(file: Path, kind: str) -> str:
    if kind:
        if kind not in ("csv", "ndjson"):
            raise CommandError(f"--format {kind}: accepted are csv and ndjson", ExitCode.USAGE)
        return _KINDS[f".{kind}"]
    if file.suffix.lower() not in _KINDS:
        raise CommandError(
            f"{file}: give --format csv or ndjson; the name does not tell", ExitCode.USAGE
        )
    return _KINDS[file.suffix.lower()]


def _chunks(file: Path) -> Iterator[bytes]:
    if str(file) == "-":
        while chunk := sys.stdin.buffer.read(_CHUNK):
            yield chunk
        return
    with file.open("rb") as source:
        while chunk := source.read(_CHUNK):
            yield chunk


def _with_progress(chunks: Iterator[bytes], size: int | None, *, shown: bool) -> Iterator[bytes]:
    columns = (
        TextColumn("importing"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
    )
    started, rows = boot_seconds(), 0
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as progress:
        task = progress.add_task("import", total=size, rows=0, rate=0.0)
        for chunk in chunks:
            rows += chunk.count(b"\n")
            rate = rows / max(boot_seconds() - started, 1e-6)
            yield chunk
            progress.update(task, advance=len(chunk), rows=rows, rate=rate)


def _key(outdial: str, file: Path, query: dict[str, Any]) -> str:
    """The same file with the same options gets the same key, so that running again resumes."""
    digest = hashlib.sha256(json.dumps([outdial, query], sort_keys=True).encode())
    if str(file) == "-":
        digest.update(str(boot_seconds()).encode())
    else:
        with file.open("rb") as source:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()[:40]
