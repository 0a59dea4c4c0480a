"""The bytes that the browser reads, decoded again."""

from __future__ import annotations

import json
import struct
from dataclasses import fields

import numpy as np
import pytest
from ltviz_app.service.messages import PLACE, ClockHeader, ErrorHeader, FrameHeader, RunHeader, StateHeader
from ltviz_app.service.picture import Picture
from ltviz_app.service.wire import encode_frame, encode_message, encode_run, pack, quantise, ranks

from ltviz.marks import TARGETS, Caps, Mark, Points, Reading, Segments, Vectors
from ltviz.projection.centres import class_centres
from ltviz.recording import Frame, Probe, RunInfo


def split(message: bytes) -> tuple[dict, bytes]:
    (length,) = struct.unpack_from("<I", message)
    assert length % 4 == 0, "the payload starts on a multiple of four"
    return json.loads(message[4 : 4 + length]), message[4 + length :]


def make_frame(**more) -> Frame:
    z = np.array([[1, 0, 0], [0, 1, 0], [0, 0, -1], [0.5, 0.5, 0.5]], np.float32)
    given = {
        "step": 7,
        "epoch": 1.5,
        "seconds": 2.0,
        "embeddings": z,
        "labels": np.array([0, 1, 2, 2], np.int32),
        **more,
    }
    return Frame(**given)


def picture(frame: Frame, centres: np.ndarray | None = None) -> Picture:
    centres = np.full((3, 3), np.nan) if centres is None else centres
    return Picture(frame.embeddings, centres, frame.landmarks, None)


@pytest.mark.parametrize("title", ["", "a", "ab", "abc", "ü", "<img src=x>"])
def test_every_header_is_padded(title: str):
    header, payload = split(pack(json.dumps({"title": title}), b"1234"))
    assert header == {"title": title} and payload == b"1234"


def test_quantising_keeps_points_to_1_in_32767_and_clips():
    z = np.random.default_rng(0).uniform(-1, 1, (500, 3))
    back = quantise(z, PLACE) / 32767
    assert np.abs(back - z).max() <= 0.5 / 32767 + 1e-7
    assert quantise(np.array([[2.0, -2.0, 0.0]]), PLACE).tolist() == [[32767, -32767, 0]]


def test_a_frame_says_everything_and_its_payload_is_int16_then_predictions():
    frame = make_frame(
        samples={"prediction": np.array([2, 1, 0, 0], np.int32)},
        landmarks={"targets": np.eye(3, dtype=np.float32)},
        target_index=np.array([2, 0, 1], np.int32),
        metrics={"centre_sum": 0.25},
        events=[{"kind": "setting", "name": "temperature", "value": 0.2}],
    )
    order = np.array([1, 0, 2])  # class 1 has most samples
    encoded = encode_frame("run-a", frame, picture(frame, np.eye(3)), order, written=12.5)
    header, payload = split(encoded.message(seq=3, time=99.0, live=True))
    assert (header["run"], header["step"], header["seq"], header["time"], header["live"]) == ("run-a", 7, 3, 99.0, True)
    assert header["n"] == 4 and header["predictions"] is True
    assert header["metrics"] == {"centre_sum": 0.25}
    assert header["events"][0]["value"] == 0.2
    assert header["target_index"] == [0, 2, 1], "in the order of the classes on the wire"
    assert header["landmarks"]["targets"] == np.eye(3).tolist()
    xyz = np.frombuffer(payload[:24], "<i2").reshape(4, 3)
    assert xyz[0].tolist() == [32767, 0, 0] and xyz[2].tolist() == [0, 0, -32767]
    assert np.frombuffer(payload[24:], "<u2").tolist() == [2, 0, 1, 1], "predicted classes by rank"


def test_two_viewers_get_the_same_picture_under_their_own_number():
    frame = make_frame()
    encoded = encode_frame("run-a", frame, picture(frame), np.arange(3), written=0.0)
    one, a = split(encoded.message(seq=1, time=1.0, live=True))
    two, b = split(encoded.message(seq=9, time=2.0, live=False))
    assert a == b and {k: v for k, v in one.items() if k not in ("seq", "time", "live")} == {
        k: v for k, v in two.items() if k not in ("seq", "time", "live")
    }


