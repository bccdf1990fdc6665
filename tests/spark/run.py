#!/usr/bin/env python3
"""Runs each pair of docs/coming-from-spark.md by Spark and by flowrun on the same records, and compares what comes out.

    tests/spark/run.py build/release/flowrun       needs Java 17 and pyspark

In place of the socket both read the lines of data/watches-small.jsonl and of the first of data/watches-hhar.jsonl, from a
folder of two files, a file to an epoch.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parents[2]
RECORDS = 300  # of the larger file
AGGREGATIONS = r"\b(group_by|cube|window|sort):"


def pairs(text):
    """(python, yaml) of each pair of blocks that follow one another."""
    found = re.findall(r"```python\n(.*?)```\n```yaml\n(.*?)```", text, re.DOTALL)
    assert found, "no pairs"
    return found


def tables(text):
    return re.search(r"```yaml\n(tables:\n.*?)```", text, re.DOTALL).group(1)


def normal(value):
    """A value without what the two write differently: nulls left out or not, digits of times, the last digits of doubles."""
    if isinstance(value, dict):
        return {key.lower(): normal(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [normal(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if isinstance(value, str):
        return re.sub(r"(T\d\d:\d\d:\d\d)(\.\d+)?Z$", lambda match: match[1] + (match[2] or "").rstrip("0").rstrip("."), value)
    return value


def rows(lines, ordered):
    made = [json.dumps(normal(json.loads(line)), sort_keys=True) for line in lines if line.strip()]
    return made if ordered else sorted(made)


def write_input(folder):
    (folder / "in").mkdir()
    (folder / "in" / "1.txt").write_text((PROJECT / "data/watches-small.jsonl").read_text())
    larger = (PROJECT / "data/watches-hhar.jsonl").read_text().splitlines()[:RECORDS]
    (folder / "in" / "2.txt").write_text("\n".join(larger) + "\n")
    # Files are read in the order of their times.
    os.utime(folder / "in" / "1.txt", (1_700_000_000, 1_700_000_000))
    os.utime(folder / "in" / "2.txt", (1_700_000_100, 1_700_000_100))


def of_spark(frame, name, mode, folder, spark):
    query = (frame.writeStream.format("memory").queryName(name).outputMode(mode).trigger(availableNow=True)
             .option("checkpointLocation", str(folder / "checkpoint" / name)).start())
    query.awaitTermination()
    return spark.table(name).toJSON().collect()


def of_flowrun(flowrun, text, node, mode, folder):
    path = folder / "pipeline.yaml"
    path.write_text(text + f"  result: {{ from: {node}, sink: memory, table: t, mode: {mode} }}\n")
    out = folder / "capture" / node
    done = subprocess.run([flowrun, "run", path, "--quiet", "--capture", out], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    turns = sorted((out / "result").glob("*.jsonl"))
    chosen = turns[-1:] if mode == "complete" else turns
    return [line for turn in chosen for line in turn.read_text().splitlines()]


def main(flowrun):
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as F
    os.chdir(PROJECT)
    document = (PROJECT / "docs/coming-from-spark.md").read_text(encoding="utf-8")
    spark = (SparkSession.builder.master("local[2]").config("spark.sql.shuffle.partitions", "2").config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
             .config("spark.sql.session.timeZone", "UTC").config("spark.sql.ansi.enabled", "false").getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="flowrun-spark-") as name:
        folder = pathlib.Path(name)
        write_input(folder)
        names = {"spark": spark, "F": F}
        text = "trigger: available_now\n" + tables(document).replace("data/users.csv", f"{PROJECT}/data/users.csv") + "nodes:\n"
        for number, (python, yaml) in enumerate(pairs(document)):
            node = yaml.split(":")[0]
            if number == 0:
                python = f'lines = spark.readStream.option("maxFilesPerTrigger", 1).text("{folder}/in")'
                yaml = f"lines: {{ source: file, path: {folder}/in, max_files: 1 }}\n"
            exec(python, names)  # the documentation's own text
            text += "".join(f"  {line}\n" for line in yaml.splitlines())
            mode = "complete" if re.search(AGGREGATIONS, yaml) and node != "closed" else "append"
            ordered = "sort:" in yaml
            wanted = rows(of_spark(names[node], f"{node}_{number}", mode, folder, spark), ordered)
            given = rows(of_flowrun(flowrun, text, node, mode, folder), ordered)
            same = wanted == given
            failed += not same
            print(f"{node}: {'the same' if same else 'DIFFERENT'}, {len(wanted)} rows")
            if not same:
                for line in [row for row in wanted if row not in given][:5]:
                    print(f"  - {line}")
                for line in [row for row in given if row not in wanted][:5]:
                    print(f"  + {line}")
        print(f"{number + 1 - failed} passed, {failed} failed")
    spark.stop()
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(os.path.abspath(sys.argv[1])))
