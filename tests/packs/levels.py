"""examples/p1-p2-p3 live: an exporter of the documents' metrics walks through each P1, P2 and P3 condition and back, and fakes of
telephone, SMS, Slack, DingTalk and mail say what came when. The rules are those of rules/llm-service with every duration divided by 20
or more, the configuration is the example's with its timers so divided and its addresses those of the fakes; the clock of all of them is
one that this test sets: it is Monday, shortly before nine in Shanghai.

Prints a table, condition x channel, with the seconds since the condition began."""
from harness import *
import calendar, datetime

EXAMPLE, PACK = os.path.join(SOURCE, "examples/p1-p2-p3"), os.path.join(SOURCE, "rules/llm-service/alerts.yml")
NINE = 32  # seconds from the start until working hours begin
CONDITIONS = {
    "P1": ["LlmServiceDown", "LlmServiceUnavailable", "LlmGpuOutOfMemory", "LlmContainerOomKilled", "LlmAllPodsUnhealthy"],
    "P2": ["LlmHighErrorRate", "LlmHighLatency", "LlmLatencyAboveOneSecond", "LlmHighGpuUtilization", "LlmGpuMemoryHigh", "LlmModelAccuracyDrop"],
    "P3": ["LlmDataDrift", "LlmCacheHitRateLow", "LlmCostNearBudget"],
}
LATER = "LlmHighGpuUtilization"  # the P2 that begins while P1 fire: it is told once they are over
CHANNELS = {"P1": {"voice", "sms", "slack", "dingtalk"}, "P2": {"slack", "mail"}, "P3": {"slack"}}
ROOMS = {"P1": "#ai-alerts-critical", "P2": "#ai-alerts-warning", "P3": "#ai-monitoring"}


def seconds(text):
    return sum(int(n) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[u] for n, u in re.findall(r"(\d+)([smhd])", text))


def shorter(text, most):
    """A duration in whole seconds, a twentieth at most, or 1 s."""
    return f"{min(most, max(1, seconds(text) // 75))}s"


def hurried(rules):
    """Windows of 4 s, `for` of 1 to 3 s."""
    rules = re.sub(r"\[(\d+[smhd])\]", lambda m: f"[{shorter(m[1], 4)}]", rules)
    rules = re.sub(r"offset (\d+[smhd])", lambda m: f"offset {shorter(m[1], 4)}", rules)
    return re.sub(r"(?m)^( +for: )(\S+)$", lambda m: m[1] + shorter(m[2], 3), rules)


class Service:
    """The metrics of a service that is well, but for the conditions in `ill`."""

    def __init__(self, exporter, other):
        self.ill, self.count = set(), {}
        exporter.pages["/metrics"] = lambda: self.page(self.service())
        exporter.pages["/gpu"] = lambda: self.page(self.gpu())
        exporter.pages["/kube"] = lambda: self.page(self.kube())
        other.pages["/metrics"] = lambda: (503, {}, b"") if "LlmServiceDown" in self.ill else self.page([])

    def page(self, lines):
        return 200, {"Content-Type": TEXT}, ("\n".join(lines) + "\n").encode()

    def grow(self, series, rate, now):
        last, total = self.count.get(series, (now, 0.0))
        self.count[series] = now, total + (now - last) * rate
        return f"{series} {self.count[series][1]}"

    def service(self):
        now = time.monotonic()  # one for all: a histogram's buckets belong together
        bad = 120 if "LlmServiceUnavailable" in self.ill else 20 if self.ill & {"LlmHighErrorRate", "LlmGpuOutOfMemory"} else 0
        fast = 100 if self.ill & {"LlmHighLatency", "LlmLatencyAboveOneSecond"} else 200
        yield self.grow('llm_requests_total{model="qwen",status="error"}', bad, now)
        yield self.grow('llm_requests_total{model="qwen",status="success"}', 200 - bad, now)
        for le, n in (("0.5", fast), ("1.0", fast), ("5.0", fast), ("10.0", 200), ("+Inf", 200)):
            yield self.grow(f'llm_request_latency_seconds_bucket{{model="qwen",le="{le}"}}', n, now)
        yield f'llm_gpu_utilization_percent {95 if "LlmHighGpuUtilization" in self.ill else 60}'
        yield f'llm_model_accuracy_percent{{model="qwen"}} {30 if "LlmModelAccuracyDrop" in self.ill else 92}'
        yield f'data_drift_score{{feature="avg_input_tokens"}} {0.15 if "LlmDataDrift" in self.ill else 0.02}'
        yield self.grow('llm_cache_requests_total{model="qwen"}', 200, now)
        yield self.grow('llm_cache_hits_total{model="qwen"}', 20 if "LlmCacheHitRateLow" in self.ill else 120, now)
        yield self.grow('llm_cost_usd_total{model="qwen"}', 300 if "LlmCostNearBudget" in self.ill else 10, now)
        yield "llm_budget_usd 1000"

    def gpu(self):
        used = 79500 if "LlmGpuOutOfMemory" in self.ill else 75000 if "LlmGpuMemoryHigh" in self.ill else 40000
        return [f'gpu_memory_used{{gpu="0"}} {used}', 'gpu_memory_total{gpu="0"} 80000']

    def kube(self):
        killed, pod = "LlmContainerOomKilled" in self.ill, 'namespace="ai",pod="llm-0"'
        yield f'kube_pod_status_ready{{{pod},condition="true"}} {0 if "LlmAllPodsUnhealthy" in self.ill else 1}'
        yield f'kube_pod_container_status_restarts_total{{{pod},container="llm"}} {int(killed)}'
        if killed:
            yield f'kube_pod_container_status_last_terminated_reason{{{pod},container="llm",reason="OOMKilled"}} 1'