def test_a_class_without_points_has_no_centre():
    frame = make_frame(labels=np.array([0, 0, 2, 2], np.int32))
    centres = class_centres(frame.embeddings, frame.labels, 3)
    assert np.isnan(centres[1]).all()
    assert np.linalg.norm(centres[0]) == pytest.approx(1)
    header, _ = split(
        encode_frame("run-a", frame, picture(frame, centres), np.arange(3), 0.0).message(seq=1, time=0, live=False)
    )
    assert header["centres"][1] is None and header["centres"][0] == pytest.approx([0.7071, 0.7071, 0])


def test_predictions_that_are_no_class_do_not_break_the_frame():
    frame = make_frame(samples={"prediction": np.array([-1, 5, 0, 2], np.int32)})
    _, payload = split(
        encode_frame("run-a", frame, picture(frame), np.arange(3), 0.0).message(seq=1, time=0, live=False)
    )
    assert np.frombuffer(payload[24:], "<u2").tolist() == [65535, 65535, 0, 2]


def info(**more) -> RunInfo:
    given = {
        "run_id": "run-a",
        "created": 0.0,
        "num_classes": 3,
        "class_names": ["a", "<b>", "c"],
        "counts": [5, 40, 12],
        "dim": 3,
        "title": "A",
        "method": "ce",
        **more,
    }
    return RunInfo(**given)


def probe(ids: np.ndarray, thumbnails: np.ndarray | None = None) -> Probe:
    labels = np.array([0, 1, 2, 1], np.int32)
    return Probe(labels=labels, split=np.array([0, 1, 0, 1], np.uint8), sample_ids=ids, thumbnails=thumbnails)


def card(**more) -> tuple[dict, bytes]:
    given = {
        "dim": 3,
        "colour": "#123456",
        "state": "running",
        "reason": None,
        "groups": [2, 0, 1],
        "rule": "thirds",
        **more,
    }
    return split(encode_run("run-a", given.pop("info", info()), given.pop("probe", probe(np.arange(4))), **given))


def read(header: dict, payload: bytes, name: str) -> np.ndarray:
    offset, count, dtype = header["arrays"][name]
    return np.frombuffer(payload, dtype, count, offset)


def test_a_card_orders_classes_from_most_to_fewest_samples():
    header, payload = card()
    assert (
        header["class_names"] == ["<b>", "c", "a"] and header["counts"] == [40, 12, 5] and header["groups"] == [0, 1, 2]
    )
    assert read(header, payload, "labels").tolist() == [2, 0, 1, 0]
    assert read(header, payload, "split").tolist() == [0, 1, 0, 1]
    assert read(header, payload, "ids").tolist() == [0, 1, 2, 3]
    assert header["thumb"] is None and "thumbs" not in header["arrays"]


def test_thumbnails_travel_with_the_card():
    images = np.arange(4 * 2 * 3, dtype=np.uint8).reshape(4, 2, 3)
    header, payload = card(probe=probe(np.arange(4), images))
    assert header["thumb"] == [2, 3] and read(header, payload, "thumbs").tolist() == list(range(24))


def test_thumbnails_in_colour_say_so_and_grey_ones_are_as_before():
    images = np.arange(4 * 2 * 3 * 3, dtype=np.uint8).reshape(4, 2, 3, 3)
    header, payload = card(probe=probe(np.arange(4), images))
    assert header["thumb"] == [2, 3, 3] and read(header, payload, "thumbs").tolist() == list(range(72))


def test_thumbnails_that_are_too_many_travel_smaller_and_then_not_at_all():
    images = np.full((4, 32, 32, 3), 7, np.uint8)
    for limit, thumb in ((4 * 3072, [32, 32, 3]), (4 * 3071, [16, 16, 3]), (4 * 192, [8, 8, 3]), (4 * 191, None)):
        header, payload = card(probe=probe(np.arange(4), images), thumbnails=limit)
        assert header["thumb"] == thumb
        if thumb is not None:
            assert (read(header, payload, "thumbs") == 7).all()


