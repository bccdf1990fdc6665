"""A Kafka broker for tests: one node in KRaft mode, free ports, a temporary folder.

    with Broker(folder) as broker:
        broker.address        # "127.0.0.1:41234"
        broker.kill()         # -9
        broker.start()        # the same folder and ports

The same broker listens for clients with passwords (broker.sasl: PLAIN and SCRAM-SHA-512), over TLS (broker.ssl), and
both (broker.sasl_ssl). USER and PASSWORD are right for all; broker.authority is who signed its certificate.
"""
import pathlib
import shutil
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
JARS = ROOT / "build" / "kafka" / "jars"
USER, PASSWORD = "flowrun", "a-right-password"
PLAIN = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
CLUSTER = "Zmxvd3J1bi10ZXN0cy0wMQ"
DEADLINE = 120
SETTINGS = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners={listeners},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={listeners}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.sasl_plaintext.plain.sasl.jaas.config={plain}
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config={scram}
listener.name.sasl_ssl.plain.sasl.jaas.config={plain}
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={scram}
ssl.keystore.type=PEM
ssl.keystore.location={folder}/broker.pem
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


def make_certificates(folder):
    """authority.pem signs broker.pem, which is the broker's key and certificate."""
    def openssl(*arguments):
        done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)

    key = ("-newkey", "rsa:2048", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "authority.key", "-out", "authority.pem", "-days", "2", "-subj", "/CN=flowrun tests")
    openssl("req", *key, "-keyout", "broker.key", "-out", "broker.csr", "-subj", "/CN=127.0.0.1")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "broker.csr", "-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-days", "2",
            "-extfile", "names", "-out", "broker.crt")
    (folder / "broker.pem").write_text((folder / "broker.key").read_text() + (folder / "broker.crt").read_text())
    return folder / "authority.pem"


class Broker:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.process = None
        ports = {name: free_port() for name in ("PLAINTEXT", "SASL_PLAINTEXT", "SSL", "SASL_SSL")}
        self.port = ports["PLAINTEXT"]
        self.address, self.sasl, self.ssl, self.sasl_ssl = (f"127.0.0.1:{port}" for port in ports.values())
        self.authority = make_certificates(self.folder)
        (self.folder / "broker.properties").write_text(SETTINGS.format(
            listeners=",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items()), controller=free_port(),
            folder=self.folder, plain=PLAIN, scram=SCRAM))
        done = subprocess.run(self.java("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", self.properties, "--add-scram",
                                        f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"),
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
