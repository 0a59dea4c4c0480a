"""The evaluation of a run: its last weights on the whole test set, by the judges that every run is asked about."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F

from ltviz.data.device_inputs import DevicePixels
from ltviz.data.pixels import UNLABELLED, Pixels
from ltviz.encoders import PixelEncoder
from ltviz.errors import ConfigError
from ltviz.methods.base import Method
from ltviz.metrics import confusion, geometry, mean_average_precision, mean_overlap
from ltviz.metrics.classes import images_of_classes
from ltviz.metrics.judged import COMMON, OWN
from ltviz.recording.evaluation import Evaluation, Judged
from ltviz.training.judges import JUDGES, TrainedMethod, accuracies
from ltviz.training.shared_start import SharedStart
from ltviz.training.stop import Interrupted

ASKED = (COMMON, "linear")
"""Judges beside the method's own classifier; those that take seconds are left to `ltviz judge`."""
AT_ONCE = 1 << 16
"""Pixels whose features are in memory together, or those of one image."""

log = logging.getLogger(__name__)


def evaluated(method: Method, shared: SharedStart, step: int, tell: Callable[[str], None]) -> Evaluation | None:
    """As `evaluate`; None where `tell` is `Interrupted`, and where it fails, which is logged: the run is complete
    without, and `ltviz judge` says the same."""
    try:
        return evaluate(method, shared, step, tell)
    except Interrupted:
        return None
    except Exception as error:
        log.warning("%s: no evaluation at step %d: %s: %s", method.card.name, step, type(error).__name__, str(error))
        return None


def evaluate(
    method: Method, shared: SharedStart, step: int, tell: Callable[[str], None] = lambda doing: None
) -> Evaluation:
    """What a method is worth as it is now; it is afterwards as before. Well under a second on digits, a few for 10,000
    test images of MNIST on one core, minutes for a ResNet on a CPU.

    Args:
        tell: called now and then with what is being done; what it raises ends the evaluation.
    """
    was_training = method.training
    method.eval()
    try:
        trained = TrainedMethod(method, shared, tell)
        precision, judged, refused = {}, {}, {}
        if method.several_labels:
            precision = _precision(trained)
        else:
            judged[OWN] = accuracies(trained, trained.own())
            for name in ASKED:
                try:
                    judged[name] = accuracies(trained, JUDGES[name](trained))
                except ConfigError as error:
                    refused[name] = str(error)
        overlap, pixels = _overlap(trained)
        sphere, features = _geometry(trained)
    finally:
        method.train(was_training)
    sizes, apart = _judged(trained)
    return Evaluation(
        step=step,
        test_images=sizes,
        judged=apart,
        validation_images=int(trained.held.sum()),
        accuracy=judged,
        map=precision,
        miou=overlap,
        pixels=pixels,
        refused=refused,
        sphere_is_readout=method.sphere_is_readout,
        geometry=sphere,
        features=features,
    )


def _judged(trained: TrainedMethod) -> tuple[list[int], Judged | None]:
    """Test images of each class, and of which pixels the accuracies are where samples are pixels."""
    data, y = trained.shared.data, trained.test_labels
    sizes = np.bincount(y, minlength=data.num_classes).tolist()
    if not isinstance(data.test_inputs, Pixels):
        return sizes, None
    images = data.test_inputs.of[trained.judged]
    apart = Judged(pixels=sizes, images=len(np.unique(images)))
    return images_of_classes(images, y, data.num_classes).tolist(), apart


@torch.no_grad()
def _precision(trained: TrainedMethod) -> dict[str, float]:
    data = trained.shared.data
    assert data.test_multi is not None
    scores = trained.method.classify(trained.test.float()).cpu().numpy()
    return {
        key: float(x)
        for key, x in mean_average_precision(scores, data.test_multi[~trained.held], data.counts).items()
        if key in ("all", "many", "medium", "few")
    }


@torch.no_grad()
def _overlap(trained: TrainedMethod) -> tuple[dict[str, float], list[int]]:
    """mIoU of the own classifier by group, and the labelled pixels of each class behind it: all of the test set that
    are not for validation. Nothing where samples are no pixels."""
    shared, encoder = trained.shared, trained.method.encoder
    on_device = shared.on_device(shared.data.test_inputs)
    if not isinstance(on_device, DevicePixels) or on_device.inputs.maps is None:
        return {}, []
    assert isinstance(encoder, PixelEncoder)
    pixels, maps, counts = on_device.inputs, on_device.inputs.maps, shared.data.counts
    num_places = math.prod(pixels.shape[:2])
    held = pixels.of[trained.held].astype(np.int64) * num_places + pixels.places[trained.held]
    confused = np.zeros((len(counts), len(counts)), np.int64)
    for index in pixels.images.blocks(max(1, AT_ONCE // num_places)):
        trained.tell(f"all pixels of {index[0]:,} of {len(pixels.images):,} test images")
        labels = maps.read(index).reshape(-1)
        labels[np.isin(index[0] * num_places + np.arange(len(labels)), held)] = UNLABELLED
        images = on_device.images.normalise(on_device.images.at(index))
        predicted = trained.method.classify(encoder.everywhere(images)).argmax(1)
        confused += confusion(predicted.cpu().numpy(), labels, len(counts))
    found = mean_overlap(confused, counts)
    groups = {"all": found.all, "many": found.many, "medium": found.medium, "few": found.few}
    return {name: x for name, x in groups.items() if x is not None}, confused.sum(1).tolist()


@torch.no_grad()
def _geometry(trained: TrainedMethod) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """Of the points on the sphere and of the unit features, each of the training and of the test samples."""
    parts = {"train": trained.train, "test": (trained.test, torch.from_numpy(trained.test_labels))}
    sphere, unit = {}, {}
    for part, (features, y) in parts.items():
        points = trained.method.project(features.float())
        for found, rows in ((sphere, points), (unit, F.normalize(features, dim=1))):
            found[part] = geometry(rows.cpu().numpy(), y.cpu().numpy(), trained.shared.data.counts)
    return sphere, unit
