"""What the command line, the server, its stream and the replay say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ltviz.training.schedules import parse_schedules

# The command line.
ADDRESS = "ltviz is ready at {url} (Ctrl-C ends it; training goes on)."
OPEN_ADDRESS = (
    "{address} is open to other machines, and the app has no login: whoever reaches it can start and stop training; "
    "leave the address out, share it with roles by --share, or add --i-know."
)
ADDRESS_IS_OPEN = (
    "It listens on {address}, for every machine that reaches it, without a login. Browsers may call it {hosts}; "
    "--allow-host NAME adds a name."
)
BASE_PATH = (
    "--base-path takes the path under which a proxy serves the app, of letters, digits and - . _ ~ @ : % + , = between "
    "slashes, got {given!r}; try --base-path /proxy/8501"
)
ALLOW_HOST = (
    "--allow-host takes the name in the browser's address alone, without https://, port, path or *, got {given!r}; "
    "try --allow-host {hint}"
)
PORT_RANGE = "The port must lie in 0 to 65535, got {port}."
PORTS_TAKEN = "No port from {first} to {last} is free; choose one with --port."
PORT_TAKEN = "Port {port} is taken by another program; choose another or leave it out."
BAD_ADDRESS = "The address {address!r} cannot be listened on: {reason}."
WORKER_NEVER_STARTED = "The trainer ended before it could start this run"
STOP_ESCALATED = "stopped: the trainer did not answer for {seconds:.0f} s and was ended"

# The stream.
NO_PICTURE = "An embedding of {dim} dimensions has no picture without a projection; choose one of them."
WAITING_FOR_RUN = "Waiting for the first frame."
DELETED = "This run's folder was deleted."
UNREADABLE_RUN = "This run's folder cannot be read; the server's output says why."
NOT_UNDERSTOOD = "The request was not understood."
STREAM_RUNS = "The stream shows 1 to {most} runs at once, {given} were asked for."
STREAM_NUMBER = "{name} of the stream must be a number, got {given!r}."

# Where something is missing between the browser and the server. FRONT, STAGE_MISSING: filled in by scripts.
FRONT = {
    "missing": "This page cannot be drawn: {address}, which it needs, {answer}.",
    "next": (
        "Most likely a proxy stands between this browser and ltviz and serves it under a path or a name of its own. "
        "Let it pass on every address below {root}, WebSockets and the Host header included, and start ltviz with that "
        "path, `ltviz app --base-path {path}`, or open it at the address that `ltviz app` printed. "
        "Then reload this page."
    ),
    "renamed": (
        "This page cannot be drawn: the browser calls the server {name}, but a proxy in between tells ltviz that it "
        "was called {host}, so ltviz refuses the page's stream as that of another site. Start it with "
        "`ltviz app --allow-host {name}`, or let the proxy pass on the Host header that the browser sent (in nginx: "
        "proxy_set_header Host $http_host). Then reload this page."
    ),
    "status": "answered {status}",
    "other": "answered with something else ({kind})",
    "none": "did not answer",
    "socket": "did not open a WebSocket",
}
STAGE_MISSING = {
    "missing": "The spheres cannot be shown: {address}, a part of the stage, {answer}.",
    "next": FRONT["next"],
    "unknown": "could not be run by this browser ({error})",
    "late": "has not come yet",
}
UNKNOWN_HOST = (
    "ltviz answers to {hosts} only, and was called {host}. Open it under one of these names, or start it with "
    "`ltviz app --allow-host {host}`."
)
STREAM_TOKEN = (
    "The stream needs this server's token, and this page has another's: ltviz was started anew; reload the page."
)
STREAM_ORIGIN = (
    "The stream answers its own page only: this one comes from {origin}, and the server was called {host}. A proxy "
    "must pass on the Host header that the browser sent, or ltviz be started with `ltviz app --allow-host {name}`."
)
STREAM_SOCKET = (
    "The server is there and would send frames, but no WebSocket to it opens: a proxy must pass WebSockets on (the "
    "headers Upgrade and Connection)."
)
REPLAY_TITLE = "Replay of {runs}"
REPLAY_NOTE = "Steps {first} to {last}. Saved on {date} by ltviz {version}. This file holds everything it shows."
REPLAY_THINNED = "{kept} of {all} recorded moments are in it, evenly chosen, so that it stays below {limit} MB."
REPLAY_STATE = "recorded"
GEOMETRY_TITLE = "Forces without a network"
GEOMETRY_NOTE = "What a loss alone does to the classes of long-tailed data, computed here. This file holds everything."
REPLAY_WAITING = "This page needs JavaScript with import maps and WebGL: any browser from 2023 or later."
REPLAY_ORIGIN = "The replay answers its own page only."
REPLAY_TOKEN = "The replay needs this server's token; save it from the page."
REPLAY_TWICE = "A replay shows each run once, got {runs}; leave out what comes twice."
REPLAY_EMPTY = "A replay needs at least one run with frames, got {runs}."
REPLAY_TOO_LARGE = "A replay of {runs} runs with so many points exceeds {limit} MB; take fewer runs."
REPLAY_DAMAGED = "A replay needs frames that can be read, and all of these runs are damaged."
REPLAY_UNREADABLE = "A replay needs its runs' folders, and these could not be read: {runs}."
SITE_NOTE = "Frames are read from this host when they are shown, and new ones as they come. Written by ltviz {version}."
SITE_RECONNECTING = "This page's host gave no answer. Trying again…"
SITE_UNREACHABLE = "This page's host does not answer, or no longer has the list of frames. Trying again…"
SITE_SILENT = "Nothing new has come for a while: whoever writes these frames is late or gone. The page goes on looking."
SITE_CANNOT_OPEN = "These recordings cannot be shown: {reason} A browser from 2023 or later is needed."
SITE_ONE_PROJECTION = "These frames were written in one projection; publish them again for another."
FEED_THINNED = "{kept} of {all} recorded moments are here, evenly chosen, so that the page stays light."
REPLAY_PENDING = "The projection {projection} of {run} is still being computed; try again later."


MOST_NAMED = 8
"""Classes that one event names."""


def _curves_changed(before: str, after: str) -> str:
    """Which settings follow other curves; the text itself where it is none of ours."""
    try:
        old, new = parse_schedules(before), parse_schedules(after)
    except ValueError:
        return f"schedules set to {after}"
    said = []
    for names, what in (
        ([name for name, curve in new.items() if old.get(name) != curve], "another curve from here on"),
        ([name for name in old if name not in new], "none any more"),
    ):
        said += [f"{', '.join(names)} {'follow' if len(names) > 1 else 'follows'} {what}"] if names else []
    return "; ".join(said) or "the curves are the same"


def event_text(event: Mapping[str, Any], class_names: Sequence[str] = ()) -> str:
    """What the timeline says about an event of the recording; `class_names` are those of the run."""
    kind, name = str(event.get("kind", "note")), str(event.get("name", ""))
    if kind == "setting" and name == "schedules":
        return _curves_changed(str(event.get("before") or ""), str(event.get("value") or ""))
    if kind == "setting":
        before = f" from {event['before']}" if "before" in event else ""
        return f"{name} set{before} to {event.get('value')}"
    if kind == "refused":
        return f"{name} was not changed: {event.get('message', '')}"
    if kind == "swap":
        given = event.get("classes")
        numbers = given if isinstance(given, list) else []
        classes = [c for c in numbers if isinstance(c, int) and 0 <= c < len(class_names)]
        some = ", ".join(class_names[c][:40] for c in classes[:MOST_NAMED])
        return f"other targets for {some or 'some classes'}{' and more' if len(classes) > MOST_NAMED else ''}"
    if kind == "sampling":
        return f"classes are drawn by their samples to the power {event.get('exponent')} from here on"
    if kind == "replaced":
        return f"{event.get('total')} damaged images so far, others of their class stand in"
    plain = {"pause": "paused", "resume": "resumed", "renewed": "the optimiser begins afresh, and its schedule again"}
    return str(event.get("text") or plain.get(kind, kind))
