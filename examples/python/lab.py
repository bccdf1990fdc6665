"""The lab's steps in Python: movements of phones and watches, pushed in as lines of JSON.

    pip install ./python && python examples/python/lab.py

Every step is a cell of a notebook: a pipeline as text, rows pushed in, tables looked at.
"""
import pathlib

import flowrun
import pyarrow as pa
import pyarrow.compute as pc

DATA = pathlib.Path(__file__).resolve().parents[2] / "data"
LINES = (DATA / "watches-hhar.jsonl").read_text(encoding="utf-8").splitlines()

# What every step begins with: lines come in, and are read as JSON.
READINGS = """
tables:
  users: {{ file: {data}/users.csv, format: csv, header: true, sep: ";", infer_schema: true }}
nodes:
  watches: {{ source: push, schema: "value STRING" }}
  readings:
    from: watches
    parse: json
    schema: "Arrival_Time bigint, Creation_Time bigint, Device string, Index bigint, Model string, User string, gt string, x double, y double, z double"
  clean: {{ from: readings, dropna: any }}
""".format(data=DATA)


def walk(title, nodes, show=(), functions=None, n=10):
    """Runs a step over all lines and shows its tables."""
    print(f"\n== {title}")
    with flowrun.start(READINGS + nodes, registry=functions) as query:
        watches = query.push("watches")
        for first in range(0, len(LINES), 1000):
            watches.push(pa.table({"value": LINES[first:first + 1000]}))
        watches.finish()
        query.await_termination()
        for name in show:
            query.table(name).show(n, False)
        return {name: query.table(name).arrow for name in show}


# 1. A stream as a table, to be asked at any time.
walk("The first readings", """
  chosen: { from: readings, select: [User, Model, gt, x] }
  table: { from: chosen, sink: memory, table: readings, keep_rows: 10000 }
""", ["readings"], n=5)

# 2. What is broken, before and after dropna.
walk("Records in error", """
  errors:
    from: readings
    group_by: []
    agg: { records: count(*), in_error: sum(case when gt is null or x is null then 1 else 0 end) }
  table: { from: errors, sink: memory, table: errors, mode: complete }
""", ["errors"])

# 3. How often each activity was seen.
walk("Activities", """
  activities: { from: clean, group_by: [gt], agg: count }
  table: { from: activities, sink: memory, table: activities, mode: complete }
""", ["activities"])

# 4. Averages by activity, by model, by both and overall.
walk("Averages", """
  averages: { from: clean, cube: [gt, Model], agg: { x: "round(avg(x), 3)", y: "round(avg(y), 3)" } }
  ordered: { from: averages, sort: [gt, Model] }
  table: { from: ordered, sink: memory, table: averages, mode: complete }
""", ["averages"])

# 5. Records per 10 seconds of their own time, every 5 seconds.
walk("Windows", """
  timed:
    from: clean
    chain:
      - with_columns: { event_time: "cast(cast(Creation_Time as double)/1000000000 as timestamp)" }
      - watermark: event_time
        delay: 10 seconds
  per_window: { from: timed, window: 10 seconds, slide: 5 seconds, on: event_time, agg: count }
  table: { from: per_window, sink: memory, table: windows, mode: complete }
""", ["windows"])

# 6. Who moved: a static table joined in.
walk("People", """
  who: { from: clean, static_join: users, on: [User] }
  people: { from: who, group_by: [FirstName, LastName], agg: count }
  table: { from: people, sink: memory, table: people, mode: complete }
""", ["people"])

# 7. SQL over the live tables, while the stream runs.
print("\n== SQL")
with flowrun.start(READINGS + """
  activities: { from: clean, group_by: [gt, Model], agg: count }
  table: { from: activities, sink: memory, table: activities, mode: complete }
""") as query:
    query.push("watches").push(pa.table({"value": LINES})).wait()
    query.sql("select gt, sum(count) as readings from activities group by gt order by readings desc").show(10, False)
    print(query.sql("select User, LastName from users order by User limit 3").to_pylist())

# 8. Python in the stream: a function on whole batches, and one per epoch.
functions = flowrun.Registry()


@functions.transform("strength", output="gt STRING, strength DOUBLE")
def strength(batch):
    squares = [pc.multiply(batch.column(name), batch.column(name)) for name in ("x", "y", "z")]
    return pa.record_batch([batch.column("gt"), pc.sqrt(pc.add(pc.add(squares[0], squares[1]), squares[2]))], names=["gt", "strength"])


@functions.foreach_batch("report")
def report(table, epoch):
    if len(table):
        print(f"epoch {epoch}: {len(table)} readings, the strongest {pc.max(table['strength']).as_py():.2f}")


walk("Python in the stream", """
  strong: { from: clean, strength: "" }
  out: { from: strong, sink: report }
""", functions=functions)
