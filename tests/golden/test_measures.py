"""Measures of `ltviz.metrics` against the official code, in float64."""

from __future__ import annotations

from pathlib import Path

import pytest

from ltviz import metrics

HERE = Path(__file__).parent


def cases(folder: str):
    files = sorted((HERE / folder).glob("*.npz"))
    assert files, f"no golden files in {folder}"
    return pytest.mark.parametrize("case", files, ids=lambda file: file.stem, indirect=True)


def close(value: float, tolerance: float = 1e-9):
    return pytest.approx(float(value), rel=tolerance, abs=tolerance)


@cases("uniformity_wasserstein")
def test_uniformity_wasserstein(case):
    assert metrics.uniformity_wasserstein(case.input.z.numpy()) == close(case.ref.exact)


@cases("mmd_sphere")
def test_mmd_sphere(case):
    assert metrics.mmd_sphere(case.input.z.numpy(), t=float(case.param.t)) == close(case.out.mmd2)


@cases("sliced_wasserstein_sphere")
def test_sliced_wasserstein_sphere(case):
    z, planes = case.input.z.numpy(), case.input.planes_PxDx2.numpy()
    assert metrics.sliced_wasserstein_sphere(z, planes=planes) == close(case.out.ssw)


@cases("cdnv")
def test_cdnv(case):
    found = metrics.cdnv(case.input.z.numpy(), case.input.labels.numpy(), num_classes=int(case.param.num_classes))
    assert found == close(case.out.cdnv)


@cases("cka")
def test_cka(case):
    a, b = case.input.a.numpy(), case.input.b.numpy()
    assert metrics.cka(a, b) == close(case.out.cka_unbiased)
    assert metrics.cka(b, a) == close(case.out.cka_unbiased)
    assert metrics.cka(a, b, unbiased=False) == close(case.out.cka_biased)


@cases("mutual_knn")
def test_mutual_knn(case):
    for k, expected in zip(case.param.k, case.out.mutual_knn, strict=True):
        assert metrics.mutual_knn(case.input.a.numpy(), case.input.b.numpy(), k=int(k)) == close(expected)


@cases("procrustes_distance")
def test_procrustes_distance(case):
    found = metrics.procrustes_distance(case.input.a.numpy(), case.input.b.numpy())
    assert found == close(case.out.distance, 1e-7)


@cases("lidar")
def test_lidar(case):
    z, p = case.input.features.numpy(), case.param
    assert metrics.lidar(z, delta=float(p.delta), epsilon=float(p.epsilon)) == close(case.out.lidar)


@cases("alpha_req")
def test_alpha_req(case):
    found = metrics.alpha_req(case.input.z.numpy(), first=int(case.param.first), last=int(case.param.last))
    assert found == close(case.out.alpha, 1e-7), "the official weights are float32"


@cases("norm_ratio")
def test_norm_ratio(case):
    assert metrics.norm_ratio(case.input.rows_CxD.numpy(), case.input.class_counts.numpy()) == close(
        case.out.norm_ratio
    )
