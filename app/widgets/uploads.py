"""Files that a person drops: read into what they hold, corrected, and opened as runs."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import streamlit as st

from ltviz.errors import LtvizError
from ltviz.launch.making import MakingBehind
from ltviz.launch.opening import Series, understand

from .. import words
from ..service.studio import Studio
from . import forms

DROPS, READ, COLUMNS, REFUSED, MADE = "emb-drops", "emb-read", "emb-columns", "emb-refused", "emb-made"
MOST_LISTED = 60
"""Columns that are chosen from a list; more are written."""
LONGEST_NAME = 120
SOON_SECONDS = 0.25
"""How long the page waits for runs to be written: most files need less."""
LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Known:
    """What the controls begin with: columns that may be the label and may be vectors, what was taken of them, and what
    had been asked for then."""

    labels: tuple[str, ...]
    columns: tuple[str, ...]
    taken: tuple[str, ...]
    label: str | None
    asked_label: str | None
    asked_vectors: tuple[str, ...] | None


@dataclass(frozen=True)
class Asked:
    """What a person has corrected; None where they leave it to the reader. `labels` is the place of a file."""

    labels: int | None = None
    label_column: str | None = None
    vector_columns: tuple[str, ...] | None = None
    compare: bool = False
    name: str = ""


def draw_uploader() -> list[Any]:
    """The one place where files are dropped; what lies there."""
    # Another key empties it: a widget's own value cannot be set.
    drops = st.session_state.setdefault(DROPS, 0)
    return list(
        st.file_uploader(
            words.embeddings.DROP, accept_multiple_files=True, key=f"emb-files-{drops}", help=words.embeddings.DROP_HELP
        )
        or ()
    )


def draw_help() -> None:
    """What can be dropped, while nothing is."""
    st.text(words.embeddings.EMPTY)
    for line in words.embeddings.FORMATS:
        st.caption(line)
    st.code(words.embeddings.COMMAND, language="sh")


def draw_corrections(files: Sequence[Any]) -> Asked:
    """Which file holds the labels, which columns are what: as they were found, until a person says otherwise."""
    labels, compare = None, False
    if len(files) > 1:
        left, right = st.columns(2)
        names = [words.embeddings.LABELS_INSIDE, *(file.name for file in files)]
        chosen = left.selectbox(
            words.embeddings.LABELS_FILE, range(len(names)), index=_labels_among(files), format_func=names.__getitem__
        )
        labels = chosen - 1 if chosen else None
        if len(files) - bool(chosen) > 1:
            said = right.segmented_control(
                words.embeddings.SEVERAL, words.embeddings.SEVERAL_WAYS, default=words.embeddings.SEVERAL_WAYS[0]
            )
            compare = said == words.embeddings.SEVERAL_WAYS[1]
    asked = Asked(labels, compare=compare, name=Path(files[0].name).stem[:LONGEST_NAME])
    known = st.session_state.get(COLUMNS, {}).get(_identity(files, labels))
    refused = st.session_state.get(REFUSED) == _identity(files, labels)
    if known is None and not refused:
        return asked  # it is being read for the first time
    with st.expander(words.embeddings.CORRECT, expanded=refused, key="emb-correct"):
        return _corrected(asked, known)


def _corrected(asked: Asked, known: Known | None) -> Asked:
    """What the controls say; None for `known` where the file was refused."""
    name = st.text_input(words.embeddings.NAME, asked.name, max_chars=LONGEST_NAME, key="emb-name") or asked.name
    if known is None:
        label = (
            st.text_input(words.embeddings.LABEL_COLUMN, key="emb-label-text", help=words.embeddings.LABEL_HELP) or None
        )
        vectors = _written(
            st.text_input(words.embeddings.VECTOR_COLUMNS, key="emb-vectors-text", help=words.embeddings.VECTORS_HELP)
        )
        return replace(asked, name=name, label_column=label, vector_columns=vectors)
    choices = [words.embeddings.NO_LABEL, *known.labels]
    start = choices.index(known.label) if known.label in known.labels else 0
    place = st.selectbox(
        words.embeddings.LABEL_COLUMN,
        range(len(choices)),
        index=start,
        format_func=choices.__getitem__,
        key="emb-label",
        help=words.embeddings.LABEL_HELP,
    )
    label = known.asked_label if place == start else ("" if place == 0 else choices[place])
    if len(known.columns) <= MOST_LISTED:
        picked = st.multiselect(
            words.embeddings.VECTOR_COLUMNS,
            known.columns,
            default=known.taken,
            key="emb-vectors",
            help=words.embeddings.VECTORS_HELP,
        )
        vectors = known.asked_vectors if tuple(picked) == known.taken or not picked else tuple(picked)
    else:
        written = st.text_input(
            words.embeddings.VECTOR_COLUMNS, key="emb-vectors-text", help=words.embeddings.VECTORS_HELP
        )
        vectors = _written(written) or known.asked_vectors
    return replace(asked, name=name, label_column=label, vector_columns=vectors)


def read(files: Sequence[Any], asked: Asked) -> list[Series] | None:
    """What the files hold; None, and why on the page, where they are refused. A second look reads nothing again."""
    wanted = (_identity(files, asked.labels), replace(asked, name=""))
    kept = st.session_state.get(READ)
    if kept is not None and kept[0] == wanted:
        return kept[1]
    try:
        with st.spinner(words.embeddings.READING), tempfile.TemporaryDirectory(prefix="ltviz-drop-") as folder:
            found = _understand(files, asked, Path(folder))
    except LtvizError as error:
        first = st.session_state.get(REFUSED) != wanted[0] and wanted[0] not in st.session_state.get(COLUMNS, {})
        st.session_state[REFUSED] = wanted[0]
        if first:
            st.rerun()  # with the controls that may mend it
        st.error(words.embeddings.REFUSED.format(reason=forms.escape(str(error))), icon=":material/block:")
        return None
    st.session_state[READ] = (wanted, found)
    columns = st.session_state.setdefault(COLUMNS, {})
    if wanted[0] not in columns:
        upload = found[0].upload
        columns.clear()
        columns[wanted[0]] = Known(
            upload.choices,
            upload.vector_choices,
            upload.vector_columns,
            upload.label_column,
            asked.label_column,
            asked.vector_columns,
        )
        st.rerun()  # with the controls that show what was found
    return found


def draw_open(studio: Studio, found: Sequence[Series], asked: Asked) -> list[str]:
    """The button that makes the runs; their ids once it was pressed."""
    label = (
        words.embeddings.OPEN.format(name=forms.escape(asked.name)) if len(found) == 1 else words.embeddings.OPEN_ALL
    )
    if not st.button(label, type="primary", key="emb-open"):
        return []
    names = [asked.name] if len(found) == 1 else [series.name for series in found]
    try:
        studio.check_trainer()
        made = MakingBehind(list(zip(found, names, strict=True)), studio.hub.runs)
    except LtvizError as error:
        st.error(words.embeddings.REFUSED.format(reason=forms.escape(str(error))), icon=":material/block:")
        return []
    # The files' arrays are in the runs, or soon will be.
    st.session_state.pop(READ, None)
    made.done(SOON_SECONDS)
    st.session_state[MADE] = made
    st.session_state[DROPS] += 1
    return [run.run_id for run in made.recordings]


def draw_trouble() -> None:
    """Why a run that was opened is not there, where its frames could not be written."""
    made: MakingBehind | None = st.session_state.get(MADE)
    if made is not None and made.error is not None:
        st.error(words.embeddings.REFUSED.format(reason=forms.escape(str(made.error))), icon=":material/block:")


def are_written() -> bool:
    """Whether all frames of the opened runs are written; the stage shows them before that."""
    made: MakingBehind | None = st.session_state.get(MADE)
    return made is None or made.done()


def wait_for_frames() -> None:
    """A fragment that runs the page again once all frames are written."""
    st.fragment(_look_again, run_every=LOOK_SECONDS)()


def _look_again() -> None:
    if are_written():
        st.rerun(scope="app")
    st.caption(words.embeddings.MAKING)


def _understand(files: Sequence[Any], asked: Asked, folder: Path) -> list[Series]:
    paths = []
    for place, file in enumerate(files):
        path = folder / str(place) / _safe_name(file.name)
        path.parent.mkdir()
        path.write_bytes(file.getbuffer())
        paths.append(path)
    labels = None if asked.labels is None else paths.pop(asked.labels)
    try:
        return understand(
            paths,
            labels=labels,
            label_column=asked.label_column,
            vector_columns=asked.vector_columns,
            compare=asked.compare,
        )
    except LtvizError as error:
        # Where the file lay for a moment means nothing to whoever dropped it.
        raise type(error)(str(error).replace(str(folder), "").replace("//", "/")) from error


def _safe_name(name: str) -> str:
    """A name from a browser as that of a file here; what it ends on says what it is."""
    last = "".join(letter for letter in Path(name).name if letter.isprintable() and letter not in "/\\:")
    return last[-LONGEST_NAME:] if last.strip(". ") else f"file-{secrets.token_hex(4)}"


def _labels_among(files: Sequence[Any]) -> int:
    """The place, counted from 1, of the file whose name says that it holds labels; 0 where none does."""
    if len(files) != 2:
        return 0
    said = [any(word in file.name.lower() for word in ("label", "metadata", "target")) for file in files]
    return said.index(True) + 1 if sum(said) == 1 else 0


def _identity(files: Sequence[Any], labels: int | None) -> tuple[Any, ...]:
    return (*(file.file_id for file in files), labels)


def _written(text: str) -> tuple[str, ...] | None:
    return tuple(name.strip() for name in text.split(",") if name.strip()) or None
