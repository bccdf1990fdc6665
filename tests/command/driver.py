"""What the tests of the command share: starting it, waiting for something, a peer to read from.

    import driver
    from driver import Started, run, wait_for
    class Check(Started): ...
    if __name__ == "__main__":
        driver.main()
"""
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

FLOWRUN = None  # the program, once main has been told
DEADLINE = 180  # seconds after which a test gives up: a slow machine must not fail


def run(*arguments, **options):
    """Runs flowrun to its end."""
    return subprocess.run([FLOWRUN, *map(str, arguments)], capture_output=True, text=True, timeout=DEADLINE, check=False, **options)


def wait_for(condition, what):
    """Polls until the condition holds; gives what it gave."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"not within {DEADLINE} s: {what}")


class Server:
    """Sends lines to whoever connects, and keeps the connection open."""

    def __init__(self, lines):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.lines = lines
        self.peers = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            self.peers.append(peer)
            try:
                peer.sendall("".join(line + "\n" for line in self.lines).encode())
            except OSError:
                pass

    def close(self):
        for peer in [self.socket, *self.peers]:
            peer.close()


class Started(unittest.TestCase):
    """A test with a folder of its own, that starts flowrun in it."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="flowrun-command-")
        self.path = pathlib.Path(self.folder.name)
        self.addCleanup(self.folder.cleanup)

    def pipeline(self, text):
        path = self.path / "pipeline.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def serve(self, lines):
        server = Server(lines)
        self.addCleanup(server.close)
        return server

    def start(self, *arguments, **options):
        """Starts flowrun with its output in files."""
        out, error = self.path / "out.txt", self.path / "error.txt"
        with open(out, "wb") as out_file, open(error, "wb") as error_file:
            process = subprocess.Popen([FLOWRUN, *map(str, arguments)], stdout=out_file, stderr=error_file, **options)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        return process, out, error


def main():
    """Runs the tests of the script that is called with the path of flowrun, or those that are named behind it."""
    global FLOWRUN
    script = sys.modules["__main__"]
    if len(sys.argv) < 2:
        sys.exit(script.__doc__)
    FLOWRUN = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(module=script)
