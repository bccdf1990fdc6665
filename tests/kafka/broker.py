"""A Kafka broker for tests: one node in KRaft mode, free ports, a temporary folder.

    with Broker(folder) as broker:
        broker.address        # "127.0.0.1:41234"
        broker.kill()         # -9
        broker.start()        # the same folder and ports
"""
import pathlib
import shutil
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
JARS = ROOT / "build" / "kafka" / "jars"
CLUSTER = "Zmxvd3J1bi10ZXN0cy0wMQ"
DEADLINE = 120
SETTINGS = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""


def absent():
    """Why there can be no broker here, or None. Gets what it is made of, once."""
    for program, package in (("java", "openjdk-17-jre-headless"), ("mvn", "maven")):
        if not shutil.which(program):
            return f"there is no {program} (Debian: {package})"
    if JARS.exists():
        return None
    part = JARS.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    command = ["mvn", "-q", "-B", "-f", pathlib.Path(__file__).with_name("pom.xml"), "dependency:copy-dependencies",
               f"-DoutputDirectory={part}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line] or ["no word"]
        return f"mvn cannot get org.apache.kafka:kafka_2.13:4.1.0: {lines[0]}"
    part.rename(JARS)
    return None


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Broker:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.process = None
        self.address = f"127.0.0.1:{self.port}"
        (self.folder / "broker.properties").write_text(
            SETTINGS.format(port=self.port, controller=free_port(), folder=self.folder))
        done = subprocess.run(self.java("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", self.properties),
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stdout + done.stderr)

    @property
    def properties(self):
        return self.folder / "broker.properties"

    def java(self, main, *arguments):
        return ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Dkafka.logs.dir={self.folder}",
                "-cp", f"{JARS}/*", main, *map(str, arguments)]

    def start(self):
        log = (self.folder / "broker.log").open("ab")
        self.process = subprocess.Popen(self.java("kafka.Kafka", self.properties), stdout=log, stderr=log)
        log.close()
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise RuntimeError("the broker did not come up:\n" + (self.folder / "broker.log").read_text()[-4000:])

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
