r"""Similarities: the dot products through which a loss meets its vectors, and a look at them.

Every loss here meets an embedding z_i through dot products with partners u_k alone: other samples, keys, prototypes,
targets, directions of a classifier. Its pair weights w_ik = -dL / d(z_i . u_k) therefore say all about its force:

    -dL / dz_i = \sum_k w_ik u_k

A positive weight pulls, a negative one pushes, and the sum falls apart into parts by partner. So a loss takes its dot
products from here and is written once. While nobody looks these functions are plain products, or need no table at all:

    similarities          of all rows with all partners
    own_similarities      of each row with a partner of its own
    pulled_similarities   of each row with its positives, summed up: through their sum, without a table

Inside `observed` each of them makes a table, a part of autograd's graph, and leaves it to whoever looks, with what is
known of the partners (`Partners`). One backward pass gives the weights of all tables; another one, as if all classes
had as many samples (`at_equal_counts`), gives what of them is due to the training counts.

Legend: R rows, K partners, D dimensions, C classes.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple, ParamSpec

import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz.marks import of_class

P = ParamSpec("P")

GROUPS = ("head", "medium", "tail")
LARGEST = 2**26
"""Similarities that a table may hold; a split needs a few arrays of this size."""


class CannotSplit(ValueError):
    """The force of a loss cannot be told apart by partner."""


class TooManyWeights(CannotSplit):
    """A batch and its partners are too many for their weights to be held at once."""


class Partners(NamedTuple):
    """What is known of the columns of a table. Only who looks at it asks, so masks are made then."""

    classes: Tensor | None = None
    """(K,) int64, -1 where unknown; None: the partners are the samples of the batch, views after one another."""
    row_classes: Tensor | None = None
    """(R,) int64; None: the rows are the samples of the batch, views after one another."""
    positives: Callable[[], Tensor] | None = None
    """Makes (R, K) bool, what the loss takes for positive; None: all of the row's class, or of one of its labels."""
    targets: Tensor | None = None
    """(K,) bool, the partners that are fixed targets; None: none is."""


def fixed_targets(y: Tensor, num_classes: int) -> Partners:
    """A fixed target of each class as partners of rows with labels (R,): the own one is positive."""
    classes = torch.arange(num_classes, device=y.device)
    return Partners(classes, y, lambda: y[:, None] == classes, targets=torch.ones_like(classes, dtype=torch.bool))


@dataclass(frozen=True, kw_only=True)
class Table:
    """Similarities that a loss has used."""

    rows: Tensor
    """(R, D)."""
    partners: Tensor
    """(K, D); of `own_similarities` (R, D)."""
    values: Tensor
    """(R, K), or (R,) of each row with its own partner; the loss depends on the vectors through these."""
    classes: Tensor
    """(K,) int64, -1 where unknown."""
    row_classes: Tensor
    """(R,) int64."""
    positives: Tensor
    """Shaped as `values`, bool."""
    about: Partners
    """As the loss gave it."""

    def split(
        self, weights: Tensor, group_of: Tensor, *, by_class: bool = False
    ) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
        """What each kind of partner does to the vectors that carry a gradient: the rows, the partners, or both.

        Args:
            weights: shaped as `values`, minus the derivative of the loss by each.
            group_of: (C,) int64, the shot group of each class, 0 head, 1 medium, 2 tail.

        Yields:
            The rows, and then the partners, whose partners the rows are; with arrays of that shape, not yet tangent:
            "positives"; "head", "medium" and "tail" of all other partners; "targets" where there are any; with
            `by_class` also `of_class(c)` of all partners of each class, which are the first four in another order.

        Raises:
            CannotSplit: a partner that pushes is of no known class.
        """
        if weights.ndim == 1:
            ends = ((self.rows, self.partners), (self.partners, self.rows))
            for end, other in ends:
                if end.requires_grad:
                    pulls = weights[:, None] * other
                    own = _spread(pulls, self.row_classes, len(group_of)) if by_class else {}
                    yield end, {"positives": pulls, **own}
            return
        found: dict[str, Tensor] = {}
        targets = self.about.targets
        if targets is not None:
            found["targets"] = (weights * targets) @ self.partners
            weights = weights * ~targets
        pushing = weights.masked_fill(self.positives, 0.0)
        row_side = self.rows, weights, pushing, self.partners, self.classes, self.row_classes, found
        partner_side = self.partners, weights.T, pushing.T, self.rows, self.row_classes, self.classes, {}
        for end, its, push, others, classes, own, more in (row_side, partner_side):
            if end.requires_grad:
                parts = more | _by_kind(its, push, others, classes, group_of)
                yield end, parts | (_by_class(its, others, classes, own, len(group_of)) if by_class else {})


