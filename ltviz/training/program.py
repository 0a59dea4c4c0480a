"""A program of about forty lines that trains a run outside of ltviz: the same data, batches, initial weights and steps.

Everything is written out but the data and the encoder, which are ltviz's, and losses that take more than a few lines.
A method writes its own part (`Listing`); what all have in common is written here.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from ltviz.data import registry as data_registry
from ltviz.data.source import Source
from ltviz.errors import ConfigError, RecordingError
from ltviz.methods import registry as method_registry
from ltviz.methods.base import Listing, Method, Settings
from ltviz.recording import Recording
from ltviz.recording.changes import changes_of
from ltviz.training.settings import RunSettings
from ltviz.training.shared_start import check_labels, parse_settings, prepare, run_settings
from ltviz.training.timetable import parse_milestones, parse_switches

WIDTH = 120
_IMPORTS = {
    "copy": "import copy",
    "math": "import math",
    "geometry": "from ltviz import geometry",
    "losses": "from ltviz import losses",
}
_GIVEN = {
    "counts": "counts = torch.tensor(data.counts).float()",
    "log_prior": "log_prior = (counts / counts.sum()).clamp_min(1e-12).log()",
    "generator": "generator = torch.Generator().manual_seed(seed)",
}


@dataclass(frozen=True)
class Change:
    """A setting that has another value from a step on."""

    step: int
    name: str
    value: Any


def program(
    kind: type[Method],
    settings: Settings,
    run: RunSettings,
    *,
    changes: Iterable[Change] | None = None,
    share: tuple[int, int] | None = None,
    of: str = "",
) -> str:
    """The source of a Python program, for people to read and to run.

    Where it computes and in which precision is left out: it uses the CPU and 32 bits.

    Args:
        changes: what was changed while the run trained; what the settings' timetable says where None.
        share: images of the method's batches and the views it takes of each, as run.json has them.
        of: id of the run that it stands for.

    Raises:
        ConfigError: a method that does not say its code, or settings that follow schedules, which the code would not.
    """
    timed = _timetable(run) if changes is None else [*changes]
    if run.schedules or any(change.name == "schedules" for change in timed):
        raise ConfigError(
            "schedules must be empty for the code of a run to be shown, since it would train without them, "
            f"got {run.schedules or 'some that were set while it trained'!s:.80}; try switches instead"
        )
    listing = kind.listing(settings)
    if listing is None:
        raise ConfigError(
            f"{kind.card.name} must give a listing for its code to be shown, but gives none with these settings; "
            + ("try --teacher first" if kind.teacher_recipe else "add a `listing` to its class")
        )
    pieces = (listing.build, listing.step, listing.after, f"[{listing.trains}]")
    stored, read = _names(pieces)
    own = {name: value for name, value in _fields(settings) if name in read - stored}
    shown = {*own, "learning_rate", "weight_decay"}
    known = [change for change in timed if change.name in shown]
    several = "optimizer_of" in read
    rate = _Rate(run, shared=several)
    body = [
        *_head(kind, run, own, settings, of),
        *_data(run, {name: text for name, text in _GIVEN.items() if name in read or name == "counts"}),
        *(["", *rate.lines(), "", ""] if rate.is_function else []),
        *(["def optimizer_of(parameters):", f"    return {_optimizer(run, 'parameters')}", "", ""] if several else []),
        "torch.manual_seed(seed + 1)",
        *_lines(listing.build),
        f"trained = [{', '.join(filter(None, ('*encoder.parameters(), *head.parameters()', listing.trains)))}]",
        f"optimizer = {_optimizer(run, 'trained')}",
        "",
        *_loop(listing, run, known, share, rate),
    ]
    return "\n".join([*_top(kind, listing, body, of, run), *body]) + "\n"


def of_settings(kind: type[Method], settings: Settings, run: RunSettings) -> str:
    """The program of a run that would begin with these settings.

    Raises:
        ConfigError, DataError: settings that cannot be met, or a method that does not say its code.
    """
    check_labels([kind], run.data)
    if run.epochs is not None:
        images = data_registry.describe(run.data, **run.cut).images
        run = run.model_copy(update={"steps": run.steps_over(images)})
    share = None
    if run.views:  # how many views the method takes is counted in a step of it
        shared = prepare(run)
        share = shared.share_of(shared.build(kind, settings))
    return program(kind, settings, run, share=share)


def of_run(recording: Recording) -> str:
    """The program of a run, with what was changed while it trained.

    Raises:
        RecordingError: a run that ltviz did not train, or whose settings cannot be read.
        ConfigError: a method that is not known here, or does not say its code.
    """
    if recording.info.method is None or "run" not in recording.config:
        raise RecordingError(f"the code is known of runs that ltviz trained, and this one was not: {recording.path}")
    kind = method_registry.method(recording.info.method)
    settings = parse_settings(kind, recording.config.get("method", {}))
    rows, views = recording.config.get("share", (0, 1))
    return program(
        kind,
        settings,
        run_settings(recording),
        changes=[Change(found.step, found.name, found.value) for found in changes_of(recording)],
        share=(int(rows), int(views)) if rows else None,
        of=recording.run_id,
    )


def _names(pieces: Iterable[str]) -> tuple[set[str], set[str]]:
    """Names that Python text sets, and those that it reads."""
    nodes = [node for piece in pieces for node in ast.walk(ast.parse(piece)) if isinstance(node, ast.Name)]
    return (
        {node.id for node in nodes if isinstance(node.ctx, ast.Store)},
        {node.id for node in nodes if isinstance(node.ctx, ast.Load)},
    )


def _fields(settings: BaseModel) -> list[tuple[str, Any]]:
    return [(name, getattr(settings, name)) for name in type(settings).model_fields]


def _lines(piece: str) -> list[str]:
    return [line for line in piece.splitlines() if line.strip()]


def _timetable(run: RunSettings) -> list[Change]:
    """What the settings' switches change, as numbers where they are numbers."""
    return [
        Change(switch.first_step(run.steps), name, _literal(value))
        for switch in parse_switches(run.switches)
        for name, value in switch.values.items()
    ]


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


