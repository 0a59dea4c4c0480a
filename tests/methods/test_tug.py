"""The tugs of the losses as pure functions: tangent, by hand, and what the papers say of them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz.methods.bcl import bcl_tug
from ltviz.methods.parts.anchors import stack_views
from ltviz.methods.parts.forces import TOTAL, forces
from ltviz.methods.simclr import info_nce_tug
from ltviz.methods.supcon import supcon_tug

DIM = 3


def random_views(num: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(num, 2, DIM, generator=generator, dtype=torch.float64), dim=2)


def test_each_part_is_tangent() -> None:
    z, y = random_views(4)[:, :1], torch.arange(4)  # one row a class: the class's mean is the row's own force
    prototypes = random_views(4, seed=1)[:, 0]
    parts = forces(z, y, [bcl_tug(z, y, prototypes, temperature=0.2)], torch.tensor([40.0, 20.0, 10.0, 4.0]))
    for part in parts.values():
        assert float((part * z[:, 0]).sum(1).abs().max()) < 1e-12


def test_two_classes_on_a_circle_by_hand() -> None:
    """One sample each, two views that coincide: the positive is at rest, the other class pushes straight away."""
    angle = torch.tensor([0.0, 1.0], dtype=torch.float64)
    z = torch.stack([angle.cos(), angle.sin()], 1)[:, None].repeat(1, 2, 1)
    parts = forces(z, torch.arange(2), [supcon_tug(z, torch.arange(2), temperature=0.5)], torch.tensor([9.0, 3.0]))
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
        z = prototypes[y][:, None].repeat(1, 2, 1)
        if name == "supcon":
            tug = supcon_tug(z, y, temperature=0.5, average="class")
        else:
            tug = bcl_tug(z, y, prototypes, temperature=0.5, average="class")
        pushed = -tug.weights[len(y) - 1]
        return float(pushed[tug.classes == 0].sum() / pushed[tug.classes == 1].sum())

    assert head_to_medium("supcon", 10) > 3 * head_to_medium("supcon", 1)
    assert head_to_medium("bcl", 10) < 1.2 * head_to_medium("bcl", 1)


def test_without_labels_the_own_class_pushes_too() -> None:
    z, y = random_views(6), torch.tensor([2, 2, 2, 2, 2, 2])
    counts = torch.tensor([30.0, 20.0, 10.0])
    blind, seeing = info_nce_tug(z, y, temperature=0.5), supcon_tug(z, y, temperature=0.5)
    assert float(forces(z, y, [blind], counts)["tail"].norm()) > 0.01
    assert float(forces(z, y, [seeing], counts)["tail"].norm()) == 0
    assert blind.positives.sum() == len(stack_views(z)) < seeing.positives.sum()
