#!/usr/bin/env python3
"""Drives flowrun in tmux as a new user would, and checks what stands on the screen; the transcript is left in a file.

    tests/terminal/run.py build/release/flowrun [TRANSCRIPT]       needs tmux
"""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

DEADLINE = 60  # seconds after which a step has failed
PROJECT = pathlib.Path(__file__).resolve().parents[2]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Terminal:
    """A shell in a tmux of its own, 120 by 50."""

    def __init__(self, folder, flowrun, transcript):
        self.tmux = ["tmux", "-L", f"flowrun-{os.getpid()}", "-f", "/dev/null"]
        self.transcript = transcript
        self.number = 0
        self.failed = []
        environment = {"PATH": f"{pathlib.Path(flowrun).parent}:{os.environ['PATH']}", "HOME": str(folder), "TERM": "screen", "LANG": "C.UTF-8", "PS1": "$ ", "HISTFILE": "/dev/null"}
        subprocess.run([*self.tmux, "new-session", "-d", "-s", "s", "-x", "120", "-y", "50", "-c", str(folder), "env", "-i",
                        *[f"{key}={value}" for key, value in environment.items()], "bash", "--noprofile", "--norc"], check=True)
        subprocess.run([*self.tmux, "set-option", "-g", "history-limit", "20000"], check=True)
        # The second Ctrl-C may find the command gone and the shell between it and `echo`, which must go on then.
        self.keys("-l", "trap : INT")
        self.keys("Enter")

    def keys(self, *keys):
        subprocess.run([*self.tmux, "send-keys", "-t", "s", *keys], check=True)

    def screen(self):
        return subprocess.run([*self.tmux, "capture-pane", "-p", "-J", "-S", "-", "-t", "s"], capture_output=True, text=True, check=True).stdout

    def since(self, mark):
        return self.screen().rpartition(mark)[2]

    def wait_until(self, what, holds):
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            if holds():
                return
            time.sleep(0.05)
        self.failed.append(f"{what}: not seen")

    def wait(self, what, pattern, mark):
        self.wait_until(f"{what}: {pattern}", lambda: re.search(pattern, self.since(mark), re.MULTILINE))

    def start(self, command):
        """Types a command; gives a mark to look behind."""
        self.number += 1
        mark = f"# {self.number}."
        self.keys("-l", f"{command}  {mark}")
        self.keys("Enter")
        return mark

    def run(self, command, *patterns, code=0):
        """A command to its end, what it must say and its exit code."""
        mark = self.start(f"{command}; echo code=$?")
        self.wait(command, r"code=\d+", mark)
        text = self.since(mark)
        for pattern in patterns:
            if not re.search(pattern, text, re.MULTILINE):
                self.failed.append(f"{command}: not seen: {pattern}")
        if f"code={code}" not in text:
            self.failed.append(f"{command}: did not end with {code}")
        self.note()

    def interrupt(self, command, sign, *patterns, code=0, times=1):
        """A command that runs until Ctrl-C, pressed when `sign` is seen."""
        mark = self.start(f"{command}; echo code=$?")
        self.wait(command, sign, mark)
        self.keys(*["C-c"] * times)
        self.wait(command, r"code=\d+", mark)
        for pattern in (*patterns, rf"code={code}\b"):
            if not re.search(pattern, self.since(mark), re.MULTILINE):
                self.failed.append(f"{command}: not seen: {pattern}")
        self.note()

    def interrupt_at_once(self, command, stuck):
        """A command that does not end at the first Ctrl-C once the file `stuck` is there, and the second one, which must leave no status line behind."""
        mark = self.start(f"{command}; echo code=$?")
        self.wait_until(f"{command}: {stuck.name}", stuck.exists)
        for pattern in (r"Ctrl-C commits", r"Ctrl-C once more ends at once"):
            self.wait(command, pattern, mark)
            self.wait(command, r"^epoch \d+ ·", mark)
            self.keys("C-c")
        self.wait(command, r"code=130\b", mark)
        if not re.search(r"^code=130\s*$", self.since(mark), re.MULTILINE) or re.search(r"^epoch \d+ ·", self.since(mark), re.MULTILINE):
            self.failed.append(f"{command}: the status line is left behind")
        self.note()

    def note(self):
        self.transcript.write(self.screen().rstrip() + "\n")
        self.keys("-R", "C-l")
        subprocess.run([*self.tmux, "clear-history", "-t", "s"], check=True)

    def close(self):
        subprocess.run([*self.tmux, "kill-server"], check=False)


def typos(folder):
    """A file for each kind of place where one may mistype, and what must be said."""
    head = "nodes:\n  watches: { source: socket, host: 127.0.0.1, port: 9999 }\n"
    files = {
        "key": ("triger: 1 second\n" + head + "  s: { from: watches, sink: console }\n", "did you mean `trigger`"),
        "node": (head + "  s: { from: wathces, sink: console }\n", "did you mean `watches`"),
        "operator": (head + "  f: { from: watches, fliter: x }\n  s: { from: f, sink: console }\n", "did you mean `filter`"),
        "option": (head + "  s: { from: watches, sink: console, truncat: false }\n", "did you mean `truncate`"),
        "value": (head + "  s: { from: watches, sink: console, mode: apend }\n", "did you mean `append`"),
        "source": ("nodes:\n  w: { source: sokcet, port: 1 }\n  s: { from: w, sink: console }\n", "did you mean `socket`"),
        "column": (head + "  f: { from: watches, filter: valeu > 1 }\n  s: { from: f, sink: console }\n", "did you mean `value`"),
        "function": (head + "  f: { from: watches, select: [uper(value)] }\n  s: { from: f, sink: console }\n", "did you mean `upper`"),
        "type": (head + "  p: { from: watches, parse: json, schema: { a: bigitn } }\n  s: { from: p, sink: console }\n", "did you mean `bigint`"),
        "port": (head + "  p: { from: watches, parse: json, schema: { a: int } }\n  s: { from: p.erors, sink: console }\n", "did you mean `errors`"),
        "table": ("tables:\n  users: { file: u.csv, format: csv, schema: value string }\n" + head + "  j: { from: watches, static_join: user, on: [value] }\n  s: { from: j, sink: console }\n", "did you mean `users`"),
        "indent": ("nodes:\n  watches: { source: socket, port: 1 }\n   s: { from: watches, sink: console }\n", "indentation"),
    }
    for name, (text, _) in files.items():
        (folder / f"typo-{name}.yaml").write_text(text, encoding="utf-8")
    return {f"typo-{name}.yaml": hint for name, (_, hint) in files.items()}