# ---------------------------------------------------------------------- the pieces, from the top


def _top(kind: type[Method], listing: Listing, body: Sequence[str], of: str, run: RunSettings) -> list[str]:
    """The docstring and the imports."""
    card = kind.card
    known_as = f"as the run {of} trained it" if of else "as ltviz trains it"
    told = textwrap.wrap(f'"""{card.title} {known_as}: {card.paper}.', WIDTH - 4)
    if run.precision != "32":
        told += ["", f"The run computed with {run.precision} bits; this does with 32."]
    told[-1:] = [f'{told[-1]}"""'] if len(told) == 1 else [told[-1], '"""']
    _, read = _names(["\n".join(body)])
    plain = [_IMPORTS[name] for name in ("copy", "math") if name in read]
    ours = [name for name in ("encoders", "geometry", "losses") if name in read]
    further = _lines(listing.imports)
    standard = [line for line in further if line.startswith(("import ", "from pathlib"))]
    return [
        *told,
        "",
        *plain,
        *standard,
        *([""] if plain or standard else []),
        "import torch",
        "import torch.nn.functional as F",
        "from torch import nn",
        "",
        f"from ltviz import {', '.join(ours)}",
        "from ltviz.data import registry",
        "from ltviz.data.tensors import Batches",
        *(line for line in further if line not in standard),
        "",
    ]


def _head(kind: type[Method], run: RunSettings, own: Mapping[str, Any], settings: Settings, of: str) -> list[str]:
    """The settings in force, each with what it is."""
    rows = [(f"seed, dim, steps = {run.seed}, {run.dim}, {run.steps}", "")]
    rows.append((f"learning_rate, weight_decay = {run.learning_rate!r}, {run.weight_decay!r}", ""))
    for name, value in own.items():
        rows.append((f"{name} = {_quoted(value)}", type(settings).model_fields[name].description or ""))
    return [_commented(code, about) for code, about in rows] + [""]


def _commented(code: str, about: str) -> str:
    """A line with the first clause of a description beside it, where there is room."""
    clause = about.split(";")[0].split(". ")[0].rstrip(".")
    line = f"{code}  # {clause}"
    return line if about and len(line) <= WIDTH else code


def _quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) and not set(value) & set('"\\\n') else repr(value)


def _data(run: RunSettings, given: Mapping[str, str]) -> list[str]:
    """Data, batches, encoder and head, as the shared start of a race has them."""
    usual = RunSettings.model_validate({"data": run.data})
    cut = {name: value for name, value in run.cut.items() if name != "seed" and value != getattr(usual, name)}
    cut = {"imbalance_factor": run.imbalance_factor, **cut}
    own = data_registry.source(run.data).Options.model_fields
    said = {name: value for name, value in run.data_options.items() if value != own[name].default}
    cut = {name: value for name, value in cut.items() if name != "data_options"} | (
        {"data_options": said} if said else {}
    )
    options = "".join(f", {name}={_quoted(value)}" for name, value in cut.items())
    more = [f"batch_size={run.batch_size}", "seed=seed", 'device=torch.device("cpu")']
    more += [f"sampling={_quoted(run.sampling)}"] if run.sampling != usual.sampling else []
    more += [f"exponent={run.sampling_exponent}"] if run.sampling == "power" else []
    more += ["total_steps=steps"]
    more += [f"policies={_quoted(run.policies)}"] if run.policies else []
    head = [_quoted(run.head)] if (run.head, run.head_width) != (usual.head, None) else []
    head += [str(run.head_width)] if run.head_width is not None else []
    named = _quoted(run.encoder)
    made = [f"encoder, width = encoders.build({named}, data.train_inputs.shape)"]
    if dense := _is_dense(run):
        made = [f"whole, _ = encoders.build({named}, data.train_inputs.shape)"]
        made.append(f"encoder, width = encoders.of_pixels(whole, {named}, data.train_inputs.shape)")
    loaded = (
        [f"encoders.load_weights({'whole' if dense else 'encoder'}, {_quoted(run.weights)})"] if run.weights else []
    )
    batches = [f"batches = Batches(data, {', '.join(more)})"]
    if len(batches[0]) > WIDTH:
        batches = ["batches = Batches(", f"    data, {', '.join(more)}", ")"]
    return [
        f"data = registry.load({_quoted(run.data)}{options}, seed=seed)",
        *batches,
        given["counts"],
        "num_classes = len(counts)",
        *(line for name, line in given.items() if name != "counts"),
        "",
        "torch.manual_seed(seed)",
        *made,
        f"head = encoders.build_head({', '.join(['width', 'dim', *head])})",
        *loaded,
        "",
    ]


