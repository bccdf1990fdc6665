#!/usr/bin/env python3
"""Varies the expressions of the conformance cases, asks the real Spark, and shows where flowrun says something else.

    vary.py FLOWRUN [SEED [COUNT]]        needs pyspark 4.3.0 and Java; 1,000 expressions a minute or so

Each answer of Spark is a case as in tests/conformance/expressions; those that are worth keeping go to
variations.jsonl there. An error's class is information: that both refuse is what counts.
"""
import json
import pathlib
import random
import re
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "tests" / "conformance" / "expressions"
sys.path.insert(0, str(FOLDER.parent))
import expressions  # noqa: E402

TOKENS = re.compile(r"'(?:[^'\\]|\\.|'')*'|`[^`]*`|[A-Za-z_][A-Za-z_0-9]*|\d+\.?\d*(?:[eE][-+]?\d+)?[A-Za-z]*|\s+|.", re.S)
COLUMNS = {
    "whole": ["id", "tiny", "small", "i", "i2", "l"], "double": ["f", "d", "d2"], "decimal": ["dc", "big"],
    "text": ["k", "s", "s2", "txt", "js", "url", "title"], "binary": ["bin"], "time": ["dt", "ts", "ts2"],
    "array": ["ints", "strs"], "map": ["m"], "struct": ["st"], "boolean": ["flag"],
}
KIND = {column: kind for kind, columns in COLUMNS.items() for column in columns}
NUMBERS = COLUMNS["whole"] + COLUMNS["double"] + COLUMNS["decimal"]
NUMBER_LITERALS = "0 1 -1 2 3 7 10 100 -3 2147483647 9223372036854775807 1.5 0.0D -2.5D 1e10 0.1 null 128Y 32767S 5L 12345.678 0.5BD 1.0F".split()
TEXT_LITERALS = ["''", "'a'", "' '", "'é'", "'日本'", "'1'", "'-0'", "'NaN'", "'abc,def'", "'%a_'", "'2020-02-30'",
                 "'2024-02-29 23:59:59.999999'", "'null'", "'{\"a\":[1,2]}'", "'x\\ty'"]
# What would take Spark's memory, and what it names differently every time.
LEFT_OUT = re.compile(r"(repeat|pad|space|sequence|format_number).*\d{6}| as \w+$|\n")
OPTIONS = "map('ignoreNullFields', 'false', 'timestampFormat', \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'\")"


class Variations:
    """Expressions made of those of the cases by putting other columns and literals in."""

    def __init__(self, cases, seed):
        self.random = random.Random(seed)
        self.cases = [case for case in cases if case["theme"] != "regex_java"]
        self.seen = {case["expr"] for case in cases}
        self.texts = {}
        for case in cases:
            for token in TOKENS.findall(case["expr"]):
                if token.startswith("'"):
                    self.texts.setdefault(self.function(case), set()).add(token)

    @staticmethod
    def function(case):
        return re.match(r"\w*", case["expr"])[0] or case["theme"]

    def token(self, case, token, before, behind):
        chance, pick = self.random.random(), self.random.choice
        if token in KIND and before != "." and behind != "(" and chance < 0.4:
            if chance > 0.35:
                return pick(NUMBER_LITERALS + TEXT_LITERALS)
            if self.random.random() < 0.6:
                return pick(COLUMNS[KIND[token]])
            return pick(NUMBERS if KIND[token] in ("whole", "double", "decimal") else list(KIND))
        if token.startswith("'") and chance < 0.35:
            return pick(sorted(self.texts[self.function(case)]) if self.random.random() < 0.8 else TEXT_LITERALS)
        if token[0].isdigit() and chance < 0.35:
            return pick(NUMBER_LITERALS)
        if token in tuple("+-*/%") and chance < 0.15:
            return pick("+-*/%")
        return token

    def next(self):
        while True:
            case = self.random.choice(self.cases)
            tokens, made, before = TOKENS.findall(case["expr"]), "", ""
            for token, behind in zip(tokens, [*tokens[1:], ""]):
                made += self.token(case, token, before, behind)
                before = token if token.strip() else before
            if made not in self.seen and not LEFT_OUT.search(made):
                self.seen.add(made)
                return {"theme": case["theme"], "expr": made}


class Spark:
    """Answers as the cases have them."""

    def __init__(self):
        from pyspark.sql import SparkSession
        settings = {"spark.ui.enabled": "false", "spark.sql.ansi.enabled": "false", "spark.sql.session.timeZone": "UTC",
                    "spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}
        builder = SparkSession.builder.master("local[1]")
        for key, value in settings.items():
            builder = builder.config(key, value)
        self.session = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("OFF")
        schema = (FOLDER / "schema.ddl").read_text(encoding="utf-8").strip()
        self.rows = self.session.read.schema(schema).json(str(FOLDER / "input.jsonl")).coalesce(1).cache()

    def answer(self, case):
        try:
            one = self.rows.selectExpr(case["expr"])
        except Exception as error:  # noqa: BLE001: whatever its class, Spark refuses
            return {**case, "error": self.class_of(error)}
        kept = {**case, "name": one.columns[0], "type": one.schema[0].dataType.simpleString()}
        try:
            texts = one.toDF("v").selectExpr(f"to_json(struct(v), {OPTIONS})").collect()
        except Exception as error:  # noqa: BLE001: whatever its class, Spark fails on the data
            return {**kept, "runtime_error": self.class_of(error)}
        return {**kept, "values": [json.loads(row[0], parse_float=Written).get("v") for row in texts]}

    @staticmethod
    def class_of(error):
        if not hasattr(error, "getCondition"):
            return str(error).split("\n", maxsplit=1)[0][:100]
        return error.getCondition() or str(error).split("\n", maxsplit=1)[0][:100]


class Written(float):
    """A number that is written as it was read."""

    def __new__(cls, text):
        number = float.__new__(cls, float(text))
        number.text = text
        return number

    def __repr__(self):
        return self.text


def dump(value):
    if isinstance(value, Written):
        return value.text
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k, ensure_ascii=False)}: {dump(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(dump, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def main(binary, seed=1, count=1000):
    cases = [dict(expressions.json_case(line)) for line in expressions.lines(FOLDER / "cases.jsonl")]
    variations, spark = Variations(cases, seed), Spark()
    lines = [dump(spark.answer(variations.next())) for _ in range(count)]
    answers = [expressions.json_case(line) for line in lines]
    ours = expressions.Answers(binary, FOLDER, [case["expr"] for case in answers])
    differing = 0
    for number, (line, case) in enumerate(zip(lines, answers)):
        if wrong := expressions.wrong_scalar(case, ours.get(number)):
            differing += 1
            print(f"{wrong}\n  {line}")
    print(f"{count} expressions, {differing} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), *map(int, sys.argv[2:])))
