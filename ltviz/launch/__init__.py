"""How a run starts: jobs wait in a folder, workers take them. Only `worker`, the process itself, imports torch.

    <home>/.ltviz/queue/<job>.json              waiting
    <home>/.ltviz/claimed/<job>@<worker>.json   taken by that worker, with the devices it was given; gone when it ends
    <home>/.ltviz/workers/<id>/                 worker.json, log.txt, lock (held while the worker lives)
    <home>/.ltviz/sweeps/<id>.json              how far a running sweep is
    <home>/.ltviz/app.lock                      held (shared) by every app that looks at this home

Renaming a file is what takes a job, so two workers, or two apps, never share one.
"""

from ltviz.launch.places import Device as Device
from ltviz.launch.places import Place as Place
from ltviz.launch.processes import AppLock as AppLock
from ltviz.launch.processes import WorkerState as WorkerState
from ltviz.launch.processes import check_home as check_home
from ltviz.launch.processes import end_worker as end_worker
from ltviz.launch.processes import fail_abandoned as fail_abandoned
from ltviz.launch.processes import hold_app_lock as hold_app_lock
from ltviz.launch.processes import log_tail as log_tail
from ltviz.launch.processes import spawn_worker as spawn_worker
from ltviz.launch.processes import workers as workers
from ltviz.launch.progress import SweepProgress as SweepProgress
from ltviz.launch.progress import sweeps as sweeps
from ltviz.launch.queue import Job as Job
from ltviz.launch.queue import JobRun as JobRun
from ltviz.launch.queue import claim as claim
from ltviz.launch.queue import jobs as jobs
from ltviz.launch.queue import move as move
from ltviz.launch.queue import release as release
from ltviz.launch.queue import submit as submit
from ltviz.launch.queue import withdraw as withdraw

__all__ = [
    "AppLock",
    "Device",
    "Job",
    "JobRun",
    "Place",
    "SweepProgress",
    "WorkerState",
    "check_home",
    "claim",
    "end_worker",
    "fail_abandoned",
    "hold_app_lock",
    "jobs",
    "log_tail",
    "move",
    "release",
    "spawn_worker",
    "submit",
    "sweeps",
    "withdraw",
    "workers",
]