def _is_dense(run: RunSettings) -> bool:
    """Whether the samples of the data are pixels."""
    return type(data_registry.source(run.data)).foresee is not Source.foresee


class _Rate:
    """The learning rate by step, `optimiser.rate` with what the settings leave of it: an expression, or a function of
    the program where that takes more than a line."""

    def __init__(self, run: RunSettings, *, shared: bool):
        """`shared`: whether more than the loop needs it."""
        self._run = run
        self._starts = [switch.first_step(run.steps) - 1 for switch in parse_switches(run.switches) if switch.renew]
        plain = run.schedule == "constant" or (run.schedule == "cosine" and not run.final_rate)
        self.is_function = shared or not plain or bool(run.warmup or self._starts) or run.rate_every == "epoch"

    def expression(self) -> str:
        """Of the step."""
        if self._run.schedule == "constant":
            return "learning_rate"
        return "learning_rate * (1 + math.cos(math.pi * (step - 1) / steps)) / 2"

    def lines(self) -> list[str]:
        """Of the function `rate`."""
        run, text, epochs = self._run, ["def rate(step):"], self._run.rate_every == "epoch"
        at, length, warm = "step - 1", "steps", f"{run.warmup!r} * epoch"
        if self._starts:
            text.append(f"    begin = max(start for start in {(0, *self._starts)} if start < step)")
            text.append(
                f"    end = min(start for start in ({', '.join(map(str, self._starts))}, steps) if start >= step)"
            )
            at, length = "step - 1 - begin", "end - begin"
        if epochs or run.warmup or run.schedule == "step":
            text.append(f"    epoch = data.num_images / {run.batch_size}  # in steps")
        if epochs:
            at, length, warm = f"({at}) // epoch", f"math.ceil(({length} - 0.5) / epoch)", repr(run.warmup)
        text.append(f"    at, length = {at}, {length}{'  # in epochs' if epochs else ''}")
        if run.warmup:
            text += [f"    if at < {warm}:", f"        return learning_rate * min(1, (at + 1) / ({warm}))"]
        return [*text, f"    return learning_rate * {self._fall(warm, epochs)}"]

    def _fall(self, warm: str, epochs: bool) -> str:
        run = self._run
        if run.schedule == "constant":
            return "1"
        if run.schedule == "step":
            milestones = parse_milestones(run.milestones)
            return f"{run.decay_factor!r} ** sum({'at' if epochs else 'at / epoch'} >= x for x in {milestones})"
        turn = f"(at - {warm}) / (length - {warm})" if run.warmup else "at / length"
        wave = f"(1 + math.cos(math.pi * {turn})) / 2"
        return f"({run.final_rate!r} + {1 - run.final_rate!r} * {wave})" if run.final_rate else wave


def _optimizer(run: RunSettings, parameters: str) -> str:
    given = f"{parameters}, lr=learning_rate, weight_decay=weight_decay"
    if run.optimizer == "adamw":
        return f"torch.optim.AdamW({given})"
    return f"torch.optim.SGD({given}, momentum={run.momentum!r}, nesterov={run.nesterov})"


def _loop(
    listing: Listing, run: RunSettings, changes: Sequence[Change], share: tuple[int, int] | None, rate: _Rate
) -> list[str]:
    """All steps."""
    taken = "batches.at(step)"
    if share is not None and tuple(share) != (run.batch_size, 1) and share[0] != run.batch_size:
        taken += f".share({share[0]}, {share[1]})  # further views of the same samples"
    renewals = {switch.first_step(run.steps) for switch in parse_switches(run.switches) if switch.renew}
    changed: list[str] = []
    for step in sorted({*renewals, *(change.step for change in changes)}):
        changed.append(f"if step == {step}:")
        changed += [f"    optimizer = {_optimizer(run, 'trained')}"] if step in renewals else []
        changed += [f"    {change.name} = {_quoted(change.value)}" for change in changes if change.step == step]
    setting, now = 'group["lr"]', "rate(step)" if rate.is_function else rate.expression()
    if any(change.name == "weight_decay" for change in changes):
        setting, now = f'{setting}, group["weight_decay"]', f"{now}, weight_decay"
    inside = [
        *changed,
        f"batch = {taken}",
        "for group in optimizer.param_groups:",
        f"    {setting} = {now}",
        *_lines(listing.step),
        "optimizer.zero_grad()",
        "loss.backward()",
        "optimizer.step()",
        *_lines(listing.after),
        "print(step, loss.item())",
    ]
    return ["for step in range(1, steps + 1):", *(f"    {line}" for line in inside)]
