"""The policies of the papers, a view each, put together from the elementary ones."""

from __future__ import annotations

from functools import partial

from ltviz.data.views.autoaugment import autoaugment
from ltviz.data.views.colour import blur, gray, jitter
from ltviz.data.views.placing import crop, cutout, flip, resized_crop
from ltviz.data.views.policy import Policy, sequence
from ltviz.data.views.randaugment import randaugment

_always = partial(jitter, hue_by=0.0, probability=1.0)

AUTO_CUTOUT = Policy(
    "autoaugment-cutout",
    "AutoAugment and cutout",
    "Crop, flip, AutoAugment and cutout: every view of GML on CIFAR, and the view of ProCo's and PaCo's classifiers.",
    "Suh and Seo 2023; code: `cifar_main.py` of GML 1ff816c, `augmentation_regular` of ProCo af9e78e",
    sequence(crop, flip, autoaugment, cutout),
    by_rows=True,
)
SIM = Policy(
    "simaug",
    "SimAugment",
    "Resized crop of 8 to 100 %, flip, colour jitter and grey: the contrastive views of BCL and ProCo.",
    "Zhu et al. 2022, Section 4.1; code: `augmentation_sim` of BCL f72d070, `augmentation_sim_cifar` of ProCo af9e78e. "
    "One order of the jitter a view, not an image",
    sequence(resized_crop, flip, jitter, gray),
    by_rows=True,
)
RAND = Policy(
    "randaug",
    "RandAugment after crop and jitter",
    "Resized crop, flip, colour jitter and RandAugment: the classification view of BCL, GML and ProCo on ImageNet-LT.",
    "Zhu et al. 2022, Section 4.1; code: `augmentation_randncls` of BCL f72d070 and GML 1ff816c",
    sequence(resized_crop, flip, _always, randaugment),
    by_rows=True,
)
RAND_STACK = Policy(
    "randaug-stack",
    "RandAugment, stacked",
    "Resized crop, flip, colour jitter, grey, blur and RandAugment: the contrastive views of GML on ImageNet-LT.",
    "Suh and Seo 2023; code: `augmentation_randnclsstack` of GML 1ff816c",
    sequence(resized_crop, flip, _always, gray, blur, randaugment),
    by_rows=True,
)
SUPCON = Policy(
    "supcon",
    "SupCon's",
    "Resized crop of 20 to 100 %, flip, colour jitter and grey: both views of SupCon, and of TSC on CIFAR.",
    "Khosla et al. 2020; code: `main_supcon.py` of SupContrast 66a8fe5",
    sequence(partial(resized_crop, smallest=0.2), flip, jitter, gray),
    by_rows=True,
)
TSC = Policy(
    "tsc",
    "TSC's",
    "Resized crop of 8 to 100 %, flip and a colour jitter without hue: both views of TSC on ImageNet-LT.",
    "Li et al. 2022; code: `main_moco_supcon_imba.py` of targeted-supcon c4f15eb",
    sequence(resized_crop, flip, _always),
    by_rows=True,
)
PACO = Policy(
    "paco-sim",
    "PaCo's",
    "Resized crop, colour jitter without hue, grey, blur and flip: the contrastive views of PaCo on ImageNet-LT.",
    "Cui et al. 2021; code: `augmentation_sim` of PaCo fe56535, which GML 1ff816c kept",
    sequence(resized_crop, _always, gray, blur, flip),
    by_rows=True,
)
