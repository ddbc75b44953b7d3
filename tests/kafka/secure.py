"""Over TLS and SASL: messages are read with the right password and with none
other; one that is wrong is named in /health, not in full, and OTLP/HTTP and
questions are served meanwhile.
"""
import os
import time

import kafka
from callboard import NS, Tap, find_logs, log, logs_request, new_folder, stamped, wait_until
from callboard import otlp_proto

SECRET, WRONG = "the-right-one-4711", "the-wrong-one-1147"
COUNT = 20  # messages each time
tap = Tap()


class Secure(kafka.Instance):
    """Has its properties from a configuration file, as passwords should be."""

    def __init__(self, broker, group, **properties):
        super().__init__(broker, group)
        self.given = {"security.protocol": "SASL_SSL", "ssl.ca.location": broker.folder + "/ca.pem",
                      "sasl.mechanisms": "SCRAM-SHA-512", "sasl.username": "scram", "sasl.password": SECRET}
        self.give(**properties)

    def give(self, **properties):
        self.given.update({name.replace("__", "."): value for name, value in properties.items()})

    def consuming(self):
        path = os.path.join(new_folder(), "callboard.yaml")
        with open(path, "w") as file:
            file.write("kafka:\n" + "".join(f'  {name}: "{value}"\n' for name, value in self.given.items()))
        return [*super().consuming(), "--kafka-brokers", self.broker.secure_address, "--config", path]


def send(broker, component):
    producer = kafka.Producer(broker)
    for i in range(COUNT):
        producer.send("otlp_logs", otlp_proto("logs", logs_request(
            stamped(component), [log(time.time_ns(), f"record {i}")])))
    producer.close()


def texts(reader, component):
    return sorted(e["log"] for e in find_logs(reader.server, component)["logs"])


def check_reads(reader, component, name):
    wanted = sorted(f"record {i}" for i in range(COUNT))
    wait_until(lambda: len(texts(reader, component)) >= COUNT, 30)
    tap.same(texts(reader, component), wanted, f"{name}: every record is there once")
    tap.check("kafka" not in str(reader.server.health()), f"{name}: /health has nothing to say", reader.server.health())


def check_refused(reader, component, reason, name):
    """It says why, and serves what does not need Kafka."""
    def told():
        return reason in str(reader.server.health()[1])
    wait_until(told, 30)
    tap.check(told(), f'{name}: /health says "{reason}"', reader.server.health())
    tap.same(reader.server.health()[0], 200, f"{name}: and stays 200")
    tap.check(reason in reader.server.log(), f"{name}: the log says it too", reader.server.log()[-1500:])
    answer = reader.server.send("logs", logs_request(stamped(component), [log(time.time_ns(), "over HTTP")]))
    tap.same((answer.status, texts(reader, component)), (200, ["over HTTP"]), f"{name}: OTLP/HTTP is served")
    tap.check(SECRET not in reader.server.log() + str(reader.server.health())
              and WRONG not in reader.server.log() + str(reader.server.health()),
              f"{name}: no password in log or /health")
    tap.same(reader.stop(), 0, f"{name}: SIGTERM ends it with status 0")


def run(broker):
    send(broker, "first")
    scram = Secure(broker, "scram").start()
    check_reads(scram, "first", "SCRAM-SHA-512")
    tap.same(scram.stop(), 0, "SIGTERM ends it with status 0")

    plain = Secure(broker, "plain", sasl__mechanisms="PLAIN", sasl__username="plain").start()
    check_reads(plain, "first", "PLAIN")
    plain.stop()

    # What is sent meanwhile is read when the password is right again.
    scram.give(sasl__password=WRONG)
    scram.start()
    send(broker, "second")
    check_refused(scram, "third", "SASL authentication error", "a wrong password, SCRAM")
    plain.give(sasl__password=WRONG)
    plain.start()
    check_refused(plain, "third", "SASL authentication error", "a wrong password, PLAIN")
    scram.give(sasl__password=SECRET)
    scram.start()
    check_reads(scram, "second", "the right password again")
    scram.stop()

    # Signed by nobody who is trusted.
    scram.give(ssl__ca__location="/etc/ssl/certs")
    scram.start()
    check_refused(scram, "fourth", "certificate verify failed", "a certificate nobody vouches for")


kafka.run_tests(tap, lambda: run(kafka.Broker(secret=SECRET).start().make_topics()))
