#!/usr/bin/env python3
"""Asks yaml-language-server, with the project's schema, what an editor would: completions and errors.

    tests/editor/run.py SERVER SCHEMA       SERVER: the path of bin/yaml-language-server
"""
import json
import pathlib
import subprocess
import sys
import unittest

SERVER = None
SCHEMA = None
PIPELINES = pathlib.Path(__file__).resolve().parents[2] / "pipelines"


class Server:
    """The language server, spoken to over its standard streams."""

    def __init__(self):
        self.process = subprocess.Popen(["node", SERVER, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.number = 0
        self.diagnostics = {}
        self.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {
            "textDocument": {"completion": {"completionItem": {"snippetSupport": False}}}, "workspace": {"configuration": True}}})
        self.tell("initialized", {})

    def settings(self):
        return {"schemas": {SCHEMA.as_uri(): "*.yaml"}, "completion": True, "validate": True, "schemaStore": {"enable": False}}

    def send(self, message):
        text = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(text) + text)
        self.process.stdin.flush()

    def receive(self):
        length = 0
        while (line := self.process.stdout.readline().strip()):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        message = json.loads(self.process.stdout.read(length))
        if message.get("method") == "workspace/configuration":
            sections = {"yaml": self.settings(), "[yaml]": {}, "editor": {}, "files": {}, "http": {}}
            self.send({"id": message["id"], "result": [sections.get(item.get("section")) for item in message["params"]["items"]]})
        elif message.get("method") == "textDocument/publishDiagnostics":
            self.diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "id" in message and "method" in message:
            self.send({"id": message["id"], "result": None})
        return message

    def tell(self, method, params):
        self.send({"method": method, "params": params})

    def ask(self, method, params):
        self.number += 1
        self.send({"id": self.number, "method": method, "params": params})
        while (message := self.receive()).get("id") != self.number or "method" in message:
            pass
        return message.get("result")

    def open(self, text):
        self.number += 1
        uri = (PIPELINES / f"unsaved-{self.number}.yaml").as_uri()
        self.tell("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "yaml", "version": 1, "text": text}})
        return uri

    def errors(self, text):
        uri = self.open(text)
        while uri not in self.diagnostics:
            self.receive()
        return [(item["range"]["start"]["line"] + 1, item["message"]) for item in self.diagnostics[uri]]

    def completions(self, text):
        """At the | in the text."""
        before = text[:text.index("|")]
        uri = self.open(text.replace("|", "", 1))
        position = {"line": before.count("\n"), "character": len(before) - (before.rfind("\n") + 1)}
        result = self.ask("textDocument/completion", {"textDocument": {"uri": uri}, "position": position})
        items = result["items"] if isinstance(result, dict) else result or []
        return {item["label"] for item in items}


class Editor(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.process.kill()
        cls.server.process.wait()
        cls.server.process.stdin.close()
        cls.server.process.stdout.close()

    def test_top_level_keys_are_completed(self):
        self.assertLessEqual({"nodes", "tables", "trigger", "include", "timezone"}, self.server.completions("|\n"))

    def test_operators_are_completed_in_a_node(self):
        self.assertLessEqual({"filter", "parse", "group_by", "window", "sink", "static_join"},
                             self.server.completions("nodes:\n  a:\n    from: b\n    |\n"))
        self.assertIn("source", self.server.completions("nodes:\n  a:\n    |\n"))

    def test_options_of_the_operator_are_completed(self):
        self.assertLessEqual({"host", "port", "listen", "max_record"}, self.server.completions("nodes:\n  a:\n    source: socket\n    |\n"))
        self.assertLessEqual({"slide", "on", "agg", "group_by"}, self.server.completions("nodes:\n  a:\n    from: b\n    window: 10 seconds\n    |\n"))

    def test_words_are_completed(self):
        self.assertLessEqual({"append", "update", "complete"}, self.server.completions("nodes:\n  a:\n    from: b\n    sink: console\n    mode: |\n"))

    def test_every_pipeline_is_without_errors(self):
        for path in sorted(PIPELINES.glob("*.yaml")):
            text = path.read_text(encoding="utf-8")
            # The schema of a plugin's operators is made with `flowrun schema --plugin`.
            if not path.name.endswith(".test.yaml") and "\nplugins:" not in text:
                self.assertEqual(self.server.errors(text), [], path.name)

    def test_errors_stand_where_check_has_them(self):
        head = "nodes:\n  a: { source: socket, port: 9999 }\n"
        for text, line in (("trigger: 1 second\nnodez: {}\n", 2),
                           (head + "  b: { from: a, filter: x > 1, sinkk: console }\n", 3),
                           (head + "  b: { from: a, sink: console, mode: complet }\n", 3),
                           ("nodes:\n  a: { source: socket, port: 99999 }\n", 2),
                           ("nodes:\n  a: { source: socket, prot: 9999 }\n", 2),
                           (head + "  b: { from: a, parse: json, schema: { x: int }, on_error: explode }\n", 3),
                           (head + "  b: { from: a, sink: file, path: out, roll: { evry: 1 minute } }\n", 3),
                           ("serve: { tls: { certificate: a.pem, kye: a.key } }\n" + head, 1)):
            self.assertIn(line, [error[0] for error in self.server.errors(text)], text)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    SERVER, SCHEMA = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
