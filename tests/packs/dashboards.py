"""contrib/grafana: the dashboards are what make.py writes, there is one a pack, and each of their expressions gives something over the
series of the pack's own unit tests, with the rules of the pack evaluated. What these lack is in SERIES."""
from harness import *
import glob, importlib.util

GRAFANA = os.path.join(SOURCE, "contrib/grafana")
spec = importlib.util.spec_from_file_location("make", GRAFANA + "/make.py")
make = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make)
BOARDS = {b["file"]: b for b in make.read()}
SERIES = {  # of packs: what is on their dashboards and needs no alert, or not all of it
    "llm-service": [(f'llm_ttft_ms_bucket{{model="all", le="{le}"}}', f"0+{n}x600") for le, n in (("100.0", 50), ("500.0", 90), ("1000.0", 99), ("+Inf", 100))],
    "vllm": [(f'vllm:time_to_first_token_seconds_bucket{{model_name="all", le="{le}"}}', f"0+{n}x600") for le, n in (("0.1", 50), ("1.0", 90), ("10.0", 99), ("+Inf", 100))],
    "dcgm": [('DCGM_FI_DEV_FB_USED{Hostname="a", UUID="u", gpu="0"}', "40000x600"), ('DCGM_FI_DEV_FB_FREE{Hostname="a", UUID="u", gpu="0"}', "40000x600")],
    "tocsin": [('tocsin_outbox_entries{job="tocsin", instance="a"}', "0x600"), ('alertmanager_alerts{job="tocsin", instance="a", state="active"}', "3x600"),
               ('alertmanager_notifications_total{job="tocsin", instance="a", integration="slack"}', "0+1x600"),
               ('alertmanager_http_request_duration_seconds_count{job="tocsin", instance="a", handler="/api/v2/alerts"}', "0+9x600"),
               ('process_resident_memory_bytes{job="tocsin", instance="a"}', "5e7x600")],
}
QUOTED = r"'((?:[^']|'')*)'"


def series(pack):
    """Of all tests of a pack, each once, an interval apart whatever theirs is."""
    found = {}
    for file in sorted(glob.glob(f"{SOURCE}/rules/{pack}/tests/*.yml")):
        text = open(file).read()
        pairs = re.findall(rf"series: {QUOTED},?\s+values: {QUOTED}", text)
        equal(len(pairs), text.count("series: '"), f"series of {file}")
        for name, values in pairs:
            found.setdefault(name.replace("''", "'"), values.replace("''", "'"))
    for name, values in SERIES.get(pack, []):
        assert name not in found, f"{name} is in the pack's tests, too"
        found[name] = values
    return found


def expressions(b):
    """As Grafana asks, with all values chosen and a step of a minute: (where it stands, expression)."""
    for _, panels in b["rows"]:
        for p in panels:
            for _, expr in p["targets"]:
                expr = expr.replace("$__rate_interval", "5m")
                for name, _, _ in b["variables"]:
                    expr = expr.replace(f'"${name}"', '".*"')
                assert "$" not in expr, expr
                yield p["title"], expr
    for name, metric, label in b["variables"]:
        yield f"choice of {name}", metric[:-1] + f', {label}!=""}}' if metric.endswith("}") else f'{metric}{{{label}!=""}}'


def asked(pack, b):
    """A file of tests: of each expression, whether it gives a number at any time."""
    quote = json.dumps  # a JSON text is a YAML one
    out = [f"rule_files: [{SOURCE}/rules/{pack}/*.yml]", "evaluation_interval: 1m", "tests:", "  - interval: 1m", "    input_series:"]
    out += [f"      - {{series: {quote(name)}, values: {quote(values)}}}" for name, values in series(pack).items()]
    out.append("    promql_expr_test:")
    for _, expr in expressions(b):
        any_time = f"count(max_over_time(({expr})[10h:1m]) > -Inf) > bool 0"
        out.append(f"      - {{expr: {quote(any_time)}, eval_time: 10h, exp_samples: [{{labels: '{{}}', value: 1}}]}}")
    return "\n".join(out) + "\n"


def test_no_expression_is_empty():
    with folder() as d:
        empty = []
        for pack, b in BOARDS.items():
            p = subprocess.run([PROGRAM, "test", write(f"{d}/{pack}.yml", asked(pack, b))], capture_output=True, text=True)
            if p.returncode != 0:
                empty += [f"{pack}: {title}: {expr}" for title, expr in expressions(b) if f"({expr})[10h:1m]" in p.stdout.replace('\\"', '"')] or [p.stdout[:3000] + p.stderr[:1000]]
        assert not empty, "nothing over the series of the tests:\n" + "\n".join(empty)
        print(sum(len(list(expressions(b))) for b in BOARDS.values()), "expressions of", len(BOARDS), "dashboards")


def test_they_are_what_make_writes():
    p = subprocess.run([sys.executable, "-B", GRAFANA + "/make.py", "--check"], capture_output=True, text=True)
    equal(p.returncode, 0, p.stderr)
    equal(sorted(BOARDS), sorted(os.path.basename(f)[:-5] for f in glob.glob(GRAFANA + "/dashboards/*.json")), "files")


def test_one_a_pack():
    """With the alerts of that pack at its top."""
    equal(sorted(BOARDS), sorted(os.path.basename(os.path.dirname(f)) for f in glob.glob(f"{SOURCE}/rules/*/README.md")), "packs")
    for pack, b in BOARDS.items():
        names = re.findall(r"(?m)^ +- alert: (\w+)", "".join(open(f).read() for f in glob.glob(f"{SOURCE}/rules/{pack}/*.yml")))
        equal([n for n in names if not n.startswith(b["prefix"])], [], f"alerts of {pack} that its dashboard does not show")


def test_grafana_can_place_them():
    """No panel is over another or beyond the edge, numbers are used once, each has its data source from the variable."""
    for b in BOARDS.values():
        j = make.dashboard(b)
        equal(j["templating"]["list"][0]["type"], "datasource")
        equal(len({p["id"] for p in j["panels"]}), len(j["panels"]), j["title"])
        taken = set()
        for p in j["panels"]:
            g = p["gridPos"]
            cells = {(x, y) for x in range(g["x"], g["x"] + g["w"]) for y in range(g["y"], g["y"] + g["h"])}
            assert g["x"] + g["w"] <= 24 and not cells & taken, (j["title"], p["title"])
            taken |= cells
            assert p["type"] == "row" or p["targets"] and p["datasource"]["uid"] == "${datasource}", p["title"]


def test_tocsin_exports_what_its_dashboard_shows():
    with folder() as d, Sink() as sink:
        config = simple(sink) + f"sources: [{{name: p, url: {sink.url}}}]\n"
        with Tocsin(config, d) as t:
            text = t.get("/metrics").body.decode()
        shown = {n for _, expr in expressions(BOARDS["tocsin"]) for n in re.findall(r"\b((?:tocsin|alertmanager|prometheus|process)_[a-z_]+)", expr)}
        there = set(re.findall(r"(?m)^# TYPE (\S+)", text))
        equal([n for n in sorted(shown) if n not in there and re.sub("_(bucket|count|sum)$", "", n) not in there], [], "metrics")


if __name__ == "__main__":
    main()
