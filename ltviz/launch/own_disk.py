"""A trial on a node that does not see the home: it trains on the node's own disk, and its runs leave by a mirror."""

from __future__ import annotations

from ltviz.launch.apart import shared_storage
from ltviz.launch.queue import Job
from ltviz.launch.slots import left_of
from ltviz.launch.worker import train_alone
from ltviz.recording import Recording
from ltviz.recording.copies import Copies
from ltviz.recording.files import make_folder
from ltviz.recording.mirror import Left, Mirror
from ltviz.recording.names import cache_home
from ltviz.recording.own import remove_own


def train_apart(job: Job, url: str) -> list[Left]:
    """Trains what is left of a job in a folder of this node, kept up at the address; gives what did not get there.

    A run that is finished and all there is removed here.

    Raises:
        LtvizError: the address cannot be reached before the first step, or the folder not written.
    """
    home, storage = cache_home() / "trials", shared_storage(url)
    make_folder(home)
    copies = Copies(storage, home)
    try:
        for run in job.runs:
            if not Recording(home / run.run_id).exists:
                copies.take_in(run.run_id)
    finally:
        copies.close()
    left = left_of(home, job)
    if left is not None and not left.resume:  # they begin anew, as other runs than those that are there
        for run in left.runs:
            storage.remove([f"{run.run_id}/{name}" for name in storage.files(run.run_id, deep=True)])
    mirror = Mirror({home / run.run_id: run.run_id for run in job.runs}, storage)
    mirror.start()
    try:
        train_alone(home, job)
    finally:
        missing = mirror.close()
    for run in {run.run_id for run in job.runs} - {one.run_id for one in missing}:
        if Recording(home / run).status().state == "finished":
            remove_own(home / run)
    return missing
