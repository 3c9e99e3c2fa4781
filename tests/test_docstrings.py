"""Public functions say what they take, what they give, and the shape of every array."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1] / "organelle_widgets"
PACKAGE = {path: ast.parse(path.read_text("utf-8")) for path in sorted(ROOT.rglob("*.py"))}
MODULES = [
    path
    for path in PACKAGE
    if path.parent.name != "cli"  # commands are described by their --help
    and (path.name in ("__init__.py", "_base.py") or not path.name.startswith("_"))
]
ONE_LINE = {"property", "cached_property", "overload", "setter", "contextmanager"}
CLASSES = {
    node.name: node
    for tree in PACKAGE.values()
    for node in tree.body
    if isinstance(node, ast.ClassDef)
}


def decorators(node: ast.FunctionDef | ast.ClassDef) -> set[str]:
    calls = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
    return {d.attr if isinstance(d, ast.Attribute) else getattr(d, "id", "") for d in calls}


def public(tree: ast.Module) -> set[str]:
    """The names in ``__all__``."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def methods(node: ast.ClassDef) -> list[ast.FunctionDef]:
    return [child for child in node.body if isinstance(child, ast.FunctionDef)]


def inherited(node: ast.ClassDef) -> set[str]:
    """Methods that a base class of ours describes."""
    bases = [CLASSES[name] for base in node.bases if (name := ast.unparse(base)) in CLASSES]
    own = {m.name for base in bases for m in methods(base) if ast.get_docstring(m)}
    return own.union(*(inherited(base) for base in bases))


def functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Public functions, and public methods of public classes that no base class describes."""
    names = public(tree)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in names:
            yield node.name, node
        elif isinstance(node, ast.ClassDef) and node.name in names:
            for child in methods(node):
                if not child.name.startswith("_") and child.name not in inherited(node):
                    yield f"{node.name}.{child.name}", child


def parameters(node: ast.FunctionDef) -> list[ast.arg]:
    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return [arg for arg in every if arg.arg not in ("self", "cls")]


def problems(node: ast.FunctionDef) -> list[str]:
    doc = ast.get_docstring(node)
    if not doc:
        return ["has no docstring"]
    found = []
    listed = doc.partition("Parameters\n----------\n")[2].partition("\n---")[0]
    names = {
        n.strip(" *")
        for line in re.findall(r"^(\S.*?)(?: :|$)", listed, re.M)
        for n in line.split(",")
    }
    refers = re.search(r"\bsee `|^See ", doc)
    found += [
        f"does not describe {arg.arg}"
        for arg in parameters(node)
        if arg.arg not in names and not refers
    ]
    returns = ast.unparse(node.returns) if node.returns else "None"
    gives = returns not in ("None", "NoReturn") and "Returns\n-------" not in doc
    if gives and "Yields\n------" not in doc and not refers and parameters(node):
        found.append(f"does not describe what it returns ({returns})")
    return found


def array_problems(node: ast.FunctionDef) -> list[str]:
    """Arrays that are described without their shape."""
    doc = ast.get_docstring(node) or ""
    lines = re.findall(r"^(?:[\w, *]+ : )?ndarray.*$", doc, re.M)
    return [line.strip() for line in lines if "shape" not in line]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_public_functions_are_described(path):
    tree = PACKAGE[path]
    assert ast.get_docstring(tree), "the module has no docstring"
    found = {
        name: faults
        for name, node in functions(tree)
        if not decorators(node) & ONE_LINE
        if (faults := [*problems(node), *array_problems(node)])
    }
    assert not found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_public_classes_are_described(path):
    tree = PACKAGE[path]
    assert not [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name in public(tree)
        if not ast.get_docstring(node)
    ]


def test_public_names_are_known_in_every_module():
    """What has no ``__all__`` would escape the tests above."""
    assert not [
        str(path.relative_to(ROOT))
        for path in MODULES
        if not public(PACKAGE[path]) and any(PACKAGE[path].body[2:])
    ]
