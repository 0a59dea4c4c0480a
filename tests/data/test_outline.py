"""What is said of a data set before it is read: sizes by profile, where its files are, and its own settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from ltviz.data import inputs as inputs_module
from ltviz.data import registry
from ltviz.data.inputs import HeldInputs, ImageFiles
from ltviz.data.longtail import Pool
from ltviz.data.source import Outline, Source, Where
from ltviz.errors import ConfigError, DataError

SIZES = {"cat": 3, "dog": 9, "eel": 9, "fox": 5}


class FolderOptions(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    grey: bool = Field(True, description="Read as grey.")
    most: int = Field(9, ge=1, le=9, description="Training images of a class.")


class Folders(Source):
    """Class folders of images, as a plug-in would read them; image 0 of each is the test set."""

    name = "folders"
    title = "Folders"
    about = "Folders of images."
    Options = FolderOptions
    needs_files = reads_images = True

    def _names(self, where: Where) -> dict[str, list[str]]:
        assert where.data_dir is not None and isinstance(where.options, FolderOptions)
        folders = sorted(path for path in where.data_dir.iterdir() if path.is_dir())
        return {f.name: sorted(f"{f.name}/{p.name}" for p in f.iterdir())[: where.options.most + 1] for f in folders}

    def missing(self, where: Where) -> str | None:
        found = where.data_dir and where.data_dir.is_dir()
        return None if found else "folders needs class folders; set --data-dir to the folder around them"

    def outline(self, where: Where) -> Outline:
        if why := self.missing(where):
            raise DataError(why)
        names, side = self._names(where), where.image_size or 8
        return Outline(
            class_names=tuple(names),
            shape=(side, side) if where.options == FolderOptions() or where.options.grey else (side, side, 3),  # type: ignore[attr-defined]
            train_counts=tuple(len(paths) - 1 for paths in names.values()),
            test_counts=(1,) * len(names),
            profile="natural",
            policies="affine",
        )

    def read(self, where: Where) -> Pool:
        names, shape = self._names(where), self.outline(where).shape
        train, test = ([(c, path) for c, paths in enumerate(names.values()) for path in paths[part]] for part in PARTS)

        def files(listed: list[tuple[int, str]]) -> ImageFiles:
            stand_ins = np.array([c for c, _ in listed]) if where.skip_bad else None
            return ImageFiles([path for _, path in listed], shape, root=where.data_dir, stand_ins=stand_ins)

        return Pool(
            train_inputs=files(train),
            train_labels=np.array([c for c, _ in train]),
            train_ids=np.arange(len(train)),
            test_inputs=files(test),
            test_labels=np.array([c for c, _ in test]),
            test_ids=len(train) + np.arange(len(test)),
            class_names=tuple(names),
        )


PARTS = (slice(1, None), slice(0, 1))


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of class folders, and the source that reads it."""
    root = tmp_path / "animals"
    chance = np.random.default_rng(0)
    for c, (name, size) in enumerate(SIZES.items()):
        (root / name).mkdir(parents=True)
        for i in range(size + 1):
            pixels = np.clip(60 * c + chance.integers(0, 60, (8, 8)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(root / name / f"{i}.png")
    registry.SOURCES.forget()
    monkeypatch.setattr(registry.SOURCES, "_found", {**registry.sources(), "folders": Folders()})
    yield root
    registry.SOURCES.forget()


def test_natural_sizes_rank_the_classes_by_count_and_keep_all(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs_module, "decode", lambda *args: pytest.fail("an image was decoded"))
    told = registry.describe("folders", imbalance_factor=50, data_dir=str(folders))
    assert told.class_names == ("dog", "eel", "fox", "cat") and told.counts == (9, 9, 5, 3), "equal ones in file order"
    assert told.profile == "natural" and told.test_counts == (1, 1, 1, 1) and told.image_shape == (8, 8)
    for seed in (0, 1):
        data = registry.load("folders", imbalance_factor=50, seed=seed, data_dir=str(folders))
        assert data.class_names == told.class_names and tuple(data.counts) == told.counts
        assert data.profile == "natural" and data.policies == "affine" and len(data.test_labels) == 4
    assert registry.describe("folders", imbalance_factor=50, max_per_class=4, data_dir=str(folders)).counts == (
        4,
        4,
        4,
        3,
    )


@pytest.mark.parametrize(
    ("profile", "counts"), [("exp", (3, 2, 1, 1)), ("step", (3, 3, 1, 1)), ("pareto", (3, 1, 1, 1))]
)
def test_a_cut_profile_goes_by_the_smallest_class(folders: Path, profile: str, counts: tuple[int, ...]) -> None:
    asked = {"imbalance_factor": 3, "profile": profile, "data_dir": str(folders)}
    assert registry.describe("folders", **asked).counts == counts
    assert tuple(registry.load("folders", **asked).counts) == counts
    orders = {registry.describe("folders", **asked, seed=seed).class_names for seed in range(8)}
    assert len(orders) > 3, "another class is rare for each seed"
    with pytest.raises(ConfigError, match="max_per_class of folders must be at most 3"):
        registry.describe("folders", **asked, max_per_class=4)


def test_own_settings_and_image_size_reach_the_set(folders: Path) -> None:
    asked = {"imbalance_factor": 1, "data_dir": str(folders), "data_options": {"grey": False, "most": 2}}
    data = registry.load("folders", **asked, image_size=16)
    assert data.train_inputs.shape == (16, 16, 3) and data.counts.tolist() == [2, 2, 2, 2]
    for options, says in (({"gray": True}, "gray is not a setting; try grey"), ({"most": 0}, "most must be greater")):
        with pytest.raises(ConfigError, match=f"folders: {says}"):
            registry.describe("folders", **{**asked, "data_options": options})


def test_what_run_json_keeps_of_the_files_is_absolute_and_complete(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folders.parent)
    kept = registry.resolve("folders", data_dir="animals", image_root="other")
    assert kept == {
        "data_dir": str(folders),
        "image_root": str(folders.parent / "other"),
        "data_options": {"grey": True, "most": 9},
    }
    monkeypatch.setenv("LTVIZ_DATA", str(folders))
    assert registry.resolve("folders")["data_dir"] == str(folders)
    assert registry.resolve("digits-lt") == {"data_options": {}}


def test_missing_files_are_a_sentence_and_no_counts(folders: Path, tmp_path: Path) -> None:
    told = registry.describe("folders", imbalance_factor=1, data_dir=str(tmp_path / "nowhere"))
    assert told.missing is not None and "--data-dir" in told.missing and told.counts == () and told.class_names == ()
    with pytest.raises(DataError, match="needs class folders"):
        registry.load("folders", imbalance_factor=1, data_dir=str(tmp_path / "nowhere"))


def test_settings_of_image_files_are_refused_by_sets_that_read_none() -> None:
    for setting, value in (("image_size", 32), ("image_root", "/x")):
        with pytest.raises(ConfigError, match=f"{setting} is for sets that read image files, and digits-lt is none"):
            registry.load("digits-lt", imbalance_factor=10, **{setting: value})


def test_natural_is_refused_where_files_have_no_sizes_of_their_own() -> None:
    with pytest.raises(ConfigError, match=r"profile natural needs files.*unlike digits-ml; try exp"):
        registry.load("digits-ml", imbalance_factor=10, profile="natural")
    with pytest.raises(ConfigError, match="profile must be one of exp, step, pareto or natural, got 'flat'"):
        registry.load("digits-lt", imbalance_factor=10, profile="flat")


@pytest.mark.parametrize("name", ["digits-lt", "digits-ml"])
@pytest.mark.parametrize("profile", ["exp", "step", "pareto", "natural"])
def test_an_outline_and_the_data_agree(name: str, profile: str) -> None:
    if (name, profile) == ("digits-ml", "natural"):
        return
    asked = {"imbalance_factor": 8, "profile": profile, "seed": 2}
    told, data = registry.describe(name, **asked), registry.load(name, **asked)
    assert told.counts == tuple(data.counts) and told.class_names == data.class_names
    assert told.image_shape == data.train_inputs.shape and told.profile == data.profile == profile
    tested = np.bincount(data.test_labels) if data.test_multi is None else data.test_multi.sum(0)
    assert told.test_counts == tuple(tested)


def test_several_labels_with_natural_sizes_rank_the_classes_and_keep_every_sample(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = np.array([[1, 0, 1], [0, 0, 1], [1, 0, 1], [0, 1, 0]], np.uint8)

    class Several(Source):
        name, title, about, several_labels = "several", "Several", "Several labels.", True

        def outline(self, where: Where) -> Outline:
            counts = tuple(shown.sum(0).tolist())
            return Outline(class_names=("a", "b", "c"), shape=(2, 2), train_counts=counts, profile="natural")

        def read(self, where: Where) -> Pool:
            held, labels, ids = (
                HeldInputs(np.arange(16, dtype=np.uint8).reshape(4, 2, 2)),
                np.zeros(4, int),
                np.arange(4),
            )
            return Pool(
                train_inputs=held, train_labels=labels, train_ids=ids, train_multi=shown,
                test_inputs=held, test_labels=labels, test_ids=ids + 4, test_multi=shown,
                class_names=("a", "b", "c"),
            )  # fmt: skip

    monkeypatch.setattr(registry.SOURCES, "_found", {"several": Several()})
    data = registry.load("several", imbalance_factor=1)
    assert data.class_names == ("c", "a", "b") and data.counts.tolist() == [3, 2, 1]
    np.testing.assert_array_equal(data.train_multi, shown[:, [2, 0, 1]])
    assert data.train_labels.tolist() == [1, 0, 1, 2], "the rarest class of each"
