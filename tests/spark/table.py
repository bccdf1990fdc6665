"""The lines of the first table of docs/coming-from-spark.md: how each is run by both, and what must agree."""
import contextlib
import gzip
import io
import json
import re

from engines import records, rows, serve

AGGREGATIONS = r"\b(group_by|cube|window|sort):"


def lines_of(document):
    """(Spark, flowrun) of each line, without the back quotes."""
    table = document.partition("| Spark | flowrun |")[2].partition("\n\n")[0]
    found = [re.match(r"\| `(.+?)` \| `(.+?)`", line) for line in table.splitlines()[2:]]
    assert found and all(found), "a line of the table is no pair"
    return [match.groups() for match in found]


class Table:
    def __init__(self, spark, flowrun, names, text):
        self.spark, self.flowrun = spark, flowrun
        self.folder = spark.folder
        self.names = {**names, **{word: getattr(spark.F, word) for word in ("expr", "from_json", "window")}}
        self.text = text  # a pipeline up to its nodes `lines` and `df`, without a sink
        self.begin()

    def begin(self):
        """What the sentence above the table says of `df`, `a` and `b`."""
        F, session = self.spark.F, self.spark.session
        time = "cast(cast(Creation_Time as double)/1000000000 as timestamp)"
        self.names["df"] = self.names["clean"].withColumn("t", F.expr(time)).withColumn("day", F.expr("date_format(t, 'yyyy-MM-dd')"))
        self.text += f"  df: {{ from: clean, chain: [ {{ with_columns: {{ t: \"{time}\" }} }}, {{ with_columns: {{ day: \"date_format(t, 'yyyy-MM-dd')\" }} }} ] }}\n"
        for name, schema, column in (("a", "id int, ordered timestamp", "ordered"), ("b", "ref int, paid timestamp", "paid")):
            read = session.readStream.schema(schema).option("maxFilesPerTrigger", 1).json(f"{self.folder}/{name}")
            self.names[name] = read.withWatermark(column, "1 second")
            self.text += (f"  {name}_read: {{ source: file, path: {self.folder}/{name}, format: json, max_files: 1, schema: \"{schema}\" }}\n"
                          f"  {name}: {{ from: {name}_read, watermark: {column}, delay: 1 second }}\n")

    def run(self, python, yaml):
        """What the two give, to be compared."""
        for word, how in (("readStream", self.socket), (".format(\"console\")", self.console), (".queryName(", self.memory), (".partitionBy(", self.files),
                          ("processingTime", self.period), ("availableNow", self.available), ("printSchema", self.schema),
                          ("lastProgress", self.progress), (".master(", self.workers)):
            if word in python:
                return how(python, yaml)
        return self.statement(python, yaml)

    def value(self, python):
        return eval(python, self.names)  # the documentation's own text

    def pipeline(self, *nodes, trigger="available_now"):
        return f"trigger: {trigger}\n" + self.text + "".join(f"  {node}\n" for node in nodes)

    def statement(self, python, yaml):
        mode = "complete" if re.search(AGGREGATIONS, yaml) else "append"
        return rows(self.spark.run(self.value(python), mode)), rows(self.flowrun.run(self.pipeline(f"made: {yaml}"), "made", mode))

    def socket(self, python, yaml):
        sent = [line for file in records() for line in file]
        port = str(serve(sent))
        frame = self.value(python.replace("9999", port))
        text = f"nodes:\n  made: {yaml.replace('9999', port)}\n"
        return rows(self.spark.first(frame.writeStream, len(sent))), rows(self.flowrun.first(text, "made", len(sent)))

    @staticmethod
    def frames(printed):
        """The cells of all frames: in one place the two break batches, in another their rows."""
        return sorted(line for line in printed.splitlines() if line.startswith("|"))

    def console(self, python, yaml):
        wide = self.value(python).option("numRows", "10000").option("truncate", "false")
        before = self.spark.printed.stat().st_size
        self.spark.checkpoint(wide.trigger(availableNow=True)).start().awaitTermination()
        printed = self.spark.printed.read_bytes()[before:].decode()
        node = yaml.replace(" }", ", rows: 10000, truncate: false }")
        return self.frames(printed), self.frames(self.flowrun.command("run", self.flowrun.write(self.pipeline(f"s: {node}"))).stdout)

    def memory(self, python, yaml):
        query = self.spark.checkpoint(self.value(python).trigger(availableNow=True)).start()
        query.awaitTermination()
        given = self.flowrun.start(self.pipeline(f"result: {yaml}"))
        assert given[0].wait() == 0
        return rows(self.spark.table("t")), rows(self.flowrun.captured(given[1], "append"))

    @staticmethod
    def written(folder):
        """Partition folder -> rows of its files."""
        found = {}
        for file in folder.rglob("*.gz"):
            text = gzip.decompress(file.read_bytes()).decode()
            found.setdefault(file.parent.name, []).extend(text.splitlines())
        return {name: rows(lines) for name, lines in found.items()}

    def files(self, python, yaml):
        writer = self.value(python.replace('"out"', f'"{self.folder}/by_spark"'))
        self.spark.checkpoint(writer.trigger(availableNow=True)).start().awaitTermination()
        self.flowrun.command("run", self.flowrun.write(self.pipeline(f"s: {yaml.replace('path: out', 'path: by_flowrun')}")))
        return self.written(self.folder / "by_spark"), self.written(self.folder / "by_flowrun")

    def period(self, python, yaml):
        count = len(self.flowrun.run(self.pipeline(), "df", "append"))
        text = f"{yaml}\n" + self.text
        return rows(self.spark.first(self.value(python), count)), rows(self.flowrun.first(text, "df", count))

    def available(self, python, yaml):
        query = self.spark.checkpoint(self.value(python).format("memory").queryName("available")).start()
        query.awaitTermination()
        return rows(self.spark.table("available")), rows(self.flowrun.run(f"{yaml}\n" + self.text, "df", "append"))

    def schema(self, python, yaml):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            self.value(python)
        file = self.flowrun.write(self.pipeline())
        words = [str(file) if word == "FILE" else word for word in yaml.split()[1:]]
        return printed.getvalue().strip(), self.flowrun.command(*words).stdout.strip()

    def progress(self, python, yaml):
        """The rows of all records: of Spark its last ones, of which the last is lastProgress."""
        query = self.spark.checkpoint(self.names["df"].writeStream.format("memory").queryName("watched").trigger(availableNow=True)).start()
        query.awaitTermination()
        assert eval(python, {"query": query})["name"] == "watched"
        file = self.flowrun.write(self.pipeline("s: { from: df, sink: discard }"))
        out = self.folder / "progress.jsonl"
        self.flowrun.command(*[{"FILE": str(file), "FILE.jsonl": str(out)}.get(word, word) for word in yaml.split()[1:]])
        made = [json.loads(line) for line in out.read_text().splitlines()]
        return sum(progress["numInputRows"] for progress in query.recentProgress), sum(record["input_rows"] for record in made)

    def workers(self, python, yaml):
        del python  # a process has one session: that of this run was made so
        file = self.flowrun.write(self.pipeline("s: { from: df, sink: discard }"))
        done = self.flowrun.command(*[str(file) if word == "FILE" else word for word in yaml.split()[1:]])
        return self.spark.session.sparkContext.defaultParallelism, int(re.search(r"(\d+) workers", done.stderr)[1])
