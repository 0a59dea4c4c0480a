"""Lines of Python that the listings of several methods share, in the order in which a program has them."""

from __future__ import annotations

from ltviz.methods.parts.cosine import SCALE

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
TEACHING = f"""\
# the teacher trains first: a cosine classifier with logit adjustment
teacher = copy.deepcopy(encoder)
{directions("guide", "width")}
learning = optimizer_of([*teacher.parameters(), guide])
for step in range(1, steps + 1):
    batch = batches.at(step)
    for group in learning.param_groups:
        group["lr"] = rate(step)
    logits = {SCALE:g} * {cosines("teacher(batch.view(0))", "guide")}
    learning.zero_grad()
    F.cross_entropy(logits + log_prior, batch.y).backward()
    learning.step()
teacher.requires_grad_(False).eval()
torch.manual_seed(seed + 1)
"""
"""Before a method that learns from a teacher is built: the teacher, and its own training."""
