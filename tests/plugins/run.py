#!/usr/bin/env python3
"""Tests plugins from outside: examples, wrong ones, loading, `flowrun plugin`, the kept ABI.

    tests/plugins/run.py build/debug/flowrun [TEST...]

Needs the targets example_plugins and test_plugins beside the binary.
"""
import base64
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLOWRUN = None
LIBRARIES = None  # copies of the built plugins: where the build stands, others may be able to write
EXAMPLES = ROOT / "examples/plugins"
DEADLINE = 600

PIPELINE = """
trigger: available_now
nodes:
  rows: { source: file, path: rows.jsonl, format: json, schema: "k string, x double" }
  tried: { from: rows, %s }
  screen: { from: tried, sink: console, format: json }
"""
ROWS = '{"k": "a", "x": 1.5}\n{"k": "b"}\n'

# What plugin `wrong` does, and words that must then be said.
WRONG = {
    "short_column": "column `extra`: it has 1 rows where there must be 2",
    "negative_length": "column `extra`: it has length -5",
    "huge_offset": "column `extra`: it has length 2 and offset",
    "null_values": "column `extra`: buffer 1 of 2 is a null pointer",
    "no_buffers": "column `extra`: its buffers are a null pointer",
    "few_buffers": "column `extra`: it has 1 buffers where its type (format `g`) has 2",
    "miscounted_nulls": "column `extra`: it counts 2 nulls",
    "few_columns": "it has 2 children where its type has 3",
    "null_column": "child 0 is a null pointer",
    "wild_text": "column `k`: the text of row 0 lies outside of its buffers",
    "other_port": "it gave rows to port 7 of 1",
    "swallow_error": "it gave rows to port 7 of 1",
    "null_batch": "a null pointer for a batch",
    "released": "was released or never filled",
    "wrong_type": "column `extra` of type bigint where it had declared `extra` of type double",
    "throw_in_apply": "apply went wrong",
    "throw_no_exception": "let an exception out",
    "odd_code": "the code 42",
    "silent": "failed without a word",
    "unterminated": "xxxx",
}
WRONG_AT_CHECK = {
    "make_nothing": "gave back a null pointer",
    "throw_in_make": "make went wrong",
    "empty_schema": "its schema was released or never filled",
    "half_schema": "its schema has no format",
    "null_child_schema": "child 0 of its schema is a null pointer",
    "odd_format": "of an unknown kind",
    "many_children": "its schema counts 1099511627776 children",
    "throw_in_bind": "no std::exception",
}
WRONG_FORMAT = {
    "short_rows": "`read` gave 1 rows for 2 records and does not say which is whose",
    "wild_origin": "`read` says that row 0 was made of record 1073741824",
    "short_origins": "`read` gave 2 rows and said of 0 which record they were made of",
    "wild_bad": "`read` calls record -1 of 2 bad",
    "bad_twice": "`read` calls record 0 of 2 bad",
    "many_columns": "it has 2 children where its type has 1",
    "throw": "read went wrong",
}
WRONG_WRITER = {
    "write_throws": "write went wrong",
}
WRONG_WRITER_AT_CHECK = {
    "make_writer_throws": "make_writer went wrong",
    "refuse_writing": "it cannot hold k",
}
UNLOADABLE = {
    "other_abi": "speaks version 2 of the plugin ABI, this flowrun speaks version 1",
    "no_entry": "exports no function `flowrun_plugin_v1`",
    "other_major": "speaks version 7.0 of the plugin ABI, this flowrun speaks version 1.1",
    "undefined": "undefined symbol: a_function_that_nobody_has",
    "no_table": "the transform `twin` has no function `apply`",
    "taken": "has the name of a built-in one",
    "nothing": "its entry gave back nothing",
    "half_writer": "the format `twin` has no function `write`",
    "far_files": "`../log` is no extension for the files of the format `twin`",
}
PRINTED = {
    "clip": [{"k": "a", "x": 1.5}, {"k": "b", "x": -20.0}, {"k": "a", "x": 20.0}, {"k": "b", "x": None}],
    "hypotenuse": [{"who": "ra", "c": 5.0}, {"who": None, "c": None}],
    "fahrenheit": [{"room": "kitchen", "fahrenheit": 68.0}, {"room": "cellar", "fahrenheit": None}],
    "primes": [{"digit": 1, "count": 306}, {"digit": 2, "count": 1}, {"digit": 3, "count": 310},
               {"digit": 5, "count": 1}, {"digit": 7, "count": 308}, {"digit": 9, "count": 303}],
    "tdigest": [{"median": 50.0, "high": 99.0}],
}
LOGFMT = [
    {"level": "info", "took": 0.25, "ok": True, "msg": None},
    {"level": "warn", "took": 3.0, "ok": None, "msg": 'no "answer" yet'},
]
LOGFMT_ERRORS = [
    {"offset": "line 3", "reason": "`long` is no value of field `took`"},
    {"offset": "line 4", "reason": "the quote behind `msg=` is not closed"},
]


