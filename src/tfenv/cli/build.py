"""`tfenv build`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfenv.cli import _console, _options
from tfenv.errors import UsageError
from tfenv.outputs.names import lock_name

if TYPE_CHECKING:
    from tfenv.workflow.build import Built


def build(
    lock_file: Annotated[
        Path | None, typer.Option("--lock", metavar="FILE", help="Lock to build  [default: pylock.toml]")
    ] = None,
    target: _options.TARGET = None,
    tag: Annotated[
        str | None, typer.Option("-t", "--tag", metavar="TAG", help="Name of the image  [default: from the lock]")
    ] = None,
    base_image: Annotated[
        str | None, typer.Option("--base-image", metavar="REF", help="Base image  [default: that of the lock]")
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="docker|oci",
            help="docker: the engine builds the Dockerfile; oci: assemble from the wheels",
        ),
    ] = "docker",
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="DIR", help="With --format oci: write an OCI image layout to this folder"),
    ] = None,
    push: Annotated[
        str | None, typer.Option("--push", metavar="REF", help="With --format oci: push to a registry")
    ] = None,
    network: Annotated[
        bool,
        typer.Option("--network", help="Download inside the build, with the proxies and certificates of this host"),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Build every layer, even if the image exists")] = False,
    offline: _options.OFFLINE = False,
    json_output: _options.JSON = False,
    quiet: _options.QUIET = False,
    verbose: _options.VERBOSE = False,
) -> None:
    """Build the image of a lock.

    Wheels are downloaded and checked on this host. The container engine then builds the Dockerfile, or with
    `--format oci` the image is assembled from the wheels without a container.
    """
    _console.configure(json_output=json_output, quiet=quiet, verbose=verbose)
    from tfenv.workflow import build as workflow

    if form == "docker" and (out is not None or push is not None):
        raise UsageError("`--out` and `--push` need an image that no engine holds", hint="add `--format oci`")
    lock = lock_file or Path(lock_name(target))
    with _console.progress() as progress:
        if out is not None or push is not None:
            digest = workflow.publish(
                lock, folder=out, reference=push, base=base_image, offline=offline, progress=progress
            )
        else:
            built = workflow.build(
                lock,
                form=form,
                tag=tag,
                base=base_image,
                network=network,
                force=force,
                offline=offline,
                progress=progress,
            )
    if out is not None or push is not None:
        _published(digest, out, push)
    else:
        _built(built)


def _published(digest: str, out: Path | None, push: str | None) -> None:
    if _console.json_mode():
        _console.document({"digest": digest, "folder": None if out is None else str(out), "pushed": push})
        return
    _console.say(f"wrote {' and '.join(str(each) for each in (out, push) if each is not None)}")
    _console.data(digest)


def _built(built: Built) -> None:
    if _console.json_mode():
        _console.document({"image": built.image.id, "tag": built.tag, "size": built.image.size, "built": built.fresh})
        return
    _console.say(
        f"{'built' if built.fresh else 'already built from this lock:'} {built.tag} · {built.image.size / 1e9:.2f} GB"
    )
    _console.data(built.image.id)
    _console.say(f"next: tfenv smoke {built.tag}")
