#!/usr/bin/env python3
"""What flowrun does over HTTP, against servers of this script: well-behaved, slow, broken and hostile ones.

    tests/command/web.py PATH-OF-FLOWRUN [TEST...]
"""
import contextlib
import gzip
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import zlib

import driver
from driver import DEADLINE, Started, run, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n%s\r\n"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def events(*texts):
    return b"".join(b"data: %s\n\n" % text.encode() for text in texts)


class Peer:
    """A server: each connection is given to the next of its scripts (the last one again and again), as a function of the socket and the request's text."""

    def __init__(self, *scripts, tls=None, listens=True):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.requests = []
        self.scripts = scripts
        self.tls = tls
        self.listens = listens  # False: the script begins without a request
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        number = 0
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            script = self.scripts[min(number, len(self.scripts) - 1)]
            number += 1
            threading.Thread(target=self.answer, args=(peer, script), daemon=True).start()

    def answer(self, peer, script):
        with contextlib.suppress(OSError, ValueError):
            if self.tls:
                peer = self.tls.wrap_socket(peer, server_side=True)
            request = b""
            while self.listens and b"\r\n\r\n" not in request:
                piece = peer.recv(65536)
                if not piece:
                    return
                request += piece
            head, _, body = request.partition(b"\r\n\r\n")
            if length := re.search(rb"(?i)content-length: (\d+)", head):
                while len(body) < int(length.group(1)):
                    body += peer.recv(65536)
            self.requests.append(head.decode("utf-8") + "\r\n\r\n" + body.decode("utf-8", "replace"))
            script(peer, self.requests[-1])
        peer.close()

    def close(self):
        self.socket.close()


def sends(*pieces, then=None):
    """A script that sends these bytes, then ends the connection, waits, or resets it."""
    def script(peer, _):
        for piece in pieces:
            peer.sendall(piece)
        if then == "waits":
            with contextlib.suppress(OSError):
                while peer.recv(4096):
                    pass
        if then == "resets":
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    return script


NO_MORE = sends(b"HTTP/1.1 204 No Content\r\n\r\n")


