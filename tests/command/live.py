#!/usr/bin/env python3
"""Tests the commands that look at a pipeline while it runs: sql, status, top, tap, and the HTTP API.

    tests/command/live.py build/release/flowrun [TEST...]
"""
import json
import os
import pathlib
import pty
import re
import signal
import socket
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

import driver
from driver import DEADLINE, wait_for


COUNTED = """
name: counted
trigger: 100 milliseconds
tables:
  names: { file: names.csv, format: csv, header: true, infer_schema: true }
nodes:
  numbers: { source: generate, rows_per_second: 500 }
  keyed: { from: numbers, with_columns: { k: "cast(value % 3 as int)" } }
  counts: { from: keyed, group_by: [k], agg: count }
  table: { from: counts, sink: memory, table: counts, mode: complete, every: 1 millisecond }
"""


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="flowrun-live-")
        cls.path = pathlib.Path(cls.folder.name)
        cls.environment = {**os.environ, "XDG_RUNTIME_DIR": str(cls.path), "HOME": str(cls.path)}
        cls.pipeline = cls.path / "counted.yaml"
        cls.pipeline.write_text(COUNTED, encoding="utf-8")
        (cls.path / "names.csv").write_text("k,name\n0,zero\n1,one\n2,two\n", encoding="utf-8")
        cls.error = cls.path / "error.txt"
        with open(cls.error, "wb") as error:
            cls.process = subprocess.Popen([driver.FLOWRUN, "run", cls.pipeline, "--listen", "127.0.0.1:0"],
                                           stderr=error, stdout=subprocess.DEVNULL, env=cls.environment)
        said = wait_for(lambda: re.search(r"http://127\.0\.0\.1:\d+", cls.error.read_text()), "the address")
        cls.address = said.group(0)
        wait_for(lambda: "2" in cls.run_(cls, "sql", cls.pipeline, "select k from counts", "--format", "csv").stdout, "rows")

    @classmethod
    def tearDownClass(cls):
        cls.process.kill()
        cls.process.wait()
        cls.folder.cleanup()

    def run_(self, *arguments, **options):
        return subprocess.run([driver.FLOWRUN, *map(str, arguments)], capture_output=True, text=True, timeout=DEADLINE, check=False,
                              env=self.environment, **options)

    def sql(self, statement, *arguments):
        return self.run_("sql", self.pipeline, statement, *arguments)

    def get(self, target, headers=None):
        with urllib.request.urlopen(urllib.request.Request(self.address + target, headers=headers or {}), timeout=DEADLINE) as answer:
            return answer.read().decode()

    def refused(self, target, headers):
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.get(target, headers)
        caught.exception.close()
        return caught.exception.code

    # ---- sql

    def test_a_statement_is_answered_in_spark_s_frame(self):
        done = self.sql("select k, name from names order by k")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, "+---+----+\n|  k|name|\n+---+----+\n|  0|zero|\n|  1| one|\n|  2| two|\n+---+----+\n\n")

    def test_live_and_static_tables_join(self):
        done = self.sql("select n.name, c.count > 0 as some from counts c join names n on n.k = c.k order by n.k", "--format", "csv")
        self.assertEqual(done.stdout, "name,some\nzero,1\none,1\ntwo,1\n")

    def test_aggregate_functions_are_those_of_a_pipeline(self):
        done = self.sql("select median(k), collect_list(name), max_by(name, k), count_if(k > 0) from names where k in (0, 2)", "--format", "json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(list(json.loads(done.stdout).values()), [1.0, ["zero", "two"], "two", 1])

    def test_formats_and_the_options_of_show(self):
        self.assertEqual(json.loads(self.sql("select 1 as a, null as b", "--format", "json").stdout), {"a": 1, "b": None})
        long = "select repeat('x', 30) as x from names"
        self.assertIn("x" * 17 + "...", self.sql(long).stdout)
        self.assertIn("x" * 30, self.sql(long, "--truncate", "false").stdout)
        self.assertIn("only showing top 1 row", self.sql(long, "--rows", "1").stdout)
        self.assertIn("-RECORD 0", self.sql(long, "--vertical").stdout)

    def test_an_error_points_into_the_statement(self):
        done = self.sql("select nam from names")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(done.stderr, "1:8: error: no column `nam` — did you mean `name`?\n  select nam from names\n         ^\n")

    def test_statements_come_from_a_pipe_too(self):
        done = self.run_("sql", self.pipeline, "--format", "csv", input="select 1 as a;\nselect 2\n  as b;\n")
        self.assertEqual((done.returncode, done.stdout), (0, "a\n1\nb\n2\n"))

    def test_the_prompt_completes_names_and_remembers(self):
        leader, follower = pty.openpty()
        process = subprocess.Popen([driver.FLOWRUN, "sql", self.pipeline], stdin=follower, stdout=follower, stderr=follower,
                                   env={**self.environment, "TERM": "xterm"})
        self.addCleanup(lambda: process.poll() is None and process.kill())
        os.close(follower)
        os.set_blocking(leader, False)
        seen = b""

        def shows(what):
            nonlocal seen
            try:
                seen += os.read(leader, 4096)
            except OSError:
                pass
            return what in seen

        wait_for(lambda: shows(b"sql>"), "the prompt")
        os.write(leader, b"select uppe\t(name) as big from names where k = 0\n")
        wait_for(lambda: shows(b"|ZERO|"), "the answer")
        os.write(leader, b"exit\n")
        self.assertEqual(process.wait(DEADLINE), 0)
        self.assertIn("select", (self.path / ".local/state/flowrun/sql_history").read_text())

    def test_watch_asks_again(self):
        process = subprocess.Popen([driver.FLOWRUN, "sql", self.pipeline, "select 'x' as x", "--watch", "50ms", "--format", "csv"],
                                   stdout=subprocess.PIPE, text=True, env=self.environment)
        lines = [process.stdout.readline() for _ in range(6)]
        process.kill()
        process.wait()
        process.stdout.close()
        self.assertEqual(lines, ["x\n", "x\n"] * 3)

    def test_a_pipeline_that_does_not_run_is_named(self):
        other = self.path / "other.yaml"
        other.write_text(COUNTED, encoding="utf-8")
        done = self.run_("sql", other, "select 1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("does not run — start it with `flowrun", done.stderr)
        self.assertEqual(self.run_("sql", self.path / "nothing.yaml", "select 1").returncode, 2)

    # ---- status, top, tap

    def test_status_tells_what_runs(self):
        line = self.run_("status").stdout
        self.assertRegex(line, rf"^counted  running  epoch [\d,]+  [\d,]+ rec/s .*counted\.yaml  pid {self.process.pid}\n$")
        self.assertEqual(json.loads(self.run_("status", self.pipeline, "--format", "json").stdout)["name"], "counted")

    def test_top_shows_every_node(self):
        picture = self.run_("top", self.pipeline, "--once").stdout
        for word in ("numbers", "keyed", "counts", "table", "watermark", "rows in"):
            self.assertIn(word, picture)

    def test_tap_shows_rows_that_pass(self):
        done = self.run_("tap", self.pipeline, "keyed", "--limit", "3", "--format", "json")
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        # Columns that nobody downstream reads are not made, so there is nothing of them to show.
        self.assertEqual([set(row) for row in rows], [{"k"}] * 3)
        self.assertRegex(done.stderr, "not shown, for nobody downstream reads them: .*value")
        self.assertIn("count", self.run_("tap", self.pipeline, "table", "--input", "--limit", "1").stdout)
        wrong = self.run_("tap", self.pipeline, "kyed")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("did you mean `keyed`?", wrong.stderr)

    # ---- HTTP

    def test_the_socket_is_its_users_alone(self):
        found = list((self.path / "flowrun").glob("counted-*.sock"))
        self.assertEqual(len(found), 1)
        self.assertEqual(found[0].stat().st_mode & 0o777, 0o600)
        self.assertEqual(found[0].parent.stat().st_mode & 0o777, 0o700)

    def test_the_description_names_every_address(self):
        described = json.loads(self.get("/openapi.json"))
        self.assertEqual(described["openapi"], "3.1.0")
        for target in described["paths"]:
            if "{" in target or target == "/v1/events" or "get" not in described["paths"][target]:
                continue
            self.assertTrue(self.get(target), target)

    def test_strangers_are_refused(self):
        self.assertEqual(self.refused("/v1/tables", {"Host": "evil.example"}), 403)
        self.assertEqual(self.refused("/v1/tables", {"Origin": "http://evil.example"}), 403)

    def test_an_open_address_without_a_token_is_refused_before_anything_starts(self):
        done = self.run_("run", self.pipeline, "--listen", "0.0.0.0:0")
        self.assertEqual(done.returncode, 2)
        self.assertIn("others can reach 0.0.0.0:0 — set `token:", done.stderr)
        secret = self.path / "secret.yaml"
        secret.write_text(COUNTED.replace("trigger:", "serve: { listen: 0.0.0.0:0, token: short }\ntrigger:"), encoding="utf-8")
        done = self.run_("run", secret)
        self.assertEqual(done.returncode, 2)
        self.assertIn("too short", done.stderr)
        self.assertNotIn("token: short", done.stdout)

    def test_a_stop_by_http_ends_a_run_and_leaves_no_socket(self):
        other = self.path / "stopped.yaml"
        other.write_text(COUNTED, encoding="utf-8")
        process = subprocess.Popen([driver.FLOWRUN, "run", other], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=self.environment)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        socket_path = wait_for(lambda: list((self.path / "flowrun").glob("stopped-*.sock")), "the socket")[0]
        wait_for(lambda: self.run_("status", other).returncode == 0, "an answer")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(DEADLINE), 0)
        self.assertFalse(socket_path.exists())


class Absent(driver.Started):
    """Sources and sinks whose peers are not there."""

    def ready(self, address):
        try:
            with urllib.request.urlopen(address + "/readyz", timeout=DEADLINE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)["error"]["message"]

    def started(self, source, sink):
        pipeline = self.pipeline(f"name: lonely\nnodes:\n  in: {{ source: {source} }}\n  out: {{ from: in, sink: {sink} }}\n")
        environment = {**os.environ, "XDG_RUNTIME_DIR": str(self.path)}
        process, _, error = self.start("run", pipeline, "--listen", "127.0.0.1:0", env=environment)
        said = wait_for(lambda: re.search(r"http://127\.0\.0\.1:\d+", error.read_text()), "the address")
        return process, said.group(0), lambda *words: driver.run(*words, env=environment).stdout

    def test_a_node_that_is_waited_for_is_named_with_the_time_since_when(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]  # free again in a moment
        for node, source, sink in (("out", "generate, rows_per_second: 100", f"socket, port: {port}"), ("in", f"socket, port: {port}", "discard")):
            process, address, run = self.started(source, sink)
            status, message = wait_for(lambda: (found := self.ready(address))[1].startswith("the peer") and found, "the absent peer")
            self.assertEqual(status, 503)
            self.assertRegex(message, rf"^the peer does not answer of: {node} since \d{{4}}-\d\d-\d\dT[\d:.]+Z$")
            since = message.split()[-1]
            self.assertIn(f"({node} waits for its peer since {since})", run("status"))
            self.assertIn(f"{node}: its peer does not answer, since {since}", run("top", self.path / "pipeline.yaml", "--once"))
            kind = "sink" if node == "out" else "source"
            absent = json.loads(run("status", "--format", "json"))["sinks_now" if node == "out" else "sources"]
            self.assertEqual([(peer["node"], peer["available"], peer["absent_since"]) for peer in absent], [(node, False, since)])
            sample = f'flowrun_{kind}_available{{node="{node}"}} '
            with urllib.request.urlopen(address + "/metrics", timeout=DEADLINE) as metrics:
                self.assertIn(sample + "0\n", metrics.read().decode())
            with socket.create_server(("127.0.0.1", port)):
                wait_for(lambda: self.ready(address)[0] == 200, "the peer that came")
                with urllib.request.urlopen(address + "/metrics", timeout=DEADLINE) as metrics:
                    self.assertIn(sample + "1\n", metrics.read().decode())
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(DEADLINE), 0)


if __name__ == "__main__":
    driver.main()