class Channel(Fake):
    """A fake that keeps when each message came."""

    def __init__(self, kind, *flags):
        self.times = []
        super().__init__(kind, *flags)

    def _read(self, f):
        for line in f:
            self.times.append((time.monotonic(), line))
            self.log.append(line)

    def heard(self, name, since=0.0, room=None):
        """[(when, text)] of what names an alert."""
        return [(at, line) for at, line in list(self.times)
                if line.startswith("{") and at >= since and name in line and (room is None or f'"{room}"' in line)]


def replaced(text, pairs):
    for old, new in pairs:
        assert old in text, f"the example has no {old!r} any more"
        text = text.replace(old, new)
    return text


def configuration(d, channels, sink, targets, feishu):
    router = replaced(open(EXAMPLE + "/alertmanager.yml").read(), [
        ("smtp.example.com:587", channels["mail"].url), ("  smtp_auth_username: tocsin@example.com\n", "  smtp_require_tls: false\n"),
        ("  smtp_auth_password_file: /etc/tocsin/smtp.password\n", ""), ("slack_api_url_file: /etc/tocsin/slack.url", f"slack_api_url: {channels['slack'].url}services/T0/B0/x"),
        ("url_file: /etc/tocsin/watchdog.url", f"url: {sink.url}/watchdog"), ("group_wait: 30s", "group_wait: 1s"), ("[levels.tmpl]", f"[{EXAMPLE}/levels.tmpl]"),
        ("group_interval: 2m", "group_interval: 2s"),
        ("receiver: p1-chat\n      matchers: ['severity=\"critical\"']\n      group_wait: 0s\n      group_interval: 1m",  # a call rings for longer: p1-call keeps its minute
         "receiver: p1-chat\n      matchers: ['severity=\"critical\"']\n      group_wait: 0s\n      group_interval: 1s")])
    own = replaced(open(EXAMPLE + "/tocsin.yml").read(), [
        ("scrape_interval: 15s", "scrape_interval: 500ms"), ("evaluation_interval: 15s", "evaluation_interval: 500ms"),
        ("url_file: /etc/tocsin/dingtalk.url", f"url: {channels['dingtalk'].url}\n        pace: [{{messages: 0}}]"), ("secret_file: /etc/tocsin/dingtalk.secret", "secret: SECret"),
        ("token_file: /etc/tocsin/feishu.token", f"url: {feishu}"), ("url_file: /etc/tocsin/heartbeat.url", f"url: {sink.url}/heartbeat"), ("interval: 1m", "interval: 1s")])
    for kind, word in ("voice", "TTS"), ("sms", "SMS"):
        own = replaced(own, [(f"secret_key_file: /etc/tocsin/aliyun.secret\n        {'template' if kind == 'voice' else 'sign_name'}",
                              f"secret_key: s\n        api_url: {channels[kind].url}\n        pace: [{{messages: 0}}]\n        {'template' if kind == 'voice' else 'sign_name'}")])
    own = re.sub(r"(?s)rule_files:.*?\nreceivers:", lambda m: f"""rule_files: [{write(d + '/rules.yml', hurried(open(PACK).read()))}]
scrape_configs:
  - {{job_name: llm-service, static_configs: [{{targets: ['{targets[0]}', '{targets[1]}']}}]}}
  - {{job_name: gpu-metrics, metrics_path: /gpu, static_configs: [{{targets: ['{targets[0]}']}}]}}
  - {{job_name: kube-state-metrics, metrics_path: /kube, static_configs: [{{targets: ['{targets[0]}']}}]}}

receivers:""", own)
    return router, own


