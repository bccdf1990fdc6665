"""The Python package: pipelines run, fed, read and stopped from Python.

    package_test.py            (FLOWRUN_LIBRARY names the library, PYTHONPATH the package)
"""
import contextlib
import gc
import io
import pathlib
import subprocess
import sys
import threading
import unittest

import flowrun
import pyarrow as pa
import pyarrow.compute as pc

PATIENCE = 60
ROOT = pathlib.Path(__file__).resolve().parents[2]
THROUGH = {"nodes": {"in": {"source": "push", "schema": "word STRING, x BIGINT"},
                     "big": {"from": "in", "filter": "x > 10"},
                     "out": {"from": "big", "sink": "pull"}}}
COUNTS = """
nodes:
  in: { source: push, schema: "word STRING" }
  counts: { from: in, group_by: [word], agg: count }
  table: { from: counts, sink: memory, table: counts, mode: complete }
"""

# The signal comes when the run is being waited for, however slow the machine.
INTERRUPTED = f"""
import os, signal, threading, flowrun
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
wait = flowrun.Query.await_termination
def interrupted(query, timeout=None):
    threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT)).start()
    return wait(query, timeout)
flowrun.Query.await_termination = interrupted
try:
    flowrun.run({THROUGH!r})
except KeyboardInterrupt:
    print("stopped")
"""

ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
# The statement itself has no end; the signal comes a moment before it or while it runs.
INTERRUPTED_SQL = f"""
import os, signal, threading, flowrun
signal.signal(signal.SIGINT, signal.default_int_handler)
with flowrun.start({COUNTS!r}) as query:
    try:
        threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT)).start()
        query.sql({ENDLESS!r})
    except KeyboardInterrupt:
        print("interrupted")
"""


