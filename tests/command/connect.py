#!/usr/bin/env python3
"""What `flowrun check --connect` says of each kind of source and sink, and that it changes nothing.

    tests/command/connect.py build/release/flowrun [TEST...]
"""
import http.server
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading

import driver
from driver import Started, run

NOBODY = 65534


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers /CODE with that code and without a body; notes what it was asked."""

    def answer(self):
        self.server.asked.append(f"{self.command} {self.path}")
        words = self.path.strip("/").split("/")
        self.send_response(int(words[0]))
        self.send_header("Content-Type", "text/event-stream" if "events" in words else "text/plain")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_OPTIONS = do_POST = answer

    def do_HEAD(self):
        if "headless" in self.path:
            return self.send_error(501)
        return self.answer()

    def log_message(self, *_):
        pass


class Connect(Started):
    def http_server(self, context=None):
        """Gives its URL without a path, and what it will have been asked."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        server.asked = []
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}", server.asked

    def taken_port(self):
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        return server.getsockname()[1]

    @staticmethod
    def free_port():
        with socket.create_server(("127.0.0.1", 0)) as server:
            return server.getsockname()[1]

    def answers(self, sources=(), sinks=(), plugins=None, **options):
        """name -> what is said of it; for sources without a sink and sinks without a source there is one."""
        nodes = [f"  {name}: {{ {node} }}\n  {name}_out: {{ from: {name}, sink: discard }}" for name, node in dict(sources).items()]
        nodes += [f"  {name}: {{ from: rows, {node} }}" for name, node in dict(sinks).items()]
        if sinks:
            nodes.append("  rows: { source: generate, rows_per_second: 1 }")
        path = self.pipeline("nodes:\n" + "\n".join(nodes) + "\n")
        before = sorted(os.listdir(self.path))
        done = run("check", "--connect", *(("--plugin", plugins) if plugins else ()), path, **options)
        self.assertEqual(sorted(os.listdir(self.path)), before, "something was made")
        self.said = done.stdout + done.stderr
        self.assertIn(done.returncode, (0, 2), self.said)
        return done

    def expect(self, done, **patterns):
        for name, pattern in patterns.items():
            self.assertRegex(done.stdout, rf"(?m)^  {name}: .*{pattern}", self.said)
        wrong = any(pattern != ": ok$" and "not tried" not in pattern for pattern in patterns.values())
        self.assertEqual(done.returncode, 2 if wrong else 0, self.said)

    def test_files_and_folders(self):
        (self.path / "a.txt").write_text("x\n")
        done = self.answers({"one": "source: file, path: a.txt", "folder": "source: file, path: .", "gone": "source: file, path: b.txt"},
                            {"new": "sink: file, path: made/out", "file": "sink: file, path: a.txt", "below": "sink: file, path: a.txt/out"})
        self.expect(done, one=": ok$", folder=": ok$", gone=r"cannot read .*b\.txt: No such file", new=": ok$", file="is no folder", below="is no folder")

    def test_rights(self):
        (self.path / "a.txt").write_text("x\n")
        (self.path / "a.txt").chmod(0o600)
        (self.path / "mine").mkdir(mode=0o755)
        options = {"user": NOBODY} if os.geteuid() == 0 else {}
        if not options:
            (self.path / "a.txt").chmod(0o000)
            (self.path / "mine").chmod(0o555)
        self.path.chmod(0o755)
        try:
            run("--version", **options)
        except PermissionError:
            self.skipTest("the program cannot be started by somebody else")
        (self.path / "tool").write_text("#!/bin/sh\n")
        (self.path / "tool").chmod(0o644)
        done = self.answers({"one": "source: file, path: a.txt", "low": "source: socket, listen: '127.0.0.1:1'"},
                            {"out": "sink: file, path: mine/out", "tell": f"sink: exec, command: ['{self.path}/tool']"}, **options)
        self.expect(done, one=r"cannot read .*a\.txt: Permission denied", out=r"cannot write to the folder .*mine: Permission denied",
                    tell=r"cannot start .*/tool: Permission denied")
        if int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) > 1:
            self.expect(done, low=r"cannot listen on 127\.0\.0\.1:1: Permission denied")

    def test_sockets(self):
        taken, free = self.taken_port(), self.free_port()
        places = {"here": f"port: {taken}", "refuses": f"port: {free}", "nobody": "host: nowhere.invalid, port: 1",
                  "ours": f"listen: '127.0.0.1:{free}'", "taken": f"listen: '127.0.0.1:{taken}'", "foreign": "listen: '203.0.113.7:9'"}
        said = {"here": ": ok$", "refuses": "refuses the connection", "nobody": r"nowhere\.invalid", "ours": ": ok$",
                "taken": "cannot listen on .*in use", "foreign": "cannot listen on .*annot assign"}
        self.expect(self.answers({name: f"source: socket, {place}" for name, place in places.items()}), **said)
        self.expect(self.answers(sinks={name: f"sink: socket, {place}" for name, place in places.items()}), **said)

    def test_what_would_be_posted_here_is_not_taken(self):
        taken, free = self.taken_port(), self.free_port()
        self.expect(self.answers({"ours": f"source: http, listen: '127.0.0.1:{free}'", "taken": f"source: http, listen: '127.0.0.1:{taken}'"}),
                    ours=": ok$", taken="cannot listen on .*in use")

    def test_urls_are_asked_for_their_heads(self):
        url, asked = self.http_server()
        codes = {"there": 200, "secret": 401, "forbidden": 403, "gone": 404, "busy": 503}
        done = self.answers({**{name: f"source: http, url: '{url}/{code}', poll: 1 minute" for name, code in codes.items()},
                             "headless": f"source: http, url: '{url}/200/headless', poll: 1 minute",
                             "refused": f"source: http, url: 'http://127.0.0.1:{self.free_port()}/', poll: 1 minute"})
        self.expect(done, there=": ok$", secret="401", forbidden="403", gone="404", busy="503", headless=": ok$", refused="refuses the connection")
        self.assertIn("HEAD /200", asked)
        self.assertNotIn("GET /200", asked)

    def test_streams_of_events(self):
        url, _ = self.http_server()
        done = self.answers({"there": f"source: sse, url: '{url}/200/events'", "none": f"source: sse, url: '{url}/200'", "gone": f"source: sse, url: '{url}/404'"})
        self.expect(done, there=": ok$", none="not text/event-stream", gone="404")

    def test_nothing_is_posted_to_a_webhook(self):
        url, asked = self.http_server()
        codes = {"there": 200, "secret": 401, "forbidden": 403, "gone": 404, "away": 503, "other": 405}
        done = self.answers(sinks={name: f"sink: http, url: '{url}/{code}'" for name, code in codes.items()})
        self.expect(done, there=": ok$", secret="401", forbidden="403", gone="404", away="503", other=": ok$")
        self.assertEqual({line.split()[0] for line in asked}, {"OPTIONS"})

    def test_tls(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=flowrun test",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.path / "a.key", "-out", self.path / "a.pem"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path / "a.pem", self.path / "a.key")
        secure, plain = self.http_server(context)[0], self.http_server()[0]
        places = {"trusted": f"url: '{secure}/200', ca: a.pem", "unknown": f"url: '{secure}/200'", "plain": f"url: '{plain.replace('http', 'https')}/200'",
                  "open": f"url: '{secure.replace('https', 'http')}/200'"}
        said = {"trusted": ": ok$", "unknown": r"the certificate of 127\.0\.0\.1 is not trusted", "plain": "TLS", "open": "127.0.0.1"}
        self.expect(self.answers({name: f"source: http, poll: 1 minute, {place}" for name, place in places.items()}), **said)
        self.expect(self.answers(sinks={name: f"sink: http, {place}" for name, place in places.items()}), **said)

    def test_programs_are_looked_up_and_not_started(self):
        (self.path / "tool").write_text(f"#!/bin/sh\ntouch {self.path}/started\n")
        (self.path / "tool").chmod(0o755)
        done = self.answers(sinks={"path": "sink: exec, command: [cat]", "file": f"sink: exec, command: ['{self.path}/tool']", "none": "sink: exec, command: [no-such-tool]",
                                   "folder": f"sink: exec, command: ['{self.path}']"})
        self.expect(done, path=": ok$", file=": ok$", none="cannot start no-such-tool: No such file", folder="cannot start .*: Is a directory")

    def test_what_has_nothing_outside_is_well(self):
        self.expect(self.answers(sinks={"screen": "sink: console", "table": "sink: memory, table: t", "none": "sink: discard"}), rows=": ok$", screen=": ok$", table=": ok$", none=": ok$")

    def test_plugins_are_asked_by_their_probes(self):
        built = driver.FLOWRUN.parent / "test_plugins/able.so"
        if not built.exists():
            self.skipTest("the target test_plugins is not built")
        library = self.path / "able.so"  # where it was built others may be able to write
        shutil.copy(built, library)
        library.chmod(0o755)
        hows = ("well", "absent", "throws", "unsure")
        said = {"well": ": ok$", "absent": "plugin `able`: nobody is there", "throws": "plugin `able`: probe went wrong",
                "unsure": "not tried — plugin `able`: there is no telling"}
        for kind in ("sources", "sinks"):
            with self.subTest(kind):
                done = self.answers(**{kind: {how: f"{kind[:-1]}: probed, how: {how}" for how in hows}}, plugins=library)
                self.expect(done, **said)
                self.assertNotIn("the peer was opened", self.said)
        self.expect(self.answers({"mute": "source: probed, how: mute"}, {"deaf": "sink: probed, how: mute"}, plugins=library),
                    mute="no answer within", deaf="no answer within")

    def test_a_peer_that_says_nothing_is_given_up(self):
        port = self.taken_port()  # takes connections and never answers
        done = self.answers({"mute": f"source: http, url: 'http://127.0.0.1:{port}/', poll: 1 minute"}, {"deaf": f"sink: http, url: 'http://127.0.0.1:{port}/'"})
        self.expect(done, mute=r"no answer|timed out|did not answer", deaf=r"no answer|timed out|did not answer")


if __name__ == "__main__":
    driver.main()
