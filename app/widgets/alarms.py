"""What went wrong in the compared runs, said calmly under the stage; its timeline has it from the hub."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from ltviz.errors import LtvizError
from ltviz.metrics.alarms import Alarm

from .. import words
from ..service.studio import Studio
from . import forms
from .comparison import Compared
from .measured import with_progress


def draw_alarms(studio: Studio, compared: Compared, titles: Mapping[str, str]) -> None:
    """One line for an alarm of a run: step, reason, what to try. Nothing moves or blinks."""
    found: dict[str, tuple[Alarm, ...]] = {}
    for result in with_progress(compared.results, words.compare.LOOKING_FOR_ALARMS):
        run = result.recording.run_id
        try:
            found[run] = studio.hub.alarms.find(result.recording).alarms
        except LtvizError as error:
            st.caption(forms.escape(words.compare.NO_ALARMS_READ.format(title=titles.get(run, run), reason=error)))
            continue
    raised = {run: alarms for run, alarms in found.items() if alarms}
    if not raised:
        st.caption(words.compare.no_alarms(len(found)))
        return
    with st.expander(words.compare.alarms_head(sum(map(len, raised.values())), len(raised), len(found))):
        for run, alarms in raised.items():
            for alarm in alarms:
                st.text(words.compare.ALARM.format(title=titles.get(run, run), step=alarm.step, reason=alarm.reason))
                st.caption(forms.escape(alarm.advice))
