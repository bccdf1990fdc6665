#!/usr/bin/env python3
"""The files that flowrun leaves: rolled, partitioned, packed, removed when old, whole after a crash.

    tests/command/files.py PATH-OF-FLOWRUN [TEST...]
"""
import gzip
import json
import os
import re
import subprocess
import time

import driver
from driver import DEADLINE, Started, run, wait_for


class Files(Started):
    def rows_to(self, options, rows, *arguments, schema="k string, v bigint", files=1):
        """Rows in so many input files, an epoch each, into a file sink in out/."""
        source = self.path / "rows"
        source.mkdir(exist_ok=True)
        for i in range(files):
            part = rows[i * len(rows) // files:(i + 1) * len(rows) // files]
            (source / f"{i:04}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
        return run("run", self.pipeline(f"""
trigger: available_now
nodes:
  rows: {{ source: file, path: rows, format: json, max_files: 1, order: name, schema: "{schema}" }}
  out: {{ from: rows, sink: file, path: out, {options} }}
"""), *arguments, cwd=self.path)

    def found(self):
        """The files by their path in out/, those that are not whole too."""
        return sorted(str(path.relative_to(self.path / "out")) for path in (self.path / "out").rglob("*") if path.is_file())

    def values(self, name):
        path = self.path / "out" / name
        if name.endswith(".gz"):
            text = gzip.decompress(path.read_bytes())
        elif name.endswith(".zst"):
            text = subprocess.run(["zstd", "-dc", path], check=True, capture_output=True).stdout
        else:
            text = path.read_bytes()
        return [json.loads(line) for line in text.splitlines()]

    ROWS = [{"k": "ab"[i % 2], "v": i} for i in range(10)]

    def test_files_roll_by_size_in_whole_epochs(self):
        done = self.rows_to("roll: { size: 60 }", self.ROWS, files=5)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([len(self.values(name)) for name in self.found()], [4, 4, 2])
        self.assertEqual([row for name in self.found() for row in self.values(name)], self.ROWS)
        done = self.rows_to("roll: { every: 1 hour }", self.ROWS, files=5)
        self.assertEqual(self.found()[3:], ["00000003.jsonl"])
        self.assertEqual(self.values("00000003.jsonl"), self.ROWS)

    def test_packed_files_are_read_as_one_text(self):
        for word, suffix in (("gzip", ".gz"), ("zstd", ".zst")):
            done = self.rows_to(f"compression: {word}, roll: {{ every: 1 hour }}", self.ROWS, files=3)
            self.assertEqual(done.returncode, 0, done.stderr)
            name = next(name for name in self.found() if name.endswith(suffix))
            self.assertEqual(self.values(name), self.ROWS)
        self.assertEqual(self.found(), ["00000000.jsonl.gz", "00000000.jsonl.zst"])

    def test_partitions_are_folders_as_spark_names_them(self):
        rows = [{"k": "a/b", "v": 1, "x": 1.5}, {"k": None, "v": 2, "x": 2.5}, {"k": "", "v": None, "x": 3.5}, {"k": "é =", "v": 1, "x": 4.5}]
        done = self.rows_to("partition_by: [k, V], ignore_null_fields: false", rows, schema="k string, v bigint, x double")
        self.assertEqual(done.returncode, 0, done.stderr)
        none = "__HIVE_DEFAULT_PARTITION__"
        self.assertEqual(self.found(), sorted(f"k={k}/v={v}/00000000.jsonl" for k, v in (("a%2Fb", 1), (none, 2), (none, none), ("é %3D", 1))))
        self.assertEqual(self.values("k=a%2Fb/v=1/00000000.jsonl"), [{"x": 1.5}])
        few = [{"k": str(i), "v": i, "x": i / 2} for i in range(5)]
        done = self.rows_to("partition_by: [k], roll: { every: 1 hour }", few + few, schema="k string, v bigint, x double", files=2)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.values("k=3/00000001.jsonl"), 2 * [{"v": 3, "x": 1.5}])
        many = [{"k": str(i), "v": i, "x": i / 2} for i in range(300)]  # more than are open at a time
        done = self.rows_to("partition_by: [k]", many, schema="k string, v bigint, x double")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.values("k=277/00000002.jsonl"), [{"v": 277, "x": 138.5}])

    def test_old_files_are_removed_and_others_left_alone(self):
        (self.path / "out" / "k=a").mkdir(parents=True)
        old = time.time() - 100_000
        for name in ("00000000.jsonl", "k=a/00000000.jsonl", "notes.txt", "00000001.csv"):
            (self.path / "out" / name).write_text("{}\n")
            os.utime(self.path / "out" / name, (old, old))
        done = self.rows_to("keep: 1 day", self.ROWS)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.found(), ["00000001.csv", "00000001.jsonl", "notes.txt"])
        self.assertFalse((self.path / "out" / "k=a").exists())

    def test_after_a_crash_files_hold_whole_epochs_and_the_next_run_goes_on(self):
        server = self.serve([json.dumps({"k": "a", "v": i}) for i in range(1000)])
        pipeline = self.pipeline(f"""
trigger: 20 milliseconds
nodes:
  lines: {{ source: socket, host: 127.0.0.1, port: {server.port} }}
  out: {{ from: lines, sink: file, path: out, format: text, compression: gzip, roll: {{ every: 1 hour }} }}
""")
        process, _, error = self.start("run", pipeline)
        wait_for(lambda: any(re.search(r"\.gz\.\d+\.part$", name) for name in self.found_or_none()), "a committed epoch")
        process.kill()
        process.wait(DEADLINE)
        part, = self.found()
        with open(self.path / "out" / part, "ab") as file:
            file.write(b"what was not committed")
        done = run("run", pipeline, "--epochs", "1", cwd=self.path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.found(), ["00000000.txt.gz", "00000001.txt.gz"])
        lines = gzip.decompress((self.path / "out" / "00000000.txt.gz").read_bytes()).splitlines()
        self.assertEqual([json.loads(line)["v"] for line in lines], list(range(len(lines))))
        self.assertGreater(len(lines), 0)

    def found_or_none(self):
        return self.found() if (self.path / "out").exists() else []

    def test_wrong_options_are_refused_and_many_files_warned_of(self):
        for options, message in (("roll: { evry: 1 minute }", "evry"), ("roll: {}", "roll"), ("partition_by: [nosuch]", "nosuch"),
                                 ("partition_by: [k, v]", "no column is left"), ("compression: lzo", "lzo")):
            done = self.rows_to(options, [])
            self.assertEqual(done.returncode, 2, options)
            self.assertIn(message, done.stderr)
        text = "trigger: {}\nnodes:\n  lines: {{ source: socket, port: 1 }}\n  out: {{ from: lines, sink: file, path: out, {} }}\n"
        for trigger, options, warned in (("asap", "format: text", True), ("5 seconds", "format: text", True), ("1 minute", "format: text", False),
                                         ("asap", "roll: { every: 1 minute }", False), ("asap", "every: 1 minute", False), ("once", "format: text", False)):
            done = run("check", self.pipeline(text.format(trigger, options)))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual("files a day" in done.stdout + done.stderr, warned, (trigger, options))


if __name__ == "__main__":
    driver.main()
