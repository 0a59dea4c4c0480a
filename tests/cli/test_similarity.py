"""`ltviz similarity`: two spaces of one probe."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ltviz import metrics
from ltviz.cli import main
from ltviz.export.similarity import film, moving_classes, pair_of, place
from ltviz.recording import Recording, record

COUNTS = [150, 60, 12, 5]
LABELS = np.repeat(np.arange(4), [20, 12, 8, 5])


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def space(seed: int, moved: int | None = None, step: int = 5) -> np.ndarray:
    """The same clouds for every seed but for noise; class `moved` alone lies elsewhere."""
    base = np.random.default_rng(7).standard_normal((len(LABELS), 6)) + 3 * np.eye(4, 6)[LABELS]
    rows = base + (0.05 + 1 / (1 + step)) * np.random.default_rng(seed).standard_normal(base.shape)
    if moved is not None:
        here = moved == LABELS
        rows[here] = np.random.default_rng(seed).standard_normal((int(here.sum()), 6))
    return unit(rows)


def make(home: Path, run: str, seed: int, moved: int | None = None, labels: np.ndarray = LABELS) -> Path:
    with record(home / run, labels=labels, counts=COUNTS) as recorder:
        for step in (0, 5):
            recorder.frame(step, embeddings=space(seed, moved, step)[: len(labels)].astype(np.float32))
    return home / run


def asked(capsys: pytest.CaptureFixture[str], *argv: str) -> dict:
    assert main(["similarity", *argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_numbers_are_those_of_the_last_frames_in_float64(home: Path, capsys) -> None:
    for name, seed in (("one-run", 1), ("two-run", 2)):
        make(home, name, seed)
    found = asked(capsys, "one-run", "two-run")
    a, b = (np.asarray(Recording(home / name).last().embeddings, np.float64) for name in ("one-run", "two-run"))
    assert found["cka"] == pytest.approx(metrics.cka(a, b), abs=1e-12)
    assert found["knn"] == pytest.approx(metrics.mutual_knn(a, b, k=10), abs=1e-12)
    assert found["procrustes"] == pytest.approx(metrics.procrustes_distance(a, b), abs=1e-9)
    assert found["k"] == 10 and found["chance"] == pytest.approx(10 / (len(LABELS) - 1))
    (pair,) = found["pairs"]
    assert pair["runs"] == ["one-run", "two-run"] and pair["steps"] == [5, 5]
    head = LABELS == 0
    assert pair["cka_head"] == pytest.approx(metrics.cka(a[head], b[head]), abs=1e-12)
    assert {f"{key}_{group}" for key in ("cka", "knn", "procrustes") for group in ("head", "medium", "tail")} <= {*pair}
    shares = metrics.shared_neighbours(a, b, k=10)
    assert pair["knn_tail"] == pytest.approx(shares[LABELS >= 2].mean())
    assert pair["by_class"]["1"]["knn"] == pytest.approx(shares[LABELS == 1].mean())


def test_every_pair_is_compared_and_told_in_words(home: Path, capsys) -> None:
    for name, seed in (("one-run", 1), ("two-run", 2), ("three-run", 3)):
        make(home, name, seed)
    assert len(asked(capsys, "one-run", "two-run", "three-run")["pairs"]) == 3
    assert main(["similarity", "one-run", str(home / "two-run")]) == 0
    text = capsys.readouterr().out
    assert "one-run (step 5) and two-run (step 5), 45 samples" in text and "by chance: 0.227" in text
    assert all(f"\n{group}" in text for group in ("all", "head", "medium", "tail"))


def test_who_moved_is_found(home: Path, capsys) -> None:
    make(home, "one-run", 1), make(home, "two-run", 2, moved=2)
    spaces = [place(Recording(home / name)) for name in ("one-run", "two-run")]
    pair = pair_of(*spaces)
    assert moving_classes(pair)[0] == 2
    moved = asked(capsys, "one-run", "two-run")["pairs"][0]["moved"]
    assert sum(one["label"] == 2 for one in moved) >= 6
    assert [one["shared"] for one in moved] == sorted(one["shared"] for one in moved)


def test_a_film_holds_every_step_against_every_other(home: Path, capsys) -> None:
    recordings = [Recording(make(home, name, seed)) for name, seed in (("one-run", 1), ("two-run", 2))]
    strip = film(*recordings)
    assert strip.first_steps == strip.second_steps == (0, 5)
    assert strip.cka[1, 1] > strip.cka[0, 0], "noise fades while they train"
    assert asked(capsys, "one-run", "two-run", "--film")["pairs"][0]["film"]["cka"] == strip.cka.tolist()
    assert np.allclose(film(recordings[0], recordings[0]).cka.diagonal(), 1)


def test_runs_of_other_probes_are_refused(home: Path, capsys) -> None:
    (
        make(home, "one-run", 1),
        make(home, "short-run", 1, labels=LABELS[:-2]),
        make(home, "other-run", 1, None, LABELS[::-1]),
    )
    for other in ("short-run", "other-run"):
        assert main(["similarity", "one-run", other]) == 2
        said = capsys.readouterr().err
        assert "probe" in said and other in said and said.count("\n") == 1


@pytest.mark.parametrize("argv", [[], ["one-run"], ["one-run", "no-such-run"]])
def test_what_cannot_be_compared_is_one_line(home: Path, capsys, argv: list[str]) -> None:
    make(home, "one-run", 1)
    assert main(["similarity", *argv]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_spaces_in_one_place_have_neighbours_and_no_alignment(home: Path, capsys) -> None:
    for name in ("one-run", "two-run"):
        with record(home / name, labels=[0, 0, 1]) as recorder:
            recorder.frame(0, embeddings=np.full((3, 2), 0.5**0.5))
    found = asked(capsys, "one-run", "two-run")
    assert found["knn"] == 1 and found["k"] == 2 and "cka" not in found and "procrustes" not in found