def test_samples_without_a_label_are_of_no_class():
    free = Probe(np.array([-1, 1, -1, 2], np.int32), np.zeros(4, np.uint8), np.arange(4))
    header, payload = card(probe=free)
    assert read(header, payload, "labels").tolist() == [65535, 0, 65535, 1]
    assert header["counts"] == [40, 12, 5]


def test_a_run_without_classes_has_a_card_and_frames():
    empty = info(num_classes=0, class_names=[], counts=[])
    free = Probe(np.full(4, -1, np.int32), np.zeros(4, np.uint8), np.arange(4))
    header, payload = card(info=empty, probe=free, groups=[], rule="")
    assert header["num_classes"] == 0 and header["class_names"] == header["counts"] == header["groups"] == []
    assert read(header, payload, "labels").tolist() == [65535] * 4
    frame = make_frame(labels=free.labels, samples={"prediction": np.full(4, -1, np.int32)})
    encoded = encode_frame("run-a", frame, picture(frame, np.empty((0, 3))), empty.order, written=0.0)
    header, payload = split(encoded.message(seq=1, time=0.0, live=True))
    assert header["centres"] == [] and np.frombuffer(payload[24:], "<u2").tolist() == [65535] * 4


def test_ids_beyond_32_bits_are_left_out_rather_than_wrong():
    header, payload = card(probe=probe(np.arange(4) + 2**40))
    assert "ids" not in header["arrays"]
    assert read(header, payload, "labels").tolist() == [2, 0, 1, 0]


def test_every_array_starts_where_its_type_may():
    header, _ = card(probe=probe(np.arange(4), np.zeros((4, 1, 1), np.uint8)))
    for offset, _, dtype in header["arrays"].values():
        assert offset % np.dtype(dtype).itemsize == 0


def test_ranks_invert_the_order():
    order = np.array([2, 0, 1])
    assert ranks(order)[order].tolist() == [0, 1, 2]


def test_messages_without_payload():
    assert split(encode_message(ClockHeader(mode="hold", at=5, speed=1.0))) == (
        {"type": "clock", "mode": "hold", "at": 5, "speed": 1.0},
        b"",
    )
    told = StateHeader(
        run="a",
        state="running",
        reason=None,
        first=3,
        last=3,
        frames=1,
        total_steps=None,
        steps=[np.int64(3)],
        events=[(3, "setting", "temperature is 0.2")],
    )
    header, payload = split(encode_message(told))
    assert header["type"] == "state" and header["steps"] == [3] and header["reason"] is None and payload == b""
    assert header["events"] == [[3, "setting", "temperature is 0.2"]]


def test_what_a_method_lets_be_seen_lies_where_the_header_says():
    z = np.eye(3, dtype=np.float32)
    frame = make_frame(
        samples={
            "prediction": np.array([2, 1, 0, 0], np.int32),
            "confidence": np.array([1, 0.5, 0.2, 0], np.float32),
            "loss": np.array([0, 1.5, 3, 60000], np.float16),
        },
        readings={"length": np.float32([5, np.nan, 7]), "temperature": np.float32([0.5])},
    )
    seen = Picture(
        frame.embeddings,
        np.full((3, 3), np.nan),
        {},
        None,
        marks={
            "views": Segments(z[:2], -z[:2], np.array([0, 2])),
            "queue": Points(z, np.array([0, 1, 2]), np.float32([0, 8, 1e9])),
            "stars": Points(z[:1], np.array([0])),
            "domes": Caps(z[:2], np.float32([12.345, 180]), np.array([0, 1])),
            "flat": Caps(z[:2], None, np.array([0, 1])),
            "winds": Vectors(np.array([[0, 0, 0], [0.123456, 0, 2], [0, 0, -1]])),
        },
        forces={"bcl": {"total": np.array([[0, 0, 0], [1e-5, 0, 2], [0, 0, -1]])}},
    )
    order = np.array([2, 1, 0])
    header, payload = split(encode_frame("a", frame, seen, order, 0.0).message(seq=1, time=0.0, live=True))

    def array(name: str) -> list[int]:
        offset, count, word = header["arrays"][name]
        kind = np.dtype(word).newbyteorder("<")
        assert offset % kind.itemsize == 0
        return np.frombuffer(payload, kind, count, offset).tolist()

    assert array("prediction") == [0, 1, 2, 2], "classes are ranks on the wire"
    assert array("confidence") == [255, 128, 51, 0]
    assert array("loss") == [0, 6144, 12288, 65535]
    assert array("marks.views.a") == [32767, 0, 0, 0, 32767, 0] and array("marks.views.b")[0] == -32767
    assert array("marks.views.y") == [2, 0]
    assert array("marks.queue.age") == [0, 8, 65535] and array("marks.queue.y") == [2, 1, 0]
    assert array("marks.stars.places") == [32767, 0, 0] and "marks.stars.age" not in header["arrays"]
    assert array("marks.domes.angle") == [1234, 18000], "hundredths of a degree"
    assert array("marks.flat.y") == [2, 1] and "marks.flat.angle" not in header["arrays"]
    assert header["vectors"] == {"winds": [[0, 0, -1], [0.1235, 0, 2], None]}, "by rank; zero is nothing"
    assert header["readings"] == {"length": [7, None, 5], "temperature": [0.5]}
    assert header["forces"] == {"bcl": {"total": [[0, 0, -1], [1e-5, 0, 2], None]}}