class Package(unittest.TestCase):
    def test_rows_go_in_and_come_out(self):
        with flowrun.start(THROUGH) as query:
            ticket = query.push("in").push([{"word": "a", "x": 5}, {"word": "a word that is long", "x": 11}])
            batch, epoch = query.pull("out").pull(PATIENCE)
            self.assertEqual(batch.to_pylist(), [{"word": "a word that is long", "x": 11}])
            self.assertGreaterEqual(epoch, 0)
            ticket.wait(PATIENCE)
            self.assertTrue(ticket.committed)
            query.push("in").finish()
            self.assertTrue(query.await_termination(PATIENCE))
            self.assertIsNone(query.pull("out").pull(PATIENCE))
            self.assertFalse(query.is_active)

    def test_a_live_table_is_arrow_and_shows_as_spark_does(self):
        with flowrun.start(COUNTS) as query:
            push = query.push("in")
            push.push(pa.table({"word": ["b", "a", "b"]})).wait(PATIENCE)
            push.finish()
            query.await_termination()
            table = query.table("counts")
            self.assertEqual(sorted(map(tuple, (row.values() for row in table.to_pylist()))), [("a", 1), ("b", 2)])
            self.assertEqual(table.arrow.schema.names, ["word", "count"])
            self.assertIn("<td>b</td>", table._repr_html_())
            shown = io.StringIO()
            with contextlib.redirect_stdout(shown):
                table.show(1, False)
            self.assertIn("|word|count|", shown.getvalue())
            self.assertIn("only showing top 1 row", shown.getvalue())
            self.assertEqual(query.last_progress["input_rows"] >= 0, True)
        self.assertEqual(len(table), 2, "it outlives the query")

    def test_sql_asks_the_live_tables_while_the_query_runs(self):
        with flowrun.start(COUNTS) as query:
            query.push("in").push(pa.table({"word": ["b", "a", "b"]})).wait(PATIENCE)
            answer = query.sql("select word, count from counts where count > 1")
            self.assertEqual(answer.to_pylist(), [{"word": "b", "count": 2}])
            self.assertEqual(answer.arrow.schema.field("count").type, pa.int64())
            self.assertIn("|   b|", query._show(answer.arrow, 20, True))
            self.assertTrue(query.is_active)
            limited = query.sql("select * from counts order by word", max_rows=1)
            self.assertEqual((len(limited), limited.more), (1, True))
            with self.assertRaisesRegex(flowrun.Error, "no column `wrd` — did you mean `word`") as caught:
                query.sql("select 1,\n  wrd from counts")
            self.assertEqual((caught.exception.line, caught.exception.column), (2, 3))
            with self.assertRaisesRegex(flowrun.Error, "longer than 50 ms"):
                query.sql(ENDLESS, timeout=0.05)

    def test_ctrl_c_ends_a_statement(self):
        done = subprocess.run([sys.executable, "-c", INTERRUPTED_SQL], capture_output=True, text=True, timeout=4 * PATIENCE, check=False)
        self.assertEqual((done.returncode, done.stdout.strip()), (0, "interrupted"), done.stderr)

    def test_functions_of_python_are_operators(self):
        functions, seen, done = flowrun.Registry(), [], threading.Event()

        @functions.transform("loud", output="word STRING, size BIGINT")
        def loud(batch):
            words = pc.utf8_upper(batch.column("word"))
            return pa.record_batch([words, pc.cast(pc.utf8_length(words), pa.int64())], names=["word", "size"])

        @functions.foreach_batch("mine")
        def mine(table, epoch):
            seen.append((epoch, table.to_pylist()))
            done.set()

        pipeline = {"nodes": {"in": {"source": "push", "schema": "word STRING"}, "loud": {"from": "in", "loud": ""},
                              "out": {"from": "loud", "sink": "mine"}}}
        with flowrun.start(pipeline, registry=functions) as query:
            query.push("in").push([{"word": "aloud"}]).wait(PATIENCE)
            self.assertTrue(done.wait(PATIENCE))
        self.assertEqual([row for _, rows in seen for row in rows], [{"word": "ALOUD", "size": 5}])

    def test_an_exception_in_a_function_fails_the_run_and_names_the_node(self):
        functions = flowrun.Registry()

        @functions.transform("bad")
        def bad(batch):
            raise ValueError("not today")

        pipeline = "nodes:\n  in: { source: push, schema: \"x BIGINT\" }\n  broken: { from: in, bad: \"\" }\n  out: { from: broken, sink: pull }\n"
        with flowrun.start(pipeline, registry=functions) as query:
            ticket = query.push("in").push([{"x": 1}])
            with self.assertRaises(flowrun.Error):
                ticket.wait(PATIENCE)
            with self.assertRaises(flowrun.Error) as caught:
                query.await_termination()
            self.assertIn("ValueError: not today", str(caught.exception))
            self.assertEqual((caught.exception.node, caught.exception.line), ("broken", 3))
            self.assertIsInstance(query.exception, flowrun.Error)

    def test_a_wrong_pipeline_says_everything_with_node_and_place(self):
        with self.assertRaises(flowrun.PipelineError) as caught:
            flowrun.load(COUNTS.replace("[word]", "[wrod]"))
        error = caught.exception
        self.assertEqual((error.node, error.line), ("counts", 4))
        self.assertIn("did you mean `word`?", str(error))
        with self.assertRaises(flowrun.PipelineError) as caught:
            flowrun.load({"nodes": {"out": {"from": "nowhere", "sink": "pull"}}})
        self.assertEqual(caught.exception.diagnostics[0].node, "out")

    def test_a_batch_of_other_columns_is_refused(self):
        with flowrun.start(THROUGH) as query:
            with self.assertRaisesRegex(flowrun.Error, "`x` is INT"):
                query.push("in").push(pa.record_batch([pa.array(["a"]), pa.array([1], pa.int32())], names=["word", "x"]))
            with self.assertRaisesRegex(flowrun.Error, "no node `inn`"):
                query.push("inn")

    def test_stop_and_several_at_once(self):
        queries = [flowrun.start(THROUGH) for _ in range(3)]
        self.assertTrue(all(query.is_active for query in queries))
        self.assertFalse(queries[0].await_termination(0.01))
        for query in queries:
            query.stop()
            self.assertFalse(query.is_active)
        queries.clear()
        gc.collect()

    def test_ctrl_c_stops_a_run(self):
        done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=4 * PATIENCE, check=False)
        self.assertEqual((done.returncode, done.stdout.strip()[-7:]), (0, "stopped"), done.stderr)

    def test_the_lab_walks_through(self):
        done = subprocess.run([sys.executable, ROOT / "examples" / "python" / "lab.py"], capture_output=True, text=True,
                              timeout=4 * PATIENCE, check=False, cwd=ROOT)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("|gt", done.stdout)
        self.assertIn("|readings|", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
