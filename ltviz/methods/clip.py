"""CLIP: an image and its caption attract, all other pairs of the batch repel (Radford et al., 2021)."""

from __future__ import annotations

import itertools
import math

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ltviz.encoders.pixelwise import PixelEncoder
from ltviz.marks import PROTOTYPES, Mark, Reading, Segments, Shown
from ltviz.methods.base import Batch, Card, Method, Settings, Setup
from ltviz.methods.parts.host_count import add_to_count, read_count
from ltviz.methods.parts.inputs import check_choice, check_rows, check_temperature, unit
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.similarities import Partners, similarities
from ltviz.methods.parts.step import Step

LOWEST_TEMPERATURE = 0.01
NOISE = 0.3
"""Grey value below which a pixel is not ink: three standard deviations of the noise of augmented images."""
DEGREES = 3
"""Words for a slant (left, upright, right) and for a stroke (thin, medium, thick)."""
_EPSILON = 1e-6
_FOLLOW = 0.05  # how fast the limits between the words follow what has been seen


@loss("images", "captions")
def clip(images: Tensor, captions: Tensor, *, temperature: float | Tensor, reduction: str = "mean") -> Tensor:
    r"""CLIP's loss: each image must pick its caption among those of the batch, and each caption its image.

    .. math:: L_i = -\frac{1}{2} \Big( \log \frac{e^{u_i \cdot v_i/\tau}}{\sum_j e^{u_i \cdot v_j/\tau}}
              + \log \frac{e^{u_i \cdot v_i/\tau}}{\sum_j e^{u_j \cdot v_i/\tau}} \Big)

    Args:
        images: (B, D) unit rows u, taken as given.
        captions: (B, D) unit rows v; row i belongs to image i. Equal captions in one batch are not told apart.
        temperature: positive number or 0-d tensor.
        reduction: "mean" gives a scalar, "none" the (B,) values of the pairs.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: Radford et al. 2021, Figure 3.

    >>> images = captions = torch.eye(3)
    >>> round(clip(images, captions, temperature=0.5).item(), 3)
    0.24
    """
    check_rows("clip", "images", images, (None, None), "(pairs, dimensions)")
    if not len(images):
        raise ValueError(f"clip: images must hold at least one pair, but has shape {tuple(images.shape)}")
    check_rows("clip", "captions", captions, tuple(images.shape), f"for images of shape {tuple(images.shape)}")
    check_choice("clip", "reduction", reduction, ("mean", "none"))
    tau, own = check_temperature("clip", temperature, images), torch.arange(len(images), device=images.device)
    # captions of other images of the class push like all others: the loss knows no classes
    logits = similarities(images, captions, Partners(positives=lambda: own[:, None] == own)) / tau
    values = [F.cross_entropy(sided, own, reduction=reduction) for sided in (logits, logits.T)]
    return torch.stack(values).mean(0)


def slant(x: Tensor) -> Tensor:
    """(B,) tangent of the angle by which the ink of images (B, 1, H, W) leans to the right; 0 without ink."""
    ink, rows, columns = _ink(x)
    total = ink.sum((1, 2)) + _EPSILON
    down = rows - ((ink * rows).sum((1, 2)) / total)[:, None, None]
    right = columns - ((ink * columns).sum((1, 2)) / total)[:, None, None]
    return -(ink * down * right).sum((1, 2)) / ((ink * down.square()).sum((1, 2)) + _EPSILON)


def stroke(x: Tensor) -> Tensor:
    """(B,) width of the pen in images (B, 1, H, W), in pixels: twice the ink over the length of its outline."""
    ink, _, _ = _ink(x)
    padded = F.pad(ink, (1, 1, 1, 1))
    outline = padded.diff(dim=1).abs().sum((1, 2)) + padded.diff(dim=2).abs().sum((1, 2))
    return 2 * ink.sum((1, 2)) / (outline + _EPSILON)


