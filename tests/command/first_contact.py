#!/usr/bin/env python3
"""Tests from outside what a newcomer meets first: show, new, test, include, check, explain, completions.

    tests/command/first_contact.py build/release/flowrun [TEST...]
"""
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading
import xml.etree.ElementTree

import driver
from driver import DEADLINE, Started, run, wait_for

PROJECT = pathlib.Path(__file__).resolve().parents[2]

COUNTS = """
trigger: 1 second
nodes:
  lines: { source: socket, host: 127.0.0.1, port: 1 }
  readings: { from: lines, parse: json, schema: "k string, t timestamp" }
  timed: { from: readings, watermark: t, delay: 10 seconds }
  hours: { from: timed, window: 1 hour, on: t, agg: count }
  screen: { from: hours, sink: console, mode: append }
  counts: { from: readings, group_by: [k], agg: count }
  table: { from: counts, sink: memory, table: counts, mode: complete }
  rejects: { from: readings.errors, sink: file, path: rejects }
"""

COUNTS_TEST = """
start: 2026-01-01 00:00:00
input:
  lines:
    - { k: a, t: 2026-01-01 00:10:00 }
    - { k: b, t: 2026-01-01 00:20:00 }
    - at: 90 minutes
      rows:
        - { k: a, t: 2026-01-01 01:30:00 }
        - no record
    - at: 91 minutes
      rows:
        - { k: a, t: 2026-01-01 00:30:00 }
late: { hours: 1 }
rejected: 1
expect:
  screen:
    - at: 5401 seconds
      rows:
        - { window: { start: 2026-01-01 00:00:00, end: 2026-01-01 01:00:00 }, count: 2 }
  table:
    rows:
      - [a, 3]
      - { k: b, count: 1 }
"""


class Case(Started):
    def write(self, name, text):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def port_of(self, lines):
        """Of a server that sends the lines to whoever connects, and keeps the connection open."""
        return self.serve(lines).port

    def refused(self, done, *words):
        self.assertEqual(done.returncode, 2, done)
        for word in words:
            self.assertIn(word, done.stderr + done.stdout)