def _by_kind(
    weights: Tensor, pushing: Tensor, partners: Tensor, classes: Tensor, group_of: Tensor
) -> dict[str, Tensor]:
    """The sums (R, D) of partners (K, D) by group where they push, and as "positives" the rest."""
    unknown = (classes < 0) | (classes >= len(group_of))
    if bool(unknown.any()):
        if bool(pushing[:, unknown].any()):
            raise CannotSplit(f"{int(unknown.sum()):,} of {len(unknown):,} partners that push are of no known class")
        classes = classes.masked_fill(unknown, 0)
    chosen = F.one_hot(group_of[classes], len(GROUPS)).to(partners.dtype)
    spread = (chosen[:, :, None] * partners[:, None]).flatten(1)  # (K, 3 D): each partner in the place of its group
    head, medium, tail = (pushing @ spread).chunk(len(GROUPS), dim=1)
    pulls = weights @ partners - head - medium - tail
    return {"positives": pulls, "head": head, "medium": medium, "tail": tail}


def _by_class(weights: Tensor, partners: Tensor, classes: Tensor, own: Tensor, num_classes: int) -> dict[str, Tensor]:
    """The sums (R, D) of partners (K, D) by class; one of no known class that pulls is a positive, of the row's own."""
    known = (classes >= 0) & (classes < num_classes)
    chosen = F.one_hot(classes.masked_fill(~known, 0), num_classes).to(partners.dtype) * known[:, None]
    spread = (chosen[:, :, None] * partners[:, None]).flatten(1)
    found = dict(zip(map(of_class, range(num_classes)), (weights @ spread).split(partners.shape[1], 1), strict=True))
    if bool(known.all()):
        return found
    strangers = _spread((weights * ~known) @ partners, own, num_classes)
    return {name: pulls + strangers[name] for name, pulls in found.items()}


def _spread(pulls: Tensor, own: Tensor, num_classes: int) -> dict[str, Tensor]:
    """Sums (R, D), each in the place of its row's own class."""
    return {of_class(c): pulls * (own == c)[:, None] for c in range(num_classes)}


