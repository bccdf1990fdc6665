#!/usr/bin/env python3
"""Runs what docs/coming-from-spark.md shows by Spark and by flowrun on the same records, and compares what comes out.

    tests/spark/run.py build/release/flowrun [WORD...]     needs Java 17 and pyspark

WORD: only statements that contain one of them. In place of the socket both read the lines of data/watches-small.jsonl and of
the first of data/watches-hhar.jsonl, from a folder of two files, a file to an epoch; the table's socket is one.
"""
import os
import pathlib
import re
import sys
import tempfile

from engines import PROJECT, Flowrun, Spark, rows, write_input
from table import AGGREGATIONS, Table, lines_of


def pairs(text):
    """(python, yaml) of each pair of blocks that follow one another."""
    found = re.findall(r"```python\n(.*?)```\n```yaml\n(.*?)```", text, re.DOTALL)
    assert len(found) == text.count("```python"), "a statement without its counterpart"
    return found


def tables(text):
    return re.search(r"```yaml\n(tables:\n.*?)```", text, re.DOTALL).group(1).replace("data/users.csv", f"{PROJECT}/data/users.csv")


class Report:
    def __init__(self, out, words):
        self.out, self.words = out, words
        self.compared = self.failed = 0

    def wants(self, text):
        return not self.words or any(word in text for word in self.words)

    def compare(self, what, wanted, given):
        self.compared += 1
        same = wanted == given
        self.failed += not same
        empty = not wanted
        self.failed += empty and same  # what compares nothing shows nothing
        print(f"{what}: {'NOTHING CAME' if empty else 'the same' if same else 'DIFFERENT'}", file=self.out, flush=True)
        if same:
            return
        if isinstance(wanted, list):
            wanted, given = [row for row in wanted if row not in given], [row for row in given if row not in wanted]
            for sign, lines in (("-", wanted), ("+", given)):
                for line in lines[:5]:
                    print(f"  {sign} {line}", file=self.out)
        else:
            print(f"  - {wanted}\n  + {given}", file=self.out)


def run_lab(document, spark, flowrun, report):
    """The lab's statements, each on top of those before; gives the names they made and the nodes."""
    folder = spark.folder
    names = {"spark": spark.session, "F": spark.F}
    text = tables(document) + "nodes:\n"
    for number, (python, yaml) in enumerate(pairs(document)):
        node = yaml.split(":")[0]
        if number == 0:  # the table has the socket
            python = f'lines = spark.readStream.option("maxFilesPerTrigger", 1).text("{folder}/in")'
            yaml = f"lines: {{ source: file, path: {folder}/in, max_files: 1 }}\n"
        exec(python, names)  # the documentation's own text
        text += "".join(f"  {line}\n" for line in yaml.splitlines())
        if not report.wants(python):
            continue
        mode = "complete" if re.search(AGGREGATIONS, yaml) and node != "closed" else "append"
        ordered = "sort:" in yaml
        report.compare(node, rows(spark.run(names[node], mode), ordered), rows(flowrun.run("trigger: available_now\n" + text, node, mode), ordered))
    return names, text


def main(program, words):
    document = (PROJECT / "docs/coming-from-spark.md").read_text(encoding="utf-8")
    os.chdir(PROJECT)
    with tempfile.TemporaryDirectory(prefix="flowrun-spark-", ignore_cleanup_errors=True) as name:
        folder = pathlib.Path(name)
        write_input(folder)
        # What the console sink of Spark prints is printed by a process of its own.
        out = os.fdopen(os.dup(1), "w")
        with open(folder / "printed", "w", encoding="utf-8") as printed:
            os.dup2(printed.fileno(), 1)
        report = Report(out, words)
        spark = Spark(folder, folder / "printed")
        flowrun = Flowrun(program, folder)
        names, text = run_lab(document, spark, flowrun, report)
        table = Table(spark, flowrun, names, text)
        for python, yaml in lines_of(document):
            if report.wants(python):
                report.compare(python, *table.run(python, yaml))
        print(f"{report.compared} compared, {report.failed} failed", file=out, flush=True)
        spark.session.stop()
    return 1 if report.failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(os.path.abspath(sys.argv[1]), sys.argv[2:]))
