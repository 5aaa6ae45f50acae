"""The `outbound` command. Each sub-command is a file in `cli/commands/`."""

from __future__ import annotations

import typer

from cli.commands import demo, doctor, events, imports, token, up, watch

app = typer.Typer(
    name="outbound",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Runs outbound campaigns. Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 a server is not there.",
)
app.command("up")(up.up)
app.command("demo")(demo.demo)
app.command("import")(imports.import_targets)
app.command("watch")(watch.watch)
app.command("events")(events.events)
app.command("token")(token.token)
app.command("doctor")(doctor.doctor)


if __name__ == "__main__":
    app()
