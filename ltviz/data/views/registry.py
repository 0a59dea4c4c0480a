"""View policies by name: those that the files of this folder define, and entry points `ltviz.views` of others."""

from __future__ import annotations

import importlib
import pkgutil

from ltviz.data.views.policy import Policy
from ltviz.errors import ConfigError
from ltviz.plugins import Registry

_SMALL = 28


def _built_in() -> dict[str, Policy]:
    """The `Policy` values of the files of this folder, in the order of files and of their text."""
    folder = importlib.import_module("ltviz.data.views").__path__
    modules = (importlib.import_module(f"ltviz.data.views.{info.name}") for info in pkgutil.iter_modules(folder))
    found = (value for module in modules for value in vars(module).values() if isinstance(value, Policy))
    return {policy.name: policy for policy in found}


def _accept(name: str, policy: object) -> tuple[str, Policy]:
    if not isinstance(policy, Policy):
        raise TypeError(f"{policy!r} is not a ltviz.data.views.Policy")
    if set(policy.name) & {",", " "} or not policy.name:
        raise ValueError(f"a policy's name must be without commas and spaces, but is {policy.name!r}")
    return policy.name, policy


POLICIES: Registry[Policy] = Registry("view policy", "ltviz.views", _built_in, _accept, order=lambda named: named[0])


def policies() -> dict[str, Policy]:
    """Every known policy by its name. A plug-in that cannot be used is left out with a warning."""
    return dict(POLICIES)


def default(shape: tuple[int, ...]) -> str:
    """The policy of samples of this shape where the user names none.

    Args:
        shape: (H, W) of grey images, (H, W, 3) of colour, (F,) of vectors.
    """
    if len(shape) == 1:
        return "none"
    return "affine" if len(shape) == 2 and max(shape) <= _SMALL else "crop-flip"


def chosen(names: str, shape: tuple[int, ...], *, in_place: bool = False) -> tuple[Policy, ...]:
    """The policies of views 0, 1, ...; the last one is that of all further views.

    Args:
        names: separated by commas, one a view; the default of the shape where empty.
        shape: as in `default`.
        in_place: whether samples are pixels, so that nothing may move.

    Raises:
        ConfigError: an unknown name, one that does not take vectors where the samples are some, or one that moves or
            hides pixels where they are the samples.
    """
    listed = [POLICIES.find(name.strip()) for name in (names or ("noise" if in_place else default(shape))).split(",")]
    for policy in listed:
        if len(shape) == 1 and not policy.vectors:
            fit = [name for name, one in POLICIES.items() if one.vectors]
            raise ConfigError(
                f"policies of vectors must be of {', '.join(fit)}, but {policy.name} is for images and the samples "
                f"have {shape[0]} numbers each; try {default(shape)}"
            )
        if in_place and not policy.in_place:
            fit = [name for name, one in POLICIES.items() if one.in_place]
            raise ConfigError(
                f"policies of labelled pixels must be of {', '.join(fit)}, which leave everything in its place, got "
                f"{policy.name}; try noise"
            )
    return tuple(listed)
