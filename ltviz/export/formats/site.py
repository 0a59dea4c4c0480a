"""A folder that any host of files serves: one page, and the frames beside it as files that never change."""

from __future__ import annotations

import asyncio
import json

from ltviz.export.formats import NOTE, Wanted, Written, check_own
from ltviz.export.replay import by_id
from ltviz.launch.app import load_app
from ltviz.recording import checkpoints_home
from ltviz.recording.files import unwritable, write_whole

ABOUT = "a folder for any host of files, whose page reads a frame when it shows it, also while runs train"
OUT = "ltviz-site/"
FOLLOWS = True


def write(wanted: Wanted) -> Written:
    """Every frame of the runs; a folder that was written so before is added to, and what it has is not made again.

    With `watch` it goes on until the runs have ended: the page finds new frames by itself.
    """
    load_app()
    from ltviz_app.service.hub import Hub  # the name exists once `load_app` has found the app's folder
    from ltviz_app.service.site import DEFAULT_PROJECTION, Site, build_site

    check_own(wanted.out, "--to site")
    folders = by_id(wanted.runs)
    note = {"made_by": "ltviz, --to site", "runs": list(folders)}

    async def build() -> Site:
        hub = Hub(checkpoints_home(), folders=folders)
        try:
            return await build_site(
                hub,
                list(folders),
                wanted.out,
                projection=wanted.projection or DEFAULT_PROJECTION,
                theme=wanted.theme,
                watch=wanted.watch,
            )
        finally:
            await hub.close()

    try:
        wanted.out.mkdir(parents=True, exist_ok=True)
        write_whole(wanted.out / NOTE, json.dumps(note).encode() + b"\n")
        site = asyncio.run(build())
    except OSError as error:
        raise unwritable(error, wanted.out, 0) from error
    left_out = [f"{run}: it has no frame that can be read" for run in folders if run not in site.runs]
    return Written(used=len(site.runs), told={"frames": site.frames}, left_out=left_out)
