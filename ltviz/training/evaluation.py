"""The evaluation of a run: its last weights on the whole test set, by the judges that every run is asked about."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from ltviz.errors import ConfigError
from ltviz.methods.base import Method
from ltviz.metrics import geometry, mean_average_precision
from ltviz.metrics.final import COMMON, OWN
from ltviz.recording.evaluation import Evaluation
from ltviz.training.judges import JUDGES, TrainedMethod, accuracies
from ltviz.training.shared_start import SharedStart

ASKED = (COMMON, "linear")
"""Judges beside the method's own classifier; those that take seconds are left to `ltviz judge`."""


def evaluate(method: Method, shared: SharedStart, step: int) -> Evaluation:
    """What a method is worth as it is now; it is afterwards as before. Well under a second on digits, a few for 10,000
    test images of MNIST on one core."""
    was_training = method.training
    method.eval()
    try:
        trained = TrainedMethod(method, shared)
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
        sphere, features = _geometry(trained)
    finally:
        method.train(was_training)
    return Evaluation(
        step=step,
        test_images=np.bincount(trained.test_labels, minlength=shared.data.num_classes).tolist(),
        validation_images=int(trained.held.sum()),
        accuracy=judged,
        map=precision,
        refused=refused,
        sphere_is_readout=method.sphere_is_readout,
        geometry=sphere,
        features=features,
    )


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
def _geometry(trained: TrainedMethod) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """Of the points on the sphere and of the unit features, each of the training and of the test samples."""
    parts = {"train": trained.train, "test": (trained.test, torch.from_numpy(trained.test_labels))}
    sphere, unit = {}, {}
    for part, (features, y) in parts.items():
        points = trained.method.project(features.float())
        for found, rows in ((sphere, points), (unit, F.normalize(features, dim=1))):
            found[part] = geometry(rows.cpu().numpy(), y.cpu().numpy(), trained.shared.data.counts)
    return sphere, unit
