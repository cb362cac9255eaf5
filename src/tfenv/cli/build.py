"""`tfenv build`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfenv.cli import _console, _options


def build(
    lock_file: Annotated[
        Path | None, typer.Option("--lock", metavar="FILE", help="The lock to build  [default: pylock.toml]")
    ] = None,
    target: _options.TARGET = None,
    tag: Annotated[
        str | None, typer.Option("-t", "--tag", metavar="TAG", help="Name of the image  [default: from the lock]")
    ] = None,
    base_image: Annotated[
        str | None, typer.Option("--base-image", metavar="REF", help="Start from this image, not from the lock's.")
    ] = None,
    network: Annotated[
        bool, typer.Option("--network", help="Download inside the build, with this host's proxies and certificates.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Build every layer anew, even if the image is there.")] = False,
    offline: _options.OFFLINE = False,
    json_output: _options.JSON = False,
    quiet: _options.QUIET = False,
    verbose: _options.VERBOSE = False,
) -> None:
    """Build the image of a lock; wheels are fetched here, checked, and handed to the engine."""
    _console.configure(json_output=json_output, quiet=quiet, verbose=verbose)
    from tfenv.workflow import render
    from tfenv.workflow.build import build as build_image

    lock = render.read_lock(lock_file or Path(render.lock_name(target)))
    with _console.progress() as progress:
        built = build_image(
            lock, tag=tag, base=base_image, network=network, force=force, offline=offline, progress=progress
        )
    if json_output:
        _console.document({"image": built.image.id, "tag": built.tag, "size": built.image.size, "built": built.fresh})
        return
    _console.say(
        f"{'built' if built.fresh else 'already built from this lock:'} {built.tag} · {built.image.size / 1e9:.2f} GB"
    )
    _console.data(built.image.id)
    _console.say(f"next: tfenv smoke {built.tag}")
