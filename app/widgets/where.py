"""The menu that says where a race trains: on this machine, or on a cluster, where one is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ltviz import launch
from ltviz.launch.apart import shared_storage
from ltviz.launch.away import Away, clusters
from ltviz.launch.slurm_site import slurm_options

from .. import words

HERE = "here"


def draw_where() -> dict[str, Any]:
    """Fields of `Away` beside its job; empty for this machine. Nothing is drawn where no cluster is known."""
    if not (known := clusters()):
        return {}
    left, right = st.columns(2)
    with left:
        on = st.selectbox(words.lab.WHERE, [HERE, *known], format_func=words.lab.PLACES.__getitem__, key="race-where")
    if on == HERE:
        return {}
    st.caption(words.lab.AWAY_HELP)
    if on == "ray":
        with right:
            gpus = st.number_input(
                words.lab.GPUS, 0.0, 64.0, 0.0, 0.25, key="race-gpus", help=words.lab.GPUS_HELP, format="%g"
            )
        mirror = st.text_input(words.lab.AWAY_MIRROR, key="race-mirror", help=words.lab.AWAY_MIRROR_HELP).strip()
        return {"on": on, "gpus": gpus, "mirror": mirror or None}
    with right:
        text = st.text_input(words.lab.SLURM, key="race-slurm", help=words.lab.SLURM_HELP)
    return {"on": on, "options": text}


def away_of(job: launch.Job, where: Mapping[str, Any]) -> Away:
    """A race on a cluster, as the menu says. ConfigError: options that are none, an address that no node reaches."""
    if mirror := where.get("mirror"):
        shared_storage(mirror)
    given = {**where, **({"options": slurm_options(where["options"])} if "options" in where else {})}
    return Away(job=job, **given)
