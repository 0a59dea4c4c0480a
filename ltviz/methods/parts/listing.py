"""A method's part of a program that trains as it does, outside of ltviz: what "show me the code" shows.

The rest of the program, the same for all methods, is `ltviz.training.program`'s, which says what stands there already.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Four pieces of Python, each without indentation.

    They may use what the program has by then: `encoder`, `head`, `width` (of the features), `dim`, `num_classes`,
    `counts` and `log_prior` (C,), `generator`, `seed`, `step`, `steps`, `batch`, `torch`, `nn`, `F`, `math`, `copy`,
    `losses` and `geometry`; and the method's settings by their names, which the program then begins with.
    """

    build: str = ""
    """What the method has beside encoder and head, drawn in the order in which the method draws it."""
    trains: str = ""
    """What of it is trained, as it stands in a list: "*probe.parameters(), weight"."""
    step: str
    """From `batch` to `loss`, the scalar that is minimised."""
    after: str = ""
    """What follows the optimiser's step."""
    imports: str = ""
    """Further imports."""


PROBE = "probe = nn.Linear(width, num_classes)  # reads the features, and does not steer them"
"""The online probe, built."""
PROBE_TRAINS = "*probe.parameters()"


def probe_loss(y: str) -> str:
    """The probe's loss of `features` with the labels `y`."""
    return f"F.cross_entropy(probe(features.detach()) + log_prior, {y})"


def directions(name: str, width: str) -> str:
    """The class weights of a cosine classifier, built."""
    return f"{name} = nn.Parameter(F.normalize(2 * torch.rand(num_classes, {width}) - 1, dim=1))"


def cosines(rows: str, weight: str) -> str:
    """Of rows and class weights, (B, C)."""
    return f"F.normalize({rows}, dim=1) @ F.normalize({weight}, dim=1).T"


TWO_VIEWS = """\
features = encoder(batch.views(0, 1))  # both views of each image, one after the other
z = F.normalize(head(features), dim=1)
y = batch.y.repeat(2)
"""
"""The beginning of a step that contrasts two views of each image."""
QUEUE = """\
key_network = copy.deepcopy(nn.Sequential(encoder, head)).requires_grad_(False)  # follows slowly
queue, queue_y, stored = torch.zeros(queue_size, dim), torch.zeros(queue_size, dtype=torch.int64), 0
"""
"""Keys of earlier batches, and the momentum copy that they come from."""
QUERIES = """\
features = encoder(batch.view(0))
query = F.normalize(head(features), dim=1)
with torch.no_grad():
    key = F.normalize(key_network(batch.view(1)), dim=1)
keys, keys_y = queue[: min(stored, queue_size)], queue_y[: min(stored, queue_size)]
"""
"""The beginning of a step that contrasts queries with keys."""
ENQUEUE = """\
for slow, fast in zip(key_network.parameters(), nn.Sequential(encoder, head).parameters()):
    slow.data.lerp_(fast.data, 1 - momentum)
slots = (stored + torch.arange(len(key)))[-queue_size:] % queue_size
queue[slots], queue_y[slots], stored = key[-queue_size:], batch.y[-queue_size:], stored + len(key)
"""
"""What a method with a queue does after a step."""