class Web(Started):
    def peer(self, *scripts, **options):
        peer = Peer(*scripts, **options)
        self.addCleanup(peer.close)
        return peer

    def lines_of(self, source, *arguments, **options):
        """Runs a source to its end: (exit code, the values it gave, standard error)."""
        pipeline = self.pipeline(f"nodes:\n  lines: {{ {source} }}\n  out: {{ from: lines, sink: console, format: json }}\n")
        environment = {**os.environ, **options.pop("environment", {})}
        done = run("run", pipeline, *arguments, env=environment, cwd=self.path, **options)
        rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return done.returncode, rows, done.stderr

    def values_of(self, source, *arguments, **options):
        code, rows, error = self.lines_of(source, *arguments, **options)
        self.assertEqual(code, 0, error)
        return [row["value"] for row in rows]

    def certificate(self, name="127.0.0.1"):
        """A certificate of its own making, and its key: (certificate file, context of a server)."""
        base = self.path / "certificate"
        kind = "IP" if name[0].isdigit() else "DNS"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=flowrun test", "-addext", f"subjectAltName={kind}:{name}",
                        "-keyout", f"{base}.key", "-out", f"{base}.pem"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{base}.pem", f"{base}.key")
        return f"{base}.pem", context

    # ---- server-sent events

    def test_events_are_read_until_the_server_says_there_are_no_more(self):
        peer = self.peer(sends(HEAD, b":hello\n\nevent: e\nid: 7\ndata: one\ndata: two\n\n", b"data: half"), NO_MORE)
        rows = self.lines_of(f"source: sse, url: 'http://127.0.0.1:{peer.port}/path?q=1', columns: [event, id], headers: {{ X-Key: secret }}")[1]
        self.assertEqual(rows, [{"value": "one\ntwo", "event": "e", "id": "7"}])
        self.assertIn("GET /path?q=1 HTTP/1.1\r\n", peer.requests[0])
        self.assertIn("Accept: text/event-stream\r\n", peer.requests[0])
        self.assertIn("X-Key: secret\r\n", peer.requests[0])
        self.assertNotIn("Last-Event-ID", peer.requests[0])
        self.assertIn("Last-Event-ID: 7\r\n", peer.requests[1])

    def test_chunks_and_gzip_are_undone_however_they_are_cut(self):
        body = events(*[f"event {i} " + "x" * 50 for i in range(500)])
        packed = gzip.compress(body)
        plain = CHUNKED % b"" + b"".join(chunk(body[i:i + 777]) for i in range(0, len(body), 777)) + b"0\r\n\r\n"
        zipped = CHUNKED % b"Content-Encoding: gzip\r\n" + b"".join(chunk(packed[i:i + 100]) for i in range(0, len(packed), 100)) + b"0\r\n\r\n"
        for answer in (plain, zipped):
            pieces = [answer[i:i + 1009] for i in range(0, len(answer), 1009)]
            peer = self.peer(sends(*pieces), NO_MORE)
            values = self.values_of(f"source: sse, url: 'http://127.0.0.1:{peer.port}/'")
            self.assertEqual(len(values), 500)
            self.assertTrue(values[499].startswith("event 499 "))

    def test_a_connection_that_breaks_is_made_again_without_loss(self):
        peer = self.peer(sends(HEAD, b"id: 1\ndata: a\n\nid: 2\ndata: b", then="resets"),
                         sends(CHUNKED % b"", chunk(b"id: 2\ndata: b\n\n"), b"ff\r\nid: 3\nda"), NO_MORE)
        self.assertEqual(self.values_of(f"source: sse, url: 'http://127.0.0.1:{peer.port}/'"), ["a", "b"])
        self.assertIn("Last-Event-ID: 1\r\n", peer.requests[1])
        self.assertIn("Last-Event-ID: 2\r\n", peer.requests[2])

    def test_a_server_that_is_not_well_is_tried_again(self):
        peer = self.peer(sends(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"),
                         sends(b"what is this?\r\n\r\n"), sends(HEAD, events("a")), NO_MORE)
        started = time.monotonic()
        code, rows, error = self.lines_of(f"source: sse, url: 'http://127.0.0.1:{peer.port}/'")
        self.assertEqual((code, [row["value"] for row in rows]), (0, ["a"]))
        self.assertGreater(time.monotonic() - started, 1)
        self.assertIn("answers 503 Service Unavailable", error)
        self.assertIn("no answer of HTTP/1.1", error)

    def test_the_time_to_wait_is_the_servers(self):
        times = []
        def first(peer, _):
            peer.sendall(HEAD + b"retry: 1500\ndata: a\n\n")
            times.append(time.monotonic())
        def second(peer, request):
            times.append(time.monotonic())
            NO_MORE(peer, request)
        peer = self.peer(first, second)
        self.assertEqual(self.values_of(f"source: sse, url: 'http://127.0.0.1:{peer.port}/'"), ["a"])
        self.assertGreater(times[1] - times[0], 1.4)

    def test_a_silent_server_is_given_up(self):
        peer = self.peer(sends(HEAD, events("a"), then="waits"), NO_MORE)
        code, _, error = self.lines_of(f"source: sse, url: 'http://127.0.0.1:{peer.port}/', heartbeat: 300 milliseconds")
        self.assertEqual(code, 0)
        self.assertIn("sent nothing for", error)

    def test_a_server_that_never_answers_is_given_up(self):
        peer = self.peer(sends(then="waits"), NO_MORE)
        code, _, error = self.lines_of(f"source: sse, url: 'http://127.0.0.1:{peer.port}/', timeout: 300 milliseconds")
        self.assertEqual(code, 0)
        self.assertIn("does not answer", error)

    def test_redirects_are_followed_but_not_for_ever(self):
        target = self.peer(sends(HEAD, events("a")), NO_MORE)
        first = self.peer(sends(b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:%d/there\r\nContent-Length: 0\r\n\r\n" % target.port))
        source = f"source: sse, url: 'http://127.0.0.1:{first.port}/here', headers: {{ Authorization: Bearer token }}"
        self.assertEqual(self.values_of(source), ["a"])
        self.assertIn("Authorization: Bearer token", first.requests[0])
        self.assertIn("GET /there ", target.requests[0])
        self.assertNotIn("Authorization", target.requests[0])
        loop = self.peer(sends(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"))
        code, _, error = self.lines_of(f"source: sse, url: 'http://127.0.0.1:{loop.port}/'")
        self.assertEqual(code, 1)
        self.assertIn("redirects without end", error)
        self.assertEqual(len(loop.requests), 21)

    def test_what_is_no_event_stream_ends_the_run(self):
        for answer, message in ((b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answers 404 Not Found"),
                                (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n", "is it the URL of an event stream?"),
                                (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: br\r\n\r\n", "the encoding br")):
            peer = self.peer(sends(answer))
            code, _, error = self.lines_of(f"source: sse, url: 'http://127.0.0.1:{peer.port}/x'")
            self.assertEqual(code, 1)
            self.assertIn(message, error)

    def test_a_broken_gzip_stream_is_counted_and_begun_anew(self):
        packed = gzip.compress(events("a"))
        peer = self.peer(sends(CHUNKED % b"Content-Encoding: gzip\r\n", chunk(packed[:-8] + b"notgzip!")),
                         sends(HEAD, events("b")), NO_MORE)
        pipeline = self.pipeline(f"""
nodes:
  lines: {{ source: sse, url: 'http://127.0.0.1:{peer.port}/' }}
  out: {{ from: lines, sink: console, format: json }}
  bad: {{ from: lines.errors, sink: console, format: json }}
""")
        done = run("run", pipeline)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('{"value":"a"}', done.stdout)
        self.assertIn('{"value":"b"}', done.stdout)
        self.assertIn("the gzip stream is broken", done.stdout)

    def test_an_event_that_is_too_long_goes_to_errors(self):
        peer = self.peer(sends(HEAD, events("a", "x" * 5000, "b")), NO_MORE)
        code, rows, error = self.lines_of(f"source: sse, url: 'http://127.0.0.1:{peer.port}/', max_record: 1k")
        self.assertEqual((code, [row["value"] for row in rows]), (0, ["a", "b"]))
        self.assertIn("an event is longer than max_record", error)

    def test_with_once_the_end_of_the_stream_is_the_end(self):
        peer = self.peer(sends(HEAD, events("a", "b")))
        pipeline = self.pipeline(f"""
trigger: once
nodes:
  lines: {{ source: sse, url: 'http://127.0.0.1:{peer.port}/' }}
  out: {{ from: lines, sink: console, format: json }}
""")
        done = run("run", pipeline)
        self.assertEqual((done.returncode, done.stdout.count('"value"')), (0, 2))

    # ---- TLS and proxies

    def test_a_certificate_is_checked(self):
        ca, context = self.certificate()
        peer = self.peer(sends(HEAD, events("a")), NO_MORE, tls=context)
        source = f"source: sse, url: 'https://127.0.0.1:{peer.port}/'"
        self.assertEqual(self.values_of(f"{source}, ca: '{ca}'"), ["a"])
        code, _, error = self.lines_of(source)
        self.assertEqual(code, 1)
        self.assertRegex(error, r"the certificate of 127\.0\.0\.1 is not trusted: self.signed certificate")

    def test_a_certificate_of_another_name_is_not_trusted(self):
        ca, context = self.certificate("elsewhere.example")
        peer = self.peer(sends(HEAD, events("a")), tls=context)
        code, rows, error = self.lines_of(f"source: sse, url: 'https://127.0.0.1:{peer.port}/', ca: '{ca}'")
        self.assertEqual((code, rows), (1, []))
        self.assertIn("is not trusted: IP address mismatch", error)
        self.assertEqual(peer.requests, [])

    def test_a_server_that_does_not_speak_tls_is_no_crash(self):
        peer = self.peer(sends(b"HTTP/1.1 400 Bad Request\r\n\r\n"), listens=False)
        pipeline = self.pipeline(f"nodes:\n  lines: {{ source: sse, url: 'https://127.0.0.1:{peer.port}/' }}\n  out: {{ from: lines, sink: discard }}\n")
        process, _, error = self.start("run", pipeline)
        wait_for(lambda: "next try" in error.read_text(), "the warning")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(DEADLINE), 0)

    def test_a_redirect_to_plain_http_is_refused(self):
        ca, context = self.certificate()
        peer = self.peer(sends(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"), tls=context)
        code, _, error = self.lines_of(f"source: sse, url: 'https://127.0.0.1:{peer.port}/', ca: '{ca}'")
        self.assertEqual(code, 1)
        self.assertIn("which is not safe", error)

    def test_proxies_of_the_environment_are_kept_to(self):
        plain = self.peer(sends(HEAD, events("a")), NO_MORE)
        proxy = {"http_proxy": f"http://user:word@127.0.0.1:{plain.port}", "no_proxy": "other.example"}
        self.assertEqual(self.values_of("source: sse, url: 'http://stream.example/x'", environment=proxy), ["a"])
        self.assertIn("GET http://stream.example/x HTTP/1.1\r\nHost: stream.example\r\n", plain.requests[0])
        self.assertIn("Proxy-Authorization: Basic dXNlcjp3b3Jk\r\n", plain.requests[0])

        ca, context = self.certificate("stream.example")
        def tunnel(peer, request):
            peer.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with context.wrap_socket(peer, server_side=True) as inner:
                inner.recv(65536)
                (sends(HEAD, events("b")) if len(secure.requests) == 1 else NO_MORE)(inner, request)
        secure = self.peer(tunnel)
        source = f"source: sse, url: 'https://stream.example/x', ca: '{ca}'"
        self.assertEqual(self.values_of(source, environment={"HTTPS_PROXY": f"127.0.0.1:{secure.port}"}), ["b"])
        self.assertTrue(secure.requests[0].startswith("CONNECT stream.example:443 HTTP/1.1\r\n"))

        direct = self.peer(sends(HEAD, events("c")), NO_MORE)
        self.assertEqual(self.values_of(f"source: sse, url: 'http://127.0.0.1:{direct.port}/'", environment=proxy), ["c"])

    def test_wrong_options_are_refused_with_their_place(self):
        for options, message in (("url: ftp://a/b", "is no URL of a server"), ("url: 'http://a/', ca: x.pem", "`ca` is for https"),
                                 ("url: 'https://a/', ca: x.pem", "cannot read certificates"),
                                 ("url: 'http://a/', headers: { 'a b': c }", "is no name of a header")):
            done = run("check", self.pipeline(f"nodes:\n  lines: {{ source: sse, {options} }}\n  out: {{ from: lines, sink: discard }}\n"))
            self.assertEqual(done.returncode, 2, options)
            self.assertRegex(done.stderr + done.stdout, r"pipeline\.yaml:2:\d+: error: .*" + re.escape(message))

    def test_secrets_are_not_shown(self):
        done = run("check", self.pipeline("nodes:\n  lines: { source: sse, urk: 'http://a/', headers: { Authorization: Bearer geheim } }\n  out: { from: lines, sink: discard }\n"))
        self.assertEqual(done.returncode, 2)
        self.assertNotIn("geheim", done.stderr + done.stdout)

    # ---- polling and posting

    def test_a_poll_gives_what_has_changed(self):
        state = {"body": b"one\ntwo\n"}
        def script(peer, request):
            tag = b'"%d"' % zlib.crc32(state["body"])
            if f"If-None-Match: {tag.decode()}\r\n" in request:
                peer.sendall(b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n")
            else:
                peer.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nETag: %s\r\nContent-Length: %d\r\n\r\n%s" % (tag, len(state["body"]), state["body"]))
        peer = self.peer(script)
        pipeline = self.pipeline(f"nodes:\n  lines: {{ source: http, url: 'http://127.0.0.1:{peer.port}/', poll: 50 milliseconds }}\n  out: {{ from: lines, sink: console, format: json, every: 1 millisecond }}\n")
        process, out, error = self.start("run", pipeline)
        wait_for(lambda: len(peer.requests) > 5, "five polls")
        state["body"] = b"three"
        wait_for(lambda: "three" in out.read_text(), "the change")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(DEADLINE), 0, error.read_text())
        self.assertEqual(out.read_text().splitlines(), ['{"value":"one"}', '{"value":"two"}', '{"value":"three"}'])

    def listening(self, options):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        pipeline = self.pipeline(f"nodes:\n  lines: {{ source: http, listen: '{port}', {options} }}\n  out: {{ from: lines, sink: console, format: json, every: 1 millisecond }}\n")
        process, out, error = self.start("run", pipeline)
        def up():
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                return True
        wait_for(up, "the server")
        return port, process, out, error

    @staticmethod
    def post(port, body, method="POST", path="/in", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def test_posts_are_taken_whole_or_refused(self):
        port, process, out, _ = self.listening("path: /in, max_body: 10 KiB")
        self.assertEqual(self.post(port, b"one\ntwo")[0], 202)
        self.assertEqual(self.post(port, gzip.compress(b"three\n"), Content_Encoding="gzip")[0], 202)
        self.assertEqual(self.post(port, iter([b"fo", b"ur\n"]))[0], 202)
        self.assertEqual(self.post(port, b"x" * 20_000)[0], 413)
        self.assertEqual(self.post(port, gzip.compress(b"x" * 200_000), Content_Encoding="gzip")[0], 400)
        self.assertEqual(self.post(port, b"x", path="/out")[0], 404)
        self.assertEqual(self.post(port, b"x", method="PUT")[0], 405)
        self.assertEqual(self.post(port, b"x", Content_Encoding="br")[0], 415)
        self.assertEqual(self.post(port, b"x", Origin="https://evil.example")[0], 403)
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(b"\x16\x03\x01 no http\r\n\r\n")
            self.assertIn(b"400", raw.recv(4096))
        with socket.create_connection(("127.0.0.1", port)) as half:
            half.sendall(b"POST /in HTTP/1.1\r\nContent-Length: 9\r\n\r\nfive")
        wait_for(lambda: "four" in out.read_text(), "the posts")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(DEADLINE), 0)
        self.assertEqual(sorted(json.loads(line)["value"] for line in out.read_text().splitlines()), ["four", "one", "three", "two"])

    def test_posts_wait_when_the_pipeline_is_behind(self):
        with socket.create_server(("127.0.0.1", 0)) as blocked:  # accepts nothing, so that the sink cannot go on
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            pipeline = self.pipeline(f"""
memory: 64 MiB
in_flight: 1 MiB
nodes:
  lines: {{ source: http, listen: '{port}', buffer: 1 MiB, path: /in }}
  out: {{ from: lines, sink: socket, port: {blocked.getsockname()[1]}, format: text }}
""")
            process, _, _ = self.start("run", pipeline)
            def refused():
                with contextlib.suppress(OSError):
                    return self.post(port, (b"x" * 1000 + b"\n") * 500)[0] == 429
            wait_for(refused, "a 429")
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)) as connection:
                connection.request("POST", "/in", b"x" * 900_000)
                answer = connection.getresponse()
                self.assertEqual((answer.status, answer.getheader("Retry-After")), (429, "1"))
            process.kill()

    def test_whoever_is_not_on_this_machine_needs_a_token(self):
        done = run("check", self.pipeline("nodes:\n  lines: { source: http, listen: '0.0.0.0:8080' }\n  out: { from: lines, sink: discard }\n"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("add `token:`", done.stderr + done.stdout)
        port, _, _, _ = self.listening("path: /in, token: sesame")
        self.assertEqual(self.post(port, b"x")[0], 401)
        self.assertEqual(self.post(port, b"x", Authorization="Bearer sesam")[0], 401)
        self.assertEqual(self.post(port, b"x", Authorization="Bearer sesame")[0], 202)

    # ---- sinks

    def posting(self, rows, options, *arguments):
        """Runs rows of JSON {k, v} into the sink."""
        (self.path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return run("run", self.pipeline(f"""
nodes:
  rows: {{ source: file, path: rows.jsonl, format: json, schema: "k string, v bigint" }}
  out: {{ from: rows, {options} }}
"""), *arguments, cwd=self.path)

    def test_rows_are_posted_as_the_template_says(self):
        peer = self.peer(sends(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"))
        rows = [{"k": 'say "hi"\\', "v": 1}, {"k": None, "v": None}]
        body = '\'{"text": "{{k}}: {{v}}", "k": {{k}}, "v": {{ v }}}\''
        done = self.posting(rows, f"sink: http, url: 'http://127.0.0.1:{peer.port}/hook', body: {body}, headers: {{ X: y }}")
        self.assertEqual(done.returncode, 0, done.stderr)
        bodies = [json.loads(request.partition("\r\n\r\n")[2]) for request in peer.requests]
        self.assertEqual(bodies, [{"text": 'say "hi"\\: 1', **rows[0]}, {"text": ": ", **rows[1]}])
        self.assertIn("POST /hook HTTP/1.1\r\n", peer.requests[0])
        self.assertIn("Content-Type: application/json\r\n", peer.requests[0])
        self.assertIn("X: y\r\n", peer.requests[0])
        keys = [re.search("Idempotency-Key: (.*)\r\n", request).group(1) for request in peer.requests]
        self.assertEqual(len(set(keys)), 2)

    def test_rows_go_in_batches_over_one_connection(self):
        def script(peer, _):
            while True:
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                request = b""
                while b"\r\n\r\n" not in request or not request.endswith(b"]"):
                    piece = peer.recv(65536)
                    if not piece:
                        return
                    request += piece
                more.append(request)
        more = []
        peer = self.peer(script)
        done = self.posting([{"k": "a", "v": i} for i in range(25)], f"sink: http, url: 'http://127.0.0.1:{peer.port}/', format: array, batch: 10")
        self.assertEqual(done.returncode, 0, done.stderr)
        bodies = [peer.requests[0].partition("\r\n\r\n")[2]] + [request.partition(b"\r\n\r\n")[2] for request in more]
        self.assertEqual([row["v"] for body in bodies for row in json.loads(body)], list(range(25)))
        self.assertEqual((len(peer.requests), len(more)), (1, 2))

    def test_a_post_that_fails_is_sent_again_with_the_same_key(self):
        peer = self.peer(sends(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), sends(then="resets"),
                         sends(b"HTTP/1.1 204 No Content\r\n\r\n"))
        done = self.posting([{"k": "a", "v": 1}], f"sink: http, url: 'http://127.0.0.1:{peer.port}/'")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(peer.requests), 3)
        self.assertEqual(len({re.search("Idempotency-Key: (.*)\r\n", request).group(1) for request in peer.requests}), 1)

    def test_a_post_that_is_refused_ends_the_run_with_the_answer(self):
        peer = self.peer(sends(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 9\r\n\r\nno such k"))
        done = self.posting([{"k": "a", "v": 1}], f"sink: http, url: 'http://127.0.0.1:{peer.port}/secret-path'")
        self.assertEqual(done.returncode, 1)
        self.assertIn("answers 400 Bad Request: no such k", done.stderr)
        self.assertNotIn("secret-path", done.stderr)
        peer = self.peer(sends(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"))
        done = self.posting([{"k": "a", "v": 1}], f"sink: http, url: 'http://127.0.0.1:{peer.port}/', retry: 300 milliseconds")
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot post to", done.stderr)
        self.assertGreater(len(peer.requests), 1)

    def test_a_template_that_gives_no_json_is_refused(self):
        for body, message in (('\'{"a": {{nosuch}}}\'', "nosuch"), ('\'{"a": {{k}}\'', "this would not be JSON")):
            done = self.posting([], f"sink: http, url: 'http://127.0.0.1:1/', body: {body}")
            self.assertEqual(done.returncode, 2, body)
            self.assertRegex(done.stderr, r"pipeline\.yaml:4:\d+: error: .*" + message)

    def test_the_heart_alert_reaches_a_webhook(self):
        peer = self.peer(sends(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
        now = int(time.time() * 1e9)
        beats = [(0, 155), (1, 160), (2, 165), (30, 70), (60, 71)]
        server = self.serve([json.dumps({"Creation_Time": now + int(at * 1e9), "User": "b", "bpm": bpm}) for at, bpm in beats])
        process, _, error = self.start("run", ROOT / "pipelines" / "heart-webhook.yaml", "--set", f"hearts.port={server.port}",
                                       env={**os.environ, "HOOK": f"http://127.0.0.1:{peer.port}/hook"})
        wait_for(lambda: peer.requests or process.poll() is not None, "the alert")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(DEADLINE), 0, error.read_text())
        alert = json.loads(peer.requests[0].partition("\r\n\r\n")[2])
        self.assertEqual((alert["user"], alert["bpm"], alert["text"]), ("b", 165, "The heart of b beats faster and faster: 155, then 165"))

    def test_programs_are_started_only_when_that_is_allowed(self):
        rows = [{"k": "a", "v": i} for i in range(3)]
        store = "sink: exec, command: [sh, -c, 'cat > got.txt; echo dropped']"
        done = self.posting(rows, store)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--allow-exec", done.stderr)
        self.assertEqual(run("check", self.path / "pipeline.yaml", cwd=self.path).returncode, 0)
        done = self.posting(rows, store, "--allow-exec")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        self.assertEqual([json.loads(line) for line in (self.path / "got.txt").read_text().splitlines()], rows)

    def test_a_program_that_fails_ends_the_run_with_what_it_said(self):
        many = [{"k": "x" * 1000, "v": i} for i in range(1000)]
        for script, message in (("echo no disk >&2; exit 3", "`sh` ended with 3: no disk"), ("kill -9 $$", "`sh` was killed by signal 9"),
                                ("exec 0<&-; exit 1", "`sh` ended with 1")):
            done = self.posting(many, f"sink: exec, command: [sh, -c, '{script}']", "--allow-exec")
            self.assertEqual(done.returncode, 1, script)
            self.assertIn(message, done.stderr)
        done = self.posting(many, "sink: exec, command: [sleep, '60'], timeout: 200 milliseconds", "--allow-exec")
        self.assertEqual(done.returncode, 1)
        self.assertIn("takes too long", done.stderr)
        done = self.posting(many, "sink: exec, command: [no-such-program]", "--allow-exec")
        self.assertIn("cannot start `no-such-program`", done.stderr)
        done = self.posting(many, "sink: exec, command: ['true']", "--allow-exec")
        self.assertEqual(done.returncode, 0, done.stderr)

    # ---- the simulator and the pipelines on it

    def simulator(self, *arguments):
        process = subprocess.Popen([driver.FLOWRUN, "simulate", "wikimedia", "--port", "0", *arguments],
                                   stderr=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return int(re.search(r":(\d+),", process.stderr.readline()).group(1))

    def test_the_simulator_goes_on_after_the_last_event_a_client_saw(self):
        port = self.simulator("--rate", "5000", "--drop-every", "100")
        pipeline = self.pipeline(f"""
nodes:
  changes: {{ source: sse, url: 'http://127.0.0.1:{port}/v2/stream/recentchange', columns: [id] }}
  ids: {{ from: changes, select: ["cast(get_json_object(id, '$[0].offset') as bigint) as n"] }}
  out: {{ from: ids, sink: console, format: json, every: 1 millisecond }}
""")
        process, out, error = self.start("run", pipeline)
        wait_for(lambda: out.read_text().count("\n") > 300 or process.poll() is not None, "300 events")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(DEADLINE), 0, error.read_text())
        numbers = [json.loads(line)["n"] for line in out.read_text().splitlines()]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))

    def test_the_simulator_serves_one_page_and_plain_lines(self):
        port = self.simulator("--rate", "100")
        self.assertEqual(self.post(port, b"", method="GET", path="/")[0], 404)
        self.assertEqual(self.post(port, b"x", path="/v2/stream/recentchange")[0], 405)
        port = self.simulator("--lines", "--burst", "--rate", "100000")
        edits = []
        with socket.create_connection(("127.0.0.1", port)) as client, client.makefile("rb") as lines:
            while len(edits) < 20_000:
                edits.append(json.loads(lines.readline()))
        now = time.time()
        self.assertTrue(all(now - 60 < edit["timestamp"] <= now + 1 for edit in edits))
        invented = [edit for edit in edits if "invented" in edit]
        self.assertTrue(0.4 < len(invented) / len(edits) < 0.65)
        self.assertGreater(sum(edit["wiki"] == "frwiki" for edit in invented), 500)
        with open(ROOT / "data" / "hte-garonne.csv", encoding="utf-8") as table:
            communes = {line.strip().split(",")[-1] for line in table}
        about = [edit for edit in invented if edit["title"] in communes]
        self.assertGreater(len(about), 300)
        self.assertGreater(len({edit["wiki"] for edit in about}), 3)

    def test_every_pipeline_on_wikimedia_gives_rows_within_three_epochs(self):
        port = self.simulator("--rate", "500", "--burst")
        pipelines = sorted(path for path in (ROOT / "pipelines").glob("wikimedia*.yaml")
                           if not path.name.endswith(".test.yaml"))
        self.assertEqual(len(pipelines), 7)
        running = []
        for pipeline in pipelines:
            folder = self.path / pipeline.stem
            url = f"changes.url=http://127.0.0.1:{port}/v2/stream/recentchange"
            running.append((pipeline, folder, subprocess.Popen(
                [driver.FLOWRUN, "run", pipeline, "--set", url, "--capture", folder, "--epochs", "3", "--quiet"],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)))
            self.addCleanup(running[-1][2].kill)
        for pipeline, folder, process in running:
            error = process.communicate(timeout=5 * DEADLINE)[1]
            self.assertEqual(process.returncode, 0, f"{pipeline}: {error}")
            rows = [path for path in folder.rglob("*.jsonl") if path.stat().st_size > 0]
            self.assertTrue(rows, pipeline)

    def test_the_relay_serves_five_columns_as_lines(self):
        port = self.simulator("--rate", "500")
        with socket.create_server(("127.0.0.1", 0)) as free:
            relay = free.getsockname()[1]
        process, _, error = self.start("run", ROOT / "pipelines" / "relay.yaml", "--set", f"changes.url=http://127.0.0.1:{port}/v2/stream/recentchange",
                                       "--set", f"feed.listen={relay}")
        client = []
        def connected():
            with contextlib.suppress(OSError):
                client.append(socket.create_connection(("127.0.0.1", relay), timeout=DEADLINE))
                return True
        wait_for(connected, "the relay")
        with client[0] as peer, peer.makefile("rb") as lines:
            self.assertEqual(set(json.loads(lines.readline())), {"title", "user", "bot", "timestamp", "wiki"})
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(DEADLINE), 0, error.read_text())


if __name__ == "__main__":
    driver.main()
