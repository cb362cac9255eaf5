"""Help texts: usage, what a command does, examples, then options by task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES: dict[str, tuple[str, ...]] = {
    "tfenv": ("tfenv lock --gpu cuda12", "tfenv check requirements.txt --gpu v100", "tfenv doctor"),
    "tfenv init": ('tfenv init --tf 2.20 --gpu "RTX 3090"', "tfenv init --with pandas --python 3.12"),
    "tfenv lock": (
        "tfenv lock --gpu cuda12",
        "tfenv lock --tf 2.15 --gpu v100 --driver 535.104.05",
        "tfenv lock -r requirements.txt --python 3.11",
        "tfenv lock --check",
    ),
    "tfenv why": ("tfenv why numpy", "tfenv why nvidia-cudnn-cu12 --lock pylock.train.toml"),
    "tfenv check": (
        "tfenv check requirements.txt --gpu v100 --driver 470.82",
        "tfenv check --tf 2.10 --cuda 12.2 --cudnn 8.9",
        "python train.py 2>&1 | tfenv check --log -",
    ),
    "tfenv doctor": ("tfenv doctor", "tfenv doctor --venv .venv", "tfenv doctor --save this-machine.toml"),
    "tfenv onboard": ("tfenv onboard > onboard.sh", "tfenv onboard --system ubuntu"),
    "tfenv render": ("tfenv render", "tfenv render --requirements-txt"),
    "tfenv build": (
        "tfenv build",
        "tfenv build --tag trainer:1",
        "tfenv build --format oci -o image",
    ),
    "tfenv smoke": ("tfenv smoke", "tfenv smoke trainer:1", "tfenv smoke --venv .venv"),
    "tfenv sync": ("tfenv sync", "tfenv sync --venv /opt/train --dry-run"),
    "tfenv infer": ("tfenv infer .", "tfenv infer train.py model.h5 op.so"),
    "tfenv compat": ("tfenv compat", 'tfenv compat ">=2.14" --markdown'),
    "tfenv facts": ("tfenv facts show tensorflow==2.17.1", "tfenv facts update --user"),
    "tfenv facts show": (
        "tfenv facts show",
        "tfenv facts show tensorflow==2.17.1",
        "tfenv facts show tensorflow-cpu==2.20.0 --json",
    ),
    "tfenv facts update": (
        "tfenv facts update",
        "tfenv facts update --user",
        "tfenv facts update releases --only tensorflow-cpu --write",
    ),
    "tfenv cache": ("tfenv cache info", "tfenv cache prune"),
    "tfenv cache info": ("tfenv cache info", "tfenv cache info --json"),
    "tfenv cache prune": ("tfenv cache prune", "tfenv cache prune --older-than 7", "tfenv cache prune --all"),
}
"""Examples by command, as typed; a test parses each of them."""

_SECTIONS = {
    "TensorFlow and packages": (
        "--tf", "--keras", "--with", "--requirement", "--constraint", "--extra", "--group", "--infer", "--package",
        "--prefer", "--pre", "--exclude-newer", "--upgrade",
    ),
    "Machine": (
        "--gpu", "--driver", "--python", "--platform", "--glibc", "--cpu", "--cuda", "--cudnn", "--system",
        "--target-file",
    ),
    "Files": (
        "--project", "--target", "--lock", "--output", "--out", "--requirements-txt", "--from", "--log", "--venv",
        "--here", "--save", "--force",
    ),
    "Image": ("--tag", "--base-image", "--format", "--push", "--network"),
    "Package indexes": ("--index-url", "--extra-index-url", "--allow-index-change", "--offline"),
}  # fmt: skip
"""Options by task, each under its long name; the others are listed last, as general options."""

_GENERAL = "Options"


class _Layout:
    """The parts of a help text that commands and groups share."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """`tfenv why [OPTIONS] NAME`."""
        arguments = [_metavar(param) for param in self.get_params(ctx) if _is_argument(param)]  # type: ignore[attr-defined]
        rest = ["COMMAND", "[ARGUMENTS]..."] if isinstance(self, TyperGroup) else arguments
        formatter.write_usage(ctx.command_path, " ".join(("[OPTIONS]", *rest)))

    def format_examples(self, ctx: Any, formatter: Any) -> None:
        """Commands that can be pasted."""
        if examples := EXAMPLES.get(ctx.command_path):
            formatter.write_paragraph()
            formatter.write("Examples:\n")
            for example in examples:
                formatter.write(f"  {example}\n")

    def format_sections(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, then options by task."""
        params = self.get_params(ctx)  # type: ignore[attr-defined]
        if arguments := [(_metavar(param), param.help or "") for param in params if _is_argument(param)]:
            with formatter.section("Arguments"):
                formatter.write_dl(arguments)
        for title, records in _by_task([param for param in params if not _is_argument(param)], ctx):
            with formatter.section(title):
                formatter.write_dl(records)


class HelpfulCommand(_Layout, TyperCommand):
    """A command whose help has examples, and its options by task."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the examples first, because most readers look for them."""
        self.format_examples(ctx, formatter)
        self.format_sections(ctx, formatter)


class HelpfulGroup(_Layout, TyperGroup):
    """A group whose help has examples before the list of commands."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Examples, commands, options."""
        self.format_examples(ctx, formatter)
        self.format_commands(ctx, formatter)
        self.format_sections(ctx, formatter)


def _is_argument(param: Any) -> bool:
    return bool(param.param_type_name == "argument")


def _metavar(argument: Any) -> str:
    """`NAME`, `[NAME]` if it may be left out, `PATH...` if there may be several."""
    name = argument.metavar or argument.name.upper()
    several = "..." if argument.nargs == -1 else ""
    return f"{name}{several}" if argument.required else f"[{name}]{several}"


def _by_task(options: list[Any], ctx: Any) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Title and records of each section that has options; the order is that of `_SECTIONS`."""
    titles = {name: title for title, names in _SECTIONS.items() for name in names}
    sections: dict[str, list[tuple[str, str]]] = {title: [] for title in (*_SECTIONS, _GENERAL)}
    for option in options:
        if (record := option.get_help_record(ctx)) is not None:
            title = next((titles[name] for name in option.opts if name in titles), _GENERAL)
            sections[title].append(record)
    yield from ((title, records) for title, records in sections.items() if records)
