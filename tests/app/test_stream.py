"""The stream as a browser meets it: refusals, following, acknowledging, scrubbing, looping, projecting, vanishing."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from ltviz_app.service import stream
from ltviz_app.service.studio import Studio
from ltviz_app.words.served import event_text
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

import ltviz
from ltviz.recording.attention import read_attention

TOKEN = "a-token"


# ---------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        (f"?runs=run-one&token={TOKEN}x", {}),
        ("?runs=run-one", {}),
        (f"?runs=run-one,../../etc&token={TOKEN}", {}),
        (f"?runs=run-one,UPPER&token={TOKEN}", {}),
        (f"?runs=run-one,linked&token={TOKEN}", {}),
        (f"?runs=&token={TOKEN}", {}),
        (f"?runs={','.join(f'run-{i}' for i in range(50))}&token={TOKEN}", {}),
        (f"?runs=run-one&token={TOKEN}&projection=nonsense", {}),
        (f"?runs=run-one&token={TOKEN}&step=abc", {}),
        (f"?runs=run-one&token={TOKEN}&hz=nan", {}),
        (f"?runs=run-one&token={TOKEN}", {"Origin": "http://evil.example"}),
        (f"?runs=run-one&token={TOKEN}", {"Origin": "http://localhost:9999"}),
        (f"?runs=run-one&token={TOKEN}", {"Origin": "null"}),
    ],
)
def test_what_is_not_in_order_is_refused_as_a_whole(
    address: str, home: Path, tmp_path: Path, query: str, headers: dict[str, str], runs
):
    runs.finished(home, "run-one")
    runs.finished(tmp_path / "elsewhere", "linked")
    (home / "linked").symlink_to(tmp_path / "elsewhere" / "linked")
    with pytest.raises(InvalidStatus) as refused:
        connect(address + query, additional_headers=headers)
    assert refused.value.response.status_code == 403


def test_our_own_page_is_let_in(address: str, home: Path, runs):
    runs.finished(home, "run-one")
    origin = "http" + address.removeprefix("ws").removesuffix("/ltviz/stream")
    with connect(f"{address}?runs=run-one&token={TOKEN}", origin=origin) as session:
        assert session.recv(timeout=30)


# ---------------------------------------------------------------------- what comes


def test_a_finished_run_loops_and_is_introduced_once(talk, home: Path, runs):
    runs.finished(home, "run-one", steps=(0, 5, 10))
    viewer = talk("run-one", hz=20)
    viewer.wait(lambda: [f["step"] for f in viewer.frames()].count(0) >= 2)
    steps = [f["step"] for f in viewer.frames()]
    assert steps[:3] == [0, 5, 10]
    assert [f["seq"] for f in viewer.frames()] == list(range(1, len(steps) + 1))
    assert len(viewer.of("run")) == 1 and viewer.of("run")[0]["class_names"] == ["seven", "two", "nine"]
    kinds = [h.get("type", "frame") for h, _ in viewer.messages]
    assert kinds.index("run") < kinds.index("frame")
    state = viewer.of("state")[0]
    assert (state["state"], state["first"], state["last"], state["frames"]) == ("finished", 0, 10, 3)
    assert state["steps"] == [0, 5, 10]
    assert not any(f["live"] for f in viewer.frames())
    assert {*kinds} >= {"run", "state", "clock", "frame"}
    assert all(("step" in h) == ("type" not in h) for h, _ in viewer.messages), "a header with a step is a frame"


def test_a_live_run_is_followed_as_its_frames_come(talk, home: Path, runs):
    with runs.begin(home, "run-one") as writer:
        runs.frame(writer, 0)
        viewer = talk("run-one")
        viewer.wait(lambda: viewer.frames())
        before = time.time()
        runs.frame(writer, 3)
        newest = viewer.wait(lambda: [f for f in viewer.frames() if f["step"] == 3])[0]
        assert newest["live"] and before - 1 < newest["time"] < time.time() + 1, "when it was written"
        assert newest["metrics"]["accuracy_few"] == pytest.approx(0.43)
    viewer.wait(lambda: any(s["state"] == "finished" for s in viewer.of("state")))
    news = [step for state in viewer.of("state") for step in state["steps"]]
    assert news == [0, 3], "each new step is told once"


def test_what_happened_is_marked_on_the_timeline(talk, home: Path, runs):
    event = {"kind": "setting", "name": "temperature", "value": 0.2, "before": 0.1, "step": 5}
    with runs.begin(home, "run-one") as writer:
        runs.frame(writer, 0)
        runs.frame(writer, 5, events=[event])
    for step in (5, 0):  # whatever step is looked at
        viewer = talk("run-one", step=step)
        viewer.wait(lambda viewer=viewer: any(state["events"] for state in viewer.of("state")))
        assert viewer.of("state")[-1]["events"] == [[5, "setting", "temperature set from 0.1 to 0.2"]]
        viewer.session.close()


def test_many_events_are_told_again_only_where_there_are_others(talk, home: Path, runs, monkeypatch):
    monkeypatch.setattr(stream, "FEW_EVENTS", 2)
    with runs.begin(home, "run-one") as writer:
        runs.frame(writer, 0, events=[{"kind": "note", "text": f"event {i}", "step": 0} for i in range(3)])
        viewer = talk("run-one")
        viewer.wait(lambda: viewer.of("state"))
        runs.frame(writer, 1)
        viewer.wait(lambda: viewer.of("state")[-1]["last"] == 1)
        assert next(state for state in viewer.of("state") if state["last"] == 1)["events"] is None
        runs.frame(writer, 2, events=[{"kind": "note", "text": "another", "step": 2}])
        viewer.wait(lambda: viewer.of("state")[-1]["last"] == 2)
        told = [state["events"] for state in viewer.of("state")]
    assert len(told[0]) == 3 and len(told[-1]) == 4


def test_swapped_matchings_are_told_by_the_names_of_their_classes():
    names = ["seven", "two", "<b>"]
    assert event_text({"kind": "renewed", "step": 3}) == "the optimiser begins afresh, and its schedule again"
    assert event_text({"kind": "swap", "classes": [0, 2]}, names) == "other targets for seven, <b>"
    assert event_text({"kind": "swap", "classes": [9, -1, "x"]}, names) == "other targets for some classes"
    assert event_text({"kind": "swap", "classes": {"a": 1}}) == "other targets for some classes"
    assert event_text({"kind": "swap", "classes": [*range(3)] * 4}, names).endswith("seven, two and more")


def test_the_hub_waits_for_a_run_that_is_not_there_yet(talk, home: Path, runs):
    runs.finished(home, "old-run")
    viewer = talk("old-run,new-run", hz=20)
    viewer.wait(lambda: viewer.frames("old-run"))
    assert viewer.wait(lambda: viewer.of("state", "new-run"))[0]["state"] == "queued"
    with runs.begin(home, "new-run") as writer:
        runs.frame(writer, 0)
        assert viewer.wait(lambda: viewer.frames("new-run"))[0]["step"] == 0


def test_without_acknowledgement_two_frames_are_in_flight_and_the_newest_is_next(talk, home: Path, runs):
    with runs.begin(home, "run-one") as writer:
        runs.frame(writer, 0)
        viewer = talk("run-one", acknowledge=False)
        viewer.wait(lambda: len(viewer.frames()) == 1)
        runs.frame(writer, 1)
        viewer.wait(lambda: len(viewer.frames()) == 2)
        for step in range(2, 8):
            runs.frame(writer, step)
        viewer.wait(lambda: any(7 in s["steps"] for s in viewer.of("state")))
        time.sleep(0.3)
        assert [f["step"] for f in viewer.frames()] == [0, 1]
        viewer.say(ack=1)
        viewer.wait(lambda: len(viewer.frames()) == 3)
        assert viewer.frames()[-1]["step"] == 7, "what was between is never sent"


def test_one_slow_viewer_does_not_hold_up_another(talk, home: Path, runs):
    runs.finished(home, "run-one", steps=tuple(range(10)))
    slow, quick = talk("run-one", acknowledge=False, hz=30), talk("run-one", hz=30)
    quick.wait(lambda: len(quick.frames()) > 8)
    assert len(slow.frames()) <= 2


def test_holding_a_step_shows_the_newest_frame_at_or_before_it(talk, home: Path, runs):
    runs.finished(home, "run-one", steps=(0, 5, 10))
    runs.finished(home, "run-two", steps=(0, 6, 12))
    viewer = talk("run-one,run-two", step=5)
    viewer.wait(lambda: viewer.frames("run-one") and viewer.frames("run-two"))
    assert (viewer.frames("run-one")[0]["step"], viewer.frames("run-two")[0]["step"]) == (5, 0)
    assert viewer.of("clock")[0]["mode"] == "hold" and viewer.of("clock")[0]["at"] == 5
    viewer.say(step=11)
    viewer.wait(lambda: viewer.frames("run-one")[-1]["step"] == 10 and viewer.frames("run-two")[-1]["step"] == 6)
    count = len(viewer.frames())
    time.sleep(0.3)
    assert len(viewer.frames()) == count, "a held clock stands still"


def test_scrubbing_ends_at_the_last_wish(talk, home: Path, runs):
    runs.finished(home, "run-one", steps=tuple(range(40)))
    viewer = talk("run-one", step=0)
    viewer.wait(lambda: viewer.frames())
    for step in range(1, 40):
        viewer.say(step=step)
    viewer.wait(lambda: viewer.frames()[-1]["step"] == 39)


def test_play_speed_and_live(talk, home: Path, runs):
    runs.finished(home, "run-one", steps=tuple(range(5)))
    viewer = talk("run-one", step=0)
    viewer.wait(lambda: viewer.frames())
    viewer.say(speed=2)
    viewer.say(play=True, **{"from": 2})
    viewer.wait(lambda: viewer.frames()[-1]["step"] == 4)
    clock = viewer.of("clock")[-1]
    assert (clock["mode"], clock["speed"]) == ("play", 2.0)
    viewer.say(live=True)
    viewer.wait(lambda: viewer.of("clock")[-1]["mode"] == "follow")


@pytest.mark.parametrize(
    "nonsense", ["", "[]", "7", '{"step": "x"}', '{"ack": null}', '{"step": 1e999}', '{"speed": []}']
)
def test_nonsense_from_a_client_gets_a_sentence_and_hurts_nothing(talk, home: Path, nonsense: str, runs):
    runs.finished(home, "run-one")
    viewer = talk("run-one", hz=20)
    viewer.session.send(nonsense)
    viewer.wait(lambda: viewer.of("error"))
    count = len(viewer.frames())
    viewer.wait(lambda: len(viewer.frames()) > count + 2)


def test_beyond_three_dimensions_a_projection_is_shown_and_says_so(talk, home: Path, runs):
    runs.finished(home, "run-one", dim=8)
    viewer = talk("run-one", projection="pca", hz=20)
    first = viewer.wait(lambda: viewer.frames())[0]
    assert first["projection"]["name"] == "pca" and 0 <= first["projection"]["kept_variance"] <= 1
    payload = next(p for h, p in viewer.messages if "seq" in h)
    xyz = np.frombuffer(payload, "<i2").reshape(-1, 3) / 32767
    assert len(xyz) == 30 and np.linalg.norm(xyz, axis=1).max() <= 1.001


@pytest.mark.parametrize("dim", [2, 3])
def test_up_to_three_dimensions_the_embedding_itself_is_shown(talk, home: Path, dim: int, runs):
    runs.finished(home, "run-one", dim=dim, steps=(4,))
    viewer = talk("run-one")
    first = viewer.wait(lambda: viewer.frames())[0]
    assert first["projection"] is None
    payload = next(p for h, p in viewer.messages if "seq" in h)
    xyz = np.frombuffer(payload, "<i2").reshape(-1, 3) / 32767
    np.testing.assert_allclose(xyz[:, :dim], runs.points(4, 30, dim), atol=2e-5)
    assert not xyz[:, dim:].any()


def test_what_is_selected_is_kept_for_other_programs(talk, home: Path, runs):
    runs.finished(home, "run-one")
    viewer = talk("run-one")
    viewer.wait(lambda: viewer.frames())
    assert read_attention(home) is None
    viewer.say(selected=[3, 5])
    viewer.wait(lambda: read_attention(home) is not None)
    assert (read_attention(home).runs, read_attention(home).sample_ids) == (["run-one"], [3, 5])
    viewer.say(selected=["../x"])
    viewer.wait(lambda: viewer.of("error"))
    assert read_attention(home).sample_ids == [3, 5]
    viewer.say(selected=[])
    viewer.wait(lambda: read_attention(home).sample_ids == [])


def test_a_viewer_to_whom_nothing_happens_hears_that_the_server_is_there(talk, home: Path, runs):
    runs.finished(home, "run-one")
    viewer = talk("run-one", step=5)
    viewer.wait(lambda: len(viewer.of("beat")) >= 2)
    rests = []
    while not rests or (min(rests) >= 2.0 and len(rests) < 5):  # on a busy machine one may be late
        told, began = len(viewer.messages), time.monotonic()
        viewer.wait(lambda told=told: len(viewer.messages) > told)
        rests.append(time.monotonic() - began)
    assert min(rests) < 2.0, "often enough for three seconds of silence to mean something"


# ---------------------------------------------------------------------- what goes wrong


def test_a_damaged_frame_is_left_out_and_the_others_come(talk, home: Path, runs):
    folder = runs.finished(home, "run-one", steps=(0, 5, 10))
    damaged = folder / "frames" / "000000005.safetensors"
    data = bytearray(damaged.read_bytes())
    data[-3] ^= 1
    damaged.write_bytes(bytes(data))
    viewer = talk("run-one", hz=20)
    viewer.wait(lambda: [f["step"] for f in viewer.frames()].count(0) >= 2)
    assert {f["step"] for f in viewer.frames()} == {0, 10}


def test_a_run_deleted_while_watched_says_so_and_may_come_back(talk, home: Path, runs):
    folder = runs.finished(home, "run-one")
    viewer = talk("run-one", hz=20)
    viewer.wait(lambda: viewer.frames())
    shutil.rmtree(folder)
    viewer.wait(lambda: viewer.of("state")[-1]["state"] == "deleted")
    assert viewer.of("state")[-1]["reason"]
    runs.finished(home, "run-one", names=("new", "two", "three"), steps=(1, 2))
    viewer.wait(lambda: len(viewer.of("run")) == 2)
    assert viewer.of("run")[-1]["class_names"][0] == "new"
    viewer.wait(lambda: viewer.frames()[-1]["step"] == 2)


def test_a_strangers_folder_gets_a_sentence_and_the_run_beside_it_plays(talk, home: Path, runs):
    runs.finished(home, "good-run")
    broken = runs.finished(home, "bad-run")
    (broken / "run.json").write_text('{"run_id": "bad-run", "counts": 10e99}')
    viewer = talk("good-run,bad-run", hz=20)
    viewer.wait(lambda: len(viewer.frames("good-run")) > 3)
    state = viewer.wait(lambda: viewer.of("state", "bad-run"))[-1]
    assert state["state"] == "unreadable" and "run.json" in state["reason"]


def test_a_run_without_its_probe_says_so(talk, home: Path, runs):
    folder = runs.finished(home, "run-one")
    (folder / "probe.safetensors").unlink()
    viewer = talk("run-one", hz=20)
    assert "probe" in viewer.wait(lambda: viewer.of("error", "run-one"))[0]["message"]
    assert viewer.frames() == []


def test_demos_are_found_and_ones_own_run_wins(talk, studio: Studio, home: Path, runs):
    runs.finished(studio.demos, "demo-ce", title="Demo")
    assert talk("demo-ce").wait is not None
    viewer = talk("demo-ce")
    viewer.wait(lambda: viewer.of("run"))
    assert viewer.of("run")[0]["title"] == "Demo"
    runs.finished(home, "demo-ce", title="Mine")
    assert studio.hub.folder("demo-ce") == home / "demo-ce"


def test_what_is_no_request_is_answered_and_ends_nothing(home, runs, talk):
    runs.finished(home, "first-run")
    viewer = talk("first-run")
    viewer.wait(lambda: viewer.frames())
    for count, wrong in enumerate((b"\x00\xff", "[" * 100_000, '{"a":' * 50_000, "", "7"), 1):
        viewer.session.send(wrong)
        viewer.wait(lambda count=count: len(viewer.of("error")) >= count)
    viewer.say(step=5)
    viewer.wait(lambda: viewer.frames()[-1]["step"] == 5)


# ---------------------------------------------------------------------- very many samples


def test_of_many_samples_some_come_first_and_lie_where_all_do(address: str, home: Path, runs, monkeypatch):
    monkeypatch.setattr("ltviz.recording.drawn.MANY", 300)
    monkeypatch.setattr("ltviz.recording.drawn.DRAWN", 200)
    monkeypatch.setattr("ltviz_app.service.hub.FIRST_POINTS", 50)
    labels = np.repeat(np.arange(4), [700, 200, 70, 30])
    z = np.random.default_rng(0).normal(size=(1000, 8))
    with ltviz.record(home / "run-many", labels=labels) as run:
        run.frame(3, embeddings=z)
    with connect(f"{address}?runs=run-many&token={TOKEN}") as session:
        frames = []
        while len(frames) < 2:
            header, payload = taken_apart(session.recv(timeout=30))
            if "step" in header:
                frames.append((header, payload))
                session.send(json.dumps({"ack": header["seq"]}))
    (first, few), (second, all_) = frames
    at, count, kind = first["arrays"]["rows"]
    assert kind == "int32" and count == 50 and first["n"] == second["n"] == 1000 and "rows" not in second["arrays"]
    rows = np.frombuffer(few, "<i4", count, at)
    some = np.frombuffer(few, "<i2", 150).reshape(-1, 3)
    every = np.frombuffer(all_, "<i2", 3000).reshape(-1, 3)
    assert np.array_equal(every[rows], some), "nothing jumps"
    assert set(labels[rows]) == {0, 1, 2, 3}
    assert first["projection"] == second["projection"] and first["metrics"] == second["metrics"]


def taken_apart(message: str | bytes) -> tuple[dict, bytes]:
    assert isinstance(message, bytes)
    size = int.from_bytes(message[:4], "little")
    return json.loads(message[4 : 4 + size]), message[4 + size :]