def test_several_labels_are_bits_by_rank():
    sets = np.zeros((2, 10), np.uint8)
    sets[0, [0, 9]] = 1
    sets[1, 3] = 1
    info = RunInfo(run_id="abc", created=0.0, num_classes=10, class_names=[*"abcdefghij"], counts=[*range(10)])
    probe = Probe(np.array([9, 3], np.int32), np.zeros(2, np.uint8), np.arange(2), None, sets)
    more = {"dim": 3, "colour": "#000000", "state": "running", "reason": None, "groups": [0] * 10, "rule": ""}
    header, payload = split(encode_run("abc", info, probe, **more))
    offset, count, word = header["arrays"]["label_sets"]
    assert (count, word) == (4, "uint8")
    # class 9 has most samples and is rank 0; class 0 is rank 9, bit 1 of the second byte
    assert list(payload[offset : offset + count]) == [0b1, 0b10, 1 << 6, 0]


def test_only_frames_carry_a_step():
    others = (RunHeader, StateHeader, ClockHeader, ErrorHeader)
    assert not any("step" in {one.name for one in fields(kind)} for kind in others)
    assert "step" in {one.name for one in fields(FrameHeader)}


def test_a_frame_says_nothing_of_what_it_has_not():
    frame = make_frame()
    encoded = encode_frame("run-a", frame, picture(frame), np.arange(3), written=0.0)
    header, _ = split(encoded.message(seq=1, time=0.0, live=False))
    assert not {"events", "readings", "vectors", "forces"} & header.keys()
    assert header["projection"] is None and header["target_index"] is None and header["arrays"] == {}


def test_a_card_holds_what_was_declared_whole():
    plain = Mark(key="bridges", title="Bridges", short="a < b", primitive="segments", sign="arc", on=False, end="disc")
    header, _ = card(info=info(marks=[TARGETS, plain], readings=[Reading(key="pulse", title="Pulse")]))
    told = {"title": "Bridges", "short": "a < b", "primitive": "segments", "sign": "arc", "end": "disc"}
    assert header["marks"][1] == {"key": "bridges", **told, "on": False, "directed": False}
    assert header["marks"][0]["on"] is True and "end" not in header["marks"][0]
    assert header["readings"] == [{"key": "pulse", "title": "Pulse", "unit": "", "short": ""}]


def test_a_frame_says_which_samples_it_does_not_hold():
    frame = make_frame()
    seen = Picture(frame.embeddings, np.full((3, 3), np.nan), {}, None)
    order = np.array([0, 1, 2])
    header, _ = split(encode_frame("a", frame, seen, order, 0.0).message(seq=1, time=0.0, live=True))
    assert "present" not in header["arrays"], "where all are there nothing is sent"
    frame = make_frame(present=np.array([True, False, True, True]), samples={"loss": np.float16([0, 1, 2, 3])})
    header, payload = split(encode_frame("a", frame, seen, order, 0.0).message(seq=1, time=0.0, live=True))
    offset, count, word = header["arrays"]["present"]
    assert word == "uint8" and np.frombuffer(payload, np.uint8, count, offset).tolist() == [1, 0, 1, 1]
