#!/usr/bin/env python3
"""Tests the flowrun binary from outside: exit codes, signals, streams, the log.

    tests/command/run.py build/release/flowrun [TEST...]
"""
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import time

import driver
from driver import DEADLINE, Started, run, wait_for

COUNTS = """
name: counts
trigger: 100 milliseconds
nodes:
  lines: { source: socket, host: 127.0.0.1, port: %d }
  readings: { from: lines, parse: json, schema: "k string, v bigint" }
  counts: { from: readings, group_by: [k], agg: count }
  screen: { from: counts, sink: console, mode: complete, format: json }
"""


class Command(Started):
    def start_counting(self, lines, *arguments):
        server = self.serve(lines)
        process, out, error = self.start(self.pipeline(COUNTS % server.port), *arguments)
        wait_for(lambda: '"count"' in out.read_text(), "the first result")
        return process, out, error

    # ---- exit codes

    def test_a_wrong_command_line_is_refused(self):
        for arguments in (["run"], ["nonsense"], ["simulate", "watches", "--rate", "0"], ["eval"]):
            self.assertEqual(run(*arguments).returncode, 2, arguments)

    def test_a_wrong_pipeline_is_refused_with_its_place_by_run_and_check(self):
        path = self.pipeline(COUNTS.replace("[k]", "[kk]") % 9)
        for arguments in ([path], ["run", path], ["check", path], ["explain", path]):
            done = run(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr, r"pipeline\.yaml:\d+:\d+: error: counts: .*`kk`")
            self.assertIn("1 error", done.stderr)

    def test_a_missing_pipeline_is_refused_with_what_may_be_meant(self):
        self.pipeline("")
        done = run(self.path / "pipelnie.yaml")
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"did you mean `{self.path}/pipeline.yaml`?", done.stderr)

    def test_without_a_command_all_of_them_are_shown(self):
        done = run()
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        for word in ("run", "check", "flowrun pipelines/iot.yaml"):
            self.assertIn(word, done.stderr)
        self.assertIn("did you mean `check`?", run("chekc").stderr)

    def test_a_failure_says_what_is_committed(self):
        (self.path / "lines.txt").write_text("1\n", encoding="utf-8")
        text = """
nodes:
  numbers: { source: generate, rows_per_second: 100 }
  checked: { from: numbers, select: ["if(value < 5, value, raise_error('five')) as v"] }
  out: { from: checked, sink: console, format: json, every: 1 millisecond }
"""
        done = run(self.pipeline(text), "--quiet")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"five.*; epochs up to \d+ are committed|five.*; no epoch is committed")

    def test_check_says_that_nothing_is_wrong_on_standard_output(self):
        done = run("check", self.pipeline(COUNTS % 9))
        self.assertEqual((done.returncode, done.stdout), (0, f"{self.path}/pipeline.yaml: 4 nodes, 1 sink, no errors\n"
                         "  state of counts: one row per k, no bound but the number of keys (grows)\n"))

    def test_check_as_json_is_one_array(self):
        done = run("check", "--format", "json", self.pipeline(COUNTS.replace("[k]", "[kk]") % 9))
        found = [item for item in json.loads(done.stdout) if item["severity"] == "error"]
        self.assertEqual([(item["node"], item["line"]) for item in found], [("counts", 7)])

    # ---- ends

    def test_one_signal_commits_and_ends_within_a_second(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process, out, error = self.start_counting(['{"k":"a","v":1}'] * 5)
            asked = time.monotonic()
            process.send_signal(number)
            self.assertEqual(process.wait(DEADLINE), 0)
            self.assertLess(time.monotonic() - asked, 5)  # a second on an idle machine
            self.assertIn('{"k":"a","count":5}', out.read_text())

    def test_a_second_signal_ends_at_once(self):
        # A reader that never reads: the console blocks, so that the first signal cannot finish.
        server = self.serve(['{"k":"key %d","v":1}' % i for i in range(20000)])
        read_end, write_end = os.pipe()
        self.addCleanup(os.close, read_end)
        process = subprocess.Popen([driver.FLOWRUN, "run", self.pipeline(COUNTS % server.port), "--set", "screen.rows=100000"],
                                   stdout=write_end, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        os.close(write_end)
        wait_for(lambda: select.select([read_end], [], [], 0)[0], "output")
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        text = ""
        while "once more" not in text:
            text += os.read(process.stderr.fileno(), 1 << 16).decode()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(DEADLINE), 130)

    def test_epochs_and_duration_end_a_run(self):
        for limit in (["--epochs", "1"], ["--for", "300ms"]):
            process, _, _ = self.start_counting(['{"k":"a","v":1}'], *limit)
            self.assertEqual(process.wait(DEADLINE), 0)

    def test_a_peer_that_is_absent_is_waited_for(self):
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        listener.close()
        process, _, error = self.start("run", self.pipeline(COUNTS % port))
        wait_for(lambda: "refuses the connection" in error.read_text(), "a line about the peer")
        self.assertRegex(error.read_text(), r"lines: 127\.0\.0\.1:\d+ refuses the connection; next try in")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(DEADLINE), 0)

    def test_a_closed_standard_output_fails_the_run(self):
        server = self.serve(['{"k":"a","v":1}'])
        read_end, write_end = os.pipe()
        os.close(read_end)
        process = subprocess.Popen([driver.FLOWRUN, "run", self.pipeline(COUNTS % server.port)], stdout=write_end, stderr=subprocess.PIPE, text=True)
        os.close(write_end)
        _, errors = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 1)
        self.assertRegex(errors, r"screen: .*Broken pipe")

    # ---- streams

    def test_only_results_go_to_standard_output(self):
        process, out, error = self.start_counting(['{"k":"a","v":1}'])
        process.send_signal(signal.SIGINT)
        process.wait(DEADLINE)
        for line in out.read_text().splitlines():
            json.loads(line)
        self.assertIn("counts: 4 nodes, 1 sink", error.read_text())
        self.assertNotIn("\x1b", error.read_text())

    def test_the_log_as_json_is_one_object_a_line(self):
        process, _, error = self.start_counting(['{"k":"a","v":1}'], "--log-format", "json")
        process.send_signal(signal.SIGINT)
        process.wait(DEADLINE)
        levels = [json.loads(line)["level"] for line in error.read_text().splitlines()]
        self.assertIn("info", levels)

    def test_quiet_says_nothing_when_nothing_is_wrong(self):
        process, _, error = self.start_counting(['{"k":"a","v":1}'], "--quiet")
        process.send_signal(signal.SIGINT)
        process.wait(DEADLINE)
        self.assertEqual(error.read_text(), "")

    def test_progress_is_one_record_an_epoch(self):
        progress = self.path / "progress.jsonl"
        process, _, _ = self.start_counting(['{"k":"a","v":1}'] * 3, "--progress", progress)
        process.send_signal(signal.SIGINT)
        process.wait(DEADLINE)
        records = [json.loads(line) for line in progress.read_text().splitlines()]
        self.assertEqual(sum(record["input_rows"] for record in records), 3)

    def test_capture_holds_what_a_sink_was_given(self):
        capture = self.path / "capture"
        server = self.serve(['{"k":"a","v":1}'] * 3)
        process, _, _ = self.start(self.pipeline(COUNTS % server.port), "--capture", capture)
        wait_for(lambda: list(capture.glob("screen/*.jsonl")), "a captured epoch")
        process.send_signal(signal.SIGINT)
        process.wait(DEADLINE)
        self.assertEqual((capture / "screen" / "schema.ddl").read_text().split(","), ["k STRING", "count BIGINT NOT NULL\n"])
        rows = "".join(path.read_text() for path in sorted((capture / "screen").glob("*.jsonl")))
        self.assertIn('{"k":"a","count":3}', rows)

    def test_set_changes_an_option(self):
        server = self.serve(['{"k":"a","v":1}'])
        process, out, _ = self.start(self.pipeline(COUNTS % 9), "--set", f"lines.port={server.port}", "--set", "screen.mode=update")
        wait_for(lambda: '"count"' in out.read_text(), "the first result")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(DEADLINE), 0)

    def test_many_bad_records_make_a_short_log(self):
        process, _, error = self.start_counting(["no json at all %d" % i for i in range(20000)] + ['{"k":"a","v":1}'])
        process.send_signal(signal.SIGINT)
        process.wait(DEADLINE)
        self.assertLess(len(error.read_text()), 2048)
        self.assertIn("rejected: 20,000", error.read_text())

    def test_a_terminal_has_a_status_line_that_never_mixes_with_the_tables(self):
        server = self.serve(['{"k":"a","v":1}'] * 3)
        leader, follower = pty.openpty()
        process = subprocess.Popen([driver.FLOWRUN, "run", self.pipeline(COUNTS.replace(", format: json", "") % server.port), "--epochs", "1"],
                                   stdout=follower, stderr=follower)
        os.close(follower)
        text = b""
        while True:
            try:
                piece = os.read(leader, 1 << 16)
            except OSError:
                break
            if not piece:
                break
            text += piece
        os.close(leader)
        self.assertEqual(process.wait(DEADLINE), 0)
        shown = text.decode()
        for line in shown.replace("\r\n", "\n").split("\n"):
            visible = line.split("\r\x1b[K")[-1]
            if "|" in visible:
                self.assertRegex(visible, r"^\|.*\|$")
        self.assertIn("|  a|    3|", shown)

    # ---- simulators and eval

    def test_only_the_named_sinks_and_what_they_need_run(self):
        (self.path / "lines.txt").write_text("one\n", encoding="utf-8")
        text = """
nodes:
  lines: { source: file, path: lines.txt }
  absent: { source: file, path: no-such.txt }
  out: { from: lines, sink: console, format: json }
  other: { from: absent, sink: console, format: json }
"""
        self.assertEqual(run(self.pipeline(text)).returncode, 1)
        done = run(self.pipeline(text), "--only", "out")
        self.assertEqual((done.returncode, done.stdout), (0, '{"value":"one"}\n'))
        done = run(self.pipeline(text), "--only", "outt")
        self.assertEqual(done.returncode, 2)
        self.assertIn("did you mean `out`?", done.stderr)

    def test_a_source_that_leads_to_no_sink_is_named_and_never_opened(self):
        (self.path / "lines.txt").write_text("one\n", encoding="utf-8")
        text = """
nodes:
  lines: { source: file, path: lines.txt }
  absent: { source: file, path: no-such.txt }
  out: { from: lines, sink: console, format: json }
"""
        self.assertEqual(run(self.pipeline(text)).returncode, 0)
        self.assertRegex(run("check", self.pipeline(text)).stderr, r"4:3: warning: absent: ")

    def test_two_sinks_of_one_table_are_refused_by_name(self):
        done = run("check", self.pipeline("""
nodes:
  numbers: { source: generate }
  first: { from: numbers, sink: memory, table: t, keep_rows: 10 }
  second: { from: numbers, sink: memory, table: t, keep_rows: 10 }
"""))
        self.assertEqual(done.returncode, 2)
        self.assertIn("first", done.stderr)
        self.assertIn("second", done.stderr)

    # ---- time

    def test_a_source_without_rows_holds_the_watermark_until_it_is_idle(self):
        talking, silent = self.serve(['{"t":"2026-01-01 00:00:01"}', '{"t":"2026-01-01 00:01:00"}']), self.serve([])
        text = """
nodes:
  talking: { source: socket, port: %d }
  silent: { source: socket, port: %d%s }
  a: { from: talking, chain: [{ parse: json, schema: { t: timestamp } }, { watermark: t, delay: 1 second }] }
  b: { from: silent, chain: [{ parse: json, schema: { t: timestamp } }, { watermark: t, delay: 1 second }] }
  per_window: { from: [a, b], window: 10 seconds, on: t, agg: count }
  out: { from: per_window, sink: console, format: json, every: 1 millisecond }
"""
        done = run(self.pipeline(text % (talking.port, silent.port, "")), "--for", "1s")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        talking = self.serve(['{"t":"2026-01-01 00:00:01"}', '{"t":"2026-01-01 00:01:00"}'])
        process, out, _ = self.start(self.pipeline(text % (talking.port, silent.port, ", idle: 200 milliseconds")))
        wait_for(lambda: '"count":1' in out.read_text(), "the first window")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(DEADLINE), 0)
        self.assertEqual(out.read_text().count("window"), 1)

    # ---- the budget

    DISTINCT = """
trigger: %s
memory: 32 MiB
nodes:
  numbers: { source: generate, count: 3000000, rows_per_second: 0 }
  each: { from: numbers, group_by: [value], agg: count }
  out: { from: each, sink: discard, mode: update }
"""

    def test_an_epoch_that_outgrows_the_budget_ends_the_run_with_its_node(self):
        done = run(self.pipeline(self.DISTINCT % "once"), "--quiet")
        self.assertEqual(done.returncode, 1)
        self.assertIn("what one epoch brought to each", done.stderr)
        self.assertIn("trigger: available_now", done.stderr)

    def test_state_that_outgrows_the_budget_ends_the_run_with_its_node(self):
        done = run(self.pipeline(self.DISTINCT % "asap"), "--quiet")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"the memory budget of 32 MiB is spent: (the state of|what one epoch brought to) each takes")

    def test_a_stream_larger_than_the_budget_is_cut_into_epochs(self):
        done = run(self.pipeline("""
memory: 8 MiB
nodes:
  numbers: { source: generate, count: 3000000, rows_per_second: 0 }
  few: { from: numbers, select: ["value % 10 as k"] }
  counts: { from: few, group_by: [k], agg: count }
  out: { from: counts, sink: console, mode: complete, format: json }
"""), "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('{"k":7,"count":300000}', done.stdout)

    # ---- files

    def test_a_source_told_to_fail_does_so_at_its_first_bad_record(self):
        (self.path / "lines.txt").write_text("short\nmuch longer than ten\n", encoding="utf-8")
        text = "nodes:\n  lines: { source: file, path: lines.txt, max_record: 10%s }\n  out: { from: lines, sink: console, format: json }\n"
        done = run(self.pipeline(text % ", on_error: fail"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("line 2: a record is longer than max_record (10 bytes)", done.stderr)
        done = run(self.pipeline(text % ""))
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout, '{"value":"short"}\n')

    def test_files_of_a_folder_are_archived_once_their_rows_are_committed(self):
        (self.path / "in").mkdir()
        for name in ("a", "b", "c"):
            (self.path / "in" / name).write_text(f"{name}\n", encoding="utf-8")
        done = run(self.pipeline("""
trigger: available_now
nodes:
  lines: { source: file, path: in, after: { archive: done } }
  counts: { from: lines, group_by: [value], agg: count }
  out: { from: counts, sink: console, mode: update, format: json }
"""))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(path.name for path in (self.path / "done").iterdir()), ["a", "b", "c"])
        self.assertEqual(list((self.path / "in").iterdir()), [])

    def test_a_file_whose_rows_were_not_committed_stays(self):
        (self.path / "in").mkdir()
        for name in ("a", "b"):
            (self.path / "in" / name).write_text(f"{name}\n", encoding="utf-8")
        done = run(self.pipeline("""
trigger: available_now
nodes:
  lines: { source: file, path: in, after: delete }
  checked: { from: lines, select: ["if(value = 'a', value, raise_error('not an a')) as v"] }
  out: { from: checked, sink: console, format: json }
"""))
        self.assertEqual(done.returncode, 1)
        self.assertEqual([path.name for path in (self.path / "in").iterdir()], ["b"])

    def test_a_file_that_waits_for_its_turn_is_not_said_to_fall_behind(self):
        (self.path / "lines.txt").write_text("a line that is read\n" * 1000000, encoding="utf-8")
        done = run(self.pipeline("""
memory: 8 MiB
nodes:
  lines: { source: file, path: lines.txt }
  counts: { from: lines, group_by: [value], agg: count }
  out: { from: counts, sink: console, mode: complete, format: json }
"""))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("falling behind", done.stderr)

    def test_a_simulator_serves_several_clients_and_survives_one_that_leaves(self):
        process = subprocess.Popen([driver.FLOWRUN, "simulate", "watches", "--port", "0", "--rate", "2000", "--seed", "5"],
                                   stderr=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        port = int(re.search(r":(\d+),", process.stderr.readline()).group(1))
        first = socket.create_connection(("127.0.0.1", port))
        second = socket.create_connection(("127.0.0.1", port))
        self.assertTrue(first.recv(100))
        first.close()
        received = b""
        while received.count(b"\n") < 500:
            received += second.recv(1 << 16)
        second.close()
        for line in received.split(b"\n")[1:400]:
            self.assertIn("gt", json.loads(line))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(DEADLINE), 0)

    def test_a_simulator_ends_after_its_count(self):
        process = subprocess.Popen([driver.FLOWRUN, "simulate", "quotes", "--port", "0", "--rate", "2000000", "--count", "3000"],
                                   stderr=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL)
        self.addCleanup(process.stderr.close)
        port = int(re.search(r":(\d+),", process.stderr.readline()).group(1))
        with socket.create_connection(("127.0.0.1", port)) as client:
            received = b""
            while piece := client.recv(1 << 16):
                received += piece
        self.assertEqual(received.count(b"\n"), 3000)
        self.assertEqual(process.wait(DEADLINE), 0)

    def test_a_port_in_use_is_one_line(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            done = run("simulate", "heart", "--port", taken.getsockname()[1])
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^heart: cannot listen on 127\.0\.0\.1:\d+: Address already in use\n$")

    def test_eval_answers_or_points_at_the_mistake(self):
        self.assertEqual(run("eval", "1 + 1").stdout, "2\n")
        done = run("eval", "1 + nosuch(2)")
        self.assertEqual(done.returncode, 2)
        self.assertIn("    ^", done.stderr)


if __name__ == "__main__":
    driver.main()
