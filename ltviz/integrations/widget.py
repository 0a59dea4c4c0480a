"""The stage as an anywidget: a thread of the kernel follows the runs and sends what is new of them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import anywidget  # pyright: ignore[reportMissingImports]
import traitlets  # pyright: ignore[reportMissingImports]

from ltviz.integrations.replayed import replay_frame
from ltviz.launch.app import load_app

load_app()
from ltviz_app.service.feed import Feed, Sent, background  # noqa: E402
from ltviz_app.service.packing import stage_without_stream  # noqa: E402
from ltviz_app.service.projections import DEFAULT_PROJECTION  # noqa: E402
from ltviz_app.service.stagefiles import stage_style  # noqa: E402
from ltviz_app.service.stagescript import bundle  # noqa: E402

log = logging.getLogger("ltviz.notebook")

PATIENCE_SECONDS = 2.0
"""Without a word from the browser so long, the kernel is busy with the cells that follow, and hears nobody."""


class SampleIds(traitlets.List):
    """A list of ints; an array of them will do."""

    def validate(self, obj: Any, value: Any) -> Any:
        try:
            return super().validate(obj, sorted({int(sample) for sample in value}))
        except (TypeError, ValueError):
            self.error(obj, value)


class Numbers(traitlets.Dict):
    """Names and finite floats, of whatever kind they were."""

    def validate(self, obj: Any, value: Any) -> Any:
        try:
            return super().validate(obj, {str(name): float(number) for name, number in dict(value).items()})
        except (TypeError, ValueError):
            self.error(obj, value)


def _script() -> str:
    code, key = bundle("widget.js")
    return f"""{code}
const widget = async () => (await window.ltviz.modules[{json.dumps(key)}]).default;
export default {{
  initialize: async (given) => (await widget()).initialize(given),
  render: async (given) => (await widget()).render(given),
}};
"""


class StageWidget(anywidget.AnyWidget):
    """See `ltviz.show`.

    Args:
        folders: id -> folder of a run.
        projection: for embeddings of more than three dimensions; None takes the usual one.
        **seen: step, selection, camera and layers.

    Raises:
        ConfigError: an unknown projection.
    """

    _esm = _script()
    _css = stage_style()
    _data = traitlets.Dict().tag(sync=True)
    _parcel = traitlets.Dict({"n": 0}).tag(sync=True)
    _moving = traitlets.Bool(False).tag(sync=True)
    step = traitlets.Int(None, allow_none=True).tag(sync=True)
    selection = SampleIds([]).tag(sync=True)
    camera = Numbers({}).tag(sync=True)
    layers = traitlets.Dict(value_trait=traitlets.Bool(), key_trait=traitlets.Unicode()).tag(sync=True)

    _pushing: Future[None] | None = None
    """None: refused before it began."""

    def __init__(self, folders: Mapping[str, Path], projection: str | None = None, **seen: Any) -> None:
        unknown = sorted(set(seen) - {"step", "selection", "camera", "layers"})
        if unknown:
            raise TypeError(f"show() takes step, selection, camera and layers, got {', '.join(unknown)}")
        self._folders, self._projection = dict(folders), projection
        # Before anything is on a page: an unknown projection is refused.
        self._feed, self._sent, self._asked = Feed(folders, projection or DEFAULT_PROJECTION), Sent(), asyncio.Event()
        stage = stage_without_stream(list(folders), self._feed.projection, "widget")
        super().__init__(_data=stage | {"guest": True}, **seen)
        self.on_msg(self._hear)
        self._pushing = background().start(self._push())

    async def _push(self) -> None:
        """Sends what is new until the widget is closed. Begins when a browser asks, or when the kernel hears none."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._asked.wait()
        except TimeoutError:
            pass
        try:
            async for parcel in self._feed.parcels(self._sent):
                self._parcel = parcel
        except Exception:
            log.exception("The stage of %s is not fed any more", ", ".join(self._folders))
        finally:
            await self._feed.close()

    def _hear(self, _: Any, content: Any, buffers: Any) -> None:
        """A browser says the number of the last parcel that it has: where it lacks others, all are sent again."""
        have = content.get("have") if isinstance(content, dict) else None

        def answer() -> None:
            if have != self._sent.n:
                self._sent.forget()
            self._asked.set()

        background().call(answer)

    def close(self) -> None:
        if self._pushing is not None:
            self._pushing.cancel()
        super().close()

    def _repr_html_(self) -> str:
        """A replay, for wherever no widget can live: a notebook that is only looked at."""
        return replay_frame(self._folders, self._projection)
