"""`ltviz bench paper`: writes `.github/COST.md`, what training and watching costs at the scale of ImageNet-LT,
iNaturalist 2018 and 100,000 viewers. Every figure comes from functions of this package.

Nothing large is run. What the losses of a method keep for their backward pass, and what the method holds, are sums of
few terms in batch, queue and classes; their factors are measured where all three are small, and checked where all three
are larger than ever in the measurement.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, Field
from scipy.optimize import nnls

from ltviz.bench import cost
from ltviz.bench.cost import CostOptions
from ltviz.bench.scale import storage
from ltviz.cli.arguments import parse_one
from ltviz.export.cells import aligned
from ltviz.launch.app import load_app
from ltviz.methods.base import Method
from ltviz.recording import Frame
from ltviz.recording.files import write_whole
from ltviz.recording.keep import EXAMPLE, KeepRule
from ltviz.recording.names import typed_path

BATCH, QUEUE, DIM = 8192, 65_536, 128
FITTED = (
    (512, 2048, 128),
    (768, 2048, 128),
    (1024, 2048, 128),
    (512, 4096, 128),
    (512, 2048, 256),
    (512, 2048, 512),
    (1024, 4096, 128),
    (1024, 2048, 512),
    (768, 4096, 256),
    (1024, 4096, 512),
)
"""Batch, queue and classes that the factors are measured at."""
CHECKED = (1536, 8192, 1024)
"""Where they are checked."""
MOST_OFF = 0.05
"""Of a formula that is trusted; where it is further off there, nothing is said of larger sizes."""
RULES = ("all", EXAMPLE, "1/10s 1d, 1/min")
PROBE, RATE, VIEWERS = 2_000, 10.0, 100_000


@dataclass(frozen=True)
class Scale:
    """A data set, as large as its authors say."""

    title: str
    images: int
    classes: int


SCALES = (Scale("ImageNet-LT", 115_846, 1_000), Scale("iNaturalist 2018", 437_513, 8_142))
"""Liu et al. 2019, and the training set of the challenge."""


class PaperOptions(BaseModel):
    out: str = Field(".github/COST.md", max_length=1000, description="File to write.")
    methods: str = Field("", description="Methods of the first table, separated by commas; all where empty.")


def run(argv: Sequence[str] = ()) -> None:
    """Measures the factors, which takes about a minute, and writes the file."""
    options = parse_one("ltviz bench paper", argv, PaperOptions, about="Cost at a scale that nobody here has.")
    names = [name for name in options.methods.split(",") if name]
    kinds = {name: kind for name, kind in cost.served().items() if not names or name in names}
    out = typed_path(options.out)
    write_whole(out, document(memory_table(kinds)).encode())
    print(out)


# ---------------------------------------------------------------------- memory


@dataclass(frozen=True)
class Formula:
    """Bytes as a sum over terms in batch B, queue K and classes C.

    >>> Formula({"B": 512.0, "BK": 4.0}).at(8, 100, 10)
    7296.0
    """

    factors: Mapping[str, float]

    def at(self, batch: int, queue: int, classes: int) -> float:
        return sum(factor * _TERMS[term](batch, queue, classes) for term, factor in self.factors.items())


_TERMS: dict[str, Callable[[float, float, float], float]] = {
    "1": lambda b, k, c: 1.0,
    "B": lambda b, k, c: b,
    "K": lambda b, k, c: k,
    "C": lambda b, k, c: c,
    "B²": lambda b, k, c: b * b,
    "BK": lambda b, k, c: b * k,
    "BC": lambda b, k, c: b * c,
    "C²": lambda b, k, c: c * c,
}


def fit(measured: Mapping[tuple[int, int, int], float]) -> Formula:
    """The terms, none of which is negative, that come nearest to what was measured, relative to it.

    >>> fit({point: 8.0 * point[0] + 2.0 * point[0] * point[2] for point in FITTED}).factors.keys() == {"B", "BC"}
    True
    """
    bytes_ = np.maximum(1.0, np.array([*measured.values()]))
    columns = np.array([[term(*point) for term in _TERMS.values()] for point in measured]) / bytes_[:, None]
    size = np.linalg.norm(columns, axis=0)
    found = nnls(columns / size, np.ones(len(bytes_)))[0] / size
    share = (columns * found).max(axis=0)
    return Formula({term: float(f) for term, f, s in zip(_TERMS, found, share, strict=True) if s > 1e-3})


def measure(kind: type[Method], point: tuple[int, int, int]) -> tuple[float, float]:
    """Bytes that a step of the losses keeps for its backward pass, and bytes of what the method holds between steps:
    parameters and buffers, those of its queues, without the encoder."""
    batch, queue, classes = point
    options = CostOptions.model_validate({"queue": queue, "classes": classes, "dim": DIM, "device": "cpu"})
    step = cost.taken(kind, batch, options)
    assert step is not None
    method = cost.build(kind, options)
    return step * cost.MIB, float(sum(one.nbytes for one in (*method.parameters(), *method.buffers())))


@dataclass(frozen=True)
class Memory:
    """Of one method."""

    step: Formula
    held: Formula
    error: float
    """Of both at `CHECKED`, relative to what was measured there; the larger one."""


def memory_of(kind: type[Method]) -> Memory:
    """Measured at `FITTED` and at `CHECKED`."""
    found = {point: measure(kind, point) for point in FITTED}
    formulas = [fit({point: found[point][i] for point in FITTED}) for i in (0, 1)]
    true = measure(kind, CHECKED)
    error = max(abs(f.at(*CHECKED) - t) / max(1.0, t) for f, t in zip(formulas, true, strict=True))
    return Memory(formulas[0], formulas[1], error)


def memory_table(kinds: Mapping[str, type[Method]]) -> str:
    """Of methods, in Markdown: a row each."""
    heads = ["method", *(f"{scale.title}, {part}" for scale in SCALES for part in ("step", "held")), "off by", "step"]
    rows = []
    for name, kind in kinds.items():
        memory = memory_of(kind)
        cells = [
            _gigabytes(formula.at(BATCH, QUEUE, scale.classes)) if memory.error <= MOST_OFF else "–"
            for scale in SCALES
            for formula in (memory.step, memory.held)
        ]
        terms = " + ".join(_factor(f) + ("" if t == "1" else f" {t}") for t, f in memory.step.factors.items())
        rows.append([name, *cells, f"{100 * memory.error:.1f} %", terms])
    return aligned(heads, rows, 1)


def _factor(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.3f} GB"


# ---------------------------------------------------------------------- frames


def message_bytes(samples: int, classes: int) -> int:
    """Of a frame in three dimensions as it travels, before it is gzipped: places, predictions, loss, confidence, and
    the centres of all classes."""
    load_app()
    from ltviz_app.service.picture import draw_frame  # the name exists once `load_app` has found the app's folder
    from ltviz_app.service.wire import encode_frame

    rng = np.random.default_rng(0)
    z = rng.normal(size=(samples, 3))
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    labels = (np.arange(samples) % classes).astype(np.int32)
    own = {"prediction": labels, "loss": rng.random(samples), "confidence": rng.random(samples)}
    frame = Frame(step=100_000, embeddings=z.astype(np.float32), labels=labels, samples=own)
    order = np.arange(classes)
    picture = draw_frame(frame, order, None, None)
    return len(encode_frame("a-run", frame, picture, order, 0.0).message(seq=0, time=1e9, live=False))


def list_bytes() -> int:
    """Of what a list says of one run's frames, with as many names after the last chapter as there are on average."""
    load_app()
    from ltviz_app.service.site import CHAPTER, NAME_LENGTH

    steps = [100_000 + 5 * i for i in range(CHAPTER)]
    names = {"steps": steps, "frames": ["f" * NAME_LENGTH] * CHAPTER}
    return len(json.dumps(names, separators=(",", ":")))


