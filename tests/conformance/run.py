#!/usr/bin/env python3
"""Runs the conformance cases through the flowrun binary and compares with Spark's answers.

    tests/conformance/run.py build/release/flowrun             # everything
    tests/conformance/run.py build/release/flowrun window      # cases whose name contains a word
    tests/conformance/run.py build/release/flowrun --update    # take what passes off not-yet.txt

Every case of streaming/, json/ and csv/ runs with 1 and 4 workers, with the input cut into chunks at
random, and with all state saved and restored between epochs. not-yet.txt lists what does not pass yet: one that
does is an error, so that the list shrinks. known-differences.txt lists what never will, each with its reason; those
are run too, and one that passes is an error.
"""
import argparse
import concurrent.futures
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import expressions  # noqa: E402
import values  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
KINDS = ("streaming", "json", "csv")
TIMEOUT = 60  # seconds for one run
POSITION = re.compile(r":\d+:\d+: error: ")


def read(path):
    return path.read_text(encoding="utf-8")


def run_case(binary, case, threads, chunking, restart):
    """What is wrong with one run of a case; None if it is right."""
    with tempfile.TemporaryDirectory(prefix="flowrun-case-") as scratch:
        copy = pathlib.Path(scratch) / case.name
        shutil.copytree(case, copy, ignore=shutil.ignore_patterns("expected", "spark.py"))
        capture = pathlib.Path(scratch) / "capture"
        command = [str(binary), "run", "pipeline.yaml", "--capture", str(capture), "--threads", str(threads)]
        if chunking is not None:
            command += ["--chunking", str(chunking)]
        if restart:
            command.append("--restart-state")
        try:
            done = subprocess.run(command, cwd=copy, capture_output=True, timeout=TIMEOUT, check=False)
        except subprocess.TimeoutExpired:
            return f"did not end within {TIMEOUT} s"
        errors = done.stderr.decode("utf-8", "replace")
        expected = case / "expected"
        if (expected / "refused").exists():
            return refused(case, done.returncode, errors)
        if (expected / "fails").exists():
            return fails(case, done.returncode, errors)
        if done.returncode != 0:
            return f"exit code {done.returncode}: {last_lines(errors)}"
        return differing_output(case, capture)


def last_lines(text):
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return " / ".join(lines[-4:])


def missing_words(path, text):
    words = [line.strip() for line in read(path).splitlines() if line.strip()]
    return [word for word in words if word.lower() not in text.lower()]


def refused(case, code, errors):
    if code != 2:
        return f"exit code {code}, expected a refusal (2): {last_lines(errors)}"
    if absent := missing_words(case / "expected" / "refused", errors):
        return f"the refusal does not say {absent}: {last_lines(errors)}"
    lines = [line for line in errors.splitlines() if POSITION.search(line)]
    if not lines:
        return f"the refusal has no line:column: {last_lines(errors)}"
    nodes = set(re.findall(r"^  (\w+):", read(case / "pipeline.yaml"), re.MULTILINE))
    if not any(re.search(rf"\b{node}\b", line) for node in nodes for line in lines):
        return f"the refusal names no node: {last_lines(errors)}"
    return None


def fails(case, code, errors):
    if code != 1:
        return f"exit code {code}, expected a failure (1): {last_lines(errors)}"
    if absent := missing_words(case / "expected" / "fails", errors):
        return f"the error does not say {absent}: {last_lines(errors)}"
    return None


def differing_output(case, capture):
    expected = case / "expected"
    sinks = sorted(path.name for path in expected.iterdir() if path.is_dir())
    ours = sorted(path.name for path in capture.iterdir() if path.is_dir()) if capture.is_dir() else []
    if sinks != ours:
        return f"output of {ours}, expected {sinks}"
    sorted_nodes = nodes_behind_sort(read(case / "pipeline.yaml"))
    for sink in sinks:
        if wrong := differing_sink(expected / sink, capture / sink, sink in sorted_nodes):
            return f"{sink}: {wrong}"
    if (expected / "late").exists():
        return differing_late(read(expected / "late"), capture / "late")
    return None


def nodes_behind_sort(pipeline):
    """The nodes that sort, and those that read what was sorted: for them the order of rows counts."""
    nodes = {name: body for name, body in re.findall(r"^  (\w+):((?:.*\n(?:    .*\n|\s*\n)*))", pipeline + "\n", re.M)}
    reads = {name: re.findall(r"\w+", (re.findall(r"\bfrom: *(\[[^]]*\]|[\w.]+)", body) or [""])[0])
             for name, body in nodes.items()}
    behind = {name for name, body in nodes.items() if re.search(r"\bsort:", body)}
    while more := {name for name, names in reads.items() if name not in behind and behind & set(names)}:
        behind |= more
    return behind


def differing_sink(expected, ours, ordered):
    fields = values.parse_ddl(read(expected / "schema.ddl"))
    our_ddl = read(ours / "schema.ddl") if (ours / "schema.ddl").exists() else ""
    if values.parse_ddl(our_ddl) != fields:
        return f"schema {our_ddl.strip()}, expected {read(expected / 'schema.ddl').strip()}"
    numbers = sorted(path.stem for path in expected.glob("*.jsonl"))
    our_numbers = sorted(path.stem for path in ours.glob("*.jsonl"))
    for number in numbers:
        if number not in our_numbers:
            return f"no epoch {number}: {len(our_numbers)} epochs, expected {len(numbers)}"
        wrong = values.differing_row(fields, values.parse_rows(read(ours / f"{number}.jsonl")),
                                     values.parse_rows(read(expected / f"{number}.jsonl")), ordered)
        if wrong:
            return f"epoch {number}: {wrong}"
    if our_numbers != numbers:
        return f"{len(our_numbers)} epochs, expected {len(numbers)}"
    return None


