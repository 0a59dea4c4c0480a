"""Pair weights of the losses: tangent, by hand, and what the papers say of them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz.methods.bcl import bcl
from ltviz.methods.parts.forces import TOTAL, imagine
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.similarities import observed
from ltviz.methods.registry import method
from ltviz.methods.supcon import supcon

DIM = 3


def random_views(num: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(num, 2, DIM, generator=generator, dtype=torch.float64), dim=2)


def imagined(name: str, z: Tensor, y: Tensor, counts: list[float], **settings: float) -> dict[str, Tensor]:
    means = torch.eye(len(counts), z.shape[2], dtype=z.dtype)
    nothing = {"queue": z[:0, 0], "queue_y": y[:0], "generator": torch.Generator()}
    scene = Scene(z=z, y=y, counts=torch.tensor(counts).double(), means=means, **nothing)
    return imagine(method(name), scene, method(name).Settings(**settings))


def test_each_part_is_tangent() -> None:
    z, y = random_views(4), torch.arange(4)
    for name in ("bcl", "proco", "logit_adjust"):
        views = z[:, :1].repeat(1, 2, 1)  # both views at one place: the class's mean is each row's own force
        for part in imagined(name, views, y, [40.0, 20.0, 10.0, 4.0]).values():
            assert float((part * z[:, 0]).sum(1).abs().max()) < 1e-12


def test_two_classes_on_a_circle_by_hand() -> None:
    """One sample each, two views that coincide: the positive is at rest, the other class pushes straight away."""
    angle = torch.tensor([0.0, 1.0], dtype=torch.float64)
    z = torch.stack([angle.cos(), angle.sin()], 1)[:, None].repeat(1, 2, 1)
    parts = imagined("supcon", z, torch.arange(2), [9.0, 3.0], temperature=0.5)
    near, far = torch.tensor(1 / 0.5).exp(), (angle[1].cos() / 0.5).exp()
    share = far / (near + 2 * far)
    # both views of the other class, as anchor and as partner of an anchor, times the sine between them
    push = 2 * 2 * share / 0.5 * angle[1].sin()
    torch.testing.assert_close(parts[TOTAL][0], torch.tensor([0.0, -1.0], dtype=torch.float64) * push)
    torch.testing.assert_close(parts["tail"][0], parts[TOTAL][0])
    torch.testing.assert_close(parts["head"][1], parts[TOTAL][1])
    assert float(parts["positives"].abs().max()) < 1e-12 and "prior" not in parts and "targets" not in parts


def test_more_head_samples_push_the_tail_harder_under_supcon_and_not_under_bcl() -> None:
    """Zhu et al. 2022: averages by class take the number of samples out of the push."""
    prototypes = random_views(3)[:, 0]

    def head_to_medium(name: str, num_head: int) -> float:
        """Push of head partners on the one tail sample over that of medium ones; samples lie on their prototypes."""
        y = torch.tensor([0] * num_head + [1, 2])
        z = prototypes[y][:, None].repeat(1, 2, 1).requires_grad_()
        with observed(y) as seen:
            if name == "supcon":
                loss = supcon(z, y, temperature=0.5, average="class")
            else:
                loss = bcl(z, y, prototypes, temperature=0.5, average="class")
        (table,), ((weights,), _) = seen.tables, seen.gradients(loss, [])
        pushed, classes = -weights[len(y) - 1], table.classes
        num_rows = 2 * len(y)  # rows are partners of each other
        pushed[:num_rows] -= weights[:, len(y) - 1]
        return float(pushed[classes == 0].sum() / pushed[classes == 1].sum())

    assert head_to_medium("supcon", 10) > 3 * head_to_medium("supcon", 1)
    assert head_to_medium("bcl", 10) < 1.2 * head_to_medium("bcl", 1)


def test_without_labels_the_own_class_pushes_too() -> None:
    z, y = random_views(6), torch.tensor([2, 2, 2, 2, 2, 2])
    blind, seeing = (imagined(name, z, y, [30.0, 20.0, 10.0], temperature=0.5) for name in ("simclr", "supcon"))
    assert float(blind["tail"].norm()) > 0.01 and float(seeing["tail"].norm()) == 0
