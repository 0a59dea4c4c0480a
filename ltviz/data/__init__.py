"""Long-tailed data sets. Everything but `ltviz.data.tensors` and `ltviz.data.batch` is numpy only.

from ltviz.data import registry

digits = registry.load("digits-lt", imbalance_factor=50, seed=0)
"""