class Observation:
    """What the losses of one pass have compared.

    Args:
        y: (B,) int64, the classes of the batch's samples.
        labels: (B, C), 1 for every class that a sample shows, where samples have several.

    Attributes:
        tables: in the order in which the losses made them; those that carry no gradient are left out.
        losses_of_counts: how many losses would be others if all classes had as many samples.
        counts_alike: set before a backward pass, to get the gradients of these other losses.
    """

    def __init__(self, y: Tensor, labels: Tensor | None = None):
        self.y, self.labels = y, labels
        self.tables: list[Table] = []
        self.losses_of_counts = 0
        self.counts_alike = False
        self._used: list[Table] = []
        self._again: Iterator[Table] | None = None

    def similarities(self, rows: Tensor, partners: Tensor, about: Partners) -> Tensor:
        """The values (R, K) of a table: a new one, or the one that these rows have with the same partners.

        Raises:
            TooManyWeights: more than `LARGEST`.
        """
        if self._again is not None:
            return next(self._again).values
        for table in self.tables:
            if table.rows is rows and table.about is about:
                self._used.append(table)
                return table.values
        if len(rows) * len(partners) > LARGEST:
            raise TooManyWeights(
                f"forces hold a weight for each row and partner, at most {LARGEST:,}, but here are {len(rows):,} rows "
                f"x {len(partners):,} partners; try a smaller batch or queue"
            )
        if about.positives is not None:
            positives = about.positives()
        elif self.labels is not None and about.row_classes is None and about.classes is not None:
            positives = self.labels.repeat(len(rows) // len(self.y), 1)[:, about.classes] > 0
        else:
            positives = self._classes(rows, about.row_classes)[:, None] == self._classes(partners, about.classes)
        return self._keep(rows, partners, rows @ partners.T, positives, about)

    def own_similarities(self, rows: Tensor, partners: Tensor) -> Tensor:
        """The values (R,) of a table of rows and each one's own partner."""
        if self._again is not None:
            return next(self._again).values
        values = (rows * partners).sum(1)
        return self._keep(rows, partners, values, torch.ones_like(values, dtype=torch.bool), Partners())

    def _keep(self, rows: Tensor, partners: Tensor, values: Tensor, positives: Tensor, about: Partners) -> Tensor:
        table = Table(
            rows=rows,
            partners=partners,
            values=values,
            classes=self._classes(partners, about.classes),
            row_classes=self._classes(rows, about.row_classes),
            positives=positives,
            about=about,
        )
        self.tables.append(table)
        self._used.append(table)
        return values

    def _classes(self, vectors: Tensor, known: Tensor | None) -> Tensor:
        """Those that are known; else vectors are the samples of the batch, views after one another, or of class -1."""
        if known is not None:
            return known
        if len(vectors) % len(self.y):
            return self.y.new_full((len(vectors),), -1)
        return self.y.repeat(len(vectors) // len(self.y))

    def either(self, at_counts: Callable[[], Tensor], at_equal: Callable[[], Tensor]) -> Tensor:
        """The value of a loss at its counts, whose backward pass can be that of its value at equal counts.

        The latter is a function of the very similarities that the former has compared. A loss that hands its counts on
        to another one leaves it to that.
        """
        start, before = len(self._used), self.losses_of_counts
        value = at_counts()
        if not value.requires_grad or self.losses_of_counts > before:
            return value
        self.losses_of_counts += 1
        self._again = iter(self._used[start:])
        try:
            alike = at_equal()
        finally:
            self._again = None
        return _EitherOf.apply(self, value, alike)  # pyright: ignore[reportReturnType]

    def gradients(
        self, loss: Tensor, given: Sequence[Tensor], *, counts_alike: bool = False
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Pair weights of every table, minus the derivative of the loss by its values; and the gradients by `given`.

        With `counts_alike` those of the same loss at equal counts.
        """
        if not loss.requires_grad:
            return [torch.zeros_like(table.values) for table in self.tables], [torch.zeros_like(x) for x in given]
        self.counts_alike = counts_alike
        inputs = [*(table.values for table in self.tables), *given]
        found = torch.autograd.grad(loss, inputs, retain_graph=True, allow_unused=True, materialize_grads=True)
        num = len(self.tables)
        return [-gradient for gradient in found[:num]], list(found[num:])


_current: ContextVar[Observation | None] = ContextVar("observation", default=None)


@contextmanager
def observed(y: Tensor, labels: Tensor | None = None) -> Iterator[Observation]:
    """Losses that are computed inside leave their tables to the observation; arguments as of `Observation`.

    >>> from ltviz.losses import supcon
    >>> z, y = torch.eye(3)[:2, None].repeat(1, 2, 1).requires_grad_(), torch.arange(2)
    >>> with observed(y) as seen:
    ...     loss = supcon(z, y, temperature=0.1)
    >>> weights, (gradient,) = seen.gradients(loss, [z])
    >>> [tuple(table.values.shape) for table in seen.tables]  # four rows with one another
    [(4, 4)]
    """
    observation = Observation(y, labels)
    token = _current.set(observation)
    try:
        yield observation
    finally:
        _current.reset(token)


def observing() -> Observation | None:
    """Who looks, if anybody does."""
    return None if torch.compiler.is_compiling() else _current.get()


def similarities(
    rows: Tensor, partners: Tensor, about: Partners | None = None, tau: Tensor | float | None = None
) -> Tensor:
    """Dot products of rows (R, D) and partners (K, D), over tau where it is given: (R, K).

    Raises:
        TooManyWeights: more than `LARGEST`, where somebody looks.
    """
    observation = observing()
    if observation is None or not (rows.requires_grad or partners.requires_grad):
        return (rows if tau is None else rows / tau) @ partners.T
    values = observation.similarities(rows, partners, Partners() if about is None else about)
    # another tensor, so that a loss may fill it in place
    return values.clone() if tau is None else values / tau


def own_similarities(rows: Tensor, partners: Tensor) -> Tensor:
    """Dot products (R,) of each row (R, D) with its own partner (R, D), which is of its class and a positive."""
    observation = observing()
    if observation is None or not (rows.requires_grad or partners.requires_grad):
        return (rows * partners).sum(1)
    return observation.own_similarities(rows, partners)


def pulled_similarities(rows: Tensor, sums: Tensor, partners: Callable[[], Tensor], about: Partners) -> Tensor:
    """Sum (R,) of the dot products of each row (R, D) with its positives.

    Args:
        sums: (R, D), of each row's positives: these are enough while nobody looks.
        partners: gives all partners (K, D).
        about: which of them are positives, without the row itself.
    """
    if observing() is None or not (rows.requires_grad or sums.requires_grad):
        return (rows * sums).sum(1)
    assert about.positives is not None
    return similarities(rows, partners(), about).masked_fill(~about.positives(), 0.0).sum(1)


def at_equal_counts(loss: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Decorates a loss that knows the training counts, an argument `counts`: who looks also gets, from another backward
    pass, what it would do if all classes had as many samples."""
    place = list(inspect.signature(loss).parameters).index("counts")

    @functools.wraps(loss)
    def run(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        observation = observing()
        counts = kwargs["counts"] if "counts" in kwargs else args[place] if len(args) > place else None
        if observation is None or counts is None:
            return loss(*args, **kwargs)
        given: list[Any] = list(args)
        named: dict[str, Any] = dict(kwargs)

        def at_equal() -> Tensor:
            known = torch.as_tensor(counts).double()
            alike = known.mean().expand(known.shape)
            if "counts" in named:
                named["counts"] = alike
            else:
                given[place] = alike
            return loss(*given, **named)  # pyright: ignore[reportCallIssue]

        return observation.either(lambda: loss(*args, **kwargs), at_equal)

    return run


class _EitherOf(torch.autograd.Function):
    """The first of two values; what flows back goes to the one that the observation asks for."""

    @staticmethod
    def forward(ctx: Any, observation: Observation, value: Tensor, alike: Tensor) -> Tensor:
        ctx.observation = observation
        return value.clone()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[None, Tensor | None, Tensor | None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return (None, None, grad_output) if ctx.observation.counts_alike else (None, grad_output, None)
