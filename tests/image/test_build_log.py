"""Messages of a build, as engines send them."""

from __future__ import annotations

import pytest

from tests.support.recorder import Recorder
from tfenv.errors import EngineError
from tfenv.image.build_log import BUILDING, follow
from tfenv.model.progress import Silent

STEPS: list[dict[str, object]] = [
    {"stream": "Step 1/2 : FROM python"},
    {"stream": "\n"},
    {"status": "Downloading", "progressDetail": {"current": 1, "total": 2}, "id": "abc"},
    {"stream": " ---> 0123456789ab\n"},
    {"stream": "Step 2/2 : RUN printf '%s\\n'       'six==1.17.0'  >/requirements.txt\n"},
    {"stream": " ---> Running in 0123456789ab\n"},
    {"stream": "\x1b[91mERROR: one\n\x1b[0m"},
]


def test_names_the_image() -> None:
    """The id comes in an `aux` message, after those of other things."""
    messages: list[dict[str, object]] = [
        *STEPS,
        {"aux": {"Digest": "x"}},
        {"aux": {"ID": "sha256:12"}},
        {"stream": "Successfully built 12\n"},
    ]
    assert follow(messages, Silent()) == "sha256:12"


def test_reports_steps() -> None:
    """Each step but the running one is done; at the end the task is over."""
    told = Recorder()
    follow([*STEPS, {"aux": {"ID": "sha256:12"}}], told)
    assert told.totals == {BUILDING: 2}
    assert told.done == {BUILDING: 1}
    assert told.finished == [BUILDING]


def test_says_which_step_failed_and_what_it_said_last() -> None:
    """The step on one line, then its output without colours and engine noise, then the engine's verdict."""
    told = Recorder()
    with pytest.raises(EngineError) as caught:
        follow([*STEPS, {"errorDetail": {"code": 1, "message": "m"}, "error": "returned a non-zero code: 1"}], told)
    assert caught.value.message == (
        "the build failed in step 2 of 2, `RUN printf '%s\\n' 'six==1.17.0' >/requirements.txt`:\n"
        "  ERROR: one\n"
        "  returned a non-zero code: 1"
    )
    assert told.finished == [BUILDING]


def test_shows_the_last_lines_only() -> None:
    """A long output is cut from its beginning, a long instruction at its end."""
    output = "".join(f"line {number}\n" for number in range(100))
    with pytest.raises(EngineError) as caught:
        follow([{"stream": f"Step 1/1 : RUN {'x' * 300}"}, {"stream": output}, {"error": "e"}], Silent())
    lines = caught.value.message.splitlines()
    assert len(lines[0]) < 150
    assert lines[1] == "  line 80"
    assert lines[-2:] == ["  line 99", "  e"]


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        ("write /x: no space left on device", "docker system prune"),
        ("pull access denied for a, repository does not exist", "--base-image"),
        ('Get "https://registry-1.docker.io/v2/": dial tcp: no such host', "--base-image"),
    ],
)
def test_hints_at_what_to_do(error: str, hint: str) -> None:
    """Where the reason is known, so is the way out."""
    with pytest.raises(EngineError) as caught:
        follow([{"error": error}], Silent())
    assert caught.value.hint is not None
    assert hint in caught.value.hint


def test_an_end_without_an_image_is_an_error() -> None:
    """An engine that is stopped ends its stream in the middle."""
    with pytest.raises(EngineError, match="ended the build in step 2 of 2"):
        follow(STEPS, Silent())
