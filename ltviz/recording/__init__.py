"""Runs as folders of frames: a writer, a reader, and nothing else between a trainer and a viewer. numpy only."""

from __future__ import annotations

from ltviz.recording.attributes import Attribute
from ltviz.recording.begin import record
from ltviz.recording.frame import Frame
from ltviz.recording.home import Home, Skipped, list_runs, run_id_of, run_path
from ltviz.recording.info import Fingerprints, RunInfo, State, Status
from ltviz.recording.names import RUN_ID, check_run_id, checkpoints_home, new_run_id
from ltviz.recording.probe import Probe
from ltviz.recording.recorder import Recorder
from ltviz.recording.recording import BadFrame, Recording
from ltviz.recording.remote import RemoteHome, open
from ltviz.recording.requests import Request, send_request
from ltviz.recording.states import mark_failed
from ltviz.recording.weights import Weights, load_weights, save_weights
from ltviz.recording.writer import RunWriter

__all__ = [
    "RUN_ID",
    "Attribute",
    "BadFrame",
    "Fingerprints",
    "Frame",
    "Home",
    "Probe",
    "Recorder",
    "Recording",
    "RemoteHome",
    "Request",
    "RunInfo",
    "RunWriter",
    "Skipped",
    "State",
    "Status",
    "Weights",
    "check_run_id",
    "checkpoints_home",
    "list_runs",
    "load_weights",
    "mark_failed",
    "new_run_id",
    "open",
    "record",
    "run_id_of",
    "run_path",
    "save_weights",
    "send_request",
]
