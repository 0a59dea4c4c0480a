"""A page without a browser: speaks Streamlit's own messages, and so can press what was never drawn."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from types import TracebackType

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

PRESSED = ("button", "download_button", "button_group")


@dataclass
class Drawn:
    """What one run of a page's script drew."""

    buttons: dict[str, str] = field(default_factory=dict)
    """Id -> label."""
    texts: list[str] = field(default_factory=list)


class StreamlitTalk:
    """A session of a page of the app at `address`, whoever the cookie says it is of."""

    def __init__(self, address: str, cookie: str, page: str = "") -> None:
        self._page = page
        self._socket = connect(
            f"ws{address.removeprefix('http')}/_stcore/stream",
            additional_headers={"cookie": cookie},
            origin=address,
            subprotocols=["streamlit"],
            max_size=None,
        )

    def __enter__(self) -> StreamlitTalk:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()

    def run(self, pressed: str | None = None, seconds: float = 20.0) -> Drawn:
        """Has the page's script run, as if the widget of this id had been pressed."""
        asked = BackMsg()
        asked.rerun_script.page_name = self._page
        if pressed is not None:
            widget = asked.rerun_script.widget_states.widgets.add()
            widget.id, widget.trigger_value = pressed, True
        self._socket.send(asked.SerializeToString())
        drawn, limit = Drawn(), time.monotonic() + seconds
        while time.monotonic() < limit:
            told = ForwardMsg()
            told.ParseFromString(self._socket.recv(timeout=seconds))
            kind = told.WhichOneof("type")
            if kind == "script_finished":
                return drawn
            if kind == "delta" and told.delta.WhichOneof("type") == "new_element":
                element = told.delta.new_element
                name = element.WhichOneof("type")
                if name in PRESSED:
                    button = getattr(element, name)
                    drawn.buttons[button.id] = getattr(button, "label", name)
                drawn.texts.append(str(element))
        raise AssertionError("the page's script did not end")
