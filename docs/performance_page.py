"""Makes `performance.md`: what `make bench` has found, from `performance/results.json`.

The charts beside that file are drawn by the benchmarks.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.charts import caption
from benchmarks.report import number

__all__ = ["performance_page"]

RESULTS = Path(__file__).parent / "performance" / "results.json"

# What a figure is, as its benchmark and its name say it.
_WHAT = {
    ("hops", "hop_us"): "a hop, µs",
    ("frames", "create_us"): "making a frame, µs",
    ("codec", "msgpack_encode_us"): "a message of audio into MessagePack, µs",
    ("telephony", "twilio_encode_us"): "audio into a message of Twilio's, µs",
    ("telephony", "twilio_decode_us"): "a message of Twilio's into audio, µs",
    ("import", "wall_ms"): "the import, ms",
    ("memory", "rss_kib"): "an idle session, KiB of the process",
    ("memory", "traced_kib"): "an idle session, KiB of Python's objects",
    ("memory", "tasks"): "an idle session, tasks",
    ("visits", "start_us"): "the start of a session, µs of CPU",
    ("visits", "end_us"): "the end of a session, µs of CPU",
    ("scale", "off_line_percent"): "off a straight line over the work, %",
    ("sessions", "message_us"): "an echoed message, µs of CPU",
    ("capacity", "sessions"): "sessions a core, 99 % of the messages at most 20 ms late",
    ("capacity", "late_p99_80_ms"): "late at 80 % of a core, 99th percentile, ms",
    ("capacity", "knee_percent"): "a message near the full core, more than at half of it, %",
    ("company", "late_p99_ms"): "late, 99th percentile, ms",
    ("vad", "added_per_own_ratio"): "hearing with Silero, against Silero's own cost",
    ("video", "late_p99_ms"): "audio late beside images, 99th percentile, ms",
    ("video", "slowest_of_100_ms"): "audio late beside images, the slowest of a hundred, ms",
}

_FIRST = (
    *("sessions", "capacity", "memory", "visits", "hops", "frames", "vad", "codec", "telephony"),
    *("scale", "import", "company", "video"),
)

_BARS_HEAD = """\
## What is reached

`make bench` holds each figure against a bar, most of them a ratio to what stands beside it in the
same run.

| what | of | reached | bar | |
|---|---|---|---|---|
"""

_MISSED_HEAD = """\
## What is missed, and why

Bars are set where we want to be, and stay in the table when they are not reached.

"""

# Why a bar is missed: by its benchmark, its figure, and how its contender's name begins.
_WHY = {
    ("sessions", "message_us", ""): """\
- **An echo.** wsframes executes about {instructions} instructions of Python for an echoed message,
  in fifty functions: nearly half of them in the output's queue and schedule, a fifth in the hops, a
  fifth in the reader, the rest at the socket. Where nothing else runs that takes 7 to 9 µs. In a
  server that sleeps between messages it is {own_us} µs, since the processor and its caches have
  been elsewhere meanwhile, and 1.25 x leaves room for {room_us}. Written by hand in one function,
  with a frame, a deadline and counters, but without graph, queue and schedule, an echo was at 1.05
  to 1.1 x: the rest is what those take. Compiled by mypyc, the modules of the output execute 5 %
  fewer machine instructions, and huge pages change nothing; so neither is here.
""",
    ("capacity", "sessions", ""): """\
- **Sessions a core** follow from that.
""",
    ("capacity", "late_p99_80_ms", ""): """\
- **Lateness at 80 % of a core** is nearly all the server's: bare, it is {bare_late_ms} ms.
""",
    ("hops", "hop_us", "lane burst"): """\
- **A burst through lanes** takes 220 instructions a hop: every frame is queued within bounds,
  counted, and processed in two coroutines with its errors contained.
""",
    ("hops", "hop_us", "pipecat"): """\
- **Pipecat's hop**: ours is two calls, a queue and a counter, and a third of it would be the calls
  alone.
""",
    ("memory", "traced_kib", ""): """\
- **Python's objects of an idle session** are two tasks and what each part of a session counts;
  what the process grows by for them is within the bar.
""",
    ("vad", "added_per_own_ratio", ""): """\
- **Hearing** takes 7 to 9 µs beside each window of Silero's, cut, counted and followed: a tenth of
  what Silero takes where that is fast.
