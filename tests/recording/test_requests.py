from __future__ import annotations

import logging

import pytest

from ltviz.errors import ConfigError, RecordingError
from ltviz.recording import send_request, writer


def test_requests_arrive_once_in_the_order_they_were_sent(create, monkeypatch):
    monkeypatch.setattr(writer, "REQUEST_SECONDS", 0.0)
    with create() as made:
        assert made.requests() == []
        send_request(made.path, "pause")
        send_request(made.path, "set", {"temperature": 0.2, "queue": 512})
        send_request(made.path, "resume")
        got = made.requests()
        assert [request.kind for request in got] == ["pause", "set", "resume"]
        assert got[1].values == {"temperature": 0.2, "queue": 512}
        assert made.requests() == []
        assert list((made.path / "control").iterdir()) == []


def test_the_disk_is_not_looked_at_in_every_step(create, monkeypatch):
    looks = []
    monkeypatch.setattr(writer, "take_requests", lambda path: looks.append(path) or [])
    with create() as made:
        for _ in range(1000):
            made.requests()
    assert len(looks) < 20


@pytest.mark.parametrize(("kind", "values"), [("dance", None), ("set", {"temperature": [1]}), ("set", {"x": None})])
def test_requests_nobody_would_understand_are_not_sent(create, kind, values):
    with create() as made, pytest.raises(ConfigError, match="A request must be"):
        send_request(made.path, kind, values)
    assert list((made.path / "control").iterdir()) == []


def test_there_must_be_somebody_to_ask(tmp_path):
    with pytest.raises(RecordingError, match="no run to send 'stop' to"):
        send_request(tmp_path / "gone", "stop")
    assert list(tmp_path.iterdir()) == []


def test_a_request_that_makes_no_sense_hurts_no_other(create, monkeypatch, caplog):
    monkeypatch.setattr(writer, "REQUEST_SECONDS", 0.0)
    with create() as made:
        control = made.path / "control"
        (control / "a.json").write_text('{"kind": "explode"}')
        (control / "b.json").write_text("x" * 100_000)
        (control / "c.json").mkdir()
        (control / "d.json").symlink_to("/etc/passwd")
        (control / ".half.json.1-2.tmp").write_text("{")
        send_request(made.path, "stop")
        with caplog.at_level(logging.WARNING, "ltviz"):
            assert [request.kind for request in made.requests()] == ["stop"]
        assert len(caplog.records) == 4
        assert made.requests() == []