class Test(Case):
    """flowrun test"""

    def counts(self, test=COUNTS_TEST):
        self.write("counts.yaml", COUNTS)
        return self.write("counts.test.yaml", test)

    def test_hours_pass_in_virtual_time_with_nothing_listening_and_nothing_written(self):
        self.counts()
        done = run("test", self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        self.assertRegex(done.stdout, r"counts\.test\.yaml: passed \(\d+ s in \d+ ms\)\n1 passed, 0 failed\n")
        self.assertFalse((self.path / "rejects").exists())

    def test_a_pipeline_a_test_or_a_folder_names_the_tests(self):
        self.counts()
        for place in (self.path, self.path / "counts.yaml", self.path / "counts.test.yaml"):
            self.assertIn("1 passed, 0 failed", run("test", place).stdout)
        self.assertIn("1 passed", run("test", cwd=self.path).stdout)

    def test_other_rows_and_counts_are_told_apart(self):
        self.counts(COUNTS_TEST.replace("[a, 3]", "[a, 4]").replace("count: 2 }", "count: 9 }").replace("rejected: 1", "rejected: 5"))
        done = run("test", self.path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("  table: 1 row missing (-), 1 row unexpected (+)\n    - { k: a, count: 4 }\n    + { k: a, count: 3 }\n", done.stdout)
        self.assertRegex(done.stdout, r"screen at 5401 seconds: 1 row missing")
        self.assertIn("rejected records: 5 expected, 1 counted", done.stdout)

    def test_rows_at_another_time_are_a_difference(self):
        self.counts(COUNTS_TEST.replace("5401", "5402"))
        self.assertIn("rows of 5402 seconds came at 5401 seconds", run("test", self.path).stdout)

    def test_update_writes_what_came_and_shows_what_it_changes(self):
        test = self.counts(COUNTS_TEST.replace("[a, 3]", "[a, 4]").replace("late: { hours: 1 }", "late: { hours: 7 }"))
        done = run("test", "--update", self.path)
        self.assertEqual(done.returncode, 0, done)
        self.assertRegex(done.stdout, r"- +- \[a, 4\]")
        self.assertRegex(done.stdout, r"\+ +- \{ k: a, count: 3 \}")
        self.assertIn("late: { hours: 1 }", test.read_text())
        self.assertEqual(run("test", self.path).returncode, 0)
        self.assertNotIn("updated", run("test", "--update", self.path).stdout)

    def test_update_fills_a_test_that_expects_nothing_and_keeps_its_comments(self):
        test = self.counts("# why\ninput:\n  lines: [ { k: a, t: 2026-01-01 00:10:00 } ]\n# the end\n")
        self.assertEqual(run("test", "--update", self.path).returncode, 0)
        text = test.read_text()
        self.assertTrue(text.startswith("# why\ninput:"))
        self.assertIn("# the end\nexpect:\n", text)
        self.assertIn("- { k: a, count: 1 }", text)
        self.assertEqual(run("test", self.path).returncode, 0)

    def updated(self, expect, head=COUNTS_TEST.partition("late:")[0]):
        """What --update makes of a test whose expectations are these; it passes then, and has nothing more to change."""
        test = self.counts(head + expect)
        self.assertEqual(run("test", "--update", self.path).returncode, 0)
        self.assertEqual(run("test", self.path).returncode, 0, test.read_text())
        return test.read_text().removeprefix(head)

    def test_update_changes_only_what_differs_and_keeps_every_comment(self):
        self.assertEqual(self.updated("""late: { hours: 7 }  # an hour late
rejected: { readings: 4, timed: 0 }  # no record
# What comes.
expect:
  # windows
  screen:
    - at: 5400 seconds   # when it is due
      rows:
        # the first hour
        - { count: 9, window: { start: 2026-01-01 00:00:00, end: 2026-01-01 01:00:00 } }  # two
        - { count: 3 }  # never came
  table:   # all of it
    rows:
      # b first
      - { k: "b", count: 1 }   # b's
      - [a, 4]   # "a" # too
      - k: z     # of nobody
        count: 1
    # the end
"""), """late: { hours: 1 }  # an hour late
rejected: { readings: 1, timed: 0 }  # no record
# What comes.
expect:
  # windows
  screen:
    - at: 5401 seconds   # when it is due
      rows:
        # the first hour
        - { window: { start: 2026-01-01 00:00:00, end: 2026-01-01 01:00:00 }, count: 2 }  # two
        # never came
  table:   # all of it
    rows:
      # b first
      - { k: "b", count: 1 }   # b's
      - { k: a, count: 3 }   # "a" # too
      # of nobody
    # the end
""")

    def test_update_edits_rows_and_turns_that_come_and_go(self):
        row = "{ window: { start: 2026-01-01 00:00:00, end: 2026-01-01 01:00:00 }, count: 2 }"
        for before, after in (
                ("expect:\n  table: { rows: [ [a, 3], { k: b, count: 2 } ] } # in one line\n", "expect:\n  table: { rows: [ [a, 3], { k: b, count: 1 } ] } # in one line\n"),
                ("expect:\n  table: { rows: [] } # none\n", "expect:\n  table: { rows: [ { k: a, count: 3 }, { k: b, count: 1 } ] } # none\n"),
                ("expect:\n  table:\n    rows: []\n", "expect:\n  table:\n    rows:\n      - { k: a, count: 3 }\n      - { k: b, count: 1 }\n"),
                ("expect:\n  table:\n    rows:\n    # one\n    - [b, 1]", "expect:\n  table:\n    rows:\n    # one\n    - [b, 1]\n    - { k: a, count: 3 }\n"),
                ("expect:\n  screen: []\n", f"expect:\n  screen:\n    - at: 5401 seconds\n      rows:\n        - {row}\n"),
                ("expect:\n  screen:\n    - at: 1 second # early\n      rows: [ { count: 1 } ] # none\n    - at: 5401 seconds # due\n      rows:\n        - " + row + "\n",
                 "expect:\n  screen:\n    # early\n    # none\n    - at: 5401 seconds # due\n      rows:\n        - " + row + "\n"),
                # What stands behind an alias cannot be edited where it is used: written anew, below its comments.
                (f"expect:\n  # windows\n  screen:\n    - at: 5401 seconds\n      rows:\n      - &row {row}\n      - *row\n",
                 None)):
            updated = self.updated(before)
            if after:
                self.assertEqual(updated, after)
            else:
                self.assertIn("# windows\n", updated)

    def test_records_are_expected_to_be_rejected_in_all_or_by_node(self):
        self.counts(COUNTS_TEST.replace("rejected: 1", "rejected: { readings: 1, lines: 0 }"))
        self.assertEqual(run("test", self.path).returncode, 0)
        self.counts(COUNTS_TEST.replace("rejected: 1", "rejected: { readings: 2 }"))
        done = run("test", self.path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("rejected records of readings: 2 expected, 1 counted", done.stdout)

    def test_mistakes_in_a_test_have_their_place(self):
        for wrong, right, words in (
                ("rejected: 1", "rejected: { reading: 1 }", ["counts.test.yaml:15:13", "no node `reading`", "did you mean `readings`?"]),
                ("late: { hours: 1 }", "late: { hour: 0 }", ["counts.test.yaml:14:9", "no node `hour`", "did you mean `hours`?"]),
                ("  lines:", "  line:", ["counts.test.yaml:4:3", "no source `line`", "did you mean `lines`?"]),
                ("  table:", "  tabel:", ["no sink `tabel`", "did you mean `table`?"]),
                ("rejected: 1", "rejectd: 1", ["unknown option `rejectd`", "did you mean `rejected`?"]),
                ("{ k: b, count: 1 }", "{ kk: b, count: 1 }", ["table: there is no column `kk`"]),
                ("[a, 3]", "[a]", ["a row of 1 values, but there are 2 columns"]),
                ("{ k: b, count: 1 }", "{ k: b, count: many }", ["counts.test.yaml:", "the value of `count` is no bigint"]),
                ("at: 90 minutes", "at: soon", ["at"])):
            self.counts(COUNTS_TEST.replace(wrong, right, 1))
            self.refused(run("test", self.path), "refused", *words)

    def test_a_wrong_pipeline_is_refused_with_its_own_place(self):
        self.counts()
        self.write("counts.yaml", COUNTS.replace("[k]", "[kk]"))
        self.refused(run("test", self.path), "counts.yaml:9:", "no column `kk`")

    def test_sources_that_end_close_the_windows(self):
        self.counts("ends: true\ninput:\n  lines: [ { k: a, t: 2026-01-01 00:10:00 } ]\nexpect:\n  screen:\n    rows: [ { window: { start: 2026-01-01 00:00:00, end: 2026-01-01 01:00:00 }, count: 1 } ]\n")
        self.assertEqual(run("test", self.path).returncode, 0)
        self.counts("input:\n  lines: [ { k: a, t: 2026-01-01 00:10:00 } ]\nexpect:\n  screen: { rows: [] }\n")
        self.assertEqual(run("test", self.path).returncode, 0)

    def test_results_for_ci_are_junits_xml(self):
        self.counts()
        shutil.copy(self.path / "counts.yaml", self.path / "wrong.yaml")
        self.write("wrong.test.yaml", COUNTS_TEST.replace("[a, 3]", '["<&>", 3]'))
        done = run("test", self.path, "--junit", self.path / "out.xml")
        self.assertEqual(done.returncode, 1)
        suite = xml.etree.ElementTree.parse(self.path / "out.xml").getroot()
        self.assertEqual((suite.get("tests"), suite.get("failures"), suite.get("errors")), ("2", "1", "0"))
        self.assertIn('"<&>"', suite.find("testcase/failure").text)

    def test_watch_runs_again_when_a_file_changes(self):
        test = self.counts()
        with open(self.path / "out.txt", "w", encoding="utf-8") as out:
            process = subprocess.Popen([driver.FLOWRUN, "test", "--watch", self.path], stdout=out, stderr=out)
        self.addCleanup(lambda: (process.kill(), process.wait()))
        read = lambda: (self.path / "out.txt").read_text()
        wait_for(lambda: "1 passed, 0 failed" in read() and "watching" in read(), "the first result")
        test.write_text(COUNTS_TEST.replace("[a, 3]", "[a, 4]"), encoding="utf-8")
        wait_for(lambda: "0 passed, 1 failed" in read(), "the second result")
        process.terminate()
        self.assertEqual(process.wait(DEADLINE), 0)

    def test_the_number_of_workers_and_partitions_changes_no_result(self):
        self.counts()
        for threads, partitions in ((1, 1), (3, 1), (3, 7)):
            self.write("counts.yaml", f"threads: {threads}\n" + COUNTS.replace("agg: count }", f"agg: count, partitions: {partitions} }}"))
            self.assertEqual(run("test", self.path).returncode, 0)

    def test_every_pipeline_of_the_project_has_a_test(self):
        pipelines = [path for path in (PROJECT / "pipelines").glob("*.yaml") if not path.name.endswith(".test.yaml")]
        without = [path.name for path in pipelines if not path.with_suffix(".test.yaml").exists() and path.name != "watches.yaml"]
        self.assertEqual(without, [])


class Include(Case):
    """include:"""

    def test_what_is_included_is_checked_in_its_own_file_and_paths_are_its_own(self):
        self.write("shared/users.csv", "k;name\na;Ann\n")
        self.write("shared/base.yaml", 'tables:\n  users: { file: users.csv, format: csv, header: true, sep: ";" }\nnodes:\n  lines: { source: socket, port: 1 }\n  readings: { from: lines, parse: json, schema: "k string" }\n  unused: { from: lines, parse: json, schema: "v int" }\n')
        main = self.write("main.yaml", "include: [shared/base.yaml]\nnodes:\n  named: { from: readings, static_join: users, on: [k] }\n  screen: { from: named, sink: console }\n")
        self.write("main.test.yaml", "input:\n  lines: [ { k: a } ]\nexpect:\n  screen: { rows: [ { k: a, name: Ann } ] }\n")
        done = run("check", "--deny-warnings", main)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(run("test", self.path).returncode, 0)
        self.write("shared/base.yaml", "nodes:\n  lines: { source: socket, port: 1 }\n  readings: { from: line, parse: json, schema: k string }\n")
        self.refused(run("check", main), "shared/base.yaml:3:21", "did you mean `lines`?")

    def test_circles_double_names_and_wrong_keys_are_refused(self):
        main = self.write("main.yaml", "include: [a.yaml]\nnodes:\n  lines: { source: socket, port: 1 }\n  screen: { from: lines, sink: console }\n")
        self.write("a.yaml", "include: [main.yaml]\n")
        self.refused(run("check", main), "a.yaml:1:11", "goes in a circle")
        self.write("a.yaml", "nodes:\n  lines: { source: socket, port: 2 }\n")
        self.refused(run("check", main), "main.yaml:3:3", "two nodes `lines`, the first at ", "a.yaml:2:3")
        self.write("a.yaml", "trigger: once\n")
        self.refused(run("check", main), "a.yaml:1:1", "`trigger` cannot stand in an included file")
        self.write("main.yaml", "include: [b.yaml]\nnodes: {}\n")
        self.refused(run("check", main), "main.yaml:1:11", "cannot read", "b.yaml")

    def test_a_source_that_nobody_uses_is_not_opened(self):
        self.write("base.yaml", "nodes:\n  absent: { source: socket, port: 1 }\n")
        self.write("in.txt", "hello\n")
        main = self.write("main.yaml", "include: [base.yaml]\nnodes:\n  lines: { source: file, path: in.txt }\n  screen: { from: lines, sink: console }\n")
        done = run(main)
        self.assertEqual(done.returncode, 0)
        self.assertIn("|hello|", done.stdout)
        self.assertNotIn("absent", done.stderr)

    def test_explain_yaml_prints_the_merged_file_which_means_the_same(self):
        for pipeline in ("iot", "lab-11-users", "lab-12-words"):
            file = PROJECT / "pipelines" / f"{pipeline}.yaml"
            merged = run("explain", "--yaml", file)
            self.assertEqual((merged.returncode, merged.stderr), (0, ""))
            if pipeline != "lab-12-words":
                self.assertIn("watches.yaml", merged.stdout.splitlines()[0])
                self.assertRegex(merged.stdout, r"  # from .*/watches\.yaml\n  watches: \{")
            text = merged.stdout.replace("../data/", f"{PROJECT}/data/")
            self.assertEqual(run("explain", self.write("merged.yaml", text)).stdout.replace("../data/", ""),
                             run("explain", file).stdout.replace("../data/", ""))


class Show(Case):
    """flowrun show"""

    def pipeline(self):
        self.write("in.jsonl", "".join(json.dumps({"k": "ab"[i % 2], "v": i, "s": "x" * 30}) + "\n" for i in range(50)) + "none\n")
        return self.write("p.yaml", """
nodes:
  lines: { source: file, path: in.jsonl }
  readings: { from: lines, parse: json, schema: "k string, v int, s string" }
  counts: { from: readings, group_by: [k], agg: { n: count(*) } }
  out: { from: readings, sink: file, path: out }
  never: { source: socket, port: 1 }
  none: { from: never, sink: console }
""")

    def test_rows_of_a_node_stand_in_sparks_frame_and_no_sink_is_opened(self):
        done = run("show", self.pipeline(), "readings", "--rows", "2")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(done.stdout, """\
+---+---+--------------------+
|  k|  v|                   s|
+---+---+--------------------+
|  a|  0|xxxxxxxxxxxxxxxxx...|
|  b|  1|xxxxxxxxxxxxxxxxx...|
+---+---+--------------------+
only showing top 2 rows
""")
        self.assertFalse((self.path / "out").exists())

    def test_cells_may_be_whole_and_rows_upright(self):
        done = run("show", self.pipeline(), "readings", "--rows", "1", "--truncate", "false", "--vertical")
        self.assertIn("-RECORD 0", done.stdout)
        self.assertIn("x" * 30, done.stdout)

    def test_a_node_that_leads_to_no_sink_and_ports_can_be_seen(self):
        counts = run("show", self.pipeline(), "counts").stdout
        self.assertRegex(counts, r"\|   a\| 25\|")
        errors = run("show", self.path / "p.yaml", "readings.errors", "--truncate", "60")
        self.assertRegex(errors.stdout, r"line 51\|.*unknown word")

    def test_an_unknown_node_is_refused(self):
        self.refused(run("show", self.pipeline(), "reading"), "no node `reading`", "did you mean `readings`?")

    def test_a_stream_is_looked_at_for_so_long(self):
        port = self.port_of(['{"k":"a","v":1}'] * 3)
        path = self.write("s.yaml", f'nodes:\n  lines: {{ source: socket, port: {port} }}\n  r: {{ from: lines, parse: json, schema: "k string" }}\n')
        done = run("show", path, "r", "--for", "1s")
        self.assertEqual((done.returncode, done.stdout.count("|  a|")), (0, 3))

    def test_explain_prints_the_schema_of_any_node_as_a_tree(self):
        done = run("explain", self.pipeline(), "--schema", "counts")
        self.assertEqual(done.stdout, "root\n |-- k: string (nullable = true)\n |-- n: long (nullable = false)\n")
        self.assertIn("|-- reason: string", run("explain", self.path / "p.yaml", "--schema", "readings.errors").stdout)


class New(Case):
    """flowrun new"""

    RECORDS = [json.dumps({"id": i, "x": i if i % 2 else i + 0.5, "who": None if i % 4 == 0 else "a", **({"rare": 1} if i == 7 else {})}) for i in range(300)]

    def checked(self, text, name="made.yaml"):
        path = self.write(name, text)
        done = run("check", "--deny-warnings", path)
        self.assertEqual((done.returncode, done.stderr), (0, ""), text)
        return path

    def test_a_pipeline_is_made_from_a_server(self):
        port = self.port_of([*self.RECORDS, "none"])
        done = run("new", "--from", f"127.0.0.1:{port}", "--for", "2s")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn(f"lines: {{ source: socket, host: 127.0.0.1, port: {port} }}", done.stdout)
        self.assertRegex(done.stdout, r"\n      id: bigint\n")
        self.assertRegex(done.stdout, r"\n      x: double\n")
        self.assertRegex(done.stdout, r"\n      who: string +# null in 75 of 300\n")
        self.assertRegex(done.stdout, r"\n      # rare: bigint   in 1 of 301 records only\n")
        self.assertIn("# 1 of 301 records were no JSON object", done.stdout)
        self.checked(done.stdout)

    def test_a_pipeline_is_made_from_files_and_runs(self):
        self.write("in.jsonl", "\n".join(self.RECORDS) + "\n")
        made = self.path / "made.yaml"
        done = run("new", made, "--from", self.path / "in.jsonl")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.checked(made.read_text())
        self.assertIn("|  0|", run(made).stdout.replace(" ", "").replace("|0|", "|  0|"))
        self.refused(run("new", made, "--from", self.path / "in.jsonl"), "is there already")

    def test_csv_has_its_header_separator_and_types(self):
        done = run("new", "--from", PROJECT / "data" / "users.csv")
        self.assertIn("header: true", done.stdout)
        self.assertIn('sep: ";"', done.stdout)
        self.assertIn("FirstName: string", done.stdout)
        self.checked(done.stdout)
        retail = run("new", "--from", PROJECT / "data" / "retail")
        self.assertRegex(retail.stdout, r"InvoiceDate: timestamp\n")
        self.assertRegex(retail.stdout, r"Quantity: int\n")
        self.checked(retail.stdout)

    def test_values_in_quotes_may_hold_line_ends_and_separators(self):
        self.write("notes.csv", 'name;note;n\nAnn;"one; or\ntwo";1\nBob;x;2\nCid;"\n\n";3\n')
        made = self.path / "made.yaml"
        self.assertEqual(run("new", made, "--from", self.path / "notes.csv").returncode, 0)
        text = made.read_text()
        for line in ("from 3 records", 'sep: ";"', "multi_line: true", "header: true", "n: int"):
            self.assertIn(line, text)
        self.checked(text, "made.yaml")
        done = run(made, "--set", "screen.format=json")
        self.assertIn('{"name":"Ann","note":"one; or\\ntwo","n":1}', done.stdout)
        self.assertEqual(done.stdout.count('"name"'), 3)

    def test_the_schema_alone_fits_into_a_parse(self):
        self.write("in.jsonl", "\n".join(self.RECORDS) + "\n")
        done = run("new", "--from", self.path / "in.jsonl", "--schema-only")
        self.assertTrue(done.stdout.startswith("schema:\n"), done)
        indented = "".join(f"    {line}\n" for line in done.stdout.splitlines())
        self.checked("nodes:\n  lines: { source: socket, port: 1 }\n  r:\n    from: lines\n    parse: json\n" + indented + "  s: { from: r, sink: console }\n")

    def test_a_pipeline_is_made_from_a_url_a_file_or_a_stream_of_events(self):
        records = self.RECORDS
        class Answers(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                events = self.path == "/events"
                body = "".join(f"data: {record}\n\n" if events else record + "\n" for record in records).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream" if events else "application/x-ndjson")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def log_message(self, *_):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        for path, source in (("events", "source: sse"), ("records", "source: http")):
            done = run("new", "--from", f"http://127.0.0.1:{server.server_port}/{path}", "--for", "3s")
            self.assertEqual(done.returncode, 0, done)
            self.assertIn(source, done.stdout)
            self.assertRegex(done.stdout, r"\n      x: double\n")
            self.checked(done.stdout)

    def test_plain_text_stays_text(self):
        self.write("in.txt", "to be or not\nto be\n")
        self.checked(run("new", "--from", self.path / "in.txt").stdout)

    def test_what_cannot_be_read_is_refused(self):
        self.refused(run("new", "--from", "ftp://127.0.0.1/x"), "there is no such file", "HOST:PORT")
        self.refused(run("new", "--from", "nothing.jsonl"), "there is no such file")
        self.write("empty.txt", "")
        done = run("new", "--from", self.path / "empty.txt")
        self.assertEqual(done.returncode, 1)
        self.assertIn("gave no record", done.stderr)


class Check(Case):
    """flowrun check, explain and completions"""

    def test_warnings_can_be_refused(self):
        path = self.write("p.yaml", "nodes:\n  lines: { source: socket, port: 1 }\n  n: { from: lines, group_by: [value], agg: count }\n  s: { from: n, sink: console, mode: complete }\n")
        self.assertEqual(run("check", path).returncode, 0)
        self.refused(run("check", "--deny-warnings", path), "1 warning")

    def test_a_file_to_be_included_and_a_test_can_be_checked(self):
        done = run("check", PROJECT / "pipelines" / "watches.yaml", PROJECT / "pipelines" / "iot.test.yaml")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("no sink: to be included", done.stdout)
        self.assertIn("a test, no errors", done.stdout)

    def test_explain_says_how_state_is_shared_and_bounded(self):
        path = self.write("p.yaml", "threads: 3\nnodes:\n  lines: { source: socket, port: 1 }\n  n: { from: lines, group_by: [value], agg: count }\n  s: { from: n, sink: console, mode: complete }\n")
        self.assertIn("state: one row per value, no bound but the number of keys; each worker gathers partial results of an epoch, merged in 3 partitions\n", run("explain", path).stdout)
        path.write_text(path.read_text().replace("agg: count", "agg: count, partitions: 8"))
        self.assertIn("merged in 8 partitions (`partitions`)", run("explain", path).stdout)
        path.write_text(path.read_text().replace("partitions: 8", "partitions: 0"))
        self.refused(run("explain", path), "partitions")

    def test_partitions_where_there_is_no_key_are_said_to_mean_nothing(self):
        for node, keyless in (("group_by: [], agg: count", True), ("chain: [ { group_by: [value], agg: count }, { sort: [value], partitions: 3 } ]", True), ("limit: 3", True), ("group_by: [value], agg: count", False), ("dedup: [value]", False)):
            path = self.write("p.yaml", f"nodes:\n  lines: {{ source: socket, port: 1 }}\n  n: {{ from: lines, {node}{'' if 'chain' in node else ', partitions: 3'} }}\n  s: {{ from: n, sink: memory, table: t, mode: {'complete' if 'agg' in node else 'append'} }}\n")
            done = run("check", path)
            self.assertEqual(done.returncode, 0, done)
            said = rf"p\.yaml:3:{path.read_text().splitlines()[2].index('partitions: 3') + 13}: warning: n: `partitions` changes nothing here"
            (self.assertRegex if keyless else self.assertNotRegex)(done.stderr, said)

    def test_the_documentation_shows_what_explain_says(self):
        shown = run("explain", PROJECT / "pipelines" / "lab-11-users.yaml", "--set", "threads=2").stdout
        concepts = (PROJECT / "docs" / "concepts.md").read_text(encoding="utf-8")
        for node in ("per_person", "per_user", "named"):
            line = re.search(rf"\b{node}  .*", shown).group(0)
            self.assertIn(line + "\n", concepts)

    def test_completions_are_for_every_command(self):
        bash = run("completions", "bash").stdout
        script = bash + '\nask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _flowrun; echo "${COMPREPLY[@]}"; }\n'
        def ask(*words):
            done = subprocess.run(["bash", "-c", script + "ask " + " ".join(f"'{word}'" for word in words)], capture_output=True, text=True, cwd=self.path, check=False)
            self.assertEqual(done.stderr, "")
            return done.stdout.split()
        self.assertIn("simulate", ask("flowrun", "s"))
        self.assertEqual(ask("flowrun", "simulate", "wa"), ["watches"])
        self.assertEqual(ask("flowrun", "test", "--ju"), ["--junit"])
        self.assertEqual(ask("flowrun", "check", "--format", ""), ["text", "json"])
        self.assertEqual(ask("flowrun", "plugin", "new", "--kind", "st"), ["stateful"])
        self.write("iot.yaml", "")
        self.assertEqual(ask("flowrun", "run", "io"), ["iot.yaml"])
        for shell, tool in (("zsh", "zsh"), ("fish", "fish")):
            text = run("completions", shell).stdout
            self.assertIn("simulate", text)
            if shutil.which(tool):
                path = self.write(f"completion.{shell}", text)
                self.assertEqual(subprocess.run([tool, "-n", path], check=False).returncode, 0)

    def test_the_manual_has_every_command(self):
        page = run("completions", "man").stdout
        for word in (".TH FLOWRUN 1", "flowrun test", "flowrun plugin new", r"\-\-junit", ".SH EXIT STATUS"):
            self.assertIn(word, page)
        if shutil.which("man"):
            path = self.write("flowrun.1", page)
            done = subprocess.run(["man", "--warnings", "-l", path], capture_output=True, text=True, check=False, env={**os.environ, "MANWIDTH": "100"})
            self.assertEqual((done.returncode, done.stderr), (0, ""))


class Words(Case):
    """Spark's words and YAML's traps"""

    BASE = """
nodes:
  lines: { source: socket, port: 1 }
  r: { from: lines, parse: json, schema: "y string, no string, user string, timestamp timestamp, date date, window int, end int, `$schema` string" }
  %s
"""

    def check(self, node):
        return run("check", self.write("p.yaml", self.BASE % node))

    def test_slips_of_the_pen_are_recognised(self):
        source = "nodes:\n  w: { source: socket, port: 1 }\n"
        for text, place, words in (
                ("nodes:\n\tw: { source: socket, port: 1 }\n", "2:3", "a tab in the indentation"),
                ("nodes\n  w: { source: socket, port: 1 }\n", "2:4", "a key without its colon above — write `nodes:`"),
                ("nodes:\n  w\n    source: socket\n", "3:11", "write `w:`"),
                ("nodes:\n  w: source: socket\n", "2:12", "write `{ key: value }`"),
                ("nodes:\n  w: {source:socket, port: 1}\n", "2:7", "a space is missing in `source:socket` — write `source: socket`"),
                (source + "  s: { from: w, filter:value }\n", "3:17", "write `filter: value`"),
                (source + "  x: { from: w, watermark: t, delay: 1 second }\n  s: { from: x, sink: console }\n", "3:28", "no column `t` — there are `value`"),
                (source + "  x: { from: w, group_by: [value], agg: cuont }\n  s: { from: x, sink: console, mode: complete }\n", "3:41", "no column `cuont` in [value] — did you mean `count`?"),
                (source + "  x: { from: w, group_by: [value], agg: { n: cont(*) } }\n  s: { from: x, sink: console, mode: complete }\n", "3:46", "no function `cont` — did you mean `count`?")):
            self.refused(run("check", self.write("p.yaml", text)), f"p.yaml:{place}: error: ", words)

    def test_sparks_words_are_answered_with_ours(self):
        for node, words in (
                ("s: { from: r, sink: console, outputMode: complete }", "here it is `mode`"),
                ("s: { from: r, writeStream: console }", "here it is `sink`"),
                ("s: { readStream: socket }", "here it is `source`"),
                ("s: { from: r, where: y = 1 }", "here it is `filter`"),
                ("s: { from: r, groupBy: [y], agg: count }", "here it is `group_by`"),
                ("s: { from: r, withColumn: { a: y } }", "here it is `with_columns`"),
                ("s: { from: r, withColumnRenamed: { y: z } }", "here it is `rename`"),
                ("s: { from: r, na.drop: any }", "here it is `dropna`"),
                ("s: { from: r, orderBy: [y] }", "here it is `sort`"),
                ("s: { from: r, dropDuplicates: [y] }", "here it is `dedup`"),
                ("s: { from: r, selectExpr: [y] }", "here it is `select`"),
                ("s: { from: r, withWatermark: timestamp }", "here it is `watermark`"),
                ("s: { from: r, sink: memory, queryName: x }", "here it is `table`"),
                ("s: { from: r, window: 1 second, on: timestamp, slideDuration: 1 second, agg: count }", "here it is `slide`"),
                ("s: { source: file, path: x, format: csv, inferSchema: true }", "here it is `infer_schema`"),
                ("s: { source: file, path: x, maxFilesPerTrigger: 1 }", "here it is `max_files`"),
                ("s: { from: r, group_by: [y], agg: count, numPartitions: 2 }", "here it is `partitions`"),
                ('s: { from: lines, parse: json, schema: { a: LongType } }', "here it is `bigint`"),
                ('s: { from: lines, parse: json, schema: "a StringType()" }', "here it is `string`")):
            self.refused(self.check(node), words)
        self.refused(run("check", self.write("p.yaml", "processingTime: 1 second\n" + self.BASE % "s: { from: r, sink: console }")), "here it is `trigger`")

    def test_scalars_mean_what_the_option_wants(self):
        for node in ("s: { from: r, select: [y, no, user, timestamp, date, window, end, '`$schema`'] }",
                     "s: { from: r, group_by: [y], agg: count }",
                     "s: { from: r, dropna: any, subset: [y, no] }",
                     "s: { from: r, window: 1 second, on: timestamp, agg: count }",
                     "s: { from: r, filter: y = 'no' }",
                     's: { source: socket, port: "9999" }',
                     "s: { source: socket, port: '${env:FLOWRUN_TEST_PORT}' }",
                     "s: { from: r, sink: memory, table: on }",
                     's: { from: r, sink: console, truncate: "false", rows: "7" }'):
            environment = {**os.environ, "FLOWRUN_TEST_PORT": "9999"}
            done = run("check", self.write("p.yaml", self.BASE % node), env=environment)
            self.assertEqual(done.returncode, 0, (node, done.stderr))

    def test_a_user_called_no_and_a_column_y_come_through(self):
        self.write("p.yaml", self.BASE % "s: { from: r, select: [y, no] }\n  out: { from: s, sink: console }")
        self.write("p.test.yaml", 'input:\n  lines: [ { y: "yes", "no": "off" } ]\nexpect:\n  out: { rows: [ { y: "yes", no: "off" } ] }\n')
        done = run("test", self.path)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_a_key_that_yaml_reads_as_true_is_recognised(self):
        for key in ("true", "True", "yes"):
            self.refused(self.check(f"s: {{ from: r, window: 1 second, {key}: timestamp, agg: count }}"), "meant `on`?")


if __name__ == "__main__":
    driver.main()
