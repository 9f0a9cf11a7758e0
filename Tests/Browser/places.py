"""The programs that the checks look at, each started and filled when it is first asked for."""

import functools

import corpus
import remote_write
from stage import Client, Program, fill_many, fill_ordinary, fill_past

HOSTILE_JOB = "<script>alert(1)</script> \u202eevil"

CONFIGURATION = """\
global:
  scrape_interval: 1s
# The past is written while scrapes go on, which would otherwise close it.
storage:
  tsdb:
    out_of_order_time_window: 3h
scrape_configs:
- job_name: itself
  static_configs:
  - targets: ['127.0.0.1:1', '{target}']
    labels: {{env: production}}
  - targets: ['127.0.0.1:2']
    labels: {{env: test}}
  relabel_configs:
  - source_labels: [env]
    regex: test
    action: drop
  - source_labels: [env]
    target_label: environment
  - regex: env
    action: labeldrop
- job_name: "{job}"
  static_configs:
  - targets: ['127.0.0.1:3']
    labels:
      hostile: "<img src=x onerror=alert(1)>"
"""


class Stage:
    def __init__(self, narthex, browser, groups, seconds):
        self.narthex, self.browser, self.groups, self.seconds = narthex, browser, groups, seconds
        self.programs = []
        self.figures = []
        self.times = []
        self.many_count = 0

    def start(self, arguments, **more):
        program = Program(self.narthex, arguments, **more)
        self.programs.append(program)
        return program

    def start_gateway(self, *flags, **more):
        program = self.start(["gateway", "--web.listen-address=127.0.0.1:0", *flags], **more)
        client = Client(program.ports[0])
        client.program = program
        return client

    @functools.cached_property
    def both(self):
        """Gateway and server in one process: (gateway, server)."""
        program = self.start(
            ["--data={folder}/data", "--gateway.listen-address=127.0.0.1:0", "--server.listen-address=127.0.0.1:0"],
            listeners=2)
        first, second = (Client(port) for port in program.ports)
        gateway, server = (first, second) if first.request("GET", "/api/v1/groups")[0] == 200 else (second, first)
        fill_ordinary(gateway)
        return gateway, server

    @property
    def gateway(self):
        """A gateway with a few jobs, beside a server."""
        return self.both[0]

    @functools.cached_property
    def empty(self):
        return self.start_gateway("--web.enable-admin-api")

    @functools.cached_property
    def many(self):
        client = self.start_gateway("--push.max-groups=0")
        self.many_count = fill_many(client, self.groups, self.seconds)
        return client

    @functools.cached_property
    def hostile(self):
        client = self.start_gateway("--push.enable-utf8-names")
        body = []
        for number, text in enumerate(corpus.TEXTS):
            value = corpus.quoted(text)
            name = f"family_{number}"
            client.push([("job", text), ("n", str(number))], f'# HELP shared {corpus.help_text("A text.")}\nshared{{text="{value}"}} {number}\n')
            body.append(f'# HELP {name} {corpus.help_text(text)}\n# TYPE {name} gauge\n{name}{{text="{value}"}} {number}')
            if len(text) < 200 and "\n" not in text:
                body.append(f'{{"{value}","label {value}"="x"}} {number}')
        client.push([("job", "all")], "\n".join(body) + "\n")
        for text in corpus.TEXTS[:40]:
            client.push([("job", text)], f"{text.splitlines()[0]}\n", wanted=400)
        return client

    @functools.cached_property
    def server(self):
        """A server with a past, thousands of series, hostile texts, and targets in each state."""
        program = self.start(
            ["server", "--web.listen-address=127.0.0.1:0", "--web.enable-remote-write-receiver",
             "--enable-feature=exemplar-storage", "--config.file={folder}/prometheus.yml",
             "--storage.tsdb.path={folder}/data"],
            files={"prometheus.yml": CONFIGURATION.format(
                job=HOSTILE_JOB, target=f"127.0.0.1:{self.gateway.port}")})
        client = Client(program.ports[0])
        fill_past(client, minutes=70, wide=3000)
        import time

        now = int(time.time() * 1000)
        remote_write.send(client, [
            remote_write.series({"__name__": "hostile", "n": str(number), "text": text}, [(now - 30000, number), (now, number + 1)])
            for number, text in enumerate(corpus.TEXTS)
        ] + [
            remote_write.series({"__name__": text, "text": "x", f"label {text}": text}, [(now, number)])
            for number, text in enumerate(corpus.TEXTS) if "\n" not in text
        ])
        return client

    @functools.cached_property
    def bare(self):
        """A server with nothing in it."""
        program = self.start(
            ["server", "--web.listen-address=127.0.0.1:0", "--config.file={folder}/prometheus.yml",
             "--storage.tsdb.path={folder}/data"], files={"prometheus.yml": "{}\n"})
        client = Client(program.ports[0])
        client.program = program
        return client

    def stop(self):
        for program in self.programs:
            program.stop()