def _ink(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(B, H, W) ink, and the row and column of every pixel."""
    ink = (x[:, 0] - NOISE).clamp_min(0)
    rows, columns = (torch.arange(size, device=x.device, dtype=x.dtype) for size in ink.shape[1:])
    return ink, rows[:, None], columns[None]


class Captions(nn.Module):
    """Captions of images as bags of words, (B, C + 6): the class's name, one of three slants and one of three strokes.

    The limits between the words are the thirds of what has been seen so far, so that every word is used; they are
    buffers, saved with the weights.
    """

    def __init__(self, num_classes: int):
        super().__init__()
        self.num_classes = num_classes
        self.register_buffer("limits", torch.zeros(2, DEGREES - 1))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.limits: Tensor
        self.seen: Tensor

    @property
    def num_words(self) -> int:
        return self.num_classes + 2 * DEGREES

    @torch.no_grad()
    def describe(self, x: Tensor, y: Tensor) -> Tensor:
        """Captions of images (B, 1, H, W) with labels (B,)."""
        limits = self.limits if read_count(self, "seen") else _thirds(x)
        degrees = [torch.searchsorted(edge, v) for edge, v in zip(limits.to(x), (slant(x), stroke(x)), strict=True)]
        return self.words(y, *degrees).to(x.dtype)

    @torch.no_grad()
    def follow(self, x: Tensor) -> None:
        """Take the slants and strokes of these images into the limits."""
        thirds = _thirds(x).to(self.limits)
        self.limits.copy_(self.limits.lerp(thirds, _FOLLOW) if read_count(self, "seen") else thirds)
        add_to_count(self, "seen", 1)

    def words(self, y: Tensor, leaning: Tensor, width: Tensor) -> Tensor:
        """Captions (B, num_words) of 0 and 1 from labels and degrees of 0, 1 or 2, all (B,)."""
        parts = ((y, self.num_classes), (leaning, DEGREES), (width, DEGREES))
        return torch.cat([(word[:, None] == torch.arange(size, device=y.device)).long() for word, size in parts], dim=1)

    def of_classes(self) -> Tensor:
        """All nine captions of every class, (C, 9, num_words)."""
        device = self.limits.device
        pairs = torch.tensor(list(itertools.product(range(DEGREES), repeat=2)), device=device)
        y = torch.arange(self.num_classes, device=device).repeat_interleave(len(pairs))
        leaning, width = pairs.repeat(self.num_classes, 1).T
        return self.words(y, leaning, width).view(self.num_classes, len(pairs), -1)


def _thirds(x: Tensor) -> Tensor:
    """(2, 2) limits between the thirds of the slants and of the strokes of images."""
    values = torch.stack([slant(x), stroke(x)]).sort(dim=1).values
    # as `quantile` interpolates, which looks at the levels' values
    ranks = torch.arange(1, DEGREES, device=x.device, dtype=x.dtype) / DEGREES * (len(x) - 1)
    below, above = values[:, ranks.floor().long()], values[:, ranks.ceil().long()]
    return below.lerp(above, ranks.frac().expand_as(below))


class ClipSettings(Settings):
    initial_temperature: float = Field(
        0.07, ge=LOWEST_TEMPERATURE, le=2, description="Temperature at the start; it is learned from there."
    )


class Clip(Method):
    """Contrast of images with captions that are made from them; term `contrast`.

    A caption says the class's name, the slant and the stroke of the view that the image encoder sees. Classification is
    zero-shot: the class whose nine captions, each unit, have the mean nearest to the image; nothing corrects for the
    imbalance. The temperature is learned and kept at 0.01 or above, as in the paper.
    """

    card = Card(
        name="clip",
        title="CLIP",
        year=2021,
        idea="A picture and its caption meet on the sphere; a class is wherever its name lies.",
        formula=r"L_i = -\frac{1}{2} \Big( \log \frac{e^{u_i \cdot v_i/\tau}}{\sum_j e^{u_i \cdot v_j/\tau}} "
        r"+ \log \frac{e^{u_i \cdot v_i/\tau}}{\sum_j e^{u_j \cdot v_i/\tau}} \Big)",
        terms={
            r"e^{u_i \cdot v_i/\tau}": "pull",
            r"\sum_j e^{u_i \cdot v_j/\tau}": "push",
            r"\sum_j e^{u_j \cdot v_i/\tau}": "push",
        },
        symbols={r"\tau": "temperature"},
        look_for="Each class's name (a square) moves towards its cloud but may stay beside it (the modality gap): "
        "only the order of similarities counts. Names of tail classes are read seldom.",
        differs="Captions are made from the images: the class's name, the slant and the stroke, as a bag of words and "
        "not as text.",
        sphere="Images as points and the classes' captions as squares: this sphere is what training shapes.",
        paper="Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML 2021, "
        "arXiv:2103.00020",
        code="https://github.com/openai/CLIP",
    )
    Settings = ClipSettings
    on_host = None
    settings: ClipSettings
    readings = (
        Reading(
            key="temperature",
            title="Temperature",
            short="The temperature that the method has learned by now: the lower it is, the more a small difference in "
            "similarity counts.",
        ),
    )
    marks = (
        PROTOTYPES,
        Mark(
            key="captions",
            title="Image and caption",
            short="Each arc joins an image (dot) and its caption (square), which belong together; short arcs mean that "
            "they found each other.",
            primitive="segments",
            sign="arc",
            end="square",
        ),
    )

    def __init__(self, settings: ClipSettings, setup: Setup):
        super().__init__(settings, setup)
        self.captions = Captions(setup.num_classes)
        self.reader = nn.Sequential(
            nn.Linear(self.captions.num_words, setup.feature_dim), nn.ReLU(), nn.Linear(setup.feature_dim, setup.dim)
        )
        self.log_temperature = nn.Parameter(torch.tensor(math.log(settings.initial_temperature)))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        x = batch.view(0)
        told = self.embed_captions(self.captions.describe(self.described(x), batch.y))
        return {"contrast": clip(self.embed(x), told, temperature=self.log_temperature.exp())}

    def described(self, x: Tensor) -> Tensor:
        """Images (B, C, H, W) that captions are of: a view itself or, where samples are pixels, what is around each."""
        return self.encoder.around(x) if isinstance(self.encoder, PixelEncoder) else x

    def embed_captions(self, captions: Tensor) -> Tensor:
        """Unit embeddings (..., dim) of captions (..., num_words)."""
        return unit(self.reader(captions.to(self.log_temperature.dtype)))

    def names(self) -> Tensor:
        """Where each class's name lies: the mean of its captions, unit, (C, dim)."""
        return unit(self.embed_captions(self.captions.of_classes()).mean(1))

    def classify(self, features: Tensor) -> Tensor:
        return self.project(features) @ self.names().T / self.log_temperature.exp()

    def landmarks(self) -> dict[str, Tensor]:
        return {"prototypes": self.names()}

    def read(self) -> dict[str, Tensor]:
        return {"temperature": self.log_temperature.exp()}

    def show(self, batch: Batch) -> dict[str, Shown]:
        """Under "captions" each image and the caption that is made of its view 0."""
        x = batch.view(0)
        told = self.embed_captions(self.captions.describe(self.described(x), batch.y))
        return {"captions": Segments(self.embed(x), told, batch.y)}

    def after_step(self, step: Step) -> None:
        with torch.no_grad():
            self.log_temperature.clamp_(min=math.log(LOWEST_TEMPERATURE))
        self.captions.follow(self.described(step.batch.view(0)))

    @classmethod
    def listing(cls, settings: ClipSettings) -> Listing:
        return Listing(
            imports="from ltviz.methods.clip import Captions  # says the class, the slant and the stroke of an image",
            build="""\
captions = Captions(num_classes)
reader = nn.Sequential(nn.Linear(captions.num_words, width), nn.ReLU(), nn.Linear(width, dim))
log_temperature = nn.Parameter(torch.tensor(math.log(initial_temperature)))
""",
            trains="*reader.parameters(), log_temperature",
            step="""\
images = batch.view(0)
z = F.normalize(head(encoder(images)), dim=1)
told = F.normalize(reader(captions.describe(images, batch.y)), dim=1)
similar, own = z @ told.T / log_temperature.exp(), torch.arange(len(z))
loss = (F.cross_entropy(similar, own) + F.cross_entropy(similar.T, own)) / 2
""",
            after=f"""\
log_temperature.data.clamp_(min=math.log({LOWEST_TEMPERATURE:g}))
captions.follow(images)
""",
        )
