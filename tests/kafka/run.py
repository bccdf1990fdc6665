#!/usr/bin/env python3
"""Tests the Kafka connector against a real broker, killed and started again where that matters.

    tests/kafka/run.py build/debug/flowrun [TEST...]

Needs the target connectors beside the binary, Java and Maven; says in one line why it was skipped. Where CI is set
that is a failure.
"""
import itertools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from broker import PASSWORD, USER, Broker, absent

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLOWRUN = None
CLIENT = None
STEPS = None
PLUGIN = None
BROKER = None
DEADLINE = 600
TOPICS = (f"topic{number}" for number in itertools.count())


def run(*arguments, **options):
    return subprocess.run([FLOWRUN, *map(str, arguments)], capture_output=True, text=True, timeout=DEADLINE,
                          check=False, **options)


def client(*arguments, text=""):
    done = subprocess.run([CLIENT, BROKER.address, *map(str, arguments)], input=text, capture_output=True, text=True,
                          timeout=DEADLINE, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return [line.split("\t") for line in done.stdout.splitlines()]


def make_topic(partitions=1):
    name = next(TOPICS)
    client("create", name, partitions)
    return name


def produce(topic, *rows):
    """Rows: (partition, key, value, headers)."""
    text = "".join("\t".join(str(field) for field in row) + "\n" for row in rows)
    client("produce", topic, text=text)


def numbers(topic, values, partitions=1):
    produce(topic, *((value % partitions, "\\N", json.dumps({"n": value})) for value in values))


def numbers_in(topic):
    return sorted(json.loads(row[3])["n"] for row in client("consume", topic))


def wait_for(condition, what):
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(f"waited in vain for {what}")


class Pipeline:
    """A flowrun that runs beside the test."""

    def __init__(self, file):
        self.errors = file.with_suffix(".log")
        self.output = file.with_suffix(".out")
        with self.errors.open("wb") as errors, self.output.open("wb") as output:
            self.process = subprocess.Popen([FLOWRUN, "run", "--plugin", PLUGIN, file], stdout=output, stderr=errors)

    def rows(self):
        lines = self.output.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def said(self):
        return self.errors.read_text()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self):
        return self.process.wait(DEADLINE)


class Kafka(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="flowrun-kafka-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        if BROKER.process.poll() is not None:
            BROKER.start()

    def pipeline(self, nodes, trigger="available_now"):
        file = self.path / "pipeline.yaml"
        lines = "".join(f"  {name}: {json.dumps(options)}\n" for name, options in nodes.items())
        file.write_text(f"trigger: {trigger}\nnodes:\n{lines}")
        return file

    def start(self, nodes):
        pipeline = Pipeline(self.pipeline(nodes, "asap"))
        self.addCleanup(lambda: pipeline.process.poll() is None and (pipeline.process.kill(), pipeline.wait()))
        return pipeline

    def check(self, nodes):
        return run("check", "--plugin", PLUGIN, self.pipeline(nodes))

    def rows_of(self, **options):
        """What the source gives of what is there."""
        done = run("run", "--quiet", "--plugin", PLUGIN, self.pipeline(
            {"rows": source(**options), "screen": {"from": "rows", "sink": "console", "format": "json"}}))
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]


def source(**options):
    return {"source": "kafka", "brokers": BROKER.address, "starting_offsets": "earliest", **options}


def sink(topic, **options):
    return {"from": "rows", "sink": "kafka", "brokers": BROKER.address, "topic": topic, **options}


def transactional(topic, name, folder):
    return sink(topic, delivery="transactional", transactional_id=name, spool=str(folder))


