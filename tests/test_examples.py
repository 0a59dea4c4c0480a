"""Every public function of these packages has an example in its docstring, and every example does what it says."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import pytest

PACKAGES = ("ltviz.geometry", "ltviz.metrics", "ltviz.projection", "ltviz.recording", "ltviz.losses")


def modules() -> Iterator[ModuleType]:
    for name in PACKAGES:
        package = importlib.import_module(name)
        yield package
        for info in pkgutil.iter_modules(getattr(package, "__path__", [])):
            yield importlib.import_module(f"{name}.{info.name}")


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__.removeprefix("ltviz."))
def test_examples_do_what_they_say(module: ModuleType) -> None:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=flags, verbose=False)
    for example in doctest.DocTestFinder(exclude_empty=True).find(module):
        runner.run(example, out=said.append)
    assert not runner.failures, "".join(said)


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_function_has_an_example(name: str) -> None:
    package = importlib.import_module(name)
    public = {one: getattr(package, one) for one in package.__all__}
    functions = {one: value for one, value in public.items() if inspect.isroutine(value)}
    assert functions
    assert [one for one, value in functions.items() if ">>> " not in (value.__doc__ or "")] == []