def traffic_table() -> str:
    """One viewer of one run: of the app, at every frame, and of a host of files, at the newest with each list."""
    heads = ["data", "frame, kB", "app, kB/s", "host of files, kB/s", f"{VIEWERS:,} viewers, GB/s", "requests/s"]
    load_app()
    from ltviz_app.service.site import EVERY_SECONDS

    rows = []
    for scale in SCALES:
        frame = message_bytes(PROBE, scale.classes)
        served = (frame + list_bytes()) / EVERY_SECONDS
        rows.append(
            [
                scale.title,
                f"{frame / 1e3:.0f}",
                f"{RATE * frame / 1e3:.0f}",
                f"{served / 1e3:.0f}",
                f"{VIEWERS * served / 1e9:.1f}",
                f"{2 * VIEWERS / EVERY_SECONDS:,.0f}",
            ]
        )
    return aligned(heads, rows, 1)


def storage_table() -> str:
    """Of a run's folder, by rule."""
    heads = ["samples", "dimensions", "frame, MB", *(f"`{rule}`, GB a day" for rule in RULES)]
    rows = []
    for samples, dim in ((PROBE, 3), (PROBE, DIM), (50_000, DIM)):
        kept = [storage(samples, dim, rate=RATE, rule=KeepRule.parse(rule)) for rule in RULES]
        sizes = [f"{row['day_kept'] / 1e9:.2f}" for row in kept]
        rows.append([f"{samples:,}", str(dim), f"{kept[0]['frame'] / 1e6:.3f}", *sizes])
    return aligned(heads, rows, 0)


