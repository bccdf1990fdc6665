"""Reads what the HTTP API answers as Arrow with pyarrow: every type, nulls, nesting, several batches.

    arrow_stream_test.py PATH-OF-FLOWRUN
"""
import datetime
import decimal
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

import pyarrow as pa

FLOWRUN = None
DEADLINE = 120  # seconds after which a test gives up
ARROW = "application/vnd.apache.arrow.stream"
MANY = 150_000

TYPES = {
    "b": "boolean", "i8": "tinyint", "i16": "smallint", "i32": "int", "i64": "bigint", "f": "float", "d": "double",
    "dec": "decimal(20,3)", "s": "string", "bin": "binary", "day": "date", "at": "timestamp", "a": "array<int>",
    "m": "map<string,double>", "st": "struct<x:int,y:array<string>>", "deep": "array<struct<k:string,v:int>>",
}
ROWS = [
    {"b": True, "i8": -8, "i16": 300, "i32": 70000, "i64": 2**40, "f": 0.5, "d": 0.25, "dec": 12345.678, "s": "a text longer than twelve bytes",
     "bin": "AAH/", "day": "2024-02-29", "at": "2024-02-29T12:00:00.123456Z", "a": [1, None, 3], "m": {"one": 1.0, "none": None},
     "st": {"x": 1, "y": ["p", None]}, "deep": [{"k": "q", "v": 1}, None]},
    {name: None for name in TYPES},
    {"b": False, "i8": 1, "i16": 2, "i32": 3, "i64": 4, "f": -1.5, "d": -2.5, "dec": -0.001, "s": "", "bin": "", "day": "1969-12-31",
     "at": "1969-12-31T23:59:59Z", "a": [], "m": {}, "st": {"x": None, "y": None}, "deep": []},
]
UTC = datetime.timezone.utc
EXPECTED = [
    {"b": True, "i8": -8, "i16": 300, "i32": 70000, "i64": 2**40, "f": 0.5, "d": 0.25, "dec": decimal.Decimal("12345.678"),
     "s": "a text longer than twelve bytes", "bin": b"\0\1\xff", "day": datetime.date(2024, 2, 29),
     "at": datetime.datetime(2024, 2, 29, 12, 0, 0, 123456, UTC), "a": [1, None, 3], "m": [("one", 1.0), ("none", None)],
     "st": {"x": 1, "y": ["p", None]}, "deep": [{"k": "q", "v": 1}, None]},
    {name: None for name in TYPES},
    {"b": False, "i8": 1, "i16": 2, "i32": 3, "i64": 4, "f": -1.5, "d": -2.5, "dec": decimal.Decimal("-0.001"), "s": "", "bin": b"",
     "day": datetime.date(1969, 12, 31), "at": datetime.datetime(1969, 12, 31, 23, 59, 59, 0, UTC), "a": [], "m": [],
     "st": {"x": None, "y": None}, "deep": []},
]
PIPELINE = """
name: typed
tables:
  many: { file: many.csv, format: csv, header: true, infer_schema: true }
nodes:
  lines: { source: file, path: rows.jsonl, format: text }
  rows: { from: lines, parse: json, schema: { %s } }
  table: { from: rows, sink: memory, table: rows, mode: append }
  ticks: { source: generate, rows_per_second: 10 }
  out: { from: ticks, sink: memory, table: ticks, mode: append }
""" % ", ".join(f'{name}: "{kind}"' for name, kind in TYPES.items())


class ArrowStream(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="flowrun-arrow-")
        path = pathlib.Path(cls.folder.name)
        (path / "typed.yaml").write_text(PIPELINE, encoding="utf-8")
        (path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
        (path / "many.csv").write_text("n,half\n" + "".join(f"{n},{n / 2 if n % 3 else ''}\n" for n in range(MANY)), encoding="utf-8")
        error = path / "error.txt"
        with open(error, "wb") as to:
            cls.process = subprocess.Popen([FLOWRUN, "run", path / "typed.yaml", "--listen", "127.0.0.1:0"], stderr=to,
                                           stdout=subprocess.DEVNULL, env={**os.environ, "XDG_RUNTIME_DIR": str(path)})
        end = time.monotonic() + DEADLINE
        cls.address = None
        while time.monotonic() < end:
            said = re.search(r"http://127\.0\.0\.1:\d+", error.read_text())
            cls.address = said and said[0]
            if said and cls.rows("/v1/tables/rows?format=arrow").num_rows == len(ROWS):
                return
            time.sleep(0.05)
        raise AssertionError("no rows: " + error.read_text())

    @classmethod
    def tearDownClass(cls):
        cls.process.kill()
        cls.process.wait()
        cls.folder.cleanup()

    @classmethod
    def stream(cls, target, body=None, headers=None):
        request = urllib.request.Request(cls.address + target, data=body, headers=headers or {})
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            assert answer.headers["Content-Type"] == ARROW, answer.headers["Content-Type"]
            return pa.ipc.open_stream(answer.read())

    @classmethod
    def rows(cls, *arguments, **options):
        return cls.stream(*arguments, **options).read_all()

    def test_every_type_arrives_with_its_nulls_and_its_nesting(self):
        table = self.rows("/v1/tables/rows", headers={"Accept": ARROW})
        table.validate(full=True)
        self.assertEqual(table.to_pylist(), EXPECTED)
        kinds = dict(zip(table.schema.names, table.schema.types))
        self.assertEqual(kinds["dec"], pa.decimal128(20, 3))
        self.assertEqual(kinds["at"], pa.timestamp("us", "UTC"))
        self.assertEqual(kinds["s"], pa.string())
        self.assertEqual(kinds["m"], pa.map_(pa.string(), pa.float64()))

    def test_a_part_of_a_table_begins_where_it_was_asked_to(self):
        table = self.rows("/v1/tables/rows?format=arrow&offset=1&limit=2")
        table.validate(full=True)
        self.assertEqual(table.to_pylist(), EXPECTED[1:])

    def test_no_rows_are_a_stream_of_the_schema(self):
        table = self.rows("/v1/tables/rows?format=arrow&limit=0")
        self.assertEqual((table.num_rows, table.schema.names), (0, list(TYPES)))

    def test_many_rows_come_in_several_batches(self):
        batches = list(self.stream(f"/v1/tables/many?format=arrow&limit={MANY}&offset=7&order=n"))
        self.assertGreater(len(batches), 1)
        table = pa.Table.from_batches(batches)
        table.validate(full=True)
        # An answer has 100,000 rows at most unless `max_rows` says otherwise.
        self.assertEqual(table["n"].to_pylist(), list(range(7, 100_007)))
        self.assertEqual(table["half"].to_pylist()[:3], [3.5, 4.0, None])

    def test_an_answer_to_sql_comes_as_arrow(self):
        table = self.rows("/v1/sql?format=arrow", body=b"select i64, s, a from rows where i8 = -8")
        self.assertEqual(table.to_pylist(), [{name: EXPECTED[0][name] for name in ("i64", "s", "a")}])


if __name__ == "__main__":
    FLOWRUN = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=1)
