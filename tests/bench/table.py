#!/usr/bin/env python3
"""The costs that people feel, each beside its peers of both generations, in turns on one machine in one run.

usage: table.py [--runs N] [--rows NAME,...] [--with NAME=PROGRAM]... [--no-peers] [--compare OLD.json] [--growth]     run from the root

    alerts    100,000 in 100 groups, each told when all are there          Alertmanager
    groups    20,000 in as many, each told at once                         Alertmanager
    messages  20,000, all due at one time                                  Alertmanager
    silences  10,000, and a start with them                                Alertmanager
    scrape    97,500 series each 5 s, rules over them each 15 s, 60 s      Prometheus
    rules     10,000 of them each 15 s, 45 s                               Prometheus
    lint      10,000 alerts; a small file                                  promtool
    stop      with an idle connection                                      Alertmanager
    ranges    range queries of 240 steps over 35,000 series                Prometheus

--with adds another build of tocsin, --runs (5) says how often; what is printed are medians. What is told, is told within the same
figure of all: taking in alerts, taking them in again and telling of them. Each run is kept in build/bench/TIME.json;
--compare says which figures of this build are 3 % worse than those of such a file. --growth: this build alone, with a sixteenth, a
quarter and all of what a row is about, and the exponents between them.
"""
import argparse, contextlib, datetime, json, math, os, re, socket, statistics, subprocess, sys, tempfile, time, urllib.request
sys.path.insert(0, os.path.dirname(__file__))
import lint_bench, many_rules_text

SHARED = os.environ.get("TOCSIN_SHARED", "../shared")
NOW = "tocsin"
WORSE = 1.03
PEERS = {"alertmanager": {"AM 0.25": "build/peers/usr/bin/prometheus-alertmanager", "AM 0.33": "build/newer/usr/bin/prometheus-alertmanager"},
         "prometheus": {"Prom 2.42": "build/peers/usr/bin/prometheus", "Prom 3.5": "build/newer/usr/bin/prometheus"},
         "promtool": {"Prom 2.42": "build/peers/usr/bin/promtool", "Prom 3.5": "build/newer/usr/bin/promtool"}}
LISTS = "get_alerts", "get_groups", "filter", "get_silenced"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(url):
    with urllib.request.urlopen(url, timeout=120) as r:
        return r.read()


def wait_ready(url, seconds=60):
    end = time.monotonic() + seconds
    while True:
        try:
            return get(url)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.005)


