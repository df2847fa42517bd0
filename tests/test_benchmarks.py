"""Every benchmark runs, in its smallest size, and what it measured can be read.

The figures of these runs mean nothing; that there are any, for each contender, is what is tested.
"""

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import bench_frames, charts, load_report
from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.bench_layers import LAYERS, layer
from benchmarks.contest import Bar, Benchmark, Contender, Measurement, Options
from benchmarks.lines import line_through
from benchmarks.report import Outcome, document, table
from benchmarks.runner import Contest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "benchmarks").rglob("*.py"))

SMOKE = Options(scale="smoke")

PIPECAT_TOO = ["frames", "hops", "import", "memory", "visits", "scale", "layers", "sessions",
               "capacity"]  # fmt: skip


def measured(name: str, options: Options = SMOKE) -> Outcome:
    (outcome,) = Contest(options, tell=lambda what: None).run([BENCHMARKS[name].benchmark(options)])
    return outcome


def check_figures(outcome: Outcome) -> None:
    for contender in outcome.benchmark.contenders:
        assert contender.against is None or contender.against in outcome.measured
        (measurement,) = outcome.measured[contender.name]
        assert measurement.figures
    for bar in outcome.benchmark.bars:
        assert outcome.reached(bar)[0] > float("-inf")


@pytest.mark.parametrize("name", ["frames", "hops", "codec", "telephony", "echo", "vad"])
def test_every_contender_has_figures(name: str) -> None:
    outcome = measured(name)

    check_figures(outcome)
    for contender in outcome.benchmark.contenders:
        assert all(value > 0 for value in outcome.measured[contender.name][0].figures.values())


def test_resamplers_have_figures_and_ours_reaches_its_bars() -> None:
    outcome = measured("resample")

    check_figures(outcome)
    assert [bar for bar in outcome.benchmark.bars if not outcome.reached(bar)[1]] == []
    for contender in outcome.benchmark.contenders:
        assert outcome.median(contender.name, "8to16_cost_us") > 0


def test_imports_have_times_and_the_slowest_modules() -> None:
    outcome = measured("import")

    check_figures(outcome)
    slowest = outcome.measured["wsframes"][0].details["slowest"]
    assert any(each["module"].startswith("wsframes") for each in slowest)
    assert slowest[0]["self_us"] >= slowest[-1]["self_us"] > 0


@pytest.mark.socket
@pytest.mark.parametrize("server", ["uvicorn", "uvicorn-uvloop", "hypercorn-trio"])
def test_sessions_echo_all_messages_on_every_server(server: str) -> None:
    outcome = measured("sessions", Options(scale="smoke", servers=(server,)))

    check_figures(outcome)
    for contender in outcome.benchmark.contenders:
        assert outcome.median(contender.name, "lost_messages") == 0
        assert outcome.median(contender.name, "message_us") > 0


def test_a_crowd_is_served_to_the_last_message_whatever_one_of_them_does() -> None:
    outcome = measured("company")

    check_figures(outcome)
    for contender in outcome.benchmark.contenders:
        assert outcome.median(contender.name, "lost_messages") == 0
        assert outcome.median(contender.name, "admitted") >= 3


def test_the_work_in_several_sizes_gives_a_line() -> None:
    outcome = measured("scale")

    check_figures(outcome)
    for contender in outcome.benchmark.contenders:
        (measurement,) = outcome.measured[contender.name]
        assert len(measurement.details["sizes"]) == len(measurement.details["costs"]) == 2


@pytest.mark.socket
def test_sessions_that_come_and_leave_leave_nothing() -> None:
    outcome = measured("visits")

    check_figures(outcome)
    for contender in outcome.benchmark.contenders:
        figures = outcome.measured[contender.name][0].figures
        assert figures["start_us"] > 0
        assert figures.get("left_tasks", 0) == 0


@pytest.mark.socket
def test_more_and_more_sessions_are_served_at_each_step() -> None:
    outcome = measured("capacity")

    check_figures(outcome)
    for contender in outcome.benchmark.contenders:
        steps = outcome.measured[contender.name][0].details["steps"]
        assert steps[0]["sessions"] == 1
        assert all(step["late_p99_ms"] > 0 and step["rss_mb"] > 1 for step in steps)


@pytest.mark.socket
def test_instructions_are_counted_by_layer() -> None:
    outcome = measured("layers")

    check_figures(outcome)
    bare, ours = (outcome.measured[name][0].figures for name in ("bare", "wsframes"))
    assert bare["deserialize"] == 0 < ours["deserialize"]
    assert ours["instructions"] == pytest.approx(sum(ours[name] for name in LAYERS))


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("/lib/python3.11/asyncio/events.py:Handle._run", "event loop"),
        ("/x/wsframes/.venv/lib/site-packages/uvicorn/server.py:Server.main", "server"),
        ("/x/wsframes/.venv/lib/site-packages/psutil/a.py:b", "other"),
        ("/x/wsframes/wsframes/serializers/raw.py:RawAudioSerializer.deserialize", "deserialize"),
        ("/x/wsframes/wsframes/serializers/raw.py:RawAudioSerializer.serialize", "serialize"),
        ("/x/wsframes/transport/pacer.py:Pacer.due", "output: queue and pacer"),
    ],
)
def test_a_function_belongs_to_the_layer_of_its_file(place: str, name: str) -> None:
    assert layer(place) == name