class Source(Kafka):
    def test_gives_the_columns_of_spark(self):
        topic = make_topic(2)
        produce(topic, (0, "k", "v", "a=1,b=2"), (1, "\\N", "\\N"))
        rows = sorted(self.rows_of(topics=topic, include_headers=True), key=lambda row: row["partition"])
        first, second = rows
        self.assertEqual([first[name] for name in ("key", "value", "topic", "partition", "offset", "timestampType")],
                         ["k", "v", topic, 0, 0, 0])
        self.assertEqual([header["key"] for header in first["headers"]], ["a", "b"])
        self.assertGreater(first["timestamp"], "2020")
        self.assertEqual([second.get(name) for name in ("key", "value", "headers", "partition")],
                         [None, None, None, 1])

    def test_begins_where_it_is_told(self):
        topic = make_topic(2)
        numbers(topic, range(10), 2)
        offsets = {topic: {"0": 3, "1": -1}}
        self.assertEqual([json.loads(row["value"])["n"] for row in self.rows_of(topics=topic, starting_offsets=offsets)],
                         [6, 8])
        self.assertEqual(self.rows_of(topics=topic, starting_offsets="latest"), [])
        self.assertEqual(len(self.rows_of(topics=topic)), 10)

    def test_a_pattern_chooses_topics(self):
        first, second = make_topic(), make_topic()
        numbers(first, [1])
        numbers(second, [2])
        rows = self.rows_of(pattern=f"({first}|{second})")
        self.assertEqual(sorted(row["topic"] for row in rows), sorted([first, second]))

    def test_partitions_added_while_it_runs_are_read_from_their_start(self):
        topic = make_topic(1)
        pipeline = self.start({"rows": source(topics=topic, partitions_every="200 milliseconds"),
                               "screen": {"from": "rows", "sink": "console", "format": "json"}})
        numbers(topic, [1])
        wait_for(lambda: len(pipeline.rows()) == 1, "the first row")
        client("extend", topic, 2)
        produce(topic, (1, "\\N", "late"))
        wait_for(lambda: any(row["partition"] == 1 for row in pipeline.rows()), "the row of the new partition")
        self.assertEqual(pipeline.stop(), 0)

    def test_a_partition_without_rows_does_not_hold_the_watermark(self):
        topic = make_topic(2)
        pipeline = self.start({
            "rows": source(topics=topic),
            "times": {"from": "rows", "chain": [{"with_columns": {"t": "cast(value as timestamp)"}},
                                                {"watermark": "t", "delay": "1 second"}]},
            "counts": {"from": "times", "window": "10 seconds", "on": "t", "agg": "count"},
            "screen": {"from": "counts", "sink": "console", "format": "json", "every": "100 milliseconds"}})
        produce(topic, (0, "\\N", "2024-01-01T00:00:01Z"))
        produce(topic, (0, "\\N", "2024-01-01T00:00:30Z"))
        wait_for(lambda: [row["count"] for row in pipeline.rows()] == [1], "the first window")
        self.assertEqual(pipeline.stop(), 0)

    def test_waits_for_brokers_that_do_not_answer(self):
        pipeline = self.start({"rows": source(topics="any", brokers="127.0.0.1:1", timeout="1 second"),
                               "screen": {"from": "rows", "sink": "console"}})
        wait_for(lambda: "no broker answers at 127.0.0.1:1" in pipeline.said(), "the complaint")
        self.assertIn("Connection refused", pipeline.said())
        self.assertIn("next try in", pipeline.said())
        began = time.monotonic()
        self.assertEqual(pipeline.stop(), 0)
        self.assertLess(time.monotonic() - began, 20)

    def test_a_topic_that_is_not_there_is_named(self):
        done = run("run", "--plugin", PLUGIN, self.pipeline(
            {"rows": source(topics="nowhere"), "screen": {"from": "rows", "sink": "console"}}))
        self.assertEqual(done.returncode, 1)
        self.assertIn("topic `nowhere`: Broker: Unknown topic or partition", done.stderr)

    def test_what_is_gone_is_said_or_passed_over(self):
        topic = make_topic()
        numbers(topic, [1, 2])
        nodes = {"rows": source(topics=topic, starting_offsets={topic: {"0": 7}}),
                 "screen": {"from": "rows", "sink": "console", "format": "json"}}
        pipeline = self.start(nodes)
        wait_for(lambda: pipeline.process.poll() is not None, "the end")
        self.assertEqual(pipeline.wait(), 1)
        self.assertIn("fail_on_data_loss: false", pipeline.said())
        nodes["rows"]["fail_on_data_loss"] = False
        pipeline = self.start(nodes)
        wait_for(lambda: len(pipeline.rows()) == 2, "the rows that are there")
        self.assertEqual(pipeline.stop(), 0)


