#!/usr/bin/env python3
"""The HTTP API over TLS: certificates of the server and of clients, made here by openssl.

    tests/command/https.py PATH-OF-FLOWRUN [TEST...]
"""
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import warnings

import driver
from driver import DEADLINE, Started, run, wait_for

TOKEN = "a-token-that-is-long-enough"


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Https(Started):
    def setUp(self):
        super().setUp()
        # Two authorities, each with a client; the first has signed the server too.
        for authority in ("ours", "other"):
            self.sign(authority, None)
            self.sign(f"client-{authority}", authority)
        self.sign("server", "ours", "subjectAltName=IP:127.0.0.1,DNS:localhost")
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": str(self.path)}

    def sign(self, name, authority, extension="basicConstraints=critical,CA:TRUE"):
        base = self.path / name
        if authority is None:
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", extension, "-keyout", f"{base}.key", "-out", f"{base}.pem")
            return
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{base}.key",
                "-out", f"{base}.csr")
        (self.path / "extension").write_text(extension.replace("CA:TRUE", "CA:FALSE"), encoding="utf-8")
        openssl("x509", "-req", "-in", f"{base}.csr", "-CA", self.path / f"{authority}.pem", "-CAkey", self.path / f"{authority}.key",
                "-CAcreateserial", "-days", "2", "-extfile", self.path / "extension", "-out", f"{base}.pem")

    def text(self, serve):
        return ("name: safe\ntrigger: 100 milliseconds\nserve: { %s }\nnodes:\n  numbers: { source: generate, rows_per_second: 100 }\n"
                "  table: { from: numbers, sink: memory, table: rows, mode: append }\n") % serve

    def served(self, serve):
        """Runs the pipeline; gives its file and its port."""
        pipeline = self.pipeline(self.text(serve))
        self.process, _, error = self.start("run", pipeline, env=self.environment)
        process, self.error = self.process, error
        wait_for(lambda: process.poll() is not None or "://" in error.read_text(), "the address")
        self.assertIsNone(process.poll(), error.read_text())
        said = re.search(r"(https?)://[\d.]+:(\d+)", error.read_text())
        self.assertEqual(said[1], "https")
        return pipeline, int(said[2])

    def ask(self, port, target="/v1/tables", client=None, headers=None, **options):
        """The status and the body of an answer over TLS."""
        context = ssl.create_default_context(cafile=self.path / "ours.pem")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of versions that are to be refused
            for key, value in options.items():
                setattr(context, key, value)
        if client:
            context.load_cert_chain(self.path / f"{client}.pem", self.path / f"{client}.key")
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=DEADLINE)
        try:
            connection.request("GET", target, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def refused(self, serve):
        done = run("run", self.pipeline(self.text(serve)), env=self.environment)
        self.assertNotEqual(done.returncode, 0)
        return done.stderr

    FILES = "certificate: server.pem, key: server.key"

    def test_a_token_goes_over_tls(self):
        _, port = self.served(f"listen: '127.0.0.1:0', token: {TOKEN}, tls: {{ {self.FILES} }}")
        self.assertEqual(self.ask(port)[0], 401)
        status, body = self.ask(port, headers={"Authorization": f"Bearer {TOKEN}"})
        self.assertEqual((status, json.loads(body)["tables"][0]["name"]), (200, "rows"))
        self.assertEqual(self.ask(port, "/readyz")[0], 200)
        self.assertEqual(self.ask(port, "/", headers={"Origin": f"https://127.0.0.1:{port}"})[0], 200)
        self.assertEqual(self.ask(port, "/", headers={"Origin": f"http://127.0.0.1:{port}"})[0], 403)

    def test_a_certificate_of_the_clients_authority_stands_for_the_token(self):
        pipeline, port = self.served(f"listen: '0.0.0.0:0', hosts: [127.0.0.1], tls: {{ {self.FILES}, client_ca: ours.pem }}")
        status, body = self.ask(port, client="client-ours")
        self.assertEqual(status, 200, body)
        status, body = self.ask(port)
        self.assertEqual(status, 401)
        self.assertIn("a client certificate is needed", body)
        self.assertEqual(self.ask(port, "/healthz")[0], 200)
        with self.assertRaises(OSError):
            self.ask(port, client="client-other")
        # The terminal's commands go over the socket of the file's owner, as ever.
        for arguments in (["sql", pipeline, "select count(*) as n from rows", "--format", "csv"], ["status"], ["tap", pipeline, "numbers", "--limit", "1"]):
            done = run(*arguments, env=self.environment)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_token_serves_who_has_no_certificate(self):
        _, port = self.served(f"listen: '127.0.0.1:0', token: {TOKEN}, tls: {{ {self.FILES}, client_ca: ours.pem }}")
        self.assertEqual(self.ask(port, client="client-ours")[0], 200)
        self.assertEqual(self.ask(port, headers={"Authorization": f"Bearer {TOKEN}"})[0], 200)
        self.assertEqual(self.ask(port)[0], 401)

    def test_a_stream_of_events_ends_after_as_many_as_were_asked_for(self):
        _, port = self.served(f"listen: '127.0.0.1:0', tls: {{ {self.FILES} }}")
        status, body = self.ask(port, "/v1/events?limit=3")
        self.assertEqual((status, body.count("event: epoch")), (200, 3))
        status, body = self.ask(port, "/v1/events?limit=1")
        self.assertEqual((status, body.count("event: epoch")), (200, 1))

    def test_who_speaks_no_tls_or_an_old_one_is_cut_off_and_others_are_served(self):
        _, port = self.served(f"listen: '127.0.0.1:0', tls: {{ {self.FILES} }}")
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as plain, socket.create_connection(("127.0.0.1", port)):
            plain.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            received = b""
            while piece := plain.recv(4096):
                received += piece
            self.assertNotIn(b"HTTP/1.1 200", received)
            self.assertEqual(self.ask(port, "/healthz")[0], 200)
        with self.assertRaises(ssl.SSLError):
            self.ask(port, "/healthz", maximum_version=ssl.TLSVersion.TLSv1_1, minimum_version=ssl.TLSVersion.TLSv1)

    def test_clients_that_come_and_go_at_every_step_leave_a_server_that_ends_at_once(self):
        _, port = self.served(f"listen: '127.0.0.1:0', tls: {{ {self.FILES} }}")
        context = ssl.create_default_context(cafile=self.path / "ours.pem")
        held = []
        for number in range(100):
            plain = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
            if number % 5 == 0:
                held.append(plain)  # says nothing
                continue
            if number % 5 == 1:
                plain.sendall(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a greeting
                plain.close()
                continue
            safe = context.wrap_socket(plain, server_hostname="127.0.0.1")
            if number % 5 == 2:
                safe.close()
                continue
            safe.sendall(b"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port)
            if number % 5 == 3:
                safe.recv(100)
                safe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                safe.close()
            else:
                held.append(safe)  # reads nothing
        self.assertEqual(self.ask(port, "/healthz")[0], 200)
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(DEADLINE), 0)
        for peer in held:
            peer.close()

    def test_what_is_wrong_with_the_files_is_told_with_its_place(self):
        (self.path / "nonsense.pem").write_text("nothing of that kind\n", encoding="utf-8")
        openssl("genrsa", "-out", self.path / "rsa.key", "2048")
        openssl("ec", "-aes128", "-passout", "pass:secret", "-in", self.path / "server.key", "-out", self.path / "locked.key")
        for tls, message in (
            ("certificate: absent.pem, key: server.key", "cannot read the certificate .*absent.pem: No such file"),
            ("certificate: server.pem, key: absent.key", "cannot read the key .*absent.key: No such file"),
            ("certificate: nonsense.pem, key: server.key", "nonsense.pem is no certificate: .* it must be a PEM file"),
            ("certificate: server.pem, key: nonsense.pem", "nonsense.pem is no private key"),
            ("certificate: server.pem, key: locked.key", "locked.key is no private key without a password"),
            ("certificate: server.pem, key: other.key", "other.key does not belong to the certificate .*server.pem"),
            ("certificate: server.pem, key: rsa.key", "rsa.key does not belong to the certificate .*server.pem"),
            (self.FILES + ", client_ca: absent.pem", "cannot read the authority of clients .*absent.pem: No such file"),
            (self.FILES + ", client_ca: nonsense.pem", "nonsense.pem is no authority's certificate"),
            (self.FILES + ", client_cert: ours.pem", "unknown option `client_cert` of `tls` — did you mean `client_ca`"),
            ("certificate: server.pem", "`tls` needs `key` — write a path: its private key, a PEM file"),
            ("certificate: [server.pem], key: server.key", "`certificate` cannot be a list — write a path"),
        ):
            error = self.refused(f"listen: '127.0.0.1:0', tls: {{ {tls} }}")
            self.assertRegex(error, message)
            self.assertRegex(error, r"pipeline\.yaml:3:\d+: ")

    def test_a_file_in_place_of_the_mapping_is_refused_with_what_would_be_right(self):
        error = self.refused("listen: '127.0.0.1:0', tls: server.pem")
        self.assertRegex(error, r"pipeline\.yaml:3:\d+: error: `tls` cannot be `server.pem` — write a mapping with `certificate`, `key` and `client_ca`")

    def test_the_description_names_certificates_of_clients_where_they_count(self):
        _, port = self.served(f"listen: '127.0.0.1:0', tls: {{ {self.FILES}, client_ca: ours.pem }}")
        described = json.loads(self.ask(port, "/openapi.json", client="client-ours")[1])
        self.assertRegex(described["openapi"], r"^3\.1\.")
        schemes = described["components"]["securitySchemes"]
        self.assertEqual({name: scheme["type"] for name, scheme in schemes.items()}, {"token": "http", "certificate": "mutualTLS"})
        self.assertEqual(described["security"], [{}, {"token": []}, {"certificate": []}])
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(DEADLINE), 0)
        _, port = self.served(f"listen: '127.0.0.1:0', tls: {{ {self.FILES} }}")
        self.assertEqual(set(json.loads(self.ask(port, "/openapi.json")[1])["components"]["securitySchemes"]), {"token"})

    def certificate(self, port):
        """What a connection that begins now is shown."""
        context = ssl.create_default_context(cafile=self.path / "ours.pem")
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as safe:
            return safe.getpeercert()["serialNumber"]

    def replace(self, *files):
        """Puts other files in the place of the server's, each whole."""
        for source, name in zip(files, ("server.pem", "server.key"), strict=True):
            (self.path / "incoming").write_bytes((self.path / source).read_bytes())
            os.replace(self.path / "incoming", self.path / name)

    def test_a_renewed_certificate_is_shown_to_those_who_come_then_and_a_broken_one_to_nobody(self):
        self.sign("renewed", "ours", "subjectAltName=IP:127.0.0.1")
        self.sign("again", "ours", "subjectAltName=IP:127.0.0.1")
        (self.path / "nonsense.pem").write_text("nothing of that kind\n", encoding="utf-8")
        _, port = self.served(f"listen: '127.0.0.1:0', tls: {{ {self.FILES} }}")
        first = self.certificate(port)
        old = http.client.HTTPSConnection("127.0.0.1", port, context=ssl.create_default_context(cafile=self.path / "ours.pem"), timeout=DEADLINE)
        self.addCleanup(old.close)

        def asks_on():
            old.request("GET", "/healthz")
            answer = old.getresponse()
            return answer.read() and answer.status

        def served_anew(before):
            self.assertEqual(asks_on(), 200)  # meanwhile, or it would be closed as idle
            return self.certificate(port) != before and self.certificate(port)

        self.assertEqual(asks_on(), 200)
        self.replace("renewed.pem", "renewed.key")
        renewed = wait_for(lambda: served_anew(first), "the renewed certificate")
        self.assertEqual(old.sock.getpeercert()["serialNumber"], first)
        self.assertIn("the renewed certificate is taken", self.error.read_text())

        self.replace("nonsense.pem", "nonsense.pem")
        wait_for(lambda: self.certificate(port) and "server.pem is no certificate" in self.error.read_text(), "the complaint")
        self.assertEqual(self.certificate(port), renewed)
        self.assertEqual(asks_on(), 200)

        self.replace("again.pem", "again.key")
        wait_for(lambda: served_anew(renewed), "the certificate after the broken one")
        self.assertEqual(self.error.read_text().count("are not taken"), 1)

    def test_an_address_that_others_reach_needs_a_token_or_an_authority(self):
        error = self.refused(f"listen: '0.0.0.0:0', tls: {{ {self.FILES} }}")
        self.assertIn("client_ca", error)


if __name__ == "__main__":
    driver.main()