def test_a_line_through_what_was_measured_tells_how_far_off_it_is() -> None:
    straight, bent = line_through([1, 2], [12.0, 14.0]), line_through([0, 1, 2], [0.0, 1.0, 4.0])

    assert straight.slope == bent.slope == 2.0
    assert straight.off_percent == pytest.approx(0.0)
    assert bent.off_percent == pytest.approx(100 * (2 / 3) / 4)
    assert line_through([1, 2], [0.0, 0.0]) == (0.0, 0.0)


@pytest.mark.socket
def test_audio_comes_back_while_images_come_too() -> None:
    outcome = measured("video")

    check_figures(outcome)
    alone, both = outcome.benchmark.contenders
    for contender in (alone, both):
        assert outcome.median(contender.name, "lost_messages") == 0
    assert outcome.median(alone.name, "images_per_s") == 0
    assert outcome.median(both.name, "images_per_s") > 0


@pytest.mark.socket
def test_the_load_report_is_a_table_and_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "load.png"
    options = ["--sessions", "2", "--seconds", "0.2"]

    assert load_report.main([*options, "--png", str(picture)]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 2
    assert "late p99 ms" in lines[0]
    assert lines[-1].split()[:4] == ["wsframes,", "five", "processors", "2"]
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.fixture(scope="module")
def results() -> Any:
    return json.loads((ROOT / "docs" / "performance" / "results.json").read_text(encoding="utf-8"))


def test_charts_are_drawn_from_what_was_written(
    results: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "saved.json"
    saved.write_text(json.dumps(results))

    assert charts.main([str(saved), str(tmp_path)]) == 0

    drawn = [Path(line) for line in capsys.readouterr().out.splitlines()]
    committed = (ROOT / "docs" / "performance").glob("*.png")
    assert {path.name for path in drawn} == {path.name for path in committed}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)


def test_a_chart_needs_the_results_of_its_benchmark_only(results: Any, tmp_path: Path) -> None:
    only = {"layers": results["benchmarks"]["layers"]}

    drawn = charts.draw_all(results | {"benchmarks": only}, tmp_path)

    assert [path.name for path in drawn] == ["layers.png"]


def test_an_overloaded_contender_is_drawn_to_where_it_was_on_time(tmp_path: Path) -> None:
    def step(sessions: int, late_ms: float) -> dict[str, float]:
        return {"sessions": sessions, "late_p99_ms": late_ms, "cpu_share": 0.5, "rss_mb": 50.0}

    steps = {"bare": [step(10, 1.0), step(20, 500.0)], "wsframes": [step(10, 30.0)]}

    charts.draw_load(tmp_path / "load.png", steps, "uvicorn", "made up")

    assert (tmp_path / "load.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["no.json", "."], "no.json: "),
        (["pyproject.toml", "."], "pyproject.toml: "),
        (["docs/performance/results.json", "no/where"], "there is no directory no/where"),
    ],
)
def test_what_cannot_be_drawn_is_named(
    arguments: list[str],
    error: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit) as raised:
        charts.main(arguments)

    assert raised.value.code == 2
    assert error in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.socket
def test_idle_sessions_have_memory_and_tasks_and_leave_no_task() -> None:
    outcome = measured("memory")

    check_figures(outcome)
    for contender in outcome.benchmark.contenders:
        figures = outcome.measured[contender.name][0].figures
        assert figures["traced_kib"] > 0
        assert figures["tasks"] >= 1
        assert figures["left_tasks"] == 0


@pytest.mark.parametrize("name", BENCHMARKS)
def test_benchmark_states_its_question_and_what_it_compares(name: str) -> None:
    question = BENCHMARKS[name].benchmark(SMOKE).question

    assert question.partition("\n")[0].endswith("?")
    assert "gainst" in question or "fresh interpreter" in question


@pytest.mark.parametrize("name", PIPECAT_TOO)
def test_pipecat_is_a_contender_only_where_its_interpreter_is_given(name: str) -> None:
    def names(options: Options) -> set[str]:
        return {each.name for each in BENCHMARKS[name].benchmark(options).contenders}

    without, given = names(SMOKE), names(Options(scale="smoke", pipecat="python"))

    assert without < given
    assert all(each.startswith("pipecat") for each in given - without)


# What is measured is what users have.


# Their packages do not load them, so users import from the module itself.
NEED_AN_EXTRA = {"wsframes.audio.resample", "wsframes.vad.silero"}


