"""Requirements files are read as pip reads them; what a lock cannot hold is refused, all at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tfenv.errors import UsageError
from tfenv.inputs.requirements import Requirements, read

HASH = "a" * 64


def read_files(
    files: dict[str, str], *, constraints: tuple[str, ...] = (), environment: dict[str, str] | None = None
) -> Requirements:
    """Read the first file, with the others around it."""

    def read_text(path: Path) -> str:
        try:
            return files[os.path.normpath(path).replace(os.sep, "/")]
        except KeyError:
            raise FileNotFoundError(2, "No such file or directory", str(path)) from None

    first = next(iter(files))
    return read([Path(first)], read_text, constraints=[Path(each) for each in constraints], environment=environment)


def lines(content: str) -> list[str]:
    """The requirements in a text."""
    return [str(each) for each in read_files({"r.txt": content}).requirements]


def faults(files: dict[str, str]) -> tuple[str, ...]:
    """The faults in files."""
    with pytest.raises(UsageError) as caught:
        read_files(files)
    return caught.value.faults


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("numpy\n", ["numpy"]),
        ("\ufeffNum_Py >= 1.26 , < 3\n", ["num-py<3,>=1.26"]),
        ("# all\n\n  \nnumpy # why\nsix#egg\n", None),
        ("numpy # why\n", ["numpy"]),
        ("requests[socks, use_chardet_on_py3]==2.32\n", ["requests[socks,use-chardet-on-py3]==2.32"]),
        ("six ; python_version < '3'\n", ['six; python_version < "3"']),
        ("numpy \\\n  >=1 \\\n  ,<3\n", ["numpy<3,>=1"]),
        ("numpy\\\n# a comment ends it\n==1\n", None),
        ("numpy \\\n# a comment ends it\nsix\n", ["numpy", "six"]),
        ("# a comment \\\nnumpy\n", ["numpy"]),
        ("numpy\\", ["numpy"]),
        ("numpy==1 \\\r\n    --hash=sha256:" + HASH + "\r\n", ["numpy==1"]),
        (f"numpy==1; os_name == 'posix' --hash sha256:{HASH} --hash=sha256:{HASH}", ['numpy==1; os_name == "posix"']),
    ],
)
def test_lines(content: str, expected: list[str] | None) -> None:
    """Comments, continuations, markers, extras, hashes: a line is what pip takes it for."""
    if expected is None:
        assert faults({"r.txt": content})
    else:
        assert lines(content) == expected


def test_each_requirement_says_where_it_stands() -> None:
    """The source is the file and the line where the requirement begins; the folder of the first file is left out."""
    read = read_files(
        {"/home/me/r.txt": "\n# x\nnumpy \\\n  <3\nsix\n-r sub/more.txt\n", "/home/me/sub/more.txt": "wheel\n"}
    )
    assert [each.source for each in read.requirements] == ["r.txt:3", "r.txt:5", "sub/more.txt:1"]


def test_includes_are_followed_from_where_they_stand() -> None:
    """Paths are relative to the file that names them; a file read twice, or by itself, is read once."""
    read = read_files(
        {
            "in/r.txt": "-r more/a.txt\n--requirement=more/../b.txt\n-c c.txt\n",
            "in/more/a.txt": "a\n-r ../b.txt\n-rb.txt\n-r '../r.txt'\n",
            "in/more/b.txt": "inner-b\n-r a.txt\n",
            "in/b.txt": "b\n",
            "in/c.txt": "numpy<2\n-c d.txt\n-r wanted.txt\n",
            "in/d.txt": "six==1\n",
            "in/wanted.txt": "wanted\n",
        }
    )
    assert [each.name for each in read.requirements] == ["a", "b", "inner-b", "wanted"]
    assert [str(each) for each in read.constraints] == ["numpy<2", "six==1"]


def test_constraints_can_be_given_apart() -> None:
    """A file given with `-c` bounds and asks for nothing."""
    read = read_files({"r.txt": "numpy\n", "c.txt": "numpy<2\n"}, constraints=("c.txt",))
    assert [str(each) for each in read.requirements] == ["numpy"]
    assert [str(each) for each in read.constraints] == ["numpy<2"]


def test_indexes_are_handed_on() -> None:
    """The last index wins, as in pip; further ones keep their order; variables hold what must not be written down."""
    read = read_files(
        {"r.txt": "-i https://a/\n--index-url=https://u:${TOKEN}@b/simple\n--extra-index-url https://c/\n"
         "--extra-index-url 'https://d/'\n--extra-index-url https://c/\n"},
        environment={"TOKEN": "t0ken"},
    )  # fmt: skip
    assert read.index_url == "https://u:t0ken@b/simple"
    assert read.extra_index_urls == ("https://c/", "https://d/")


def test_what_is_left_out_of_account_is_said_once() -> None:
    """Hashes and options that mean nothing to a lock are noted, one line for each kind and file."""
    read = read_files(
        {
            "r.txt": f"--pre\n--trusted-host pypi.org\nnumpy==1 --hash=sha256:{HASH}\nsix==1 --hash=sha256:{HASH}\n"
            "h5py -C a=b\n--no-binary=:all:\n--prefer-binary\n"
        }
    )
    assert [str(each) for each in read.requirements] == ["numpy==1", "six==1", "h5py"]
    assert len(read.notes) == 6
    assert sum("hashes" in note for note in read.notes) == 1
    assert any("`--pre`" in note for note in read.notes)


def test_every_line_that_cannot_be_read_is_named() -> None:
    """Nonsense, unknown options, missing files: each with file and line, all in one answer."""
    found = faults(
        {
            "r.txt": "numpy=1\n--no-index\n--frobnicate\n-r gone.txt\n-r https://u:s3cret@e.org/r.txt\n-r\n"
            "numpy --frobnicate\n${GONE}\n-r bad.txt\na: b\n",
            "bad.txt": "ok\nnot ok\n",
        }
    )
    wanted = [*(f"r.txt:{number}:" for number in range(1, 9)), "bad.txt:2:", "r.txt:10:"]
    assert [fault.split(" ")[0] for fault in found if "`unset`" not in fault] == wanted
    text = "\n".join(found)
    assert "s3cret" not in text
    assert "`GONE` is not set" in text
    assert "r.txt:4: `gone.txt` cannot be read: No such file" in text


def test_what_does_not_come_from_an_index_is_left_out() -> None:
    """Paths, URLs, version control, editables: each with its name, if it has one, and without passwords."""
    written = [
        ("-e .", None),
        ("--editable=git+https://u:s3cret@e.org/x#egg=x", "x"),
        ("git+https://e.org/x.git@main#egg=y", "y"),
        ("./local", None),
        ("wheels/six-1-py3-none-any.whl", None),
        ("six @ https://u:s3cret@e.org/six.whl", "six"),
        ("file:///six", None),
        ("C:\\six", None),
        ("mine==1.0 --extra-index-url https://e.org/simple", "mine"),
    ]
    found = read_files(
        {"r.txt": "\n".join(line for line, _ in written) + "\nnumpy @ file:///croot/numpy_1/work\nscipy"}
    )
    assert [each.name for each in found.elsewhere] == [name for _, name in written]
    assert [each.where for each in found.elsewhere] == [f"r.txt:{number}" for number in range(1, len(written) + 1)]
    assert "s3cret" not in str(found)
    assert [each.name for each in found.requirements] == ["scipy"]
    assert found.notes == ("r.txt:10: conda installed `numpy`, of an unknown version",)


def test_constraints_have_no_extras() -> None:
    """As in pip, a constraint with extras is an error."""
    assert "cannot have extras" in faults({"r.txt": "-c c.txt\n", "c.txt": "numpy[x]<2\n"})[0]


def test_a_first_file_that_is_not_there_is_named() -> None:
    """The message has the path, and the reason."""
    with pytest.raises(UsageError) as caught:
        read([Path("gone.txt")], lambda path: (_ for _ in ()).throw(UsageError(f"no `{path}`")))
    assert caught.value.faults == ("gone.txt: `gone.txt` cannot be read: no `gone.txt`",)