def differing_late(expected, ours):
    counts = dict(line.split() for line in read(ours).splitlines() if line.strip()) if ours.exists() else {}
    for line in expected.splitlines():
        if line.strip():
            node, count = line.split()
            if counts.get(node, "0") != count:
                return f"{counts.get(node, '0')} rows late at {node}, expected {count}"
    return None


def check_case(binary, case, seed):
    """All runs of one case."""
    random_numbers = random.Random(f"{seed} {case.name}")
    chunkings = [random_numbers.randrange(1 << 32) for _ in range(2)]
    for threads, chunking, restart in ((1, None, False), (4, None, True), (1, chunkings[0], True), (4, chunkings[1], False)):
        if wrong := run_case(binary, case, threads, chunking, restart):
            how = f"--threads {threads}" + (f" --chunking {chunking}" if chunking is not None else "") + " --restart-state" * restart
            return f"{wrong}  [{how}]"
    return None


def listed(path):
    """The names of a list and the reason behind each `#`."""
    entries = {}
    if path.exists():
        for line in read(path).splitlines():
            name, _, reason = line.partition("  # ")
            if name.strip() and not name.startswith("#"):
                entries[name.strip()] = reason.strip()
    return entries


def write_not_yet(path, names):
    head = "# Cases that do not pass yet. One that does is an error: take it off (run.py --update does).\n"
    path.write_text(head + "".join(name + "\n" for name in sorted(names)), encoding="utf-8")


def collect(arguments):
    """Name -> a function that gives what is wrong with the case."""
    cases = {}
    for kind in KINDS:
        for case in sorted((HERE / kind).iterdir()):
            if (case / "pipeline.yaml").exists():
                cases[f"{kind}/{case.name}"] = lambda case=case: check_case(arguments.binary, case, arguments.seed)
    cases.update(expressions.collect(arguments.binary, HERE / "expressions"))
    return {name: check for name, check in cases.items() if not arguments.words or any(w in name for w in arguments.words)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("words", nargs="*", help="run only cases whose name contains one of these")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="of the random chunkings")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--report", action="store_true", help="print a table, theme by theme")
    parser.add_argument("--update", action="store_true", help="write not-yet.txt anew: drop what passes, keep the rest")
    parser.add_argument("--adopt", action="store_true", help="with --update: list new failures too")
    arguments = parser.parse_args()
    arguments.binary = arguments.binary.resolve()
    not_yet, differences = listed(HERE / "not-yet.txt"), listed(HERE / "known-differences.txt")
    # The unit tests keep the list of the scalar expressions; it is only read here.
    not_yet_expressions = expressions.not_yet(HERE)
    print(f"conformance: seed {arguments.seed}", flush=True)

    cases = collect(arguments)
    passed, failed, skipped, waiting = [], [], [], []
    with concurrent.futures.ThreadPoolExecutor(max_workers=arguments.jobs) as pool:
        results = {name: pool.submit(check) for name, check in cases.items()}
        for name in cases:
            wrong = results[name].result()
            if name in differences:
                if wrong is None:
                    failed.append(name)
                    print(f"FAILED {name}: passes, but is listed in known-differences.txt — take it off", flush=True)
                else:
                    skipped.append(name)
                    print(f"known difference {name}: {differences[name]}", flush=True)
                continue
            if wrong is None and name in not_yet and not arguments.update:
                failed.append(name)
                print(f"FAILED {name}: passes, but is listed in not-yet.txt — take it off", flush=True)
            elif wrong is None:
                passed.append(name)
            elif name in not_yet or expressions.expression_of(name) in not_yet_expressions:
                waiting.append(name)
                if arguments.words:
                    print(f"not yet {name}: {wrong}", flush=True)
            else:
                failed.append(name)
                print(f"FAILED {name}: {wrong}", flush=True)
    if arguments.update:
        rest = {name for name in not_yet if name not in passed}
        write_not_yet(HERE / "not-yet.txt", rest | set(failed if arguments.adopt else ()))
    if arguments.report:
        print_report({"passed": passed, "failed": failed, "not yet": waiting, "known difference": skipped})
    if waiting and not arguments.words:
        print(f"not yet ({len(waiting)}): " + ", ".join(summary(waiting)))
    print(f"{len(passed)} passed, {len(failed)} failed, {len(skipped) + len(waiting)} skipped")
    return 1 if failed else 0


def theme_of(name):
    """streaming/watermark_mixed_append -> streaming/watermark, json/bom -> json; the others have it in the name."""
    theme = name.split(" ")[0]
    if theme.startswith(("json/", "csv/")):
        return theme.split("/")[0]
    return theme if " " in name else theme.split("_")[0]


def print_report(columns):
    """A line per theme: how many cases ended how. `columns`: how they ended -> names."""
    themes = sorted({theme_of(name) for names in columns.values() for name in names})
    counts = {theme: [sum(theme_of(name) == theme for name in names) for names in columns.values()] for theme in themes}
    rows = [(theme, *counts[theme]) for theme in themes] + [("all", *map(len, columns.values()))]
    width = max(len(row[0]) for row in rows)
    print(" " * width + "".join(f"{title:>18}" for title in columns))
    for theme, *numbers in rows:
        print(f"{theme:<{width}}" + "".join(f"{number or '':>18}" for number in numbers))


def summary(names):
    """Cases by name, expressions by theme."""
    themes = {}
    for name in names:
        key = name.split(" ")[0]
        themes[key] = themes.get(key, 0) + 1
    return [key if count == 1 else f"{key} ({count})" for key, count in sorted(themes.items())]


if __name__ == "__main__":
    sys.exit(main())