class Sink(Kafka):
    def round_trip(self, topic, sink_options):
        (self.path / "rows.jsonl").write_text('{"key": "a", "value": "1"}\n{"value": "2"}\n{"key": "b"}\n')
        done = run("run", "--quiet", "--plugin", PLUGIN, self.pipeline({
            "rows": {"source": "file", "path": "rows.jsonl", "format": "json", "schema": "key string, value string"},
            "out": sink(topic, **sink_options)}))
        self.assertEqual(done.returncode, 0, done.stderr)
        return sorted(row[2:4] for row in client("consume", topic))

    def test_sends_keys_values_and_nulls(self):
        for delivery in ({}, {"delivery": "transactional", "transactional_id": "round-trip"}):
            with self.subTest(delivery):
                self.assertEqual(self.round_trip(make_topic(), delivery), [["\\N", "2"], ["a", "1"], ["b", "\\N"]])

    def test_headers_topics_and_partitions_go_through(self):
        first, second = make_topic(3), make_topic(3)
        produce(first, (0, "k", "v", "a=1,b="), (2, "k", "w"))
        for delivery in ({}, {"delivery": "transactional", "transactional_id": "headers"}):
            with self.subTest(delivery):
                target = make_topic(3)
                done = run("run", "--quiet", "--plugin", PLUGIN, self.pipeline({
                    "source": source(topics=first, include_headers=True, value_type="binary"),
                    "rows": {"from": "source", "with_columns": {"topic": f"if(partition = 2, '{second}', null)"}},
                    "out": sink(target, topic_column="topic", **delivery)}))
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual([row[2:] for row in client("consume", target)], [["k", "v", "a=1,b="]])
                self.assertEqual(client("consume", second)[-1][2:], ["k", "w", ""])
                self.assertEqual(client("consume", second)[-1][0], "2")

    def test_keys_land_where_those_of_java_do(self):
        topic = make_topic(10)
        (self.path / "rows.jsonl").write_text("".join(f'{{"key": "{key}", "value": ""}}\n' for key in ("kafka", "a")))
        done = run("run", "--quiet", "--plugin", PLUGIN, self.pipeline({
            "rows": {"source": "file", "path": "rows.jsonl", "format": "json", "schema": "key string, value string"},
            "out": sink(topic)}))
        self.assertEqual(done.returncode, 0, done.stderr)
        # (murmur2("kafka") & 0x7fffffff) % 10 and the same of "a", by Java's own function.
        self.assertEqual({row[2]: row[0] for row in client("consume", topic)}, murmur2_partitions(("kafka", "a"), 10))

    def test_an_absent_broker_is_waited_for(self):
        topic = make_topic()
        BROKER.kill()
        pipeline = self.start({"rows": {"source": "generate", "count": 2, "columns": {"value": "'x'"}},
                               "out": sink(topic, timeout="1 second")})
        wait_for(lambda: f"out: plugin `kafka`: no broker answers at {BROKER.address}" in pipeline.said(), "the complaint")
        self.assertIn("next try in", pipeline.said())
        BROKER.start()
        self.assertEqual(pipeline.wait(), 0, pipeline.said())
        self.assertEqual([row[3] for row in client("consume", topic)], ["x", "x"])

    def test_a_stop_does_not_wait_for_an_absent_broker(self):
        pipeline = self.start({"rows": {"source": "generate", "count": 1, "columns": {"value": "'x'"}},
                               "out": sink("any", brokers="127.0.0.1:1", timeout="100 seconds")})
        wait_for(lambda: "Ctrl-C" in pipeline.said(), "the run")
        began = time.monotonic()
        self.assertEqual(pipeline.stop(), 0, pipeline.said())
        self.assertLess(time.monotonic() - began, 50)


def murmur2(data):
    """As org.apache.kafka.common.utils.Utils.murmur2."""
    mask, multiplier = 0xFFFFFFFF, 0x5BD1E995
    hashed = (0x9747B28C ^ len(data)) & mask
    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at:at + 4], "little") * multiplier & mask
        word = (word ^ word >> 24) * multiplier & mask
        hashed = hashed * multiplier & mask ^ word
    if len(data) > whole:
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * multiplier & mask
    hashed = (hashed ^ hashed >> 13) * multiplier & mask
    return hashed ^ hashed >> 15


def murmur2_partitions(keys, count):
    return {key: str((murmur2(key.encode()) & 0x7FFFFFFF) % count) for key in keys}