def imported_names() -> list[tuple[str, str, str]]:
    return [
        (path.name, node.module, alias.name)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module is not None
        for alias in node.names
        if node.module.split(".")[0] == "wsframes"
    ]


def test_only_public_names_are_imported() -> None:
    names = imported_names()

    assert names
    for path, module, name in names:
        assert module.count(".") <= 1 or module in NEED_AN_EXTRA, path
        assert name in importlib.import_module(module).__all__, path


def test_pipecat_is_not_imported_before_it_is_measured() -> None:
    code = (
        "import sys, benchmarks.compare.pipecat_server;"
        "print({'pipecat', 'wsframes', 'msgspec'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "set()"


# The report.


def an_outcome() -> Outcome:
    bare = Contender("bare", bench_frames.make_dataclass)
    ours = Contender("ours", bench_frames.make_wsframes, against="bare")
    bars = (
        Bar("ours", "cost_us", 35.0),
        Bar("ours", "cost_us", 1.4, of="ratio"),
        Bar("ours", "cost_us", 9.0, of="excess"),
        Bar("bare", "cost_us", 0.5, of="ratio", at_least=True, against="ours"),
    )
    return Outcome(
        Benchmark("made-up", "Why?", 3, (bare, ours), bars),
        {
            "bare": [Measurement({"cost_us": cost}) for cost in (20.0, 40.0, 20.0)],
            "ours": [Measurement({"cost_us": cost}) for cost in (30.0, 60.0, 20.0)],
        },
    )


def test_ratio_is_the_median_of_the_rounds_ratios() -> None:
    outcome = an_outcome()

    assert outcome.median("ours", "cost_us") == 30.0
    assert outcome.spread("ours", "cost_us") == pytest.approx(20 / 30)
    assert [outcome.reached(bar) for bar in outcome.benchmark.bars] == [
        (30.0, True),
        (1.5, False),
        (10.0, False),
        (pytest.approx(1 / 1.5), True),
    ]


def test_nothing_to_compare_with_has_no_ratio() -> None:
    outcome = an_outcome()
    outcome.measured["bare"] = [Measurement({"cost_us": 0.0})] * 3
    bare, ours = outcome.benchmark.contenders

    assert outcome.ratio(bare, "cost_us") is None
    assert outcome.ratio(ours, "cost_us") is None
    assert outcome.spread("bare", "cost_us") == 0


def test_table_and_document_say_whether_each_bar_is_met() -> None:
    _, bare, line = table([an_outcome()]).splitlines()
    found = document([an_outcome()], [1.0, 2.0], "1.14.0")

    assert line.split()[:6] == ["made-up", "ours", "cost_us", "30", "67%", "1.50"]
    assert "met: 30 <= 35; MISSED: 1.5 x <= 1.4 x; MISSED: 10 more <= 9 more" in line
    assert "met: 0.667 x ours >= 0.5 x ours" in bare
    bars = found["benchmarks"]["made-up"]["bars"]
    assert [bar["met"] for bar in bars] == [True, False, False, True]
    assert [bar["against"] for bar in bars] == [None, "bare", "bare", "ours"]
    assert found["versions"]["pipecat-ai"] == "1.14.0"


# The command line.


def test_command_prints_a_table_and_writes_all_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = tmp_path / "result.json"

    options = ["--quick", "--json", str(written), "--charts", str(tmp_path)]
    assert main(["frames", *options]) == 0

    out = capsys.readouterr().out
    assert not list(tmp_path.glob("*.png"))  # there is no chart of frames
    assert "create_us" in out
    assert "x dataclass" in out
    assert "noise" in out
    found = json.loads(written.read_text())
    assert found["asked"] == {"scale": "quick"}
    assert found["versions"]["python"]
    assert found["machine"]["cpus"] >= 1
    figures = found["benchmarks"]["frames"]["contenders"]["wsframes"]["figures"]
    assert figures["create_us"]["median"] > 0
    assert len(figures["create_us"]["rounds"]) == 3


def test_what_does_not_run_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Contender("wrong", bench_frames.make_wsframes, {"frames": "many"})
    monkeypatch.setattr(
        bench_frames, "benchmark", lambda options: Benchmark("frames", "Why?", 1, (wrong,))
    )

    assert main(["frames"]) == 1

    error = capsys.readouterr().err.splitlines()[-1]
    assert "benchmarks.bench_frames make_wsframes" in error
    assert "TypeError" in error


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["frame"], "no benchmark 'frame': there are frames, hops"),
        (["--json", "no/where.json"], "--json: there is no directory"),
        (["--charts", "no/where"], "--charts: there is no directory no/where"),
        (["--pipecat", "no-python"], "--pipecat: no Pipecat with no-python"),
        (["--pipecat", sys.executable], "No package metadata was found for pipecat-ai"),
        (["--server", "apache"], "invalid choice: 'apache'"),
        (["--sessions", "0"], "invalid"),
    ],
)
def test_bad_arguments_are_named(
    arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        main(arguments)

    assert raised.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert error in line