def shortly_before_nine():
    """Seconds to set the clock ahead, so that it is NINE seconds before nine on a Monday in Shanghai, which is 01:00 UTC; and the moment,
    on the clock that nobody sets, that is NINE seconds before that nine."""
    now = datetime.datetime.now(datetime.timezone.utc)
    monday = (now + datetime.timedelta(days=7 - now.weekday())).replace(hour=1, minute=0, second=0, microsecond=0)
    ahead = calendar.timegm(monday.timetuple()) - NINE - int(now.timestamp())
    return ahead, time.monotonic() - (now.timestamp() + ahead - (calendar.timegm(monday.timetuple()) - NINE))


class Walk:
    def __init__(self, service, channels):
        self.service, self.channels, self.since, self.table = service, channels, {}, {}

    def begin(self, *names):
        self.since.update({name: time.monotonic() for name in names})
        self.service.ill |= set(names)

    def end(self, *names):
        self.service.ill -= set(names)
        return time.monotonic()

    def told(self, level, channel, name, since=None):
        room = ROOMS[level] if channel == "slack" else None
        return self.channels[channel].heard(name, self.since[name] if since is None else since, room)

    def wait(self, level, names, limit):
        """Until each condition is told over each of its channels; no other has heard of it."""
        for name in names:
            for channel in sorted(CHANNELS[level]):
                got = until(f"{name} over {channel}", lambda: self.told(level, channel, name), limit)
                self.table[name, channel] = got[0][0] - self.since[name]
            for channel in self.channels.keys() - CHANNELS[level]:
                assert not self.told(level, channel, name), f"{name} came over {channel}"

    def wait_end(self, level, over, limit=12):
        """What can be written, not what rings; some P2 ended by themselves before."""
        for name in CONDITIONS[level]:
            for channel in sorted(CHANNELS[level] & {"slack", "mail", "dingtalk"}):
                got = until(f"the end of {name} over {channel}", lambda: [m for m in self.told(level, channel, name) if "恢复" in m[1]], limit)
                self.table[name, channel + " end"] = max(0.0, got[-1][0] - over)

    def print(self):
        heads = ["voice", "sms", "slack", "dingtalk", "mail", "slack end", "dingtalk end", "mail end"]
        print("level  " + "condition".ljust(26) + "".join(h.rjust(14) for h in heads))
        for level, names in CONDITIONS.items():
            for name in names:
                cells = [self.table.get((name, h)) for h in heads]
                print(level.ljust(7) + name.ljust(26) + "".join(("-" if c is None else f"{c:.1f} s").rjust(14) for c in cells))


def test_routes_reach_every_receiver():
    """tocsin test passes, lint says nothing, and each receiver but the fallback is expected of some labels."""
    p = subprocess.run([PROGRAM, "test", EXAMPLE], capture_output=True, text=True)
    equal(p.returncode, 0, p.stdout)
    p = subprocess.run([PROGRAM, "lint", "--fail-on=warning", EXAMPLE], capture_output=True, text=True)
    equal(p.returncode, 0, p.stdout)
    names = set(re.findall(r"(?m)^  - name: ([\w-]+)$", open(EXAMPLE + "/alertmanager.yml").read().split("\nreceivers:")[1]))
    tested = {n for line in re.findall(r"exp_receivers: \[(.*?)\]", open(EXAMPLE + "/tests/routes.yml").read()) for n in line.split(", ")}
    equal(tested, names, "receivers")


