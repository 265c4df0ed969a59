"""tocsin collect: beside node exporter on this host, over what a real nvidia-smi printed and what a broken one does, probes of
servers that behave and do not, text files, processes; and the packs of rules over what it exports."""
from harness import *

GPU = os.path.join(os.environ.get("TOCSIN_SHARED", os.path.join(SOURCE, "../shared")), "conformance/gpu")
SAMPLE = re.compile(r"([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
HEAD = ("timestamp, name, index, uuid, serial, pci.bus_id, driver_version, pstate, temperature.gpu, utilization.gpu [%], memory.total [MiB], memory.used [MiB], "
        "power.draw [W], enforced.power.limit [W], clocks_event_reasons.hw_slowdown, ecc.errors.uncorrected.volatile.total, retired_pages.pending\n")


def card(i, temperature=40, utilization=50, used=1000, power=300, slow="Not Active", ecc=0):
    return (f"2026/11/28 17:43:46.273, NVIDIA H200, {i}, GPU-0000000{i}-1111-2222-3333-ABCDEF000001, 165000000000{i}, 00000000:00:0{i}.0, 580.159.04, P0, {temperature}, "
            f"{utilization} %, 143771 MiB, {used} MiB, {power} W, 700.00 W, {slow}, {ecc}, [N/A]\n")


class Page:
    def __init__(self, text):
        self.text, self.types, self.samples = text, {}, {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                name, kind = line[7:].split(" ")
                assert name not in self.types, f"{name} has two types"
                self.types[name] = kind
            m = SAMPLE.match(line)
            if m:
                key = m[1], tuple(sorted(LABEL.findall(m[2] or "")))
                assert key not in self.samples, f"{key} is there twice"
                self.samples[key] = float(m[3])

    def value(self, name, **labels):
        return self.samples.get((name, tuple(sorted(labels.items()))))

    def some(self, name):
        return {k[1]: v for k, v in self.samples.items() if k[0] == name}

    def success(self):
        return {dict(k)["part"]: v for k, v in self.some("tocsin_collect_success").items()}

    def reasons(self, part):
        return {dict(k)["reason"] for k, v in self.some("tocsin_collect_failures_total").items() if dict(k)["part"] == part and v}


class Collect(Tocsin):
    def __init__(self, dir, *flags, config=None, **options):
        if config is not None:
            flags = ("--config.file=" + write(os.path.join(dir, "collect.yml"), config), *flags)
        Process.__init__(self, [PROGRAM, "collect", "--web.listen-address=127.0.0.1:0", *flags], **options)
        self.address = until("it listens", self._listening, 20)
        self.url = "http://" + self.address

    def page(self, **headers):
        r = self.get("/metrics", headers=headers)
        equal(r.status, 200, "GET /metrics")
        return Page(r.body.decode())


def script(dir, text, name="nvidia-smi"):
    path = write(os.path.join(dir, name), "#!/bin/sh\n" + text)
    os.chmod(path, 0o755)
    return path


def promtool_reads(page):
    """Its remarks on names are about those that node exporter and the documents have; what it cannot read ends with 1."""
    r = subprocess.run([peer("promtool"), "check", "metrics"], input=page.text, capture_output=True, text=True)
    assert r.returncode in (0, 3) and "error while linting" not in r.stderr, r.stderr
    said = [line for line in r.stderr.splitlines() if not line.startswith(("node_", "gpu_memory_total ", "llm_gpu_memory_used_gb "))]
    assert not said, said


# -- the host --

def cpu_seconds(pid):
    """Of all threads, as the scheduler counts them."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{task}/schedstat") as f:
            total += int(f.read().split()[0])
    return total / 1e9


def rss(pid):
    with open(f"/proc/{pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def test_beside_node_exporter():
    address = f"127.0.0.1:{free_port()}"
    mounts = "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)"
    args = [peer("prometheus-node-exporter"), "--web.listen-address=" + address, "--collector.netdev.device-exclude=^$",
            "--collector.filesystem.mount-points-exclude=" + mounts]
    with folder() as d, Process(args) as n, Collect(d) as t:
        until("node exporter listens", lambda: "Listening on" in n.text())

        def theirs():
            return Page(request("GET", f"http://{address}/metrics").body.decode())

        a, b, c = t.page(), theirs(), t.page()
        promtool_reads(a)
        shared = {name for name in set(a.types) & set(b.types) if name.startswith("node_") and "_scrape_collector_" not in name}
        assert len(shared) > 120, len(shared)
        for want in ("cpu_seconds_total", "memory_MemAvailable_bytes", "disk_io_time_seconds_total", "filesystem_avail_bytes", "network_receive_bytes_total", "load1",
                     "boot_time_seconds", "time_seconds", "uname_info", "vmstat_oom_kill", "filefd_allocated", "network_up"):
            assert "node_" + want in shared, want
        equal({x: a.types[x] for x in shared}, {x: b.types[x] for x in shared}, "types")
        of = lambda page: {k for k in page.samples if k[0] in shared}
        equal(of(a) ^ of(b), set(), "series of shared names")
        def apart(a, b, c):
            """What the other's value is not between two of ours; a busy machine moves some of it within a moment."""
            for key in of(a) & of(b) & of(c):
                low, high, x = min(a.samples[key], c.samples[key]), max(a.samples[key], c.samples[key]), b.samples[key]
                room = 1e-6 * abs(x) if a.types[key[0]] == "counter" else 0.1 * abs(x) + 64 * (1 << 20) * key[0].endswith("_bytes") + 50
                if key[0] not in ("node_procs_running", "node_procs_blocked", "node_filefd_allocated", "node_entropy_available_bits") and \
                        not low - room <= x <= high + room:
                    yield f"{key}: {x} is not within {low} and {high}"

        wrong = list(apart(a, b, c))
        for _ in range(4): # what is wrong stays so
            again = wrong and list(apart(t.page(), theirs(), t.page()))
            wrong = [w for w in wrong if w.split(":")[0] in {x.split(":")[0] for x in again}] if wrong else wrong
        assert not wrong, wrong
        equal(a.value("node_boot_time_seconds"), b.value("node_boot_time_seconds"))
        equal(a.value("node_memory_MemTotal_bytes"), b.value("node_memory_MemTotal_bytes"))
        ok = {k for k, v in a.some("node_scrape_collector_success").items() if v}
        assert ok <= {k for k, v in b.some("node_scrape_collector_success").items() if v}, "a collector that they have not"
        before = [cpu_seconds(p.p.pid) for p in (t, n)]
        for _ in range(20):
            t.page(), theirs()
        cpu = [(cpu_seconds(p.p.pid) - x) / 20 * 1000 for p, x in zip((t, n), before)]
        before = [cpu_seconds(p.p.pid) for p in (t, n)]
        time.sleep(1)  # for the figure, which nothing is asserted of
        idle = [(cpu_seconds(p.p.pid) - x) * 1000 for p, x in zip((t, n), before)]
        print(f"  {len(shared)} names, {len(of(a))} series; a scrape {cpu[0]:.1f} ms of CPU (node exporter {cpu[1]:.1f}), idle {idle[0]:.2f} ms a second ({idle[1]:.2f}), "
              f"RSS {rss(t.p.pid):.1f} MB ({rss(n.p.pid):.1f}), {len(a.text) >> 10} KB ({len(b.text) >> 10})")
        equal(t.get("/-/healthy").status, 200)
        equal(t.get("/nothing").status, 404)


# -- nvidia-smi --

NUMBERS = {"Active": 1, "Not Active": 0, "Disabled": 0, "Enabled": 1, "Default": 0, "Yes": 1, "No": 0, "P0": 0}
UNITS = {"%": ("_ratio", 0.01), "MiB": ("_bytes", 1 << 20), "W": ("_watts", 1), "MHz": ("_clock_hz", 1e6)}
TEXT = {"timestamp", "name", "uuid", "serial", "pci.bus_id", "driver_version"}


def expected(head, rows):
    """What nvidia_gpu_exporter makes of a table, by its documentation."""
    out = {}
    for row in rows:
        cells = dict(zip(head, row))
        uuid = cells["uuid"].replace("GPU-", "").lower()
        for column, cell in cells.items():
            field, _, unit = column.partition(" [")
            suffix, times = UNITS.get(unit.rstrip("]"), ("", 1))
            if field in TEXT or cell == "[N/A]":
                continue
            word = cell.split(" ")[0] if cell not in NUMBERS else cell
            v = NUMBERS.get(word)
            v = v if v is not None else int(word, 16) if word.startswith("0x") else float(word)
            out["nvidia_smi_" + field.replace(".", "_") + suffix, uuid] = v * times
    return out


def test_captured():
    if not os.path.isdir(GPU):
        raise Skip("there is no conformance/gpu")
    lines = lambda name: [[c.strip() for c in line.split(",")] for line in open(os.path.join(GPU, name)) if line.strip()]
    head = lines("csv-idle.csv")[0]
    with folder() as d:
        page = os.path.join(d, "page")
        script(d, f'echo "$@" > {d}/args\ncat {page}')
        with Collect(d, "--nvidia", "--no-host", env={**os.environ, "PATH": d + ":" + os.environ["PATH"]}) as t:
            for name in ("csv-idle.csv", "csv-idle-nounits.csv", "csv-after-oom.csv", "csv-load-series.csv"):
                rows = lines(name)
                rows = rows[1:] if rows[0][0] == "timestamp" else rows
                for i in range(0, len(rows), 2):
                    write(page, ", ".join(head) + "\n" + "".join(", ".join(r) + "\n" for r in rows[i:i + 2]))
                    got = t.page()
                    for (metric, uuid), v in expected(head, rows[i:i + 2]).items():
                        x = got.value(metric, uuid=uuid)
                        assert x is not None and abs(x - v) <= 1e-9 * abs(v), f"{name} {metric} {uuid}: {x}, wanted {v}"
                    for r in rows[i:i + 2]:
                        c = {k.split(" ")[0]: x.split(" ")[0] for k, x in zip(head, r)}
                        plain = {"gpu_utilization": c["utilization.gpu"], "gpu_memory_used": c["memory.used"], "gpu_memory_total": c["memory.total"],
                                 "gpu_temperature": c["temperature.gpu"], "gpu_power_draw": c["power.draw"], "llm_gpu_utilization_percent": c["utilization.gpu"],
                                 "llm_gpu_memory_used_gb": float(c["memory.used"]) / 1024, "gpu_memory_utilization": float(c["memory.used"]) / float(c["memory.total"]) * 100}
                        for metric, v in plain.items():
                            x = got.value(metric, gpu=c["index"], index=c["index"])
                            assert x is not None and abs(x - float(v)) < 1e-6, f"{name} {metric}: {x}, wanted {v}"
                    equal(len(got.some("nvidia_smi_gpu_info")), 2, name)
                    equal([k[0] for k in got.samples if k[0].startswith("nvidia_smi_fan")], [], "[N/A] is no value")
            promtool_reads(got)
            args = open(os.path.join(d, "args")).read()
            assert "--query-gpu=timestamp,name,index,uuid" in args and "--format=csv" in args, args
            shutil.copy(os.path.join(GPU, "csv-load-series.csv"), page)  # as it is: no head, six samples of two cards
            last, got = lines("csv-load-series.csv")[-1], t.page()
            equal(got.value("gpu_power_draw", gpu="1", index="1"), float(last[15]), "the last row of a card counts")
            equal(got.value("nvidia_smi_memory_total_bytes", uuid="00000001-1111-2222-3333-000000000001"), 143771 * (1 << 20))


def test_other_fields():
    """Of the document's query, whose answer has no head, and of a command with arguments."""
    rows = "0, 7, 1024, 143771, 35, 85.07\n1, 0, 0, 143771, 36, 103.01\n"
    with folder() as d:
        write(os.path.join(d, "page"), rows)
        config = ("host: {enabled: false}\nnvidia:\n  command: [sh, -c, 'cat page; echo \"$@\" > args', smi]\n"
                  "  fields: [index, utilization.gpu, memory.used, memory.total, temperature.gpu, power.draw]\n  names: [gpu, llm]\n")
        with Collect(d, config=config, cwd=d) as t:
            got = t.page()
            equal(got.success(), {"nvidia": 1})
            v = lambda name, i: got.value(name, gpu=str(i), index=str(i))
            equal([v("gpu_" + x, 0) for x in ("utilization", "memory_used", "memory_total", "temperature", "power_draw")], [7, 1024, 143771, 35, 85.07])
            equal((v("gpu_power_draw", 1), v("llm_gpu_memory_used_gb", 0), v("llm_gpu_utilization_percent", 0)), (103.01, 1, 7))
            equal([k for k in got.samples if k[0].startswith("nvidia_smi_")], [], "names that nobody wants")
            equal(open(os.path.join(d, "args")).read(), "--query-gpu=index,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw --format=csv\n")


def alive(pattern):
    return subprocess.run(["pgrep", "-f", pattern], capture_output=True).returncode == 0


def test_broken_nvidia_smi():
    good = HEAD + card(0) + card(1)
    mark = f"97.{os.getpid()}"
    cases = {
        "sleeps": (f"sleep {mark} & sleep {mark}", "timeout", "killed"),
        "sleeps, deaf": (f"trap '' TERM INT HUP; sleep {mark}; sleep {mark}", "timeout", "killed"),
        "half, and sleeps": (f"printf '%s' '{HEAD.strip()}'; exec sleep {mark}", "timeout", "killed"),
        "garbage": ("head -c 3000 /dev/urandom", "malformed", "no table"),
        "binary lines": (r"printf '\033[31m, \000, \377\n1, 2, 3\n'", "malformed", "no table"),
        "half a line": (f"cat {{page}} | head -c {len(good) - 30}", "malformed", "within a line"),
        "a row too short": (f"cat {{page}}; echo '2, 3'", "malformed", "not as many cells"),
        "nothing": ("true", "malformed", "nothing"),
        "exit 2": ("echo 'Field \"x\" says nothing'; exit 2", "failed", "status 2"),
        "no driver": ("echo 'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.' ; exit 9", "failed", "could not communicate"),
        "a good page, exit 15": ("cat {page}; exit 15", "failed", "status 15"),
        "dies": ("kill -SEGV $$", "failed", "status 139"),
        "50 MB": ("yes 'a line that says nothing' | head -c 50000000", "too_large", "prints more"),
        "stderr, and sleeps": (f"yes >&2 & sleep {mark}", "timeout", "killed"),
        "absent": (None, "absent", "no program"),
        "not to be run": ("", "failed", "denied"),
    }
    with folder() as d:
        page = write(os.path.join(d, "page"), good)
        smi = os.path.join(d, "nvidia-smi")
        # root may read what nobody may run, but not run it
        with Collect(d, config=f"timeout: 600ms\nnvidia: {{command: {smi}}}\n") as t:
            failures = 0
            for name, (text, reason, words) in cases.items():
                script(d, f"cat {page}")
                equal(t.page().success()["nvidia"], 1, "it is well again")
                os.unlink(smi)
                if text is not None:
                    script(d, text.replace("{page}", page))
                if name == "not to be run":
                    os.chmod(smi, 0o644)
                lines = len(t.log)
                began = time.monotonic()
                got = t.page()
                took = time.monotonic() - began
                failures += 1
                equal(got.success(), {"host": 1, "filesystem": 1, "nvidia": 0}, name)
                assert reason in got.reasons("nvidia"), f"{name}: {got.reasons('nvidia')}"
                equal(got.value("nvidia_smi_last_collect_success"), 0, name)
                equal(got.value("nvidia_smi_failed_scrapes_total"), failures, name)
                assert got.value("node_load1") is not None and not got.some("gpu_utilization") and not got.some("nvidia_smi_temperature_gpu"), name
                assert took < 5, f"{name}: {took}"
                until(f"{name}: it is said", lambda: any(words in line and "part=nvidia" in line for line in t.log[lines:]))
                t.page()
                failures += 1
                equal(sum("part cannot be collected" in line for line in t.log[lines:]), 1, f"{name}: said once")
                assert not alive("sleep " + mark), f"{name}: something is left"
            os.path.exists(smi) and os.unlink(smi)
            script(d, f"cat {page}")
            equal(t.page().success()["nvidia"], 1, "it is well again")
            until("that is said", lambda: "collected again" in t.text())
            # What a driver does not know is asked for by its older name, or no more.
            script(d, f"""case "$1" in
                *clocks_event_reasons.*) echo 'Field "'$(echo "$1" | grep -o 'clocks_event_reasons[^,]*' | head -1)'" is not a valid field to query.'; exit 2;;
                *gpu_recovery_action*) echo 'Field "gpu_recovery_action" is not a valid field to query.'; exit 2;;
                esac; echo "$1" > {d}/args; cat {page}""")
            t.page()
            args = open(os.path.join(d, "args")).read()
            assert "clocks_throttle_reasons.hw_slowdown" in args and "event_reasons" not in args and "recovery" not in args, args


def test_hang_keeps_nobody():
    """The listener answers while a part hangs, and a stop kills it."""
    mark = f"98.{os.getpid()}"
    with folder() as d:
        smi = script(d, f"sleep {mark}")
        with Collect(d, "--timeout=30s", "--web.scrape-timeout=30s", f"--nvidia.command={smi}", "--process=nobody-is-called-so") as t:
            pages = []
            asks = [threading.Thread(target=lambda: pages.append(t.page(**{"X-Prometheus-Scrape-Timeout-Seconds": "1.5"}))) for _ in range(3)]
            for a in asks:
                a.start()
            until("it runs", lambda: alive("sleep " + mark))
            began = time.monotonic()
            equal(t.get("/-/healthy").status, 200)
            assert time.monotonic() - began < 0.5
            for a in asks:
                a.join(10)
            equal([p.success()["nvidia"] for p in pages], [0, 0, 0])
            equal([p.success()["host"] for p in pages], [1, 1, 1])
            assert not alive("sleep " + mark), "it is killed in time for the scrape"
            ask = threading.Thread(target=try_page, args=(t,))
            ask.start()
            until("it runs again", lambda: alive("sleep " + mark))
            t.stop()
            assert t.took < 3, t.took
            assert not alive("sleep " + mark), "the stop killed it"
            ask.join(5)


def try_page(t):
    with contextlib.suppress(OSError, urllib.error.URLError):
        t.page()


# -- probes --

def test_probes():
    with folder() as d, Sink(500) as broken, Sink(otherwise=NOTHING) as hangs, Exporter() as json_, Exporter() as plain:
        cert, context = certificate(d)
        json_.pages["/health"] = lambda: (200, {"Content-Type": "application/json"}, b'{"status": "degraded", "data": {"queues": [{"n": 3}, {"n": 7.5}], "ready": true}}')
        plain.pages["/"] = lambda: (200, {}, b"all is well")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        secure = f"https://127.0.0.1:{server.server_port}/x?token=s3cret"
        config = f"""
timeout: 800ms
host: {{enabled: false}}
probes:
  - {{name: secure, url: "{secure}", http_config: {{tls_config: {{ca_file: {cert}}}}}}}
  - {{name: distrusted, url: "{secure}"}}
  - {{name: broken, url: "{broken.url}"}}
  - {{name: expected, url: "{broken.url}", status: [5xx]}}
  - {{name: hangs, url: "{hangs.url}"}}
  - {{name: refused, url: "http://127.0.0.1:{free_port()}/"}}
  - {{name: text, url: "http://{plain.address}/", body_matches: "is (well|fine)", body_not_matches: ERROR}}
  - {{name: wrong text, url: "http://{plain.address}/", body_matches: "broken"}}
  - {{name: no json, url: "http://{plain.address}/", values: [{{field: a, metric: app_a}}]}}
  - name: json
    url: "http://{json_.address}/health"
    values:
      - {{field: status, metric: app_status, words: {{ok: 1, degraded: 0.5}}}}
      - {{field: "data.queues[1].n", metric: app_queue_length, help: Waiting.}}
      - {{field: data.ready, metric: app_ready}}
  - {{name: no field, url: "http://{json_.address}/health", values: [{{field: "data.queues[2].n", metric: app_none}}]}}
"""
        with Collect(d, config=config) as t:
            broken.otherwise = 500
            got = t.page()
            promtool_reads(Page("".join(l + "\n" for l in got.text.splitlines() if "app_" not in l)))
            ok = {dict(k)["probe"]: v for k, v in got.some("probe_success").items()}
            equal(ok, {"secure": 1, "distrusted": 0, "broken": 0, "expected": 1, "hangs": 0, "refused": 0, "text": 1, "wrong text": 0, "no json": 0, "json": 1, "no field": 0})
            equal(set(got.success().values()), {1}, "that a probe fails is a result")
            by = lambda name: {dict(k)["probe"]: v for k, v in got.some(name).items()}
            equal({k: by("probe_http_status_code")[k] for k in ("secure", "broken", "hangs", "refused")}, {"secure": 200, "broken": 500, "hangs": 0, "refused": 0})
            out = subprocess.run(["openssl", "x509", "-enddate", "-noout", "-in", cert], capture_output=True, text=True, check=True).stdout
            equal(by("probe_ssl_earliest_cert_expiry"), {"secure": ssl.cert_time_to_seconds(out.strip().split("=")[1])})
            equal(by("probe_http_ssl")["secure"], 1)
            equal({k: v for k, v in by("probe_failed_due_to_regex").items() if v}, {"wrong text": 1})
            assert 0.5 < by("probe_duration_seconds")["hangs"] < 3, by("probe_duration_seconds")
            equal((by("app_status"), by("app_queue_length"), by("app_ready"), by("app_none")), ({"json": 0.5}, {"json": 7.5}, {"json": 1}, {}))
            assert "s3cret" not in got.text and f'target="https://127.0.0.1:{server.server_port}/x"' in got.text
            phases = {dict(k)["phase"] for k in got.some("probe_http_duration_seconds")}
            equal(phases, {"resolve", "connect", "tls", "processing", "transfer"})
            assert 'part=http/broken err="it answers 500"' in t.text() and "s3cret" not in t.text(), t.text()
            t.page()
            t.says("part=http/broken")
            equal(t.text().count("part=http/broken"), 1, "said once")
        server.shutdown()


class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *a):
        pass


# -- text files, processes, configuration --

def test_text_files():
    with folder() as d:
        prom = os.path.join(d, "prom")
        os.mkdir(prom)
        put = lambda name, text: write(os.path.join(prom, name), text)
        put("a.prom", '# HELP batch_size How\\nmany \\\\ files.\n# TYPE batch_size gauge\nbatch_size{job="x\\"y"} 3\nbare_one 4\n'
                      "# TYPE took_seconds histogram\ntook_seconds_bucket{le=\"1\"} 2\ntook_seconds_bucket{le=\"+Inf\"} 3\ntook_seconds_sum 4.5\ntook_seconds_count 3\n")
        put("b.prom", 'batch_size_more 1\nnode_load1 999\n')
        put("not.txt", "other 1\n")
        with Collect(d, "--text.folder=" + prom) as t:
            got = t.page()
            promtool_reads(Page("\n".join(l for l in got.text.splitlines() if "bare_one" not in l and "batch_size_more" not in l) + "\n"))
            equal(got.success()["text"], 1)
            equal((got.value("batch_size", job='x\\"y'), got.value("bare_one"), got.value("took_seconds_sum"), got.value("took_seconds_bucket", le="1")), (3, 4, 4.5, 2))
            equal((got.types["batch_size"], got.types["took_seconds"], got.types["bare_one"]), ("gauge", "histogram", "untyped"))
            assert "# HELP batch_size How\\nmany \\\\ files.\n" in got.text
            equal(got.value("node_textfile_scrape_error"), 0)
            equal({os.path.basename(dict(k)["file"]): v for k, v in got.some("node_textfile_mtime_seconds").items()},
                  {n: os.stat(os.path.join(prom, n)).st_mtime for n in ("a.prom", "b.prom")})
            assert got.value("node_load1") != 999 and got.value("other") is None
            for name, text in {"broken": "x{ 1\n", "half": "y 1", "times": "y 1 1700000000000\n", "twice": "y 1\ny 2\n", "of another file": "bare_one 5\n",
                               "another type": "# TYPE batch_size counter\nbatch_size 1\n", "ours": "node_textfile_scrape_error 0\n", "binary": "\x00\x01\n"}.items():
                put("c.prom", "fine_here 1\n" + text)
                got = t.page()
                equal((got.success()["text"], got.value("node_textfile_scrape_error"), got.value("fine_here"), got.value("bare_one"), got.success()["host"]), (0, 1, None, 4, 1), name)
                until(f"{name}: it is said", lambda: "c.prom" in t.text())
            os.unlink(os.path.join(prom, "c.prom"))
            os.mkfifo(os.path.join(prom, "c.prom"))  # waits for nobody
            equal(t.page().success()["text"], 0)
            shutil.rmtree(prom)
            equal(t.page().success(), {"host": 1, "filesystem": 1, "text": 0})


def test_processes():
    mark = f"collected-{os.getpid()}"
    code = f"import sys, time; f = [open('/dev/null') for i in range(20)]; x = bytearray(30 << 20); t = time.process_time()\nwhile time.process_time() - t < 0.3: pass\nprint('up', flush=True); sys.stdin.read() # {mark}"
    start = lambda: subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with folder() as d:
        with Collect(d, config=f"processes:\n  - {{name: {mark}}}\n  - {{name: both, command: '(python|nothing).* # {mark[:-1]}.$'}}\n  - {{name: none, command: no-such-program-is-here}}\n") as t:
            a, b = start(), start()
            try:
                [p.stdout.readline() for p in (a, b)]
                got = t.page()
                promtool_reads(got)
                v = lambda name, group=mark, **l: got.value("namedprocess_namegroup_" + name, groupname=group, **l)
                equal((v("num_procs"), v("num_procs", "both"), v("num_procs", "none")), (2, 2, 0))
                first = v("cpu_seconds_total", mode="user") + v("cpu_seconds_total", mode="system")
                assert 0.5 <= first < 30, first
                assert 60 << 20 <= v("memory_bytes", memtype="resident") < 400 << 20 and 40 <= v("open_filedesc") < 100 and v("num_threads") >= 2
                assert abs(v("oldest_start_time_seconds") - time.time()) < 60
                a.stdin.close(), a.wait(10)
                got = t.page()
                equal(v("num_procs"), 1)
                assert v("cpu_seconds_total", mode="user") + v("cpu_seconds_total", mode="system") >= first, "a counter does not go back"
            finally:
                for p in (a, b):
                    p.kill(), p.wait()


def test_configuration():
    def fails(text, *words):
        with folder() as d:
            path = write(os.path.join(d, "collect.yml"), text)
            for args in (["lint", path], ["collect", "--web.listen-address=127.0.0.1:0", "--config.file=" + path]):
                r = subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=20)
                assert r.returncode == 1 and all(w in r.stdout + r.stderr for w in words), (args, r.returncode, r.stdout, r.stderr)
    fails("nvidia: {comand: x}\n", "comand", "1:10")
    fails("probes: [{name: a, url: ftp://x}]\n", "url")
    fails("probes: [{name: a, url: 'http://x'}, {name: a, url: 'http://y'}]\n", "two are called 'a'")
    fails("probes: [{name: a, url: 'http://x', status: [600]}]\n", "600")
    fails("processes: [{name: a, command: '('}]\n", "command")
    fails("host: {fs_types_exclude: '['}\n", "fs_types_exclude")
    fails("text: {}\n", "folder")
    with folder() as d:  # somebody else's
        write(os.path.join(d, "other.yml"), "host: example.com\ntext: hello\nuser: me\n")
        r = subprocess.run([PROGRAM, "lint", d], capture_output=True, text=True)
        assert r.returncode == 0 and "1 skipped" in r.stdout, r.stdout + r.stderr
    with folder() as d:
        path = write(os.path.join(d, "c.yml"), "nvidia: {}\ntext: {folder: prom}\nprobes: [{name: a, url: 'http://x/'}]\n")
        r = subprocess.run([PROGRAM, "lint", path], capture_output=True, text=True)
        equal(r.returncode, 0, r.stdout + r.stderr)
        r = subprocess.run([PROGRAM, "collect", "--help"], capture_output=True, text=True)
        assert r.returncode == 0 and "--nvidia.command" in r.stdout, r.stdout
        r = subprocess.run([PROGRAM, "completion", "words", "--", "collect", "--nv"], capture_output=True, text=True)
        assert "--nvidia.command" in r.stdout, r.stdout
        with Collect(d, "--probe=b=http://127.0.0.1:1/", "--no-host", config=open(path).read().replace("nvidia: {}\n", "")) as t:
            equal(set(t.page().success()), {"http/a", "http/b", "text"})
        users = write(os.path.join(d, "web.yml"), "basic_auth_users: {u: '$2b$04$KbdQ6CcTJ5G4QZkW4rPbXuvYpbQzaR3zDcTLeWqCTbS2oGtzr9Xe6'}\n")
        with Collect(d, "--no-host", "--web.config.file=" + users) as t:
            equal(t.get("/metrics").status, 401)