class Feeder(threading.Thread):
    """Sends numbers in order: half of them at once, the others when it may go on."""

    def __init__(self, topic, count):
        super().__init__()
        self.count = count
        self.may_go_on = threading.Event()
        self.process = subprocess.Popen([CLIENT, BROKER.address, "produce", topic], stdin=subprocess.PIPE, text=True)
        self.start()

    def run(self):
        for value in range(self.count):
            self.process.stdin.write(f"{value % 2}\t\\N\t{json.dumps({'n': value})}\n")
            if value == self.count // 2:
                self.process.stdin.flush()
                self.may_go_on.wait(DEADLINE)
        self.process.stdin.close()


class BrokerKilled(Kafka):
    """A pipeline from topic to topic; the broker dies by -9 in its midst, is sent more, and comes back."""

    COUNT = 40000

    def through(self, target, make_sink):
        topic = make_topic(2)
        pipeline = self.start({"rows": source(topics=topic), "out": make_sink(target)})
        feeder = Feeder(topic, self.COUNT)
        wait_for(lambda: client("consume", target), "the first rows")
        BROKER.kill()
        feeder.may_go_on.set()
        wait_for(lambda: "no broker answers" in pipeline.said(), "the source to find out")
        BROKER.start()
        feeder.join()
        self.assertEqual(feeder.process.wait(DEADLINE), 0)
        wait_for(lambda: set(numbers_in(target)) >= set(range(self.COUNT)), "all rows")
        self.assertEqual(pipeline.stop(), 0, pipeline.said())
        return numbers_in(target)

    def test_nothing_is_lost(self):
        self.through(make_topic(2), sink)

    def test_with_transactions_nothing_is_there_twice(self):
        rows = self.through(make_topic(2), lambda target: transactional(target, "killed", self.path / "spool"))
        self.assertEqual(rows, list(range(self.COUNT)))


class Restarted(Kafka):
    """The sink of a process that died between prepare and commit, or behind commit; see sink_steps.cpp."""

    def try_steps(self, topic, *steps):
        return subprocess.run([STEPS, PLUGIN, BROKER.address, topic, self.path / "spool", *steps], capture_output=True,
                              text=True, timeout=DEADLINE, check=False)

    def steps(self, topic, *steps):
        done = self.try_steps(topic, *steps)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split()

    def values(self, topic):
        return sorted(row[3] for row in client("consume", topic))

    def test_what_was_prepared_is_sent_once(self):
        topic = make_topic()
        token, = self.steps(topic, "open:", "write:a", "prepare")
        self.assertEqual(self.values(topic), [])
        self.steps(topic, f"open:{token}", f"commit:{token}", f"commit:{token}")
        self.steps(topic, f"open:{token}", f"commit:{token}")
        self.assertEqual(self.values(topic), ["a"])
        self.assertEqual(client("mark", f"{topic}-marks", topic), [[token]])

    def test_what_was_prepared_behind_the_last_checkpoint_is_dropped(self):
        topic = make_topic()
        first, = self.steps(topic, "open:", "write:a", "prepare")
        self.steps(topic, f"open:{first}", f"commit:{first}", "write:b", "prepare")
        third, = self.steps(topic, f"open:{first}", f"commit:{first}", "write:c", "prepare")
        self.steps(topic, f"open:{third}", f"commit:{third}")
        self.assertEqual(self.values(topic), ["a", "c"])
        self.assertEqual([file.name for file in (self.path / "spool").iterdir()], [])

    def test_a_spool_that_is_not_whole_is_refused(self):
        topic = make_topic()
        token, = self.steps(topic, "open:", "write:a", "write:b", "prepare")
        file, = (self.path / "spool").iterdir()
        file.write_bytes(file.read_bytes()[:-20])
        done = self.try_steps(topic, f"open:{token}", f"commit:{token}")
        self.assertIn("is not whole", done.stderr)
        self.assertEqual(self.values(topic), [])

    def test_a_run_that_begins_anew_sends_its_rows(self):
        topic = make_topic()
        for value in ("a", "b"):
            token, = self.steps(topic, "open:", f"write:{value}", "prepare")
            self.steps(topic, f"open:{token}", f"commit:{token}")
        self.assertEqual(self.values(topic), ["a", "b"])