def document(memory: str) -> str:
    """The file, with the table of the methods' memory."""
    sizes = " and ".join(f"{s.title} ({s.images:,} training images, {s.classes:,} classes)" for s in SCALES)
    checked = "B {:,}, K {:,}, C {:,}".format(*CHECKED)
    largest = "B {:,}, K {:,}, C {:,}".format(*FITTED[-1])
    return f"""# Cost on paper

Written by `ltviz bench paper`: no figure is typed by hand, and none was measured at these sizes. They are
{sizes}.

## Memory of the losses

At a batch of B {BATCH:,} samples, queues of K {QUEUE:,} and {DIM} dimensions, in float32, without the encoder. *Step*
is what the backward pass keeps of the forward pass; *held* are parameters and buffers, queues among them. Both are sums
of terms in B, K and the number of classes C, whose factors are fitted on a CPU at sizes up to
{largest}; *off by* is the larger error of the two at {checked}; a method for which
it is above {100 * MOST_OFF:.0f} % has other terms, and gets no figure.
From there it is {BATCH // CHECKED[0]} times the batch and {QUEUE // CHECKED[1]} times the queue, over which a term that
is small in the fit may be off by much; and what a step takes for a moment only is not counted. `ltviz bench cost` on a
GPU measures both.

{memory}
## Frames on their way

A probe of {PROBE:,} samples in three dimensions, before gzip; {RATE:g} frames a second are recorded. The app sends
each; a page that reads files takes the newest one a second, and the list with it. Centres of all classes are in each
frame, as text, so that a frame grows with the number of classes.

{traffic_table()}
Such a host is `ltviz export RUN --to site --watch` behind any server of files: `files/ab/cdef….bin` is named by the
SHA-256 of its bytes and never changes, so that a cache may keep it for ever and the host is asked once for each frame,
however many watch; `list.json`, the one file that changes, names them, and a cache may keep it for a second. What it
names is there before it does. Frames older than the last hundred or so are named in chapters, files like the others,
so that the list stays at about {list_bytes() / 1e3:.0f} kB and a few bytes a chapter, however long a run is.

## Frames on the disk

Of a run of {RATE:g} frames a second, by the rule of `--keep`; frames with an event are kept besides.

{storage_table()}"""
