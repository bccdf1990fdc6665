"""The cases of expressions/: scalar ones in a single `flowrun eval`, aggregates as a pipeline each."""
import json
import pathlib
import subprocess
import tempfile
import threading

import values

TIMEOUT = 60


def collect(binary, folder):
    """Name -> a function that gives what is wrong with the case, None if it is right."""
    cases = {}
    scalars = [json_case(line) for file in ("cases.jsonl", "variations.jsonl") for line in lines(folder / file)]
    answers = Answers(binary, folder, [case["expr"] for case in scalars])
    for number, case in enumerate(scalars):
        name = unique(cases, f"expressions/{case['theme']} {one_line(case['expr'])}")
        cases[name] = lambda number=number, case=case: wrong_scalar(case, answers.get(number))
    for case in (json_case(line) for line in lines(folder / "aggregates.jsonl")):
        where = f" where {case['where']}" if "where" in case else ""
        keys = " by " + (",".join(case.get("group_by", [])) or "nothing")
        name = unique(cases, f"aggregates/{case['theme']} {one_line(case['expr'])}{keys}{where}")
        cases[name] = lambda case=case: wrong_aggregate(binary, folder, case)
    return cases


def not_yet(folder):
    """The scalar expressions that do not pass yet."""
    path = folder / "expressions-not-yet.txt"
    return {one_line(json.loads(line)) for line in lines(path) if line.startswith('"')} if path.exists() else set()


def expression_of(name):
    """The expression of a scalar case's name; None for other cases."""
    return name.split(" ", 1)[1] if name.startswith("expressions/") and " " in name else None


def one_line(text):
    return text.replace("\n", "\\n").strip()


def lines(path):
    return [line for line in path.read_text(encoding="utf-8").split("\n") if line]


def json_case(line):
    return dict(values.parse_json(line))


def unique(cases, name):
    number = 2
    candidate = name
    while candidate in cases:
        candidate = f"{name} ({number})"
        number += 1
    return candidate


class Answers:
    """One run of `flowrun eval` over all expressions, made when the first answer is asked for."""

    def __init__(self, binary, folder, expressions):
        self.binary, self.folder, self.expressions = binary, folder, expressions
        self.lock, self.answers, self.problem = threading.Lock(), None, None

    def get(self, number):
        with self.lock:
            if self.answers is None:
                self.answers = self.run()
        return self.answers[number] if number < len(self.answers) else None

    def run(self):
        with tempfile.TemporaryDirectory(prefix="flowrun-eval-") as scratch:
            path = pathlib.Path(scratch) / "expressions.txt"
            path.write_text("".join(e + "\n" for e in self.expressions), encoding="utf-8")
            done = subprocess.run(
                [str(self.binary), "eval", "--schema", str(self.folder / "schema.ddl"), "--input",
                 str(self.folder / "input.jsonl"), "--expressions", str(path)],
                capture_output=True, timeout=TIMEOUT, check=False)
        return [dict(values.parse_json(line)) for line in done.stdout.decode("utf-8", "replace").split("\n") if line]


def wrong_scalar(case, answer):
    if answer is None:
        return "no answer"
    if "error" in case:
        return None if "error" in answer else f"accepted, expected {case['error']}"
    if "error" in answer:
        return f"refused: {answer['error']}"
    for key in ("name", "type"):
        if answer.get(key) != case[key]:
            return f"{key} {answer.get(key)}, expected {case[key]}"
    if "runtime_error" in case:
        return None if "runtime_error" in answer else f"evaluated, expected {case['runtime_error']}"
    if "runtime_error" in answer:
        return f"failed: {answer['runtime_error']}"
    ours, theirs = answer["values"], case["values"]
    if len(ours) != len(theirs):
        return f"{len(ours)} values, expected {len(theirs)}"
    kind = values.parse_ddl("v " + case["type"])[0][1]
    for row, (a, b) in enumerate(zip(ours, theirs)):
        if not values.same(kind, a, b):
            return f"row {row}: {values.show(a)}, expected {values.show(b)}"
    return None


def wrong_aggregate(binary, folder, case):
    text = json.dumps
    nodes = [f"  rows: {{ source: file, path: {text(str(folder / 'input.jsonl'))}, format: json, schema: {text(lines(folder / 'schema.ddl')[0])} }}"]
    origin = "rows"
    if "where" in case:
        nodes.append(f"  kept: {{ from: rows, filter: {text(case['where'])} }}")
        origin = "kept"
    nodes.append(f"  groups: {{ from: {origin}, group_by: {text(list(case['group_by']))}, agg: [{text(case['expr'])}] }}")
    nodes.append("  out: { from: groups, sink: memory, table: out, mode: complete }")
    with tempfile.TemporaryDirectory(prefix="flowrun-case-") as scratch:
        scratch = pathlib.Path(scratch)
        (scratch / "pipeline.yaml").write_text("name: aggregate\ntrigger: once\nnodes:\n" + "\n".join(nodes) + "\n", encoding="utf-8")
        done = subprocess.run([str(binary), "run", "pipeline.yaml", "--capture", "capture", "--threads", "2"],
                              cwd=scratch, capture_output=True, timeout=TIMEOUT, check=False)
        errors = done.stderr.decode("utf-8", "replace").strip().splitlines()
        said = next((line for line in errors if "error" in line), errors[-1] if errors else "")
        if "error" in case:
            return None if done.returncode == 2 else f"exit code {done.returncode}, expected {case['error']}"
        if done.returncode != 0:
            return f"exit code {done.returncode}: {said}"
        return differing_groups(case, scratch / "capture" / "out")


def differing_groups(case, out):
    fields = values.parse_ddl((out / "schema.ddl").read_text(encoding="utf-8"))
    name, kind = fields[-1]
    expected_kind = values.parse_ddl("v " + case["type"])[0][1]
    if name != case["name"] or kind != expected_kind:
        return f"column {name} {kind}, expected {case['name']} {case['type']}"
    files = sorted(out.glob("*.jsonl"))
    ours = values.parse_rows(files[-1].read_text(encoding="utf-8")) if files else []
    # Names may repeat, so a row is compared by position.
    numbered = [(str(i), kind) for i, (_, kind) in enumerate(fields)]
    plain = lambda row: values.Pairs((str(i), value) for i, value in enumerate(row))
    return values.differing_row(numbered, [plain([value for _, value in row]) for row in ours],
                                [plain(row) for row in case["rows"]], ordered=False)