""",
    ("company", "late_p99_ms", "200"): """\
- **200 sessions in memory** share their core with their peers, and with whatever else the machine
  does to its caches; on a quiet one they are on time ([guarantees.md](guarantees.md), P25).
""",
}

_SERVERS_HEAD = """\
## A message on each server

640 bytes echoed, 50 a second and session: the server process's CPU for each, and how late they
came back.

| | CPU, µs | against | late p50, ms | late p99, ms |
|---|---|---|---|---|
"""

_CHARTS = """\
## Sessions against lateness

![How late a message is, against sessions](performance/lateness.png)

![What sessions take of the core](performance/cpu.png)

The load of the promises, five processors of which one has a lane, and bare ASGI beside it. It is
measured and drawn alone, on any of the servers, by `python -m benchmarks.load_report --png FILE`:

![Lateness, CPU and memory against sessions, five processors](performance/load.png)

## Memory against sessions

![Memory of the server, against sessions](performance/memory.png)

## Where a message's work goes

![Instructions of Python for an echoed message, by layer](performance/layers.png)

Instructions are counted and not timed: the same on every machine, so that a change shows exactly
what it saves. They are not time: what C does is not among them, and sending on a socket alone
takes the kernel 10 to 20 µs. `python -m benchmarks layers --json FILE` lists the functions that
execute most.

## Cost against the length of the pipeline

![CPU for a frame, against the processors in its way](performance/length.png)

A `def` is a function call in the task of whoever pushed the frame; an `async def` has a lane, and
waking a task that sleeps is what costs there. A lane that is kept busy costs a tenth of that.

"""

_ADVICE = """\
## Which server, with which settings

[servers.md](servers.md) has the commands and what differs. In short, from what is measured above:

- On asyncio: uvicorn, `--ws websockets-sansio --loop uvloop --ws-per-message-deflate false`.
- On trio: hypercorn or anycorn. A message costs more there, in the server and not in wsframes.
- No compression: speech hardly gets smaller by it, and it costs about as much as wsframes does.
- `gc.collect(); gc.freeze()` when the server has started: a full collection of all that a large
  program has imported stops every session for 20 ms and more.
- Give the server a core for itself. Lateness comes from what else wants that core long before it
  is full.

## What one machine carries

One process uses one core. Plan with the sessions a core of the table, less what *your* processors
take: CPU of your own for each message adds to wsframes' and the server's. Stay under 80 % of the
core: up to there lateness is flat, above it waiting grows without a bound. `WebsocketApp(...,
max_lateness_ms=20)` holds that by itself: new sessions are refused with 503 while the loop is
late, and those that run keep their time; `max_sessions` is the plain cap. Silero takes more than
everything else together for a session that listens all the time: count it first.

## Past one core

- **Several processes.** A session is one socket, and all of its state is in the process that
  accepted it: no sticky balancing, no shared store. `uvicorn --workers N` shares one listening
  socket among N processes; or start N servers on one port with `SO_REUSEPORT`, and the kernel
  spreads the connections; or N ports behind a proxy that picks the one with the fewest
  connections, which is best, since sessions last long and differ.
- **Several machines.** The same behind a balancer. It must pass upgrades on, leave idle
  connections alone for longer than your sessions are silent, and not buffer.
- `max_sessions` and `max_lateness_ms` hold for a process each; a refusal (503) tells the balancer
  to try another.
- Deploy by draining: `handle_signals=True` ends sessions in good order, see
  [servers.md](servers.md).
- What blocks goes to a worker thread (`anyio.to_thread`) or to a process of its own. Threads
  share the core with the sessions as long as Python's lock is held.

## Measure it yourself

```sh
make bench                                  # all of it, charts, this page: under half an hour
make bench PIPECAT=pipecat/bin/python       # beside Pipecat
make bench ARGS="--help"                    # what there is
make bench ARGS="hops sessions --quick"     # a look at two of them
make bench ARGS="--quick --json look.json --charts ."
python -m benchmarks.charts docs/performance/results.json docs/performance    # draw again
python -m docs.generate                     # write this page again
```

Pipecat has an environment of its own, so that neither changes what the other is measured with:

```sh
python3 -m venv pipecat
pipecat/bin/pip install 'pipecat-ai[websocket]==1.14.0' 'uvicorn>=0.53' 'websockets>=15'
```

Each contender runs in a fresh process, all of them in turn in every round; a figure is the median
of the rounds, and a ratio the median of the rounds' ratios. So a machine that is busy for a while
is so for all of them: trust ratios, and the line `noise`, before absolute figures. A server and
its clients have a CPU each.
"""


def performance_page(results: Path = RESULTS) -> str:
    """The text of `performance.md`."""
    found: dict[str, Any] = json.loads(results.read_text(encoding="utf-8"))
    taken_on = " ".join(caption(found).splitlines())
    return (
        "# Performance\n\n"
        "Made from `performance/results.json` by `make docs`; do not edit.\n\n"
        f"{taken_on}\n\n"
        + _noise(found)
        + _bars(found)
        + _missed(found)
        + _servers(found)
        + _CHARTS
        + _ADVICE
    )


def _noise(found: Mapping[str, Any]) -> str:
    loops_us = sorted(found["noise"]["loop_us"])
    worst = loops_us[-1] / loops_us[len(loops_us) // 2] - 1
    return (
        f"How quiet the machine was: a loop that is always the same took {worst:.0%} more at worst "
        "than it mostly did.\n\n"
    )


def _bars(found: Mapping[str, Any]) -> str:
    rows = [_BARS_HEAD]
    benchmarks = found["benchmarks"]
    first = [name for name in _FIRST if name in benchmarks]
    for name in dict.fromkeys([*first, *benchmarks]):
        rows += [_bar(name, bar) for bar in benchmarks[name]["bars"]]
    return "".join(rows) + "\n"


def _bar(benchmark: str, bar: Mapping[str, Any]) -> str:
    unnamed = f"{benchmark}: {bar['figure'].replace('_', ' ')}"
    what = _WHAT.get((benchmark, bar["figure"]), unnamed)
    of = {
        "value": "",
        "ratio": f" x that of {bar['against']}",
        "excess": f" more than {bar['against']}",
    }[bar["of"]]
    least = "at least" if bar["at_least"] else "at most"
    met = "met" if bar["met"] else "**missed**"
    return (
        f"| {what} | {bar['contender']} | {number(bar['reached'])}{of} | {least} {bar['limit']:g} "
        f"| {met} |\n"
    )


def _missed(found: Mapping[str, Any]) -> str:
    missed = [
        (name, bar["figure"], bar["contender"])
        for name, benchmark in found["benchmarks"].items()
        for bar in benchmark["bars"]
        if not bar["met"]
    ]
    if not missed:
        return ""

    def reached(benchmark: str, figure: str, contender: str) -> float:
        contenders: Any = found["benchmarks"][benchmark]["contenders"]
        return float(contenders[contender]["figures"][figure]["median"])

    bare_us, ours_us = (
        reached("sessions", "message_us", f"{app}, 40 on uvicorn") for app in ("bare", "pcm")
    )
    bare, ours = (reached("layers", "instructions", app) for app in ("bare", "wsframes"))
    figures = {
        "instructions": f"{round(ours - bare, -2):,.0f}",
        "own_us": number(ours_us - bare_us),
        "room_us": number(bare_us / 4),
        "bare_late_ms": number(reached("capacity", "late_p99_80_ms", "bare")),
    }
    reasons = [
        reason.format_map(figures)
        for (name, figure, start), reason in _WHY.items()
        if any(each[:2] == (name, figure) and each[2].startswith(start) for each in missed)
    ]
    return "".join([_MISSED_HEAD, *reasons, "\n"])


def _servers(found: Mapping[str, Any]) -> str:
    rows = [_SERVERS_HEAD]
    sessions = found["benchmarks"].get("sessions", {"contenders": {}})
    for name, contender in sessions["contenders"].items():
        figures = contender["figures"]
        message, late = figures["message_us"], [figures[f"late_p{p}_ms"] for p in (50, 99)]
        ratio = (
            "" if message["ratio"] is None else f"{message['ratio']:.2f} x {contender['against']}"
        )
        cells = (name, number(message["median"]), ratio, *(number(each["median"]) for each in late))
        rows.append(f"| {' | '.join(cells)} |\n")
    return "".join(rows) + "\n"