def cpu(pid):
    w = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(w[11]) + int(w[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid, what):
    return int(re.search(what + r":\s+(\d+)", open(f"/proc/{pid}/status").read())[1]) / 1024


@contextlib.contextmanager
def server(kind, program, config, dir):
    """Its process and URL. kind: the one in whose place it stands."""
    address = f"127.0.0.1:{free_port()}"
    flags = ["--storage.tsdb.path=" + dir] if kind == "prometheus" and "tocsin" not in program else ["--storage.path=" + dir]
    flags += ["--cluster.listen-address="] if kind == "alertmanager" else []
    p = subprocess.Popen([program, "--config.file=" + config, *flags, "--web.listen-address=" + address, "--log.level=error"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_ready(f"http://{address}/-/ready")
        yield p, "http://" + address
    finally:
        p.terminate()
        p.wait()


@contextlib.contextmanager
def helper(*command, env=None):
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=env)
    try:
        yield
    finally:
        p.kill()
        p.wait()


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


# -- rows: each gives figures by name, of a program in the place of kind --

def router(program, alerts, groups, by, wait):
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as d:
        sink = free_port()
        config = write(d + "/am.yml", f"route: {{receiver: sink, group_by: [{by}], group_wait: {wait}, group_interval: 5m, repeat_interval: 4h}}\n"
                       f"receivers: [{{name: sink, webhook_configs: [{{url: 'http://127.0.0.1:{sink}/', send_resolved: false}}]}}]\n")
        # Python's allocator may map and unmap memory for each request, by chance, unless told
        with helper(sys.executable, SHARED + "/bench/sink.py", "--port", str(sink), env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "4194304"}), \
             server("alertmanager", program, config, d + "/data") as (p, url):
            empty = memory(p.pid, "VmRSS")
            subprocess.run([sys.executable, SHARED + "/bench/router_bench.py", "--url", url, "--pid", str(p.pid), "--alerts", str(alerts),
                            "--sink-port", str(sink), "--groups", str(groups), "--json", d + "/out.json"], check=True, stdout=subprocess.DEVNULL)
        return json.load(open(d + "/out.json")), empty


def routed(program, alerts, groups, by, wait):
    s, empty = router(program, alerts, groups, by, wait)
    waited = float(wait[:-1])
    return {"taking in, twice, and telling, CPU s": sum(s[x]["cpu_s"] for x in ("ingest", "refresh", "notify")),
            "once more, with 500 silences, CPU s": s["refresh2"]["cpu_s"],
            "lists, CPU s": sum(s[x]["cpu_s"] for x in LISTS),
            "a list of all, s": s["get_alerts"]["s"],
            "500 silences, one by one, s": s["silences"]["s"],
            "last message after the wait, s": max(0, s["notify"]["s_from_first_post"] - waited),
            "an alert, B": (s["refresh"]["rss_mb"] - empty) * 2**20 / alerts,
            "memory when told, MB": s["notify"]["rss_mb"], "peak, MB": max(x["peak_mb"] for x in s.values())}


def row_alerts(kind, program, part=1):
    return routed(program, 100000 // part, 100, "alertname,cluster", "5s")


def row_groups(kind, program, part=1):
    return routed(program, 20000 // part, 20000 // part, "replica", "0s")


def row_messages(kind, program, part=1):
    n = 20000 // part
    return {"a webhook, us of CPU": router(program, n, n, "replica", "8s")[0]["notify"]["cpu_s"] * 1e6 / n}


def row_silences(kind, program):
    n, figures = 10000, {}
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as d:
        config = write(d + "/am.yml", "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
        at = lambda s: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + s))
        with server(kind, program, config, d + "/data") as (p, url):
            host, port = url[7:].split(":")
            s, before = socket.create_connection((host, int(port))), cpu(p.pid)
            f = s.makefile("rb")
            for i in range(n):
                body = json.dumps({"matchers": [{"name": "alertname", "value": f"A{i % 50}", "isRegex": False},
                                                {"name": "instance", "value": f"10\\.0\\.{i % 250}\\.1?[0-9]:.*", "isRegex": True}],
                                   "startsAt": at(1), "endsAt": at(7200), "createdBy": "bench", "comment": "bench"})
                s.sendall(f"POST /api/v2/silences HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
                length = 0
                while (line := f.readline().strip()):
                    length = int(line.split()[1]) if line.lower().startswith(b"content-length") else length
                f.read(length)
            figures["making 10,000, CPU s"] = cpu(p.pid) - before
        began = time.monotonic()
        with server(kind, program, config, d + "/data") as (p, url):
            figures["ready with them, s"] = time.monotonic() - began
            get(url + "/api/v2/status")
            figures["memory with them, MB"] = memory(p.pid, "VmRSS")
    return figures


def metric(text, name):
    return sum(float(l.rsplit(" ", 1)[1]) for l in text.splitlines() if l.startswith((name + "{", name + " ")))


def scraping(kind, program, config, seconds, replicas, rules):
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as d:
        exporter = free_port()
        path = write(d + "/p.yml", config % (exporter, rules if rules.startswith("/") else write(d + "/rules.yml", rules)))
        with helper(sys.executable, SHARED + "/bench/exporter.py", f"--port={exporter}", f"--replicas={replicas}"):
            wait_ready(f"http://127.0.0.1:{exporter}/metrics")
            with server(kind, program, path, d + "/data") as (p, url):
                time.sleep(seconds)
                text = get(url + "/metrics").decode()
                assert metric(text, "prometheus_rule_evaluation_failures_total") == 0
                return {"CPU s a minute": cpu(p.pid) * 60 / seconds, "peak, MB": memory(p.pid, "VmHWM"),
                        "an evaluation of all, ms": metric(text, "prometheus_rule_group_last_duration_seconds") * 1000}


SCRAPE = """global: {scrape_interval: %s, scrape_timeout: 4s, evaluation_interval: 15s}
scrape_configs: [{job_name: fleet, honor_labels: true, static_configs: [{targets: ['127.0.0.1:%%d']}]}]
rule_files: ['%%s']
"""


def row_scrape(kind, program, part=1):
    return scraping(kind, program, SCRAPE % "5s", 60, 2500 // part, os.path.abspath(SHARED + "/bench/rules.yml"))


def row_rules(kind, program):
    return scraping(kind, program, SCRAPE % "15s", 45, 250, many_rules_text.rules(0))


def ran(*command):
    began = time.monotonic()
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    usage = os.wait4(p.pid, 0)[2]
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def row_lint(kind, program):
    command = [program, "check", "rules"] if "promtool" in program else [program, "lint", "-q"]
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as d:
        took, used, peak = ran(*command, write(d + "/rules.yml", lint_bench.rules(10000)))
        small = write(d + "/small.yml", "groups: [{name: g, rules: [{alert: A, for: 1m, expr: up == 0}]}]\n")
        short = statistics.median(ran(*command, small)[0] for _ in range(15))
    return {"10,000 alerts, s": took, "10,000 alerts, CPU s": used, "10,000 alerts, peak MB": peak, "a small file, ms": short * 1000}


def row_stop(kind, program):
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as d:
        config = write(d + "/am.yml", "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
        with server("alertmanager", program, config, d + "/data") as (p, url):
            host, port = url[7:].split(":")
            with socket.create_connection((host, int(port))) as s:
                s.sendall(b"GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n")
                s.recv(4096)
                began = time.monotonic()
                p.terminate()
                p.wait()
                return {"until it is gone, s": time.monotonic() - began}


def rows_of_ranges(part=1):
    """All at once: {figure: {contestant: ms}}; the peers get the series by remote write."""
    out, names = {}, [n for n, p in PEERS["prometheus"].items() if os.path.exists(p)]
    for line in subprocess.run([sys.executable, "-B", "tests/bench/promql.py", "--range", str(35000 // part)], check=True, capture_output=True,
                               text=True).stdout.splitlines():
        w = line.split()
        if len(w) >= 3 and re.fullmatch(r"[\d.]+", w[1]):
            out[w[0] + ", ms"] = {NOW: float(w[1]), **{n: float(t) for n, t in zip(names, w[3::2])}}
    return out


ROWS = {"alerts": ("alertmanager", row_alerts), "groups": ("alertmanager", row_groups), "messages": ("alertmanager", row_messages),
        "silences": ("alertmanager", row_silences), "stop": ("alertmanager", row_stop), "scrape": ("prometheus", row_scrape), "rules": ("prometheus", row_rules), "lint": ("promtool", row_lint), "ranges": ("prometheus", None)}


# -- all --

def take(o, others):
    """{row: {figure: {contestant: [values]}}}"""
    taken = {}
    for i in range(o.runs):
        for name in o.rows:
            kind, run = ROWS[name]
            if run is None:
                for figure, by in rows_of_ranges().items():
                    for who, v in by.items():
                        taken.setdefault(name, {}).setdefault(figure, {}).setdefault(who, []).append(v)
                continue
            peers = {} if o.no_peers else {n: p for n, p in PEERS[kind].items() if os.path.exists(p)}
            all = list({**others, NOW: "build/release/tocsin", **peers}.items())
            for who, program in all if i % 2 == 0 else all[::-1]:
                for figure, v in run(kind, program).items():
                    taken.setdefault(name, {}).setdefault(figure, {}).setdefault(who, []).append(v)
            print(f"run {i + 1} of {o.runs}: {name}", file=sys.stderr, flush=True)
    return taken


def show(taken):
    for row, figures in taken.items():
        who = list(next(iter(figures.values())))
        print("\n%-42s" % row + "".join("%11s" % w for w in who) + "".join("%13s" % ("/ " + w) for w in who if w != NOW))
        for figure, by in figures.items():
            m = {w: statistics.median(v) for w, v in by.items()}
            print("%-42s" % ("  " + figure) + "".join("%11.3f" % m[w] if w in m else "%11s" % "-" for w in who) +
                  "".join("%12.2fx" % (m[w] / m[NOW]) if w in m and m[NOW] else "%13s" % "-" for w in who if w != NOW))


GROWING = "alerts", "groups", "messages", "scrape", "ranges"


def grow(rows, runs):
    for name in [r for r in rows if r in GROWING]:
        kind, run = ROWS[name]
        print("\n%-42s %10s %10s %10s   exponents" % (name, "1", "4", "16"))
        taken = {}
        for part in [16, 4, 1] * runs:
            figures = run(kind, "build/release/tocsin", part) if run else {f: by[NOW] for f, by in rows_of_ranges(part).items()}
            for figure, v in figures.items():
                taken.setdefault(figure, {}).setdefault(part, []).append(v)
        for figure, by in taken.items():
            v = [statistics.median(by[part]) for part in (16, 4, 1)]
            print("%-42s %10.3f %10.3f %10.3f   " % ("  " + figure, *v) + " ".join(
                "%5.2f" % math.log(b / a, 4) if a > 0 and b > 0 else "    -" for a, b in zip(v, v[1:])), flush=True)


def compare(taken, old):
    """Whether a figure is worse: by more than 3 %, and than the old runs differ among themselves."""
    print("\nbeside", old["at"], old["commit"])
    worse = 0
    for row, figures in taken.items():
        for figure, by in figures.items():
            was = old["figures"].get(row, {}).get(figure, {}).get(NOW)
            if was is None or NOW not in by:
                continue
            a, b = statistics.median(was), statistics.median(by[NOW])
            is_worse = b > a * WORSE and b > max(was)
            worse += is_worse
            if is_worse or b < a / WORSE:
                print("%-50s %10.3f %10.3f %+6.1f %%%s" % (row + ": " + figure, a, b, (b / a - 1) * 100 if a else 0, " WORSE" if is_worse else ""))
    print(f"{worse} figures are worse" if worse else "no figure is worse")
    return worse


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--rows", type=lambda s: s.split(","), default=list(ROWS))
    p.add_argument("--with", dest="others", action="append", default=[], metavar="NAME=PROGRAM")
    p.add_argument("--no-peers", action="store_true")
    p.add_argument("--compare")
    p.add_argument("--growth", action="store_true")
    o = p.parse_args()
    unknown = [r for r in o.rows if r not in ROWS]
    if unknown or any("=" not in x for x in o.others):
        p.error(f"no such row: {unknown[0]}" if unknown else "--with NAME=PROGRAM")
    if not os.path.exists(SHARED + "/bench/router_bench.py"):
        print(SHARED + "/bench is missing", file=sys.stderr)
        sys.exit(77)
    if o.growth:
        grow(o.rows, o.runs)
        return
    old = json.load(open(o.compare)) if o.compare else None
    taken = take(o, dict(x.split("=", 1) for x in o.others))
    show(taken)
    now = datetime.datetime.now()
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    os.makedirs("build/bench", exist_ok=True)
    path = now.strftime("build/bench/%Y%m%d-%H%M%S.json")
    with open(path, "w") as f:
        json.dump({"at": now.isoformat(" ", "seconds"), "commit": commit, "cores": os.cpu_count(), "runs": o.runs, "figures": taken}, f, indent=1)
    print("\nkept in", path)
    sys.exit(1 if old and compare(taken, old) else 0)


if __name__ == "__main__":
    main()