class Check(Kafka):
    def refusal(self, node, **options):
        nodes = {"rows": source(topics="t"), "screen": {"from": "rows", "sink": "console"}, "out": sink("t")}
        nodes[node] = {**nodes[node], **options}
        done = self.check({name: {k: v for k, v in node.items() if v is not None} for name, node in nodes.items()})
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        return done.stderr

    def test_options_of_a_wrong_kind_are_refused(self):
        self.assertIn("starting_offsets", self.refusal("rows", starting_offsets="sometimes"))
        self.assertIn("partitions_every", self.refusal("rows", partitions_every="often"))
        self.assertIn("value_type", self.refusal("rows", value_type="json"))
        self.assertIn("did you mean `brokers`", self.refusal("rows", broker="x"))
        self.assertIn("delivery", self.refusal("out", delivery="exactly_once"))

    def test_what_cannot_be_is_refused(self):
        self.assertIn("`topics:` or `pattern:`", self.refusal("rows", topics=None))
        self.assertIn("no regular expression", self.refusal("rows", topics=None, pattern="("))
        self.assertIn("`x` is no partition", self.refusal("rows", starting_offsets={"t": {"x": 1}}))
        self.assertIn("no such configuration", self.refusal("rows", properties={"sasl.pasword": "x"}).lower())
        self.assertIn("is flowrun's to set", self.refusal("rows", properties={"group.id": "x"}))
        self.assertIn("needs a `transactional_id:`", self.refusal("out", delivery="transactional"))
        self.assertIn("no column `id`", self.refusal("out", key_column="id"))

    def test_the_plugin_keeps_the_contract_of_operators(self):
        for topic in ("orders", "alerts"):
            try:
                client("create", topic, 1)
            except AssertionError:  # another test was first
                pass
        numbers("orders", range(100))
        done = run("plugin", "check", PLUGIN, cwd=self.path, env={**os.environ, "KAFKA": BROKER.address})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_secrets_are_not_shown(self):
        said = self.refusal("rows", properties={"security.protocol": "hush-hush"})
        self.assertNotIn("hush-hush", said)


class Connect(Kafka):
    """`flowrun check --connect`: what the brokers say, and that nothing is changed there."""

    def answers(self, topic, **options):
        nodes = {"in": source(topics=topic, **options), "in_out": {"from": "in", "sink": "discard"},
                 "rows": {"source": "generate", "rows_per_second": 1}, "texts": {"from": "rows", "select": ["'x' as value"]},
                 "out": {**sink(topic, **options), "from": "texts"},
                 "sure": {**transactional(topic, f"{topic}-sure", self.path / "spool"), **options, "from": "texts"}}
        done = run("check", "--connect", "--plugin", PLUGIN, self.pipeline(nodes))
        self.assertFalse((self.path / "spool").exists())
        return done

    def expect(self, done, pattern, code):
        for node in ("in", "out", "sure"):
            self.assertRegex(done.stdout, rf"(?m)^  {node}: .*{pattern}", done.stdout + done.stderr)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)

    def test_a_topic_that_is_there_is_well_and_stays_as_it_is(self):
        topic = make_topic()
        numbers(topic, [1])
        self.expect(self.answers(topic), ": ok$", 0)
        self.assertEqual(numbers_in(topic), [1])

    def test_a_topic_that_is_not_there_is_named_and_not_made(self):
        topic = next(TOPICS)
        for _ in range(2):
            self.expect(self.answers(topic), f"topic `{topic}`: Broker: Unknown topic or partition", 2)

    def test_brokers_that_do_not_answer_are_named(self):
        self.expect(self.answers("any", brokers="127.0.0.1:1", timeout="1 second"), r"no broker answers at 127\.0\.0\.1:1", 2)

    def test_a_wrong_password_is_said(self):
        properties = {"security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN", "sasl.username": USER, "sasl.password": "wrong"}
        self.expect(self.answers("any", brokers=BROKER.sasl, properties=properties), "uthentication failed.*`sasl.password`", 2)