SLOW = """
name: slow
trigger: 100 milliseconds
nodes:
  rows: { source: generate, rows_per_second: 100 }
  quick: { from: rows, sink: discard }
  tell: { from: rows, sink: exec, command: [sh, -c, "test ! -e done-once || { touch stuck; sleep 600; }; touch done-once"], timeout: 1 hour }
"""


def lesson(terminal, folder, port):
    (folder / "slow.yaml").write_text(SLOW, encoding="utf-8")
    terminal.run("flowrun", r"Examples:", r"flowrun pipelines/iot.yaml", code=2)
    terminal.run("flowrun simulat watches", r"did you mean `simulate`", code=2)
    terminal.run("flowrun simulate wacthes", code=2)
    # Nothing listens yet: it says so, waits, and ends when asked.
    terminal.interrupt(f"flowrun pipelines/lab-01-raw-lines.yaml --set watches.port={port}", r"refuses the connection", r"0 rows")
    simulator = subprocess.Popen([shutil.which("flowrun", path=str(terminal_path)), "simulate", "watches", "--port", str(port), "--quiet"])
    try:
        terminal.interrupt(f"flowrun pipelines/lab-02-schema.yaml --set watches.port={port}", r"Arrival_Time\|", r"epochs?, ")
        terminal.interrupt(f"flowrun pipelines/iot.yaml --set watches.port={port}", r"epoch \d+ ·.*rec/s", r"\| *gt\|count\|")
        # Pressed at once, and twice.
        terminal.interrupt(f"flowrun pipelines/iot.yaml --set watches.port={port}", r"Ctrl-C commits", times=1)
        terminal.interrupt(f"flowrun pipelines/iot.yaml --set watches.port={port}", r"Batch: 0", times=2, code=r"(0|130)")
        terminal.interrupt_at_once("flowrun run --allow-exec slow.yaml", folder / "stuck")
        terminal.run(f"flowrun show pipelines/lab-10-watermark.yaml clean --rows 3 --set watches.port={port}", r"only showing top 3 rows")
        terminal.run(f"flowrun show pipelines/lab-10-watermark.yaml per_window.late --for 2s --set watches.port={port}", r"\|event_time\|")
        terminal.run(f"flowrun new mine.yaml --from 127.0.0.1:{port}", r"wrote mine.yaml")
        terminal.run("cat mine.yaml", r"Creation_Time: bigint", r"gt: string +# null in \d+ of 1000")
        terminal.run("flowrun check mine.yaml", r"mine.yaml: 3 nodes, 1 sink, no errors")
        terminal.interrupt("flowrun mine.yaml", r"Arrival_Time\|")
        terminal.run(f"flowrun check --connect pipelines/iot.yaml --set watches.port={port}", r"watches: socket 127.0.0.1:\d+: ok", r"screen: console.*: ok")
    finally:
        simulator.kill()
        simulator.wait()
    for file, hint in typos(folder).items():
        terminal.run(f"flowrun check {file}", rf"{file}:\d+:\d+: error: .*{re.escape(hint)}", r"nothing was started", code=2)
    terminal.run("flowrun explain pipelines/lab-06-activities.yaml", r"activities  group_by gt", r"merged in \d+ partition")
    terminal.run("flowrun explain pipelines/lab-06-activities.yaml --schema activities", r"\|-- count: long")
    terminal.run("flowrun operators windw", r"did you mean `window`", code=2)
    terminal.run("flowrun test pipelines/iot.yaml", r"1 passed, 0 failed")
    (folder / "mine.test.yaml").write_text("input:\n  lines: [ { gt: sit } ]\n", encoding="utf-8")
    terminal.run("flowrun test --update mine.yaml", r"mine.test.yaml: updated", r"gt: sit")
    terminal.run("flowrun test mine.yaml", r"1 passed, 0 failed")
    terminal.interrupt("flowrun test --watch mine.yaml", r"watching; Ctrl-C ends")
    terminal.run("flowrun eval \"date_trunc('hour', timestamp'2026-03-01 10:17:00')\"", r"2026-03-01 10:00:00")


def main(flowrun, transcript_path):
    global terminal_path
    terminal_path = pathlib.Path(flowrun).parent
    with tempfile.TemporaryDirectory(prefix="flowrun-terminal-", ignore_cleanup_errors=True) as name, open(transcript_path, "w", encoding="utf-8") as transcript:
        folder = pathlib.Path(name)
        shutil.copytree(PROJECT / "pipelines", folder / "pipelines")
        shutil.copytree(PROJECT / "data", folder / "data")
        terminal = Terminal(folder, flowrun, transcript)
        try:
            lesson(terminal, folder, free_port())
        finally:
            terminal.close()
        for failure in terminal.failed:
            print(failure)
        print(f"{terminal.number} commands, {len(terminal.failed)} not as they should be; transcript in {transcript_path}")
        return 1 if terminal.failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "build/transcript.txt"))