def run(*arguments, **options):
    return subprocess.run([FLOWRUN, *map(str, arguments)], capture_output=True, text=True, timeout=DEADLINE,
                          check=False, **options)


def copy_libraries(folder):
    for name in ("plugins", "test_plugins"):
        (folder / name).mkdir()
        for library in sorted((FLOWRUN.parent / name).glob("*.so")):
            shutil.copy(library, folder / name)
            os.chmod(folder / name / library.name, 0o755)


def plugin(name):
    return LIBRARIES / "plugins" / f"{name}.so"


def test_plugin(name):
    return LIBRARIES / "test_plugins" / f"{name}.so"


class Plugins(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="flowrun-plugins-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def pipeline(self, node, head=""):
        (self.path / "rows.jsonl").write_text(ROWS)
        file = self.path / "tried.yaml"
        file.write_text(head + PIPELINE % node)
        return file

    def rows_of(self, *arguments, **options):
        done = run("run", "--quiet", *arguments, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]


class Examples(Plugins):
    def rows_of_example(self, name, library=None):
        return self.rows_of("--plugin", library or plugin(name), EXAMPLES / name / f"{name}.yaml")

    def test_print_what_they_should(self):
        for name, rows in PRINTED.items():
            if name != "fahrenheit":
                with self.subTest(name):
                    self.assertEqual(self.rows_of_example(name), rows)

    def test_zscore_finds_the_outliers(self):
        outliers = self.rows_of_example("zscore")
        self.assertIn(("ann", 95.0), [(row["user"], row["bpm"]) for row in outliers])

    def test_a_state_parted_by_key_gives_the_same_in_any_number_of_partitions(self):
        source = (EXAMPLES / "zscore/zscore.yaml").read_text().replace("rates.jsonl", str(EXAMPLES / "zscore/rates.jsonl"))
        file = self.path / "all.yaml"
        results = []
        for partitions in (1, 2, 7):
            file.write_text(source.replace("threshold: 3", f"threshold: 3, partitions: {partitions}").replace(
                "outliers: { from: flagged, filter: outlier }", "outliers: { from: flagged, filter: true }"))
            explained = run("explain", "--plugin", plugin("zscore"), file).stdout
            self.assertIn(f"{partitions} partition", explained)
            results.append(sorted(map(str, self.rows_of("--threads", 3, "--plugin", plugin("zscore"), file))))
        self.assertEqual(len(results[0]), 60)
        self.assertEqual(results[0], results[1])
        self.assertEqual(results[0], results[2])

    def test_online_logistic_learns(self):
        best = self.rows_of_example("online_logistic")[0]
        self.assertGreaterEqual(best["best"], 0.95)

    def test_logfmt_reads_records_and_rejects_wrong_ones(self):
        rows = self.rows_of_example("logfmt")
        self.assertEqual([row for row in rows if "level" in row], LOGFMT)
        self.assertEqual([row for row in rows if "reason" in row], LOGFMT_ERRORS)

    def test_logfmt_writes_what_it_reads(self):
        folder = self.path / "logfmt"
        shutil.copytree(EXAMPLES / "logfmt", folder)
        self.rows_of("--plugin", plugin("logfmt"), folder / "slow.yaml")
        written = {file.name: file.read_text() for file in (folder / "out").iterdir()}
        self.assertEqual(written, {"00000000.log": 'level=warn took=3 msg="no \\"answer\\" yet"\n'})

    def test_row_file_writes_whole_files(self):
        folder = self.path / "row_file"
        shutil.copytree(EXAMPLES / "row_file", folder)
        self.rows_of("--plugin", plugin("row_file"), folder / "row_file.yaml")
        files = sorted((folder / "out").iterdir())
        self.assertEqual([file.suffix for file in files], [".csv"])
        self.assertEqual(files[0].read_text(), 'k,n\n"a, b",1\nc,\n')

    def test_check_connect_opens_no_sink_of_a_plugin(self):
        folder = self.path / "row_file"
        shutil.copytree(EXAMPLES / "row_file", folder)
        done = run("check", "--connect", "--plugin", plugin("row_file"), folder / "row_file.yaml")
        self.assertEqual(done.returncode, 0, done)
        self.assertRegex(done.stdout, r"row_file of plugin `row_file`: not tried — this sink of a plugin can only be opened")
        self.assertFalse((folder / "out").exists())

    def test_rust(self):
        if not shutil.which("cargo"):
            self.skipTest("there is no cargo")
        subprocess.run(["cargo", "build", "--quiet", "--release", "--offline", "--target-dir", self.path],
                       cwd=EXAMPLES / "fahrenheit", check=True, timeout=DEADLINE)
        library = self.path / "release/libfahrenheit.so"
        self.assertEqual(self.rows_of_example("fahrenheit", library), PRINTED["fahrenheit"])
        self.assertEqual(run("plugin", "check", library).returncode, 0)

    def test_pass_the_check(self):
        for library in sorted((LIBRARIES / "plugins").glob("*.so")):
            if not (EXAMPLES / library.stem).is_dir():
                continue  # a connector: it needs its peer
            with self.subTest(library.stem):
                done = run("plugin", "check", library, cwd=self.path)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertNotIn("broken", done.stdout)


class Wrong(Plugins):
    def test_what_comes_back_is_judged(self):
        for how, words in WRONG.items():
            with self.subTest(how):
                done = run("run", "--quiet", "--plugin", test_plugin("wrong"), self.pipeline(f"wrong: {how}"))
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("plugin `wrong`: ", done.stderr)
                self.assertIn("tried", done.stderr)
                self.assertIn(words, done.stderr)

    def test_what_a_format_gives_is_judged(self):
        for how, words in WRONG_FORMAT.items():
            with self.subTest(how):
                done = run("run", "--quiet", "--plugin", test_plugin("wrong"), self.pipeline(
                    f"parse: wrong_format, column: k, how: {how}, schema: \"n bigint\""))
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("plugin `wrong`: ", done.stderr)
                self.assertIn(words, done.stderr)

    def writing(self, format, sink="sink: file, path: out"):
        (self.path / "rows.jsonl").write_text(ROWS)
        file = self.path / "written.yaml"
        file.write_text("trigger: available_now\nnodes:\n"
                        "  rows: { source: file, path: rows.jsonl, format: json, schema: \"k string, x double\" }\n"
                        f"  out: {{ from: rows, {sink}, format: {format} }}\n")
        return file

    def test_what_a_format_fails_to_write_is_said(self):
        for command, code, wrong in (("run", 1, WRONG_WRITER), ("check", 2, WRONG_WRITER_AT_CHECK)):
            for how, words in wrong.items():
                with self.subTest(how):
                    done = run(command, "--plugin", test_plugin("wrong"), self.writing(f"wrong_format, how: {how}"))
                    self.assertEqual(done.returncode, code, done.stdout + done.stderr)
                    self.assertIn("plugin `wrong`: ", done.stderr)
                    self.assertIn("out", done.stderr)
                    self.assertIn(words, done.stderr)
        done = run("check", "--plugin", test_plugin("wrong"), self.writing("wrong_format, how: refuse_writing"))
        self.assertRegex(done.stderr, r"written.yaml:4:\d+: error: out: plugin `wrong`: it cannot hold k")

    def test_a_format_is_refused_where_it_can_do_nothing(self):
        def refusal(file):
            done = run("check", "--plugin", test_plugin("wrong"), file)
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            return done.stderr
        for sink in ("sink: file, path: out", "sink: socket, port: 1", "sink: console"):
            self.assertRegex(refusal(self.writing("one_way", sink)),
                             r"written.yaml:4:\d+: error: .*`format` cannot be `one_way`: that format of plugin `wrong` only reads")
        for node in ("parse: numbered, column: k, schema: \"n bigint\"",):
            self.assertRegex(refusal(self.pipeline(node)),
                             r"tried.yaml:5:\d+: error: .*`parse` cannot be `numbered`: that format of plugin `wrong` only writes")

    def test_what_a_format_refuses_is_shown_at_its_place(self):
        done = run("check", "--plugin", test_plugin("wrong"), self.pipeline(
            "parse: wrong_format, column: k, how: refuse, schema: \"n bigint\""))
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertRegex(done.stderr, r"tried.yaml:5:\d+: error: tried: plugin `wrong`: there is no column at all")

    def test_what_is_declared_is_judged_before_the_start(self):
        for how, words in WRONG_AT_CHECK.items():
            with self.subTest(how):
                done = run("check", "--plugin", test_plugin("wrong"), self.pipeline(f"wrong: {how}"))
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("tried: plugin `wrong`: ", done.stderr)
                self.assertIn(words, done.stderr)

    def test_a_throwing_destructor_harms_nobody(self):
        self.assertEqual(len(self.rows_of("--plugin", test_plugin("wrong"),
                                          self.pipeline("wrong: throw_in_destroy"))), 2)

    def test_the_check_says_what_is_broken(self):
        done = run("plugin", "check", test_plugin("wrong"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("wrong transform wrong: broken", done.stdout)
        self.assertIn("wrong stateful operator keyless: broken", done.stdout)
        self.assertIn("wrong format wrong_format: broken", done.stdout)
        self.assertIn("wrong format numbered: whole", done.stdout)
        for words in ("rows written in 2 chunks become other bytes", "rows that are written and read again are other rows",
                      "it fails to write random rows: plugin `wrong`: write went wrong", "apply went wrong", "never filled", "a restart behind epoch 0", "does not begin with the columns of its key",
                      "it rejects a record of its own example: `one`", "chunks of about a row"):
            self.assertIn(words, done.stdout)


class Able(Plugins):
    """Abilities that the examples do not use; see able.cpp."""

    def written(self, nodes):
        file = self.path / "able.yaml"
        lines = "".join(f"  {name}: {json.dumps(options)}\n" for name, options in nodes.items())
        file.write_text(f"nodes:\n{lines}")
        return file

    def test_rejected_records_of_a_source_reach_its_port(self):
        rows = self.rows_of("--plugin", test_plugin("able"), self.written({
            "rows": {"source": "rejecting"},
            "screen": {"from": "rows.errors", "sink": "console", "format": "json"}}))
        self.assertEqual([(row["offset"], row["reason"], row["raw"]) for row in rows],
                         [("line 1", "too odd", base64.b64encode(b"one").decode()),
                          ("line 2", "odd", base64.b64encode(b"two").decode())])

    def test_a_source_is_told_what_is_read(self):
        def texts(select):
            return [row["text"] for row in self.rows_of("--plugin", test_plugin("able"), self.written({
                "rows": {"source": "rejecting"}, "kept": {"from": "rows", "select": select},
                "screen": {"from": "kept", "sink": "console", "format": "json"}}))]
        self.assertEqual(texts(["text"]), ["narrowed"])
        self.assertEqual(texts(["text", "unread"]), ["all"])

    def test_a_transform_is_told_what_is_read(self):
        (self.path / "rows.jsonl").write_text(ROWS)
        rows = self.rows_of("--plugin", test_plugin("able"), self.written({
            "rows": {"source": "file", "path": "rows.jsonl", "format": "json", "schema": "k string, x double"},
            "told": {"from": "rows", "wanted": ""}, "kept": {"from": "told", "select": ["x", "wanted"]},
            "screen": {"from": "kept", "sink": "console", "format": "json"}}))
        self.assertEqual(rows, [{"x": 1.5, "wanted": "011"}, {"x": None, "wanted": "011"}])

    def test_close_of_a_stateful_operator_has_ports_and_metrics(self):
        (self.path / "rows.jsonl").write_text(ROWS)
        progress = self.path / "progress.jsonl"
        rows = self.rows_of("--plugin", test_plugin("able"), "--progress", progress, self.written({
            "rows": {"source": "file", "path": "rows.jsonl", "format": "json", "schema": "k string, x double"},
            "parted": {"from": "rows", "parted": "x"},
            "screen": {"from": "parted", "sink": "console", "format": "json"},
            "empty": {"from": "parted.empty", "sink": "console", "format": "json"}}))
        self.assertEqual(sorted(map(str, rows)), ["{'reason': 'no x'}", "{'x': 1.5}"])
        epochs = [json.loads(line) for line in progress.read_text().splitlines()]
        self.assertEqual(epochs[-1]["late_rows"], 1)

    def test_a_format_that_only_writes_gives_each_file_its_begin_and_end(self):
        (self.path / "rows.jsonl").write_text(ROWS)
        rows = {"source": "file", "path": "rows.jsonl", "format": "json", "schema": "k string, x double"}

        def written(**options):
            return self.written({"rows": rows, "out": {"from": "rows", "sink": "file", "path": "out", "format": "numbered", **options}})
        self.rows_of("--plugin", test_plugin("wrong"), written(partition_by=["k"]))
        files = sorted((self.path / "out").rglob("*.numbered"))
        self.assertEqual([(file.parent.name, file.read_text()) for file in files],
                         [("k=a", "[\nrow 1\n]\n"), ("k=b", "[\nrow 1\n]\n")])
        done = run("check", "--plugin", test_plugin("wrong"), written(roll={"every": "1 minute"}))
        self.assertRegex(done.stderr, r"able.yaml:3:\d+: error: out: a file of format numbered has an end")

    def test_a_format_writes_to_the_console_and_to_every_reader_of_a_socket(self):
        (self.path / "rows.jsonl").write_text(ROWS)
        rows = {"source": "file", "path": "rows.jsonl", "format": "json", "schema": "k string, x double"}
        file = self.written({"rows": rows, "out": {"from": "rows", "sink": "console", "format": "numbered"}})
        self.assertEqual(run("run", "--quiet", "--plugin", test_plugin("wrong"), file).stdout, "[\nrow 1\nrow 2\n]\n")
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(DEADLINE)
            file = self.written({"rows": rows, "out": {"from": "rows", "sink": "socket", "port": server.getsockname()[1], "format": "numbered"}})
            with subprocess.Popen([FLOWRUN, "run", "--quiet", "--plugin", test_plugin("wrong"), file]) as started:
                with server.accept()[0] as connection:
                    connection.settimeout(DEADLINE)
                    with connection.makefile() as sent:
                        self.assertEqual(sent.read(), "[\nrow 1\nrow 2\n]\n")
                self.assertEqual(started.wait(DEADLINE), 0)

    def test_who_does_not_come_back_is_named(self):
        file = self.written({"rows": {"source": "stuck"},
                             "screen": {"from": "rows", "sink": "console", "format": "json", "every": "10 milliseconds"}})
        with subprocess.Popen([FLOWRUN, "run", "--plugin", test_plugin("able"), file], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as process:
            lines = {process.stdout.readline(), process.stdout.readline()}
            self.assertEqual(lines, {'{"text":"before"}\n', "stuck\n"})
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 1)
        self.assertIn("rows: stuck of plugin `able` has not come back", said)

    def test_a_sink_that_does_not_come_back_is_named(self):
        runs = self.start_stuck("nodes:\n")
        for _, _, process in runs:
            process.send_signal(signal.SIGTERM)
        self.expect_named(runs)

    def test_a_sink_that_does_not_come_back_is_named_when_another_node_fails(self):
        runs = self.start_stuck("threads: 2\nnodes:\n  numbers: { source: file, path: in, format: json, schema: n bigint }\n"
                                "  checked: { from: numbers, filter: assert_true(n > 0) is null }\n  gone: { from: checked, sink: discard }\n")
        for name, call, _ in runs:
            (self.path / f"{name}-{call}" / "in" / "wrong.json").write_text('{"n": -1}\n')
        for said in self.expect_named(runs):
            self.assertRegex(said, r"(?s)checked: .*is not true.*held: .* has not come back")

    def start_stuck(self, pipeline):
        """The pipeline with each kind of sink in it that gets stuck, once it is in each call: (sink, call, process)."""
        runs = []
        for name in ("stuck_blocking", "stuck_inline"):
            for call in ("write", "commit"):
                folder = self.path / f"{name}-{call}"
                (folder / "in").mkdir(parents=True)
                file = folder / "stuck.yaml"
                file.write_text(f"trigger: 50 milliseconds\n{pipeline}  rows: {{ source: ticking }}\n"
                                f"  held: {{ from: rows, sink: {name}, in: {call} }}\n")
                process = subprocess.Popen([FLOWRUN, "run", "--plugin", test_plugin("able"), file], stdout=subprocess.PIPE,
                                           stderr=subprocess.PIPE, text=True)
                self.addCleanup(process.kill)
                runs.append((name, call, process))
        for _, _, process in runs:
            self.assertRegex(process.stdout.readline(), r"^committed \d+$")
            self.assertEqual(process.stdout.readline(), "stuck\n")
        return runs

    def expect_named(self, runs):
        """What each of the runs said, which name their sink and end with 1."""
        every = []
        for name, call, process in runs:
            with self.subTest(f"{name} in {call}"):
                printed, said = process.communicate(timeout=DEADLINE)
                self.assertEqual(process.returncode, 1, said)
                self.assertEqual(printed, "")
                self.assertIn(f"held: {name} of plugin `able` has not come back", said)
                every.append(said)
        self.assertEqual(len(every), len(runs))
        return every

    def test_functions_of_plugins_are_evaluated(self):
        done = run("eval", "--plugin", plugin("hypotenuse"), "hypotenuse(3, 4)")
        self.assertEqual((done.returncode, done.stdout), (0, "5.0\n"))


class Loading(Plugins):
    def refusal(self, *arguments, **options):
        done = run("check", *arguments, self.pipeline("dropna: any"), **options)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        return done.stderr

    def test_unfit_libraries_are_refused(self):
        for name, words in UNLOADABLE.items():
            with self.subTest(name):
                self.assertIn(words, self.refusal("--plugin", test_plugin(name)))

    def test_two_of_one_name_are_refused(self):
        said = self.refusal("--plugin", test_plugin("twin_a"), "--plugin", test_plugin("twin_b"))
        self.assertIn("the transform `twin` is in two plugins: twin_a", said)
        self.assertIn("twin_b.so", said)

    def test_what_others_can_write_is_refused(self):
        library = self.path / "clip.so"
        shutil.copy(plugin("clip"), library)
        os.chmod(library, 0o664)
        self.assertIn("can be written by others — run `chmod go-w", self.refusal("--plugin", library))
        os.chmod(library, 0o644)
        os.chmod(self.path, 0o777)
        self.assertIn(f"its folder {self.path} can be written by others", self.refusal("--plugin", library))

    def test_names_are_looked_for_in_the_path_only(self):
        shutil.copy(plugin("clip"), self.path / "clip.so")
        environment = {**os.environ, "FLOWRUN_PLUGIN_PATH": ""}
        for path in ("", ".", "relative:."):
            environment["FLOWRUN_PLUGIN_PATH"] = path
            self.assertIn("there is no plugin `clip`", self.refusal("--plugin", "clip", cwd=self.path, env=environment))
        environment["FLOWRUN_PLUGIN_PATH"] = str(self.path)
        file = self.pipeline("clip: x", "plugins: [clip]\n")
        self.assertEqual(len(self.rows_of(file, env=environment)), 2)

    def test_paths_are_relative_to_the_pipeline(self):
        shutil.copy(plugin("clip"), self.path / "clip.so")
        for name in ("clip.so", "./clip.so"):
            self.assertEqual(len(self.rows_of(self.pipeline("clip: x", f"plugins: [{name}]\n"))), 2)

    def test_a_missing_plugin_is_said_where_it_is_named(self):
        done = run("check", self.pipeline("dropna: any", "plugins: [./none.so]\n"))
        self.assertIn("tried.yaml:1:11: error: cannot load the plugin", done.stderr)

    def test_options_are_checked_as_built_in_ones_are(self):
        done = run("check", "--plugin", plugin("clip"), self.pipeline("clip: x, leest: 1, most: much"))
        self.assertIn("unknown option `leest` of clip — did you mean `least`?", done.stderr)
        self.assertIn("`most` cannot be `much` — write a number", done.stderr)
        done = run("check", "--plugin", plugin("clip"), self.pipeline("clip: x, least: 2, most: 1"))
        self.assertIn("tried.yaml:5:40: error: tried: plugin `clip`: `least` is above `most`", done.stderr)

    def test_options_of_formats_are_those_of_parse_for_that_format_alone(self):
        def said(options):
            return run("check", "--plugin", plugin("logfmt"), self.pipeline(f"{options}, column: k, schema: \"k string\"")).stderr
        self.assertEqual(said("parse: logfmt, sep: ','").count("error"), 0)
        self.assertIn("did you mean `logfmt`?", said("parse: logfmd"))
        self.assertIn("did you mean `sep`?", said("parse: logfmt, sepp: ','"))
        self.assertIn("write one character", said("parse: logfmt, sep: ', '"))
        self.assertEqual(said("parse: csv, sep: ', '").count("error"), 0)
        self.assertIn("`header` belongs to `parse: csv`, and here it is `parse: logfmt`", said("parse: logfmt, header: true"))
        self.assertIn("`date_format` belongs to the formats json and csv", said("parse: logfmt, date_format: y"))
        self.assertIn("`k` is of Arrow's type tdD", run("check", "--plugin", plugin("logfmt"), self.pipeline(
            "parse: logfmt, column: k, schema: \"k date\"")).stderr)
        described = run("operators", "parse", "--plugin", plugin("logfmt")).stdout
        self.assertIn("With `parse: logfmt` only", described)
        self.assertIn("The one character between two pairs.", run("operators", "logfmt", "--plugin", plugin("logfmt")).stdout)
        self.assertEqual(json.loads(run("schema", "--plugin", plugin("logfmt")).stdout)["definitions"]["operator_parse"]
                         ["properties"]["parse"]["anyOf"][0]["enum"], ["json", "csv", "logfmt"])

    def test_the_file_source_reads_a_format_of_a_plugin(self):
        (self.path / "rows.log").write_text("k=a x=1.5\n\nk=b\nk=\"c\n")
        file = self.path / "logs.yaml"
        file.write_text("trigger: available_now\nnodes:\n"
                        "  rows: { source: file, path: rows.log, format: logfmt, schema: \"k string, x double\", on_error: drop }\n"
                        "  screen: { from: rows, sink: console, format: json }\n")
        self.assertEqual(self.rows_of("--plugin", plugin("logfmt"), file),
                         [{"k": "a", "x": 1.5}, {"k": None, "x": None}, {"k": "b", "x": None}])

    def test_a_static_table_is_read_by_a_format_of_a_plugin(self):
        (self.path / "rows.jsonl").write_text(ROWS)
        (self.path / "people.log").write_text('name="Ann B" k=a age=17\nk=b\nk="c\n')

        def file(table):
            file = self.path / "tables.yaml"
            file.write_text("trigger: available_now\n"
                            f"tables: {{ people: {{ file: people.log, {table} }} }}\nnodes:\n"
                            "  rows: { source: file, path: rows.jsonl, format: json, schema: \"k string, x double\" }\n"
                            "  named: { from: rows, static_join: people, on: [k] }\n"
                            "  screen: { from: named, sink: console, format: json }\n")
            return file
        schema = "schema: \"k string, name string, age int\""
        self.assertEqual(self.rows_of("--plugin", plugin("logfmt"), file(f"format: logfmt, {schema}, on_error: drop")),
                         [{"k": "a", "x": 1.5, "name": "Ann B", "age": 17}, {"k": "b", "x": None, "name": None, "age": None}])

        def said(library, table):
            done = run("check", "--plugin", library, file(table))
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            return done.stderr
        self.assertIn("format logfmt needs a `schema:`", said(plugin("logfmt"), "format: logfmt"))
        self.assertIn("write one character", said(plugin("logfmt"), f"format: logfmt, {schema}, sep: ', '"))
        self.assertIn("`header` belongs to `format: csv`", said(plugin("logfmt"), f"format: logfmt, {schema}, header: true"))
        self.assertIn("`format` cannot be `numbered`: that format of plugin `wrong` only writes", said(test_plugin("wrong"), f"format: numbered, {schema}"))

    def test_plugins_stand_in_the_reference_and_the_schema(self):
        self.assertIn("Smaller values become this one.", run("operators", "clip", "--plugin", plugin("clip")).stdout)
        self.assertIn("Smaller values become this one.", run("schema", "--plugin", plugin("clip")).stdout)

    def test_the_plugin_of_the_first_header_runs(self):
        rows = self.rows_of("--plugin", test_plugin("kept"), self.pipeline("kept: x, most: 1"))
        self.assertEqual([row["x"] for row in rows], [1.0, None])


class Documentation(unittest.TestCase):
    def test_snippets_stand_in_the_examples(self):
        text = "".join((ROOT / "docs" / page).read_text() for page in ("plugins.md", "kafka.md"))
        snippets = re.findall(r"<!-- from (\S+) -->\n+```\w*\n(.*?)```", text, re.DOTALL)
        self.assertGreater(len(snippets), 3)
        for file, snippet in snippets:
            with self.subTest(file):
                self.assertIn(snippet, (ROOT / file).read_text())


class Command(Plugins):
    def test_list_tells_what_is_in_them(self):
        done = run("plugin", "list", plugin("clip"), test_plugin("no_entry"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("clip 1.0.0 (ABI 1.1)", done.stdout)
        self.assertIn("transform            clip", done.stdout)
        self.assertIn("is no flowrun plugin", done.stderr)

    def test_new_projects_build_and_pass_against_the_installed_sdk(self):
        prefix = self.path / "installed"
        subprocess.run(["cmake", "--install", FLOWRUN.parent, "--component", "library", "--prefix", prefix],
                       check=True, capture_output=True, timeout=DEADLINE)
        (prefix / "bin").mkdir()
        shutil.copy(FLOWRUN, prefix / "bin/flowrun")
        for kind in ("transform", "stateful", "source", "sink", "function", "format"):
            with self.subTest(kind):
                folder = self.path / f"my_{kind}"
                done = run("plugin", "new", f"my_{kind}", "--kind", kind, "--folder", folder)
                self.assertEqual(done.returncode, 0, done.stderr)
                for command in (["cmake", "-S", folder, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={prefix}"],
                                ["cmake", "--build", folder / "build"],
                                ["ctest", "--test-dir", folder / "build", "--output-on-failure"]):
                    built = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
                    self.assertEqual(built.returncode, 0, built.stdout + built.stderr)

    def test_new_overwrites_nothing(self):
        folder = self.path / "mine"
        self.assertEqual(run("plugin", "new", "mine", "--folder", folder).returncode, 0)
        self.assertEqual(run("plugin", "new", "mine", "--folder", folder).returncode, 2)
        self.assertIn("is no name", run("plugin", "new", "Not-A-Name").stderr)


if __name__ == "__main__":
    FLOWRUN = pathlib.Path(sys.argv.pop(1)).resolve()
    os.umask(0o022)
    with tempfile.TemporaryDirectory(prefix="flowrun-libraries-") as scratch:
        LIBRARIES = pathlib.Path(scratch)
        copy_libraries(LIBRARIES)
        unittest.main()