class Security(Kafka):
    """The brokers' listeners with passwords and certificates."""

    def properties(self, protocol, password=PASSWORD, mechanism="PLAIN"):
        settings = {"security.protocol": protocol}
        if protocol != "ssl":
            settings.update({"sasl.mechanism": mechanism, "sasl.username": USER, "sasl.password": password})
        if protocol != "sasl_plaintext":
            settings["ssl.ca.location"] = str(BROKER.authority)
        return settings

    def through(self, brokers, properties):
        """A row out and in again."""
        topic = make_topic()
        done = run("run", "--quiet", "--plugin", PLUGIN, self.pipeline(
            {"rows": {"source": "generate", "count": 1, "columns": {"value": "'x'"}},
             "out": sink(topic, brokers=brokers, properties=properties)}))
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = self.rows_of(topics=topic, brokers=brokers, properties=properties)
        self.assertEqual([row["value"] for row in rows], ["x"])

    def refused(self, nodes):
        done = run("run", "--quiet", "--plugin", PLUGIN, self.pipeline(nodes))
        self.assertEqual(done.returncode, 1, done.stderr)
        return done.stderr.strip()

    def test_passwords(self):
        self.through(BROKER.sasl, self.properties("sasl_plaintext"))

    def test_scram(self):
        """The broker takes SCRAM of a librdkafka that is new enough; of an older one flowrun says so."""
        nodes = {"rows": source(topics="any", brokers=BROKER.sasl, properties=self.properties("sasl_plaintext", mechanism="SCRAM-SHA-512")),
                 "screen": {"from": "rows", "sink": "console"}}
        said = self.refused(nodes)
        if "topic `any`: Broker: Unknown topic" not in said:
            self.assertRegex(said, r"^[^\n]*rows: .*from librdkafka 2\.6\.1 and newer only, this is [\d.]+[^\n]*$")

    def test_certificates(self):
        self.through(BROKER.ssl, self.properties("ssl"))

    def test_both(self):
        self.through(BROKER.sasl_ssl, self.properties("sasl_ssl"))

    def test_a_wrong_password_is_one_line_that_names_the_node(self):
        for mechanism in ("PLAIN", "SCRAM-SHA-512"):
            wrong = {"brokers": BROKER.sasl, "properties": self.properties("sasl_plaintext", "wrong", mechanism)}
            for node, nodes in (
                    ("rows", {"rows": source(topics="any", **wrong), "screen": {"from": "rows", "sink": "console"}}),
                    ("out", {"rows": {"source": "generate", "count": 1, "columns": {"value": "'x'"}}, "out": sink("any", **wrong)})):
                said = self.refused(nodes)
                self.assertRegex(said, rf"^[^\n]*{node}: plugin `kafka`: .*uthentication failed[^\n]*`sasl.password`[^\n]*$")
                self.assertNotIn("wrong", said)

    def test_a_certificate_that_nobody_known_has_signed_is_waited_for_and_said(self):
        pipeline = self.start({"rows": source(topics="any", brokers=BROKER.ssl, properties={"security.protocol": "ssl"}),
                               "screen": {"from": "rows", "sink": "console"}})
        wait_for(lambda: "certificate verify failed" in pipeline.said(), "the complaint")
        self.assertIn("rows: ", pipeline.said())
        self.assertEqual(pipeline.stop(), 0)


class Example(Kafka):
    def test_the_pipeline_of_the_documentation_runs(self):
        client("create", "shop-orders", 2)
        client("create", "large-orders", 1)
        produce("shop-orders", (0, "1", '{"id": 1, "price": 5.5}'), (1, "2", '{"id": 2, "price": 250.0}'))
        shutil.copy(ROOT / "examples/kafka/large_orders.yaml", self.path)
        done = run("run", "--quiet", "--plugin", PLUGIN, self.path / "large_orders.yaml",
                   env={**os.environ, "KAFKA": BROKER.address})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([row[2:4] for row in client("consume", "large-orders")],
                         [["2", '{"id":2,"price":250.0}']])


def main():
    global FLOWRUN, CLIENT, STEPS, PLUGIN, BROKER
    FLOWRUN = pathlib.Path(sys.argv.pop(1)).resolve()
    CLIENT = FLOWRUN.parent / "tests/kafka/kafka_client"
    STEPS = CLIENT.with_name("sink_steps")
    reason = absent() if CLIENT.exists() else "the connector was not built (Debian: librdkafka-dev)"
    if reason:
        print(f"Kafka: skipped: {reason}")
        sys.exit(1 if os.environ.get("CI") == "true" else 0)
    os.umask(0o022)
    with tempfile.TemporaryDirectory(prefix="flowrun-kafka-") as folder:
        PLUGIN = pathlib.Path(folder) / "kafka.so"  # where the build stands, others may be able to write
        shutil.copy(FLOWRUN.parent / "plugins/kafka.so", PLUGIN)
        os.chmod(PLUGIN, 0o755)
        with Broker(folder) as BROKER:
            unittest.main()


if __name__ == "__main__":
    main()
