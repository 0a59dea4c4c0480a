"""The house keeps its shape: imports go one way, no modules import one another in a ring, every package has a layer."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = {contract["name"]: contract for contract in SETTINGS["tool"]["importlinter"]["contracts"]}
LAYERS = CONTRACTS["Imports point down"]["layers"]
NEVER_TORCH = next(contract for name, contract in CONTRACTS.items() if name.startswith("The app never imports torch"))
LONGEST_FILE = 400
"""Lines of a module of Python."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Who imports whom, imports inside functions and under TYPE_CHECKING included."""
    return grimp.build_graph("ltviz", "app", exclude_type_checking_imports=False)


def rings(imports: dict[str, set[str]]) -> list[list[str]]:
    """Sets of modules that reach one another: strongly connected components of more than one (Tarjan 1972)."""
    found: list[list[str]] = []
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_modules: list[str] = []

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        open_modules.append(module)
        for other in imports[module]:
            if other not in number:
                visit(other)
                lowest[module] = min(lowest[module], lowest[other])
            elif other in open_modules:
                lowest[module] = min(lowest[module], number[other])
        if lowest[module] == number[module]:
            at = open_modules.index(module)
            ring = open_modules[at:]
            del open_modules[at:]
            if len(ring) > 1:
                found.append(sorted(ring))

    for module in imports:
        if module not in number:
            visit(module)
    return sorted(found)


def test_a_ring_is_found():
    assert rings({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a", "d"}}) == [["b", "c"]]


def test_no_modules_import_one_another_in_a_ring(graph: grimp.ImportGraph):
    imports = {module: graph.find_modules_directly_imported_by(module) for module in sorted(graph.modules)}
    assert len(imports) > 200
    assert rings(imports) == []


def test_every_package_has_its_layer(graph: grimp.ImportGraph):
    layered = re.findall(r"[\w.]+", " ".join(LAYERS))
    assert len(layered) == len(set(layered))
    assert graph.find_children("ltviz") | graph.find_children("app") <= set(layered)


def test_no_contract_makes_exceptions():
    assert not any("ignore_imports" in contract or "unmatched_ignore" in contract for contract in CONTRACTS.values())
    assert not SETTINGS["tool"]["importlinter"].get("exclude_type_checking_imports", False)


def test_no_package_opens_with_torch_where_a_part_of_it_is_read_without(graph: grimp.ImportGraph):
    """Importing a module runs the `__init__` of the packages around it, which an import of the module does not say."""
    sources = {"ltviz.errors"}
    for source in NEVER_TORCH["source_modules"]:
        sources |= {source, *graph.find_descendants(source)}
    read = set().union(*(graph.find_upstream_modules(source) for source in sources)) | sources
    around = {module.rsplit(".", depth)[0] for module in read for depth in range(1, module.count(".") + 1)}
    for package in sorted(around):
        behind = {package, *graph.find_upstream_modules(package)}
        torch = [module for module in behind if imports_torch(module)]
        assert not torch, f"{package} is opened by what must not import torch, and brings in {', '.join(sorted(torch))}"


def imports_torch(module: str) -> bool:
    place = ROOT.joinpath(*module.split("."))
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return re.search(r"^\s*(import|from) (torch|lightning_fabric)\b", file.read_text("utf-8"), re.MULTILINE) is not None


def test_pyright_covers_every_package():
    assert set(SETTINGS["tool"]["pyright"]["include"]) >= {"ltviz", "app"}
    assert SETTINGS["tool"]["pyright"]["typeCheckingMode"] == "standard"
    assert not SETTINGS["tool"]["pyright"].get("exclude")


def test_files_stay_short_and_none_is_called_utils():
    files = [file for folder in ("ltviz", "app") for file in (ROOT / folder).rglob("*.py")]
    long = [str(file.relative_to(ROOT)) for file in files if len(file.read_text("utf-8").splitlines()) > LONGEST_FILE]
    assert long == []
    assert not [file for file in files if "util" in file.stem or "helper" in file.stem]