# -- the packs over what it exports --

PROC = {
    "stat": "cpu0 1 0 0 100 0 0 0 0 0 0\nbtime 1700000000\nctxt 1\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n",
    "meminfo": "MemTotal: 1000 kB\nMemAvailable: 40 kB\nActive(anon): 7 kB\nHugePages_Total: 0\n",
    "vmstat": "oom_kill 3\npgfault 1\nnr_free_pages 9\n",
    "loadavg": "9.00 1.00 1.00 1/1 1\n",
    "diskstats": "",
    "mdstat": "Personalities : [raid1]\nmd0 : active raid1 sdb1[1] sda1[0](F)\n      976630464 blocks super 1.2 [2/1] [U_]\n\nunused devices: <none>\n",
    "sys/fs/file-nr": "990\t0\t1000\n",
    "sys/net/netfilter/nf_conntrack_count": "95\n",
    "sys/net/netfilter/nf_conntrack_max": "100\n",
    "net/dev": "", "net/netstat": "", "net/snmp": "", "net/sockstat": "", "1/mounts": "",
}


def firing(t):
    return {a["labels"]["alertname"] for a in t.alerts()}


def test_packs_fire():
    with folder() as d:
        proc = os.path.join(d, "proc")
        for name, text in PROC.items():
            os.makedirs(os.path.dirname(os.path.join(proc, name)), exist_ok=True)
            write(os.path.join(proc, name), text)
        rules = []
        for pack in ("node", "nvidia-gpu-exporter", "llm-service"):
            for name in os.listdir(os.path.join(SOURCE, "rules", pack)):
                if name.endswith(".yml"):
                    with open(os.path.join(SOURCE, "rules", pack, name)) as f:
                        rules.append(write(os.path.join(d, f"{pack}-{name}"), re.sub(r"(?m)^        for: \S+$", "        for: 1s", f.read())))
        page = write(os.path.join(d, "page"), HEAD + card(0, slow="Active") + card(1, temperature=95, utilization=98, used=140000, power=650, ecc=2))
        smi = script(d, f"cat {page}")
        with Collect(d, config=f"host: {{procfs: {proc}}}\nnvidia: {{command: {smi}}}\n") as c:
            got = c.page()
            equal((got.value("node_md_disks", device="md0", state="active"), got.value("node_md_disks", device="md0", state="failed"), got.value("node_md_disks_required", device="md0")), (1, 1, 2))
            equal((got.value("node_memory_Active_anon_bytes"), got.value("node_memory_HugePages_Total"), got.value("node_vmstat_nr_free_pages")), (7168, 0, None))
            config = ("global: {scrape_interval: 1s, evaluation_interval: 500ms}\nroute: {receiver: r}\nreceivers: [{name: r}]\n"
                      f"rule_files: {rules}\nscrape_configs: [{{job_name: node, static_configs: [{{targets: ['{c.address}']}}]}}]\n")
            with Tocsin(config, d) as t:
                wanted = {"NodeMemoryLow", "NodeLoadHigh", "NodeFileDescriptorsLow", "NodeConntrackFull", "NodeRaidDegraded",
                          "NvidiaSmiTemperatureCritical", "NvidiaSmiThrottled", "NvidiaSmiUncorrectableEcc",
                          "LlmHighGpuUtilization", "LlmGpuMemoryHigh", "LlmRegistryGpuUtilizationCritical", "LlmRegistryGpuMemoryCritical", "LlmRegistryGpuTemperatureCritical"}
                names = set(re.findall(r"(?m)- alert: (\S+)", "".join(open(r).read() for r in rules)))
                equal(wanted - names, set(), "alerts of the packs")
                with contextlib.suppress(AssertionError):
                    until("they fire", lambda: wanted <= firing(t), 15, 0.2)
                equal(wanted - firing(t), set(), "alerts that do not fire")
                script(d, "exit 3")
                until("a failing nvidia-smi fires", lambda: "NvidiaSmiCollectionFailing" in firing(t), 15, 0.2)


if __name__ == "__main__":
    main()
