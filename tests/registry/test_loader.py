"""The guarded loader, against distributions that are wrong in every way that is known."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import threading
import time
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from mgrkit.errors import RunError, UsageError
from mgrkit.registry import ClassifierSpec, Plugin, Registry, installed, missing, require, resolve
from mgrkit.registry.checks import RESERVED
from mgrkit.registry.guard import quietly
from mgrkit.tracks.schema import COLUMNS
from tests.registry.fakes import HEAD, Site, installed_site, offering


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with installed_site(tmp_path, monkeypatch) as one:
        one.install("good", offering("hubness"))
        yield one


def plugin(name: str) -> Plugin:
    """The plugin; the good one beside it must be well whatever this one does."""
    found = {one.distribution: one for one in installed().plugins}
    assert found["good"].status == "ok"
    assert installed().classifier("hubness").distribution == "good"
    return found[name]


def hook(returned: str, marker: str = "@hookimpl", name: str = "mgrkit_classifiers") -> str:
    return f"{HEAD}\n{marker}\ndef {name}():\n    return {returned}\n"


def test_a_good_plugin_is_there_with_all_it_says(site: Site) -> None:
    one = plugin("good")
    assert (one.version, one.error) == ("1.0", "")
    assert [spec.name for spec in one.classifiers] == ["hubness"]
    entry = installed().classifier("hubness")
    assert (entry.spec.name, entry.distribution, entry.version) == ("hubness", "good", "1.0")


def test_mgrkit_comes_first_then_the_others_by_name(site: Site) -> None:
    site.install("Alpha", offering("alpha"))
    assert [one.distribution for one in installed().plugins] == ["mgrkit", "Alpha", "good"]


def test_a_plugin_that_fails_to_import(site: Site) -> None:
    module = site.install("bad", "import a_module_that_is_not_there")
    one = plugin("bad")
    assert (one.distribution, one.version, one.status) == ("bad", "1.0", "broken")
    assert f"entry point main ({module}): ModuleNotFoundError" in one.error
    assert "a_module_that_is_not_there" in one.error


def test_a_plugin_with_a_mistake_in_its_code_is_told_on_one_line(site: Site) -> None:
    site.install("bad", "raise ValueError('first\\n   second')")
    assert plugin("bad").error.endswith("ValueError: first second")


def test_a_plugin_that_exits(site: Site) -> None:
    site.install("bad", "import sys; sys.exit(7)")
    assert plugin("bad").error.endswith("SystemExit: 7")


@pytest.mark.parametrize("raised", ["GeneratorExit", "type('Odd', (BaseException,), {})"])
def test_whatever_a_plugin_raises_is_its_fault(site: Site, raised: str) -> None:
    site.install("bad", f"raise {raised}")
    assert plugin("bad").error.endswith(raised.split("'")[1] if "'" in raised else raised)
    site.install("worse", f"{HEAD}\n@hookimpl\ndef mgrkit_classifiers():\n    raise {raised}\n")
    assert plugin("worse").status == "broken"
    with pytest.raises(RunError, match="cannot load bad_hooks:Model"):
        resolve("bad_hooks:Model")


def test_a_text_that_cannot_be_had_either(site: Site) -> None:
    code = "class E(Exception):\n    def __str__(self):\n        raise GeneratorExit\nraise E"
    site.install("bad", code)
    assert plugin("bad").error.endswith(": E")


def test_control_c_while_plugins_are_loaded_is_no_fault_of_theirs(site: Site) -> None:
    site.install("bad", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        installed()


def test_an_error_that_cannot_be_printed(site: Site) -> None:
    site.install("bad", "class E(Exception):\n    __str__ = None\nraise E")
    assert plugin("bad").error.endswith(": E")


def test_a_misspelt_hook_that_is_marked(site: Site) -> None:
    site.install("bad", hook("[spec('x')]", name="mgrkit_clasifiers"))
    message = "mgrkit_clasifiers is not a hook: did you mean mgrkit_classifiers?"
    assert message in plugin("bad").error


def test_a_misspelt_hook_that_is_marked_as_optional(site: Site) -> None:
    site.install(
        "bad", hook("[spec('x')]", "@hookimpl(optionalhook=True)", name="mgrkit_clasifiers")
    )
    assert "did you mean mgrkit_classifiers?" in plugin("bad").error


def test_a_misspelt_hook_that_is_not_marked(site: Site) -> None:
    site.install("bad", hook("[spec('x')]", "", name="mgrkit_clasifiers"))
    error = plugin("bad").error
    assert "mgrkit_clasifiers is not marked by @hookimpl" in error
    assert "did you mean mgrkit_classifiers?" in error


def test_a_hook_that_is_not_marked(site: Site) -> None:
    site.install("bad", hook("[spec('x')]", ""))
    assert plugin("bad").error.endswith("mgrkit_classifiers is not marked by @hookimpl")


def test_a_hook_that_is_not_marked_beside_one_that_is(site: Site) -> None:
    site.install("bad", hook("[spec('x')]") + "\ndef mgrkit_feature_sets():\n    return []\n")
    assert "mgrkit_feature_sets is not marked by @hookimpl" in plugin("bad").error


def test_a_hook_without_its_prefix(site: Site) -> None:
    site.install("bad", hook("[spec('x')]", "", name="classifiers"))
    error = plugin("bad").error
    assert "classifiers and not a hook: did you mean mgrkit_classifiers?" in error


def test_a_plugin_without_any_hook(site: Site) -> None:
    site.install("bad", "x = 1")
    assert plugin("bad").error.endswith("no function of it is a hook marked by @hookimpl")


def test_a_hook_with_a_wrong_signature(site: Site) -> None:
    site.install("bad", f"{HEAD}\n@hookimpl\ndef mgrkit_classifiers(folder):\n    return []\n")
    error = plugin("bad").error
    assert "PluginValidationError" in error
    assert "folder" in error
    assert "\n" not in error


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("None", "returned None, not a list of ClassifierSpec"),
        ("'hubness'", "returned 'hubness', not a list of ClassifierSpec"),
        ("7", "returned 7, not a list of ClassifierSpec"),
        ("['hubness']", "returned 'hubness', not a ClassifierSpec"),
        ("[None]", "returned None, not a ClassifierSpec"),
        ("[ClassifierSpec]", "ClassifierSpec'>, not a ClassifierSpec"),
        ("spec('x')", "not a list of ClassifierSpec"),
        ("(1 / 0 for _ in '1')", "ZeroDivisionError"),
    ],
)
def test_rubbish_from_a_hook(site: Site, returned: str, message: str) -> None:
    site.install("bad", hook(returned))
    one = plugin("bad")
    assert one.status == "broken"
    assert "mgrkit_classifiers: " in one.error
    assert message in one.error


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("name='Knn'", "name is 'Knn'"),
        ("name=7", "name is 7"),
        ("name='k\\n'", "name is 'k\\n'"),
        ("summary=''", "x: summary is ''"),
        ("summary='a\\nb'", "x: summary is"),
        ("factory='nowhere.model'", "x: factory is 'nowhere.model'"),
        ("factory=print", "x: factory is <built-in"),
        ("eats='features'", "x: eats is 'features'"),
        ("eats='picture'", "x: eats is 'picture'"),
        ("reference=None", "x: reference is None"),
        ("devices='cpu'", "x: devices is 'cpu'"),
        ("devices=('tpu',)", "x: devices is ('tpu',)"),
        ("devices=()", "x: devices is ()"),
        ("batch_size=0", "x: batch_size is 0"),
        ("batch_size=True", "x: batch_size is True"),
        ("calibrate='test'", "x: calibrate is 'test'"),
        ("resumable='no'", "x: resumable is 'no'"),
        ("parallel=1", "x: parallel is 1"),
        ("compared=None", "x: compared is None"),
        ("requires='torch'", "x: requires is 'torch'"),
        ("requires=('a.b',)", "x: requires is ('a.b',)"),
        (
            "predicting=('torch',)",
            "x: predicting is ('torch',), not",
        ),
        ("predicting='torch'", "x: predicting is 'torch'"),
        ("bundles=('a.safetensors',)", "x: bundles is ('a.safetensors',)"),
        ("bundles=('a:../b.safetensors',)", "x: bundles is ('a:../b.safetensors',)"),
        ("parameters=None", "x: parameters are not a frozen dataclass"),
        ("parameters=dataclass(type('P', (), {}))", "x: parameters are not a frozen dataclass"),
        ("parameters=Settings()", "x: parameters are not a frozen dataclass"),
        ("parameters=of(k=(int, 3))", "x: parameter k is not made by parameter()"),
        ("parameters=of(k=(int, field()))", "x: parameter k is not made by parameter()"),
        ("parameters=of(k=(int, parameter(3, '')))", "x: parameter k has no help"),
        ("parameters=of(k=(list, parameter((), 'n')))", "x: parameter k has the default ()"),
        ("parameters=of(k=(int, parameter(3, 'n', low=4)))", "k must be from 4 to inf, not 3"),
        ("parameters=of(k=(str, parameter('c', 'n', choices=('a', 'b'))))", "must be a, b"),
        ("parameters=of(k=(float, parameter(float('nan'), 'n')))", "k must be a number"),
        ("parameters=of(k=(int, parameter(3, 'n', low='a')))", "TypeError"),
    ],
)
def test_a_spec_with_a_bad_field_is_left_out(site: Site, more: str, message: str) -> None:
    code = HEAD + (
        "from dataclasses import make_dataclass, replace\n"
        "def of(**fields):\n"
        "    typed = [(name, *pair) for name, pair in fields.items()]\n"
        "    return make_dataclass('P', typed, frozen=True)\n"
        "@hookimpl\n"
        "def mgrkit_classifiers():\n"
        f"    return [replace(spec('x'), {more}), spec('fine')]\n"
    )
    site.install("bad", code)
    one = plugin("bad")
    assert message in one.error
    assert [spec.name for spec in one.classifiers] == ["fine"]


SET = (
    "FeatureSetSpec(**dict(dict(name='mine', summary='two numbers', factory='a.b:c', "
    "frontend=front_end(), columns=('a', 'b')), {}))"
)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("frontend=None", "mine: frontend is None, not a FrontEnd"),
        ("columns=()", "mine: columns is ()"),
        ("columns=('a', 'a')", "mine: columns is ('a', 'a')"),
        ("columns=('a', '')", "mine: columns is ('a', '')"),
        ("columns=('a', 'genre', 'length')", "not names that tables leave free: genre, length"),
        ("columns=('a', 'b\\n')", "not names of one line and at most 100 characters"),
        ("columns=('a', 'b' * 101)", "not names of one line and at most 100 characters"),
        ("columns=['a', 'b']", "mine: columns is ['a', 'b']"),
        ("window=1.0", "mine: hop is None"),
        ("window=0.0, hop=1.0", "mine: window is 0.0"),
        ("window=float('inf'), hop=1.0", "mine: window is inf"),
        ("window=1.0, hop=-1.0", "mine: hop is -1.0"),
        ("revision=0", "mine: revision is 0"),
    ],
)
def test_a_bad_feature_set_is_left_out(site: Site, more: str, message: str) -> None:
    site.install("bad", hook(f"[{SET.format(more)}]", name="mgrkit_feature_sets"))
    one = plugin("bad")
    assert message in one.error
    assert one.feature_sets == ()


def test_a_good_feature_set_is_found(site: Site) -> None:
    site.install("sets", hook(f"[{SET.format('window=1.0, hop=0.5')}]", name="mgrkit_feature_sets"))
    assert plugin("sets").error == ""
    assert installed().feature_set("mine").columns == ("a", "b")
    with pytest.raises(UsageError, match=r"no feature set 'mien' \(did you mean mine"):
        installed().feature_set("mien")


def test_a_hook_that_raises(site: Site) -> None:
    site.install("bad", hook("1 / 0"))
    assert plugin("bad").error.endswith("mgrkit_classifiers: ZeroDivisionError: division by zero")


def test_a_hook_that_exits(site: Site) -> None:
    site.install(
        "bad", hook("exit(0)").replace("@dataclass", "from sys import exit\n@dataclass", 1)
    )
    assert plugin("bad").error.endswith("mgrkit_classifiers: SystemExit: 0")


def test_a_name_of_mgrkit_itself_cannot_be_taken(site: Site) -> None:
    site.install("thief", offering("svm", "fine"))
    one = plugin("thief")
    assert one.error == "its classifier svm is left out, that name belongs to mgrkit itself"
    assert [spec.name for spec in one.classifiers] == ["fine"]
    assert installed().classifier("svm").distribution == "mgrkit"
    assert [e.distribution for e in installed().classifiers() if e.spec.name == "svm"] == ["mgrkit"]


def test_a_name_that_two_third_parties_claim(site: Site) -> None:
    site.install("other", offering("hubness", "fine"))
    message = "the classifier hubness is claimed by good and by other"
    with pytest.raises(UsageError, match=message + r" .*MGRKIT_PLUGINS=good"):
        installed().classifier("hubness")
    states = {one.distribution: (one.status, one.error) for one in installed().plugins}
    assert states["good"] == states["other"] == ("broken", message)
    assert installed().classifier("fine").distribution == "other"
    claimed = [e for e in installed().classifiers() if e.spec.name == "hubness"]
    assert [(e.distribution, e.error) for e in claimed] == [("good", message), ("other", message)]


def test_one_name_twice_in_one_distribution(site: Site) -> None:
    site.install("bad", offering("x", "x"))
    assert plugin("bad").error == "x is there twice"
    assert len(plugin("bad").classifiers) == 1


def test_of_two_entry_points_one_is_broken(site: Site) -> None:
    site.install("half", points={"first": "1 / 0", "second": offering("fine")})
    one = plugin("half")
    assert one.status == "broken"
    assert "entry point first (half_hooks_first): ZeroDivisionError" in one.error
    assert "second" not in one.error
    assert installed().classifier("fine").distribution == "half"


def test_of_two_entry_points_the_hook_of_one_raises(site: Site) -> None:
    site.install("half", points={"a": hook("1 / 0"), "b": offering("fine")})
    assert "entry point a (half_hooks_a): mgrkit_classifiers: ZeroDiv" in plugin("half").error
    assert installed().classifier("fine").distribution == "half"


def test_an_entry_point_that_names_an_object(site: Site) -> None:
    code = offering("fine") + (
        "class Hooks:\n"
        "    @hookimpl\n"
        "    def mgrkit_classifiers(self): return [spec('object')]\n"
        "hooks = Hooks()\n"
    )
    site.install("objects", code)
    points = site.folder / "objects-1.0.dist-info" / "entry_points.txt"
    points.write_text("[mgrkit]\nmain = objects_hooks:hooks\n")
    assert plugin("objects").error == ""
    assert installed().classifier("object").distribution == "objects"


def test_a_damaged_list_of_entry_points(site: Site) -> None:
    site.install("bad", offering("x"))
    points = site.folder / "bad-1.0.dist-info" / "entry_points.txt"
    points.write_text("[mgrkit]\nno equals sign\n")
    assert plugin("bad").error.startswith("its entry_points.txt cannot be read")


def test_damage_in_a_distribution_that_is_not_ours(site: Site) -> None:
    site.install("foreign", offering("x"))
    (site.folder / "foreign-1.0.dist-info" / "entry_points.txt").write_bytes(b"\xff\xfe[mgrkit]")
    assert "foreign" not in {one.distribution for one in installed().plugins}
    assert installed().classifier("hubness").distribution == "good"


def test_an_older_copy_further_down_the_path_does_not_count(
    site: Site, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = Site(tmp_path_factory.mktemp("older"))
    sys.path.append(str(older.folder))
    try:
        older.install("good", offering("old"), version="0.5")
        names = [one.distribution for one in installed().plugins]
        assert names.count("good") == 1
        assert plugin("good").version == "1.0"
    finally:
        sys.path.remove(str(older.folder))


def test_what_a_plugin_prints_is_dropped(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    code = (
        "import sys, logging\n"
        "print('chatter'); print('chatter', file=sys.stderr)\n"
        "sys.stdout.buffer.write(b'chatter'); sys.stdout.fileno()\n"
        "logging.getLogger('fake').addHandler(logging.StreamHandler())\n"
    )
    site.install("loud", code + hook("print('chatter') or [spec('loud')]"))
    assert plugin("loud").error == ""
    assert capfd.readouterr() == ("", "")
    assert not isinstance(sys.stdout, io.StringIO)


def test_mgrkit_plugins_narrows_what_is_loaded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    module = site.install("other-one", offering("other"))
    monkeypatch.setenv("MGRKIT_PLUGINS", " Good ,")
    assert [one.distribution for one in installed().plugins] == ["mgrkit", "good"]
    assert module not in sys.modules
    monkeypatch.setenv("MGRKIT_PLUGINS", "other_one")
    installed.cache_clear()
    assert [one.distribution for one in installed().plugins] == ["mgrkit", "other-one"]
    monkeypatch.setenv("MGRKIT_PLUGINS", "")
    installed.cache_clear()
    assert [one.distribution for one in installed().plugins] == ["mgrkit"]


def test_mgrkit_plugins_that_names_what_is_not_there(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MGRKIT_PLUGINS", "good,goood")
    assert plugin("goood").error == "MGRKIT_PLUGINS names it, but it is not installed"


def test_mgrkit_plugins_ends_a_quarrel(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.install("other", offering("hubness"))
    monkeypatch.setenv("MGRKIT_PLUGINS", "good")
    assert plugin("good").error == ""


def test_an_unknown_classifier_names_the_nearest_and_what_is_broken(site: Site) -> None:
    site.install("bad", "1 / 0")
    with pytest.raises(UsageError, match=r"'hubnes' \(did you mean hubness\?; broken: .*bad"):
        installed().classifier("hubnes")


def test_plugins_are_loaded_once(site: Site) -> None:
    assert installed() is installed()


def test_no_feature_may_have_the_name_of_a_tables_own_column() -> None:
    assert {*COLUMNS, "sound", "frontend", "filename", "label", "length"} <= RESERVED


def test_an_empty_registry() -> None:
    with pytest.raises(UsageError, match=r"no classifier 'svm' \(there are none"):
        Registry([]).classifier("svm")


def test_resolve_gives_the_named_object() -> None:
    assert resolve("mgrkit.registry.specs:ClassifierSpec") is ClassifierSpec


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import sklearn_extra_not_here", r"\(pip install sklearn_extra_not_here\)"),
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("Other = 1", "no attribute 'Model'"),
        ("import bad_hooks.deeper", r"'bad_hooks' is not a package$"),
    ],
)
def test_resolve_of_what_cannot_be_loaded(site: Site, code: str, message: str) -> None:
    site.install("bad", code)
    with pytest.raises(RunError, match="cannot load bad_hooks:Model: .*" + message):
        resolve("bad_hooks:Model")


def test_resolve_of_a_module_that_is_not_there() -> None:
    with pytest.raises(RunError, match=r"cannot load nowhere.model:Model: .*'nowhere'$"):
        resolve("nowhere.model:Model")


def test_resolve_names_the_distribution_of_a_module(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    site.install("needy", "import sklearn")
    with pytest.raises(RunError, match="pip install scikit-learn"):
        resolve("needy_hooks:Model")


def test_missing_tells_without_importing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    module = site.install("heavy", "1 / 0")
    monkeypatch.setitem(sys.modules, "made_by_hand", types.ModuleType("made_by_hand"))
    assert missing((module, "not_there_at_all", "made_by_hand")) == ["not_there_at_all"]
    assert module not in sys.modules


def test_require_names_what_is_missing_and_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    require("the classifier x", ())
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(RunError) as caught:
        require("the classifier x", ("json", "sklearn", "not_there_at_all"))
    assert str(caught.value) == (
        "the classifier x needs sklearn and not_there_at_all, not installed here "
        "(pip install scikit-learn not_there_at_all)"
    )


def test_loading_imports_no_model_code_and_no_numpy() -> None:
    code = (
        "import sys\n"
        "from mgrkit.registry import installed\n"
        "installed().classifiers()\n"
        "print(*sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in out.stdout.split()}
    assert not loaded & {"numpy", "sklearn", "torch", "scipy", "librosa", "polars", "safetensors"}


def test_threads_that_load_at_once_leave_stdout_alone(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout
    inside = threading.Event()

    def first() -> None:
        with quietly():
            inside.set()
            time.sleep(0.1)

    def second() -> None:
        inside.wait()
        with quietly():
            time.sleep(0.2)

    threads = [threading.Thread(target=each) for each in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sys.stdout is before


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ("Range(5, 5)", "search of parameter k is empty: from 5 to 5"),
        ("Range(1, 5.5)", "search of parameter k must be of whole numbers, not from 5.5"),
        ("Range(0, 5)", "search of parameter k has a value that is refused: .* from 1 to 99"),
        ("Range(0, 5, log=True)", "search of parameter k is by factors"),
        ("Range(float('nan'), 5)", "search of parameter k has an end that is no number: nan"),
        ("Range('a', 5)", "search of parameter k has an end that is no number: 'a'"),
        ("Range(1, 5, log=1)", "search of parameter k has a log that is neither true nor false"),
        ("Range(6, 9)", "search of parameter k leaves out the default, 5"),
        ("Choice((5,))", "search of parameter k must have two different values or more"),
        ("Choice([5, 6])", "search of parameter k must have a tuple of values"),
        ("Choice((5, [6]))", "search of parameter k must be of the type int, not .6."),
        ("Choice((5, True))", "search of parameter k must be of the type int, not True"),
        ("Choice((5, 100))", "search of parameter k has a value that is refused"),
        ("Choice((6, 7))", "search of parameter k leaves out the default, 5"),
        ("(1, 9)", "search of parameter k is .1, 9., neither a Range nor a Choice"),
    ],
)
def test_values_to_search_that_cannot_be(site: Site, search: str, words: str) -> None:
    code = HEAD.replace("high=99", f"high=99, search={search}").replace(
        "import ClassifierSpec", "import Choice, Range, ClassifierSpec"
    )
    site.install("bad", f"{code}\n@hookimpl\ndef mgrkit_classifiers():\n    return [spec('x')]\n")
    one = plugin("bad")
    assert one.status == "broken"
    assert re.search(words, one.error), one.error


def test_a_range_is_of_numbers_only(site: Site) -> None:
    code = HEAD.replace('"distance")', '"distance"), search=Range(1, 2)').replace(
        "import ClassifierSpec", "import Range, ClassifierSpec"
    )
    site.install("bad", f"{code}\n@hookimpl\ndef mgrkit_classifiers():\n    return [spec('x')]\n")
    assert "search of parameter vote is a range, which only a number has" in plugin("bad").error
