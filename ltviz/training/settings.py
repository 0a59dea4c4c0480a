"""What a user may choose for a run, whatever the method. No torch here: the app builds its form from this."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ltviz.data.sampling import Sampling


def _live(default: Any, **constraints: Any) -> Any:
    """A field that may change while the run trains."""
    return Field(default, json_schema_extra={"live": True}, **constraints)


FILES = ("data_dir", "image_root", "image_size", "skip_bad", "data_options")
"""Names of the settings that say where the data files are and how they are read."""
CUT = ("imbalance_factor", "max_per_class", "profile", "seed")
"""Those that say which part of the data is trained on."""


class RunSettings(BaseModel):
    """Data, optimisation and cost of watching. All methods of a race share one of these."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str = Field("digits-lt", min_length=1, description="Data set.")
    imbalance_factor: float = Field(
        50.0, ge=1, le=1e6, description="Samples of the largest class over those of the smallest.", allow_inf_nan=False
    )
    max_per_class: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="Training samples of the largest class; the data set's own number where empty.",
    )
    profile: Literal["", "exp", "step", "pareto", "natural"] = Field(
        "",
        description="How the class sizes fall: exponentially (exp), in two halves (step), as a Pareto distribution of "
        "power 6 (pareto), or as the files have them (natural, where the imbalance factor says nothing); the data "
        "set's own profile where empty.",
    )
    data_dir: str | None = Field(None, description="Folder of the data files; the variable LTVIZ_DATA where empty.")
    image_root: str | None = Field(
        None, description="Folder that the paths in lists of images start from; the data folder where empty."
    )
    image_size: int | None = Field(
        None,
        ge=8,
        le=1024,
        description="Height and width in pixels that image files are resized and cut to; the set's own where empty.",
    )
    skip_bad: bool = Field(
        False, description="Leave out files and lines that cannot be read, and count them, instead of refusing."
    )
    data_options: dict[str, Any] = Field(
        {}, description="Settings of the data set's own.", json_schema_extra={"flag": False}
    )
    dim: int = Field(3, ge=2, le=4096, description="Dimension of the embedding; 3 is seen without a projection.")
    steps: int = Field(300, ge=1, le=10_000_000, description="Training steps.")
    sampling: Sampling = Field(
        "instance",
        description="How often a batch draws each class: as often as it has samples (instance), all classes alike "
        "(class-balanced), by the square root of their samples, or from the first to the second as training goes on "
        "(progressive). One choice for all methods of a race, which share their batches; a method that corrects for "
        "the class frequencies, such as logit_adjust, still corrects for those of the training set.",
    )
    batch_size: int = Field(64, ge=2, le=65536, description="Samples in one step.")
    views: int = Field(
        0,
        ge=0,
        le=64,
        description="Views of each sample that every method sees in a step, on average: a method that takes fewer at a "
        "time takes further ones of the same samples, so that all see equally many images. At 0 each takes what it "
        "needs, and a method that takes three views sees three times the images of one that takes one.",
    )
    policies: str = Field(
        "",
        max_length=500,
        description="How views are augmented: names of policies separated by commas, one a view, the last one for all "
        "further views, such as randaugment,simclr; the data set's own, or one that fits its images, where empty.",
    )
    learning_rate: float = _live(
        2e-3, gt=0, le=10, description="First step size of AdamW; it falls to 0 along a cosine."
    )
    weight_decay: float = _live(1e-3, ge=0, le=10, description="Decay of AdamW.")
    encoder: str = Field(
        "mlp",
        min_length=1,
        max_length=200,
        description="Encoder: mlp, convnet, resnet32 or resnet56; identity for stored features; with the extra images "
        "resnet18, resnet50, resnext50 or timm:NAME.",
    )
    seed: int = Field(0, ge=0, lt=2**63, description="Seed of class order, samples, initial weights and batches.")
    device: str = Field(
        "auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="Where to compute: auto, cpu, cuda or cuda:1."
    )
    precision: Literal["32", "bf16"] = Field("32", description="Floating-point precision: 32, or bf16 for mixed.")
    threads: int = Field(1, ge=1, le=256, description="CPU threads of torch.")
    watch_share: float = _live(0.05, gt=0, le=0.95, description="Share of the time that recording frames may take.")
    forces_every: int = _live(
        8,
        ge=0,
        le=1_000_000,
        description="Measure the forces on the embeddings at every so many frames, and at the last; 0 is never.",
    )
    what_if: str = _live(
        "",
        max_length=1000,
        description="Methods whose forces on the same batch are measured too, at their default settings and without "
        "being applied, separated by commas, such as bcl,tsc. Class centres and stored embeddings of this run stand in "
        "for their own prototypes, queues and targets; directions of a read-out are this run's own where it has such.",
    )
    max_fps: float = Field(10.0, gt=0, le=1000, description="Frames a second, at most.")
    least_frames: int = Field(
        20,
        ge=1,
        le=1_000_000,
        description="Frames of a run that are written whatever they cost, spread evenly over it.",
    )
    probe_points: int = Field(2000, ge=20, le=50_000, description="Samples that the frames show, at most.")
    evaluate: bool = Field(
        True,
        description="Judge the last weights on the whole test set, by the method's own classifier and by common "
        "judges, when the run is complete.",
    )
    validation_share: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="Share of the held-out samples among them that are for choosing a step, and are not test samples.",
    )

    @property
    def files(self) -> dict[str, Any]:
        """Where the data files are and how they are read, as `ltviz.data.registry` takes it."""
        return self.model_dump(include={*FILES})

    @property
    def cut(self) -> dict[str, Any]:
        """What `ltviz.data.registry.load` and `describe` take: `files`, and which part of them is trained on."""
        return self.model_dump(include={*CUT, *FILES})


INCIDENTAL = frozenset(
    {"data_dir", "image_root", "device", "threads", "watch_share", "max_fps", "least_frames", "evaluate"}
)
"""Names of the settings that say where a run computes and how closely it is watched, not what is learned: two runs that
differ in these alone are the same run."""
EQUAL_VIEWS = 3
"""`views` of comparisons: as many as the hungriest of our methods takes."""
LAB_WATCH_SHARE = 0.25
"""`watch_share` of runs that somebody looks at while they train."""
