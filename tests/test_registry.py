"""Finding classes by name without importing what they need."""

from __future__ import annotations

import importlib
import threading
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import ClassVar

import pytest

from organelle_widgets import registry as registry_module
from organelle_widgets.errors import BackendUnavailableError, SettingsError
from organelle_widgets.registry import Registry


class Tool:
    """The base class of the tools below."""


@dataclass(frozen=True)
class Hammer(Tool):
    """A tool with one setting."""

    kind: ClassVar[str] = "iron"
    weight: float = 1.0


PLUGIN = """
from test_tools_registry import TOOLS, Tool

@TOOLS.register("{name}", title="A {name}")
class Plugin(Tool):
    pass
"""


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A registry over a folder with one module, one private one that must not be imported."""
    folder = tmp_path / "tools_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "saw.py").write_text(PLUGIN.format(name="saw"))
    (folder / "_broken.py").write_text("raise RuntimeError('private modules are not scanned')")
    monkeypatch.syspath_prepend(tmp_path)
    found = Registry("tool", "tools_package", lambda: Tool)
    module = type(importlib)("test_tools_registry")
    module.TOOLS, module.Tool = found, Tool
    monkeypatch.setitem(importlib.sys.modules, "test_tools_registry", module)
    yield found
    for name in [n for n in importlib.sys.modules if n.startswith("tools_package")]:
        del importlib.sys.modules[name]


def test_the_folder_is_scanned_and_sorted(tools):
    tools.register("hammer")(Hammer)
    assert tools.names() == ["hammer", "saw"]
    assert tools.get("saw").title == "A saw"
    assert tools.get("hammer").title == "hammer"


def test_third_parties_come_through_entry_points(tools, monkeypatch, tmp_path):
    (tmp_path / "their_tools.py").write_text(PLUGIN.format(name="drill"))
    point = EntryPoint("drill", "their_tools", tools.group)
    monkeypatch.setattr(
        registry_module, "entry_points", lambda group: [point] if group == tools.group else []
    )
    assert tools.group == "organelle_widgets.tools"
    assert tools.names() == ["drill", "saw"]


def test_an_unknown_name_lists_the_known_ones(tools):
    with pytest.raises(SettingsError, match="Expected a tool out of saw; found 'axe'"):
        tools.get("axe")


def test_settings_reach_the_class(tools):
    tools.register("hammer")(Hammer)
    assert tools.create("hammer", weight=2.0) == Hammer(2.0)


@pytest.mark.parametrize("name", ["size", "kind"])
def test_unknown_settings_are_refused(tools, name):
    tools.register("hammer")(Hammer)
    with pytest.raises(SettingsError, match=f"'hammer' has no setting {name}; it has weight"):
        tools.create("hammer", **{name: 1})


def test_what_is_missing_is_named_with_the_way_to_get_it(tools):
    tools.register("robot", requires=("json", "no_such_package"))(Hammer)
    entry = tools.get("robot")
    assert entry.missing == ("no_such_package",)
    with pytest.raises(
        BackendUnavailableError,
        match=r"'robot' needs no_such_package, .* pip install json no_such_package",
    ):
        tools.create("robot")


def test_only_the_right_kind_may_register(tools):
    with pytest.raises(TypeError, match="int is no tool: expected a subclass of Tool"):
        tools.register("number")(int)


def test_a_name_is_taken_once(tools):
    tools.register("hammer")(Hammer)
    tools.register("hammer")(Hammer)  # the same class again, as after a reload

    class Other(Tool):
        """Another tool."""

    with pytest.raises(TypeError, match="tool name 'hammer' is taken by Hammer"):
        tools.register("hammer")(Other)


def test_a_name_is_not_taken_by_a_namesake_of_another_module(tools):
    tools.register("hammer")(Hammer)
    namesake = type("Hammer", (Tool,), {"__module__": "elsewhere"})
    with pytest.raises(TypeError, match=f"'hammer' is taken by Hammer of {__name__}"):
        tools.register("hammer")(namesake)


def test_resolve_takes_a_name_or_an_instance(tools):
    tools.register("hammer")(Hammer)
    mine = Hammer(3.0)
    assert tools.resolve(mine) is mine
    assert tools.resolve("hammer", weight=2.0) == Hammer(2.0)
    with pytest.raises(SettingsError, match=r"settings only with a tool's name; .*\['weight'\]"):
        tools.resolve(mine, weight=2.0)
    with pytest.raises(SettingsError, match="Expected a tool's name or a Tool; found 5"):
        tools.resolve(5)


def test_names_of_classes(tools):
    tools.register("hammer")(Hammer)
    assert tools.name_of(Hammer) == "hammer"
    assert tools.name_of(int) == "int"


def test_a_second_thread_sees_the_whole_list(tools, tmp_path):
    slow = "import time; time.sleep(0.05)" + PLUGIN.format(name="awl")
    (tmp_path / "tools_package" / "awl.py").write_text(slow)
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(tools.names())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [["awl", "saw"]] * 4


def test_a_broken_plug_in_is_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from importlib.metadata import EntryPoint

    from organelle_widgets.segmentation import Segmenter

    broken = EntryPoint("broken", "no_such_module:Thing", "organelle_widgets.segmenters")
    monkeypatch.setattr("organelle_widgets.registry.entry_points", lambda group: [broken])
    registry = Registry("segmenter", "organelle_widgets.io.readers", lambda: Segmenter)
    assert registry.names() == []
    assert "'broken' can't be loaded" in caplog.text
