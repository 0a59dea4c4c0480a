"""What a user may choose for a run, whatever the method. No torch here: the app builds its form from this."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from ltviz.bounds import Bounded
from ltviz.data.sampling import Sampling
from ltviz.recording.keep import KeepRule
from ltviz.training.schedules import parse_schedules
from ltviz.training.timetable import parse_milestones, parse_switches


def _live(default: Any, **constraints: Any) -> Any:
    """A field that may change while the run trains."""
    return Field(default, json_schema_extra={"live": True}, **constraints)


OPTIMISATION = "optimisation"
"""Group of the fields that a form folds away together."""


def _optimisation(default: Any, **constraints: Any) -> Any:
    """A field of how the weights are moved, which few people change."""
    return Field(default, json_schema_extra={"group": OPTIMISATION}, **constraints)


FILES = ("data_dir", "image_root", "image_size", "skip_bad", "data_options")
"""Names of the settings that say where the data files are and how they are read."""
CUT = ("imbalance_factor", "max_per_class", "profile", "seed")
"""Those that say which part of the data is trained on."""


class RunSettings(Bounded):
    """Data, optimisation and cost of watching. All methods of a race share one of these."""

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
    policies: str = Field(
        "",
        max_length=1000,
        description="How views are augmented: names of view policies separated by commas, one a view and the last for "
        "all further ones, such as autoaugment-cutout,simaug; the data set's own where empty.",
    )
    dim: int = Field(3, ge=2, le=4096, description="Dimension of the embedding; 3 is seen without a projection.")
    steps: int = Field(300, ge=1, le=10_000_000, description="Training steps.")
    head: Literal["mlp", "mlp-norm", "linear", "relu"] = _optimisation(
        "mlp",
        description="Projection from features to embeddings: one hidden layer (mlp), the same with batch norm "
        "(mlp-norm), none (linear), or an mlp with a ReLU at its end (relu), which keeps all embeddings in one octant.",
    )
    head_width: int | None = _optimisation(
        None, ge=1, le=65536, description="Width of the projection's hidden layer; that of the features where empty."
    )
    epochs: float | None = _optimisation(
        None,
        gt=0,
        le=100_000,
        allow_inf_nan=False,
        description="Training steps as epochs, each as many steps as batches hold the training set once; where given, "
        "the number of steps follows from it.",
    )
    sampling: Sampling = Field(
        "instance",
        description="How often a batch draws each class: as often as it has samples (instance), all classes alike "
        "(class-balanced), by the square root of their samples, or from the first to the second as training goes on "
        "(progressive), or by their samples to the power of the sampling exponent (power). One choice for all methods "
        "of a race, which share their batches; a method that corrects for the class frequencies, such as logit_adjust, "
        "still corrects for those of the training set.",
    )
    sampling_exponent: float = Field(
        1.0,
        ge=0,
        le=1,
        description="The q of power sampling, by which a class of n samples is drawn in proportion to n to the power "
        "q: 1 as often as it has samples, 0 all alike. It can follow a curve of the schedules, which all methods of a "
        "race share and none can change while it trains.",
        json_schema_extra={"followed": True},
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
    learning_rate: float = _live(
        2e-3, gt=0, le=10, description="Largest step size of the optimiser; it falls as the schedule says."
    )
    weight_decay: float = _live(
        1e-3, ge=0, le=10, description="Decay of the weights: AdamW's own, or part of SGD's gradient."
    )
    optimizer: Literal["adamw", "sgd"] = _optimisation(
        "adamw", description="Optimiser: AdamW, or SGD with momentum as most papers have it."
    )
    momentum: float = _optimisation(0.9, ge=0, lt=1, description="Momentum of SGD.")
    nesterov: bool = _optimisation(False, description="SGD looks ahead along its momentum (Nesterov).")
    schedule: Literal["cosine", "step", "constant"] = _optimisation(
        "cosine", description="How the rate falls: along a cosine, at milestones, or not at all."
    )
    rate_every: Literal["step", "epoch"] = _optimisation(
        "step", description="Whether the rate moves at every step, or once an epoch as in much of the papers' code."
    )
    warmup: float = _optimisation(
        0.0, ge=0, le=10_000, description="Epochs in which the rate climbs to its full size, in equal parts."
    )
    milestones: str = _optimisation(
        "", max_length=400, description="Epochs after which a step schedule lowers the rate, such as 160,180."
    )
    decay_factor: float = _optimisation(
        0.1, gt=0, le=1, description="What the rate is multiplied by at each milestone."
    )
    final_rate: float = _optimisation(0.0, ge=0, le=1, description="Share of the rate that a cosine ends at.")
    switches: str = _optimisation(
        "",
        max_length=2000,
        description="What changes on the way: after a share of the steps the optimiser is renewed and its schedule "
        "begins again, or settings that may change while a run trains do: 0.5: renew; 0.8: beta=0.9999.",
    )
    schedules: str = _live(
        "",
        max_length=8000,
        description="Numbers that follow a curve while a run trains, of the method or of the run, after so many steps "
        "or a share of all: temperature: cosine 1 0.1 every 200; beta: step 0=0 80%=0.9999; tau: drawn 0=0 50%=1; or "
        "constant A, linear A B from 100 over 200. A rate is then multiplied by the optimiser's own schedule.",
    )
    encoder: str = Field(
        "mlp",
        min_length=1,
        max_length=200,
        description="Encoder: mlp, convnet, resnet32 or resnet56; identity for stored features; with the extra images "
        "resnet18, resnet50, resnext50 or timm:NAME.",
    )
    weights: str | None = Field(
        None,
        description="File of weights, *.safetensors, that the encoder starts from: of ltviz, timm, torchvision or "
        "CLIP's image tower; random ones where empty.",
    )
    seed: int = Field(0, ge=0, lt=2**63, description="Seed of class order, samples, initial weights and batches.")
    device: str = Field(
        "auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", description="Where to compute: auto, cpu, mps, cuda or cuda:1."
    )
    devices: int = Field(
        1,
        ge=1,
        le=256,
        description="Devices that train together on each machine, a process each: the encoder's rows are divided among "
        "them, the loss sees the whole batch. On a CPU they are processes.",
    )
    nodes: int = Field(
        1,
        ge=1,
        le=1024,
        description="Machines that train together; the same command runs on each, with MASTER_ADDR, MASTER_PORT and "
        "NODE_RANK in its environment.",
    )
    precision: Literal["32", "bf16", "16", "64"] = Field(
        "32",
        description="Floating-point precision: 32, or bf16 or 16 for mixed; 16 is for CUDA. 64 is for checks: two ways "
        "of computing the same then agree to ten digits after many steps.",
    )
    compile: bool = Field(
        False, description="Compile the encoder: the first steps take a minute, the others less time on a GPU."
    )
    cuda_graphs: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Capture a step as a CUDA graph and replay it, since a GPU takes less time to compute a small "
        "network than the host to ask for it: auto is on CUDA, for methods that compute nothing on the host.",
    )
    deterministic: bool = Field(
        False, description="Compute so that a run on the same GPU can be repeated bit for bit; slower there."
    )
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
    keep: str = _live(
        "",
        max_length=200,
        description="Which frames are kept as they age, from the newest to the oldest: all 10min, 1/10s 1d, 1/min; "
        "all of them where empty. The first, the last and those with an event always are.",
    )
    least_frames: int = Field(
        20,
        ge=1,
        le=1_000_000,
        description="Frames of a run that are written whatever they cost, spread evenly over it.",
    )
    probe_points: int | None = Field(
        None,
        ge=20,
        le=50_000,
        description="Samples that the frames show, at most; where empty 2,000, or on a CPU as many as a large encoder "
        "reads in about a second.",
    )
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

    def steps_over(self, training_size: float) -> int:
        """Training steps on a set of so many samples: `steps`, or what `epochs` come to where they are given."""
        if self.epochs is None:
            return self.steps
        return max(1, round(self.epochs * training_size / self.batch_size))

    @field_validator("keep")
    @classmethod
    def _read_keep(cls, text: str) -> str:
        KeepRule.parse(text)
        return text

    @field_validator("milestones")
    @classmethod
    def _read_milestones(cls, text: str) -> str:
        parse_milestones(text)
        return text

    @field_validator("switches")
    @classmethod
    def _read_switches(cls, text: str) -> str:
        parse_switches(text)
        return text

    @field_validator("schedules")
    @classmethod
    def _read_schedules(cls, text: str) -> str:
        parse_schedules(text)
        return text

    @field_validator("nesterov")
    @classmethod
    def _needs_momentum(cls, nesterov: bool, info: ValidationInfo) -> bool:
        if nesterov and info.data.get("momentum") == 0:
            raise ValueError("must be off where momentum is 0")
        return nesterov

    @property
    def files(self) -> dict[str, Any]:
        """Where the data files are and how they are read, as `ltviz.data.registry` takes it."""
        return self.model_dump(include={*FILES})

    @property
    def cut(self) -> dict[str, Any]:
        """What `ltviz.data.registry.load` and `describe` take: `files`, and which part of them is trained on."""
        return self.model_dump(include={*CUT, *FILES})


INCIDENTAL = frozenset(
    {
        *("data_dir", "image_root", "device", "devices", "nodes", "threads", "compile", "cuda_graphs", "deterministic"),
        *("watch_share", "max_fps", "keep", "least_frames", "evaluate"),
    }
)
"""Names of the settings that say where a run computes and how closely it is watched, not what is learned: two runs that
differ in these alone are the same run."""
LATER = frozenset(
    {"profile", "image_size", "skip_bad", "data_options", "policies", "weights", "schedules", "sampling_exponent"}
    | {
        name
        for name, field in RunSettings.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("group") == OPTIMISATION
    }
)
"""Names of the settings that came after sweeps had named runs: left at their defaults they are not part of what a run
is called, so that a finished run is known again."""
DEFAULTS = {name: RunSettings.model_fields[name].get_default(call_default_factory=True) for name in LATER}
"""What a run of before they came did, and a run does that leaves them alone."""
NAMED = {"probe_points": 2000}
"""What settings that are chosen automatically now were by default when sweeps began to name runs: left empty they count
as that in a run's name, for the same reason."""
EQUAL_VIEWS = 3
"""`views` of comparisons: as many as the hungriest of our methods takes."""
LAB_WATCH_SHARE = 0.25
"""`watch_share` of runs that somebody looks at while they train."""
