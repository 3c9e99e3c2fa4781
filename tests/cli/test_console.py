"""What reaches a terminal, a pipe or nothing at all."""

from __future__ import annotations

import io
import json
import sys
import time

import pytest

from organelle_widgets.cli import _console, main
from organelle_widgets.errors import ExportError


def _stream(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode(stream.encoding)


@pytest.mark.parametrize(("encoding", "word"), [("ascii", "0.08 µm"), ("utf-8", "\udcff")])
def test_json_stays_json_where_a_letter_can_not_be_written(
    monkeypatch: pytest.MonkeyPatch, encoding: str, word: str
) -> None:
    stream = _stream(encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    _console.say_json({"note": word})
    assert json.loads(_written(stream)) == {"note": word}


def test_text_is_written_with_escapes_where_a_letter_is_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = _stream("ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    _console.say("细胞: 3 cells")
    assert _written(stream) == "\\u7ec6\\u80de: 3 cells\n"


def test_closed_streams_take_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    _console.say("gone")
    _console.say_error("gone")


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    with pytest.raises(ExportError, match="standard output: No space left on device"):
        _console.say("lost")


def test_brackets_in_a_name_are_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("TERM", "xterm")
    with _console.progress_line("Analysing") as progress:
        progress("a[/b] (1/1)", 0.5)
        time.sleep(0.3)
    assert "a[/b] (1/1)" in stderr.getvalue()


def test_ctrl_c_while_starting_is_told_in_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("organelle_widgets.cli.make_parser", stopped)
    assert main(["doctor"]) == 130
    assert capsys.readouterr() == ("", "organelle-widgets: Stopped.\n")