def test_three_levels():
    with folder() as d:
        clock = WallClock(d)
        ahead, start = shortly_before_nine()
        clock.set(ahead)
        os.environ.update(clock.env)  # of the fakes, too: they look at the time of signatures
        free = ["--per-minute=0", "--per-hour=0", "--per-day=0"]
        with contextlib.ExitStack() as stack:
            channels = {k: stack.enter_context(Channel(k2, *flags)) for k, k2, flags in (
                ("voice", "voice", ["--key=LTAI5tExample", "--secret=s", "--rings=0.2", *free]), ("sms", "sms", ["--key=LTAI5tExample", "--secret=s", *free]),
                ("slack", "slack", ["--burst=100"]), ("dingtalk", "dingtalk", ["--token=TOKEN", "--secret=SECret", "--rate=1000"]), ("mail", "smtp", []))}
            if not channels["mail"].url[0].isdigit():
                raise Skip("aiosmtpd is not there")
            sink, one, two = stack.enter_context(Sink()), stack.enter_context(Exporter()), stack.enter_context(Exporter())
            service = Service(one, two)
            router, own = configuration(d, channels, sink, (one.address, two.address), sink.url + "/feishu")
            with Tocsin(own, d, "--config.file=" + write(d + "/alertmanager.yml", router), env=clock.env) as t:
                walk_through(t, Walk(service, channels), sink, start)


def test_what_cannot_be_told_goes_to_the_backup():
    """Neither telephone nor SMS takes anything: the backup is told over Feishu and by mail, at once; the chat hears as ever."""
    with folder() as d, contextlib.ExitStack() as stack:
        channels = {k: stack.enter_context(Channel(k2, *flags)) for k, k2, flags in (
            ("voice", "voice", ["--key=LTAI5tExample", "--secret=s", "--fail=isv.OUT_OF_SERVICE"]), ("sms", "sms", ["--key=LTAI5tExample", "--secret=s", "--fail=isv.OUT_OF_SERVICE"]),
            ("slack", "slack", []), ("dingtalk", "dingtalk", ["--token=TOKEN", "--secret=SECret"]), ("mail", "smtp", []), ("feishu", "feishu", []))}
        if not channels["mail"].url[0].isdigit():
            raise Skip("aiosmtpd is not there")
        sink = stack.enter_context(Sink())
        gone = [f"127.0.0.1:{free_port()}" for _ in range(2)]
        router, own = configuration(d, channels, sink, gone, channels["feishu"].url)
        with Tocsin(own, d, "--config.file=" + write(d + "/alertmanager.yml", router)):
            for channel in "slack", "dingtalk", "feishu", "mail":
                until(f"LlmServiceDown over {channel}", lambda: channels[channel].heard("LlmServiceDown"), 15)
            assert "oncall-lead@example.com" in channels["mail"].heard("LlmServiceDown")[0][1]
            assert not channels["voice"].heard("LlmServiceDown") and not channels["sms"].heard("LlmServiceDown")


def walk_through(t, walk, sink, start):
    until("scrapes are there", lambda: len(t.get("/api/v1/query?query=llm_gpu_utilization_percent%5B4s%5D").json()["data"]["result"][0]["values"]) >= 4
          if t.get("/api/v1/query?query=llm_gpu_utilization_percent").json()["data"]["result"] else False, 8)
    before = [n for n in CONDITIONS["P2"] if n != LATER]
    walk.begin(*before, *CONDITIONS["P3"])
    walk.wait("P2", before, 12)
    walk.begin(*CONDITIONS["P1"])
    walk.wait("P1", CONDITIONS["P1"], 10)
    walk.begin(LATER)
    until(f"{LATER} is explained by a P1", lambda: [a for a in t.alerts() if a["labels"]["alertname"] == LATER and a["status"]["inhibitedBy"]], 10)
    time.sleep(3)  # longer than its group waits
    assert not walk.told("P2", "slack", LATER) and not walk.told("P2", "mail", LATER), f"{LATER} was told beside the P1"
    over = walk.end(*CONDITIONS["P1"], *before)
    walk.wait_end("P1", over)
    walk.wait("P2", [LATER], 10)
    walk.end(LATER)
    walk.wait_end("P2", over)
    assert time.monotonic() - start < NINE, "this machine is too slow for what comes before nine"
    early = [m for n in CONDITIONS["P3"] for m in walk.told("P3", "slack", n, 0)]
    assert not early, early
    walk.wait("P3", CONDITIONS["P3"], NINE + 8 - (time.monotonic() - start))
    first = {walk.told("P3", "slack", name)[0] for name in CONDITIONS["P3"]}
    equal(len(first), 1, f"one digest names all that came overnight: {first}")
    at = next(iter(first))[0] - start
    assert NINE - 0.5 <= at <= NINE + 6, f"the digest came {at - NINE:.1f} s after nine"
    over = walk.end(*CONDITIONS["P3"])
    walk.wait_end("P3", over)
    assert any(r.path.endswith("/heartbeat") for r in sink.got) and not any(r.path.endswith("/feishu") for r in sink.got), "the switch, and no fallback"
    walk.print()


main()
