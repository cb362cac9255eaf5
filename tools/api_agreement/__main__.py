"""`python -m tools.api_agreement RELEASE[@PYTHON]…`: does the table of symbols say what an import of the release shows?

Each release is installed as tfenv locks it (CPU only), imported, and walked; then every name and every signature is
compared, of `tensorflow`, and of the `keras` that stands beside it from 2.6 on. `explained.toml` says why some differ.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from packaging.version import Version

from tfenv.facts.database import load
from tfenv.model.package import Name
from tfenv.store.cache import Cache
from tfenv.symbols import database as symbols
from tools.api_agreement.compare import Agreement, compare, told, without_details
from tools.api_agreement.environment import walk
from tools.api_agreement.explained import unexplained

BAR = 0.995


def main() -> None:
    """Compare releases, print a line for each package, and fail if one is below the bar."""
    parser = argparse.ArgumentParser(prog="python -m tools.api_agreement", description=__doc__)
    parser.add_argument("releases", nargs="+", metavar="RELEASE[@PYTHON]", help="2.15.1, or 2.15.1@3.11")
    parser.add_argument("--table", type=Path, help="another folder than `constraints/symbols/api`")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="so many unexplained ones of each kind")
    options = parser.parse_args()
    below = False
    for release in options.releases:
        for (package, version), agreement in agreements(release, options.table).items():
            below = below or min(agreement.names, agreement.parameters) < BAR
            rest = unexplained(package, version, agreement.differences)
            print(f"{release} {package} {version}: {line(agreement)}, {len(rest)} unexplained", flush=True)
            for text in differences(agreement, options.show, rest):
                print(f"    {text}", flush=True)
    sys.exit(below)


def agreements(
    text: str, table: Path | None = None, cache: Cache | None = None
) -> dict[tuple[str, Version], Agreement]:
    """By package and its version, for a release with or without the Python to take (else the newest that it is for)."""
    release, _, python = text.partition("@")
    database = load()
    directory = table or symbols.load().root / "api"
    packages = ("tensorflow", "keras") if Version(release) >= Version("2.6") else ("tensorflow",)
    chosen = Version(python) if python else newest_python(release)
    found = walk(release, chosen, packages, database=database, cache=cache or Cache())
    keras = found["keras"].version if "keras" in found else None
    result: dict[tuple[str, Version], Agreement] = {}
    for package, walked in found.items():
        version = Version(release) if package == "tensorflow" else walked.version
        names = told(directory, package, version, keras=None if package == "keras" else keras)
        result[package, version] = compare(without_details(names, walked.inner, walked.failed), walked.symbols)
    return result


def newest_python(release: str) -> Version:
    """That a release has a Linux wheel for."""
    facts = load().releases.release(Name("tensorflow"), Version(release))
    assert facts is not None, f"{release} is no release"
    pythons = [wheel.python.removeprefix("cp") for wheel in facts.wheels if "linux" in wheel.platform_tag]
    return max(Version(f"{tag[0]}.{tag[1:]}") for tag in pythons if tag.isdigit())


def line(agreement: Agreement) -> str:
    """One line of figures."""
    return (
        f"{agreement.names:.2%} of the names ({len(agreement.both)} both, {len(agreement.told)} only told,"
        f" {len(agreement.real)} only real), {agreement.parameters:.2%} of {len(agreement.signatures)} signatures"
    )


def differences(agreement: Agreement, most: int, names: frozenset[str]) -> list[str]:
    """The first few of each kind, of these names."""
    lines = [f"only told: {name}" for name in sorted(agreement.told & names)[:most]]
    lines += [f"only real: {name}" for name in sorted(agreement.real & names)[:most]]
    for name in sorted(set(agreement.differing) & names)[:most]:
        ours, theirs = agreement.differing[name]
        lines.append(f"signature: {name}: told {sorted(ours - theirs)}, real {sorted(theirs - ours)}")
    return lines


if __name__ == "__main__":
    main()
