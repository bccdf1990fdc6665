"""What Spark and flowrun make of the same statement, in a form in which equal rows are equal texts."""
import datetime
import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
RECORDS = 300  # of the larger file
DEADLINE = 300  # seconds after which a query has failed
# Spark writes milliseconds unless it is told to write the whole time.
WHOLE_TIMES = {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"}
ORDERS = [['{"id":1,"ordered":"2026-01-01T00:00:00Z"}', '{"id":2,"ordered":"2026-01-01T00:00:10Z"}'],
          ['{"id":3,"ordered":"2026-01-01T00:10:00Z"}'], ['{"id":4,"ordered":"2026-01-01T00:20:00Z"}']]
PAYMENTS = [['{"ref":1,"paid":"2026-01-01T00:00:20Z"}', '{"ref":2,"paid":"2026-01-01T00:01:00Z"}'],
            ['{"ref":3,"paid":"2026-01-01T00:10:05Z"}'], ['{"ref":9,"paid":"2026-01-01T00:20:00Z"}']]


def wait_for(condition, what):
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {DEADLINE} s: {what}")
        time.sleep(0.05)


def normal(value):
    """A value without what the two write differently: nulls left out or not, an instant's text, the last digits of doubles."""
    if isinstance(value, dict):
        return {key.lower(): normal(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [normal(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", value):
        return datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ" if "." in value else "%Y-%m-%dT%H:%M:%SZ").isoformat()
    return value


def rows(lines, ordered=False):
    made = [json.dumps(normal(json.loads(line)), sort_keys=True) for line in lines if line.strip()]
    return made if ordered else sorted(made)


def records():
    """The lines of each file of the input."""
    return [(PROJECT / "data/watches-small.jsonl").read_text().splitlines(),
            (PROJECT / "data/watches-hhar.jsonl").read_text().splitlines()[:RECORDS]]


def write_input(folder):
    """Folders `in`, `a` and `b`, a file to an epoch."""
    for name, files in (("in", records()), ("a", ORDERS), ("b", PAYMENTS)):
        (folder / name).mkdir()
        for number, lines in enumerate(files):
            path = folder / name / f"{number}.txt"
            path.write_text("\n".join(lines) + "\n")
            # Files are read in the order of their times.
            os.utime(path, (1_700_000_000 + 100 * number, 1_700_000_000 + 100 * number))


def serve(lines):
    """A server that sends the lines to whoever connects, and keeps the connection open. Gives its port."""
    server = socket.create_server(("127.0.0.1", 0))
    peers = []

    def accept():
        while True:
            peer, _ = server.accept()
            peers.append(peer)
            peer.sendall("".join(line + "\n" for line in lines).encode())

    threading.Thread(target=accept, daemon=True).start()
    return server.getsockname()[1]


class Spark:
    """Runs statements by Spark; what it prints goes to the file `printed`."""

    def __init__(self, folder, printed):
        from pyspark.sql import SparkSession
        from pyspark.sql import functions
        self.F = functions
        self.folder = folder
        self.printed = printed
        self.queries = 0
        self.session = SparkSession.builder.master("local[4]")
        for key, value in (("sql.shuffle.partitions", "2"), ("ui.enabled", "false"), ("ui.showConsoleProgress", "false"),
                           ("sql.session.timeZone", "UTC"), ("sql.ansi.enabled", "false")):
            self.session = self.session.config(f"spark.{key}", value)
        self.session = self.session.getOrCreate()
        self.session.sparkContext.setLogLevel("ERROR")

    def checkpoint(self, writer):
        self.queries += 1
        return writer.option("checkpointLocation", str(self.folder / "checkpoint" / str(self.queries)))

    def table(self, name):
        """A memory table as lines of JSON."""
        frame = self.session.table(name)
        return [row[0] for row in frame.select(self.F.to_json(self.F.struct("*"), WHOLE_TIMES)).collect()]

    def run(self, frame, mode):
        """All that comes of what there is now."""
        query = self.checkpoint(frame.writeStream.format("memory").queryName(f"q{self.queries}").outputMode(mode).trigger(availableNow=True)).start()
        query.awaitTermination()
        return self.table(query.name)

    def first(self, writer, count):
        """So many rows of a query that does not end."""
        query = self.checkpoint(writer.format("memory").queryName(f"q{self.queries}")).start()
        wait_for(lambda: query.exception() or len(self.table(query.name)) >= count, "rows of Spark")
        query.stop()
        return self.table(query.name)


class Flowrun:
    """Runs nodes by flowrun."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        self.runs = 0

    def command(self, *words):
        done = subprocess.run([self.program, *map(str, words)], capture_output=True, text=True, check=False, cwd=self.folder, timeout=DEADLINE)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        return done

    def write(self, text):
        path = self.folder / "pipeline.yaml"
        path.write_text(text)
        return path

    def start(self, text, *options):
        """Gives the process and the folder in which its sinks' rows will stand."""
        self.runs += 1
        captured = self.folder / "capture" / str(self.runs)
        return subprocess.Popen([self.program, "run", self.write(text), "--quiet", "--capture", captured, *options],
                                stderr=subprocess.PIPE, text=True, cwd=self.folder), captured / "result"

    @staticmethod
    def captured(turns, mode):
        files = sorted(turns.glob("*.jsonl"))
        chosen = files[-1:] if mode == "complete" else files
        return [line for file in chosen for line in file.read_text().splitlines()]

    def run(self, text, node, mode):
        process, turns = self.start(f"{text}  result: {{ from: {node}, sink: memory, table: t, mode: {mode} }}\n")
        _, errors = process.communicate(timeout=DEADLINE)
        if process.returncode != 0:
            raise AssertionError(errors)
        return self.captured(turns, mode)

    def first(self, text, node, count):
        process, turns = self.start(f"{text}  result: {{ from: {node}, sink: memory, table: t, mode: append }}\n")
        wait_for(lambda: process.poll() is not None or len(self.captured(turns, "append")) >= count, "rows of flowrun")
        process.terminate()
        _, errors = process.communicate(timeout=DEADLINE)
        if process.returncode != 0:
            raise AssertionError(errors)
        return self.captured(turns, "append")
