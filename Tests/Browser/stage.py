"""Starts the programs whose pages are looked at, and fills them."""

import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.parse

from chromium import tied_to_parent, wait_for


class Program:
    """A running `narthex …` on ports that the system chose."""

    def __init__(self, binary, arguments, listeners=1, files=None):
        self.folder = tempfile.mkdtemp(prefix="narthex-pages-")
        for name, text in (files or {}).items():
            path = os.path.join(self.folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(text)
        self.log = os.path.join(self.folder, "log")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [os.path.abspath(binary), *[argument.replace("{folder}", self.folder) for argument in arguments]], stdout=log,
                stderr=log, cwd=self.folder, preexec_fn=tied_to_parent)
        self.ports = wait_for(lambda: self.listening(listeners), 60)

    def listening(self, wanted):
        with open(self.log) as file:
            text = file.read()
        if self.process.poll() is not None:
            raise RuntimeError(f"the program ended: {text}")
        ports = [int(port) for port in re.findall(r"Listening on.*127\.0\.0\.1:(\d+)", text)]
        return ports if len(ports) == wanted else None

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Client:
    """Plain HTTP on one connection."""

    def __init__(self, port):
        self.port = port
        self.address = f"http://127.0.0.1:{port}"
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def request(self, method, path, body=None, headers=None):
        if isinstance(body, str):
            body = body.encode()
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")

    def push(self, group, body, method="PUT", wanted=200):
        """Pushes to a group given as [(name, value), …], the job first."""
        status, text = self.request(method, "/metrics/" + path(group), body)
        if status != wanted:
            raise RuntimeError(f"push to {group}: {status} {text}")

    def json(self, path, **parameters):
        status, text = self.request("GET", f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        answer = json.loads(text)
        if status != 200:
            raise RuntimeError(f"{path}: {status} {text}")
        return answer["data"]


def path(group):
    import base64

    def part(name, value):
        if not value or "/" in value or value in (".", ".."):
            code = base64.urlsafe_b64encode(value.encode()).decode().rstrip("=") or "="
            return f"{name}@base64/{code}"
        return f"{name}/{urllib.parse.quote(value, safe='')}"

    return "/".join(part(name, value) for name, value in group)


BACKUP = """\
# HELP backup_duration_seconds How long the backup took.
# TYPE backup_duration_seconds gauge
backup_duration_seconds 812.4
# HELP backup_last_success_time_seconds When the backup last succeeded.
# TYPE backup_last_success_time_seconds gauge
backup_last_success_time_seconds 1.795e+09
# HELP backup_files_total Files by what became of them.
# TYPE backup_files_total counter
backup_files_total{state="copied"} 18243
backup_files_total{state="unchanged"} 402118
backup_files_total{state="failed"} 3
"""

IMPORT = """\
# HELP import_rows_total Rows read.
# TYPE import_rows_total counter
import_rows_total{table="users"} 4211
import_rows_total{table="orders"} 91823
# HELP import_batch_seconds How long a batch took.
# TYPE import_batch_seconds histogram
import_batch_seconds_bucket{le="0.05"} 3
import_batch_seconds_bucket{le="0.1"} 18
import_batch_seconds_bucket{le="0.25"} 97
import_batch_seconds_bucket{le="0.5"} 164
import_batch_seconds_bucket{le="1"} 181
import_batch_seconds_bucket{le="2.5"} 188
import_batch_seconds_bucket{le="5"} 190
import_batch_seconds_bucket{le="+Inf"} 191
import_batch_seconds_sum 62.9
import_batch_seconds_count 191
# HELP import_lag_seconds Age of the newest row.
# TYPE import_lag_seconds summary
import_lag_seconds{quantile="0.5"} 1.2
import_lag_seconds{quantile="0.9"} 3.4
import_lag_seconds{quantile="0.99"} 11.8
import_lag_seconds_sum 412
import_lag_seconds_count 230
"""


def fill_ordinary(gateway):
    """A few jobs as people have them, and a push that is refused."""
    for host in ("db-1", "db-2", "files-1"):
        gateway.push([("job", "backup"), ("instance", host)], BACKUP)
    gateway.push([("job", "import"), ("shard", "eu")], IMPORT)
    gateway.push([("job", "import"), ("shard", "us")], IMPORT)
    gateway.push([("job", "nightly-report")], "report_pages 17\nreport_seconds 3.2\n")
    gateway.push([("job", "cleanup"), ("path", "/var/tmp")], "cleanup_bytes_freed 123456789\n")
    gateway.push([("job", "backup"), ("instance", "db-2")], "backup_duration_seconds notanumber\n", wanted=400)
    gateway.push([("job", "import"), ("shard", "asia")], "# TYPE import_rows_total gauge\nimport_rows_total 3\n",
                 wanted=400)


def fill_many(gateway, count, seconds):
    """As many groups as `count`, or as `seconds` allow; gives how many there are then."""
    end = time.monotonic() + seconds
    for number in range(count):
        group = [("job", f"batch-{number % 250:03}"), ("instance", f"host-{number:06}.example.org")]
        gateway.push(group, f"batch_rows_total {number}\nbatch_seconds {number % 97}\n")
        if number % 64 == 0 and time.monotonic() > end:
            return number + 1
    return count


def fill_past(server, minutes=90, wide=0):
    """A past for a server that takes remote writes: requests with exemplars, a classic and a native histogram, and
    `wide` series of one metric."""
    import math
    import random

    import remote_write as remote

    random.seed(7)
    now = int(time.time()) * 1000
    times = [now - (minutes * 60 - second) * 1000 for second in range(0, minutes * 60, 15)]
    encoded = []
    for index, (method, code, load) in enumerate(
            [("GET", "200", 120), ("POST", "200", 40), ("GET", "404", 6), ("POST", "500", 2)]):
        total, samples = 0.0, []
        for place, at in enumerate(times):
            wave = 1 + 0.6 * math.sin(place / 40 + index) + 0.15 * random.random()
            if code == "500" and 200 < place < 240:
                wave *= 9
            total += load * wave * 15
            samples.append((at, round(total)))
        exemplars = [(at, value, {"trace_id": f"{random.getrandbits(64):016x}"}) for at, value in samples[::60]]
        encoded.append(remote.series(
            {"__name__": "http_requests_total", "job": "shop", "method": method, "code": code}, samples, exemplars))
    bounds = ["0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "+Inf"]
    totals = [0] * len(bounds)
    buckets = {bound: [] for bound in bounds}
    natives, native = [], [0] * 24
    for place, at in enumerate(times):
        middle = 3 + 2.2 * math.sin(place / 50)
        for index, bound in enumerate(bounds):
            totals[index] += max(0, round(60 * math.exp(-((index - middle) ** 2) / 2.5) + 2 * random.random()))
            buckets[bound].append((at, sum(totals[:index + 1])))
        for index in range(len(native)):
            native[index] += max(0, round(40 * math.exp(-((index - 3 * middle) ** 2) / 18)))
        natives.append(remote.histogram(at, list(native), float(sum(native)), start=-40))
    for bound in bounds:
        encoded.append(remote.series(
            {"__name__": "request_seconds_bucket", "job": "shop", "le": bound}, buckets[bound]))
    encoded.append(remote.series({"__name__": "request_native_seconds", "job": "shop"}, histograms=natives))
    encoded.append(remote.series(
        {"__name__": "memory_bytes", "job": "shop"},
        [(at, 2e9 + 4e8 * math.sin(place / 30) + 1e7 * random.random()) for place, at in enumerate(times)]))
    remote.send(server, encoded)
    for start in range(0, wide, 2000):
        remote.send(server, [
            remote.series({"__name__": "wide_metric", "instance": f"host-{number:05}", "zone": f"z{number % 7}"},
                          [(at, number % 101 + place % 5) for place, at in enumerate(times[-8:])])
            for number in range(start, min(start + 2000, wide))])
