"""What Grafana asks of tocsin for the documents' metrics: the expressions of their rules, each metric that they name in the form in which it
is drawn, and the dashboards llm-service and security, through /api/v1/query_range as Grafana posts it; none is empty. The documents'
own dashboards are not among the shared files (ecosystem.md 5.3 has their metrics), so the list below is made of those."""
from harness import *
import importlib.util

GRAFANA, SEEDS = os.path.join(SOURCE, "contrib/grafana"), os.path.join(os.environ.get("TOCSIN_SHARED", ""), "conformance/seeds")
spec = importlib.util.spec_from_file_location("make", GRAFANA + "/make.py")
make = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make)
COUNTERS = ['llm_requests_total{endpoint="/v1/chat",model="qwen",status="success"}', 'llm_requests_total{endpoint="/v1/chat",model="qwen",status="error"}',
            'llm_tokens_generated_total{model="qwen"}', 'llm_tokens_processed_sum{direction="input",model="qwen"}', 'llm_tokens_processed_count{direction="input",model="qwen"}',
            'llm_user_sessions_total', 'llm_feature_usage_total{feature="chat"}', 'llm_auth_failures_total{method="token",ip_address="10.0.0.9"}',
            'llm_rate_limit_violations_total{endpoint="/v1/chat",ip_address="10.0.0.9"}', 'llm_sensitive_content_detected_total{category="pii"}',
            'llm_anomalous_requests_total{type="long"}', 'llm_cost_usd_total{model="qwen"}', 'llm_cache_hits_total{model="qwen"}', 'llm_cache_requests_total{model="qwen"}',
            'kube_pod_container_status_restarts_total{namespace="ai",pod="llm-0",container="llm"}']
HISTOGRAMS = {'llm_request_latency_seconds': ('endpoint="/v1/chat",model="qwen",', ["0.1", "0.5", "1.0", "5.0", "10.0"]), 'llm_session_duration_seconds': ("", ["60.0", "600.0"]),
              'llm_request_latency_ms': ('model="qwen",', ["50", "100", "200", "500", "1000", "2000", "5000", "10000"]), 'llm_ttft_ms': ('model="qwen",', ["20", "50", "100", "200", "500", "1000"])}
GAUGES = {"llm_active_requests": 'model="qwen"', "llm_gpu_utilization_percent": "", "llm_gpu_memory_used_gb": "", "llm_memory_usage_bytes": "", "llm_model_accuracy_percent": 'model="qwen"',
          "llm_user_satisfaction_score": "", "llm_response_relevance_score": "", "llm_data_drift_psi": "", "data_drift_score": 'feature="avg_input_tokens"', "llm_budget_usd": "",
          **{f"gpu_{x}": 'gpu="0",index="0"' for x in ("utilization", "memory_utilization", "memory_used", "memory_total", "temperature", "power_draw")},
          "kube_pod_status_ready": 'namespace="ai",pod="llm-0",condition="true"'}
DRAWN = ["rate({}[5m])", "sum by (model, status, direction, category) (rate({}[5m]))", "increase({}[1h])"]


class Service:
    """Each counter and histogram grows with each scrape."""

    def __init__(self, exporter):
        self.n = 0
        exporter.pages["/metrics"] = self.page

    def page(self):
        self.n += 10
        lines = [f"{c} {self.n}" for c in COUNTERS]
        for name, (labels, bounds) in HISTOGRAMS.items():
            for i, le in enumerate([*bounds, "+Inf"]):
                lines.append(f'{name}_bucket{{{labels}le="{le}"}} {self.n * (i + 1)}')
            end = "{" + labels.rstrip(",") + "}" if labels else ""
            lines += [f"{name}_sum{end} {self.n * 7}", f"{name}_count{end} {self.n * (len(bounds) + 1)}"]
        lines += [f"{name}{{{labels}}} 42" for name, labels in GAUGES.items()]
        return 200, {"Content-Type": TEXT}, ("\n".join(lines) + "\n").encode()


def of_rules():
    """Left sides of the documents' rules."""
    for name in "000", "001":
        path = f"{SEEDS}/seed-{name}-alert_rules.yml"
        for expr in re.findall(r"(?m)^ +expr: (.*)$", open(path).read()) if os.path.exists(path) else []:
            yield re.sub(r" (>|==) [\d.]+$", "", expr)


def of_metrics():
    for c in COUNTERS:
        yield from (d.format(c.split("{")[0]) for d in DRAWN)
    for h in HISTOGRAMS:
        yield from (f"histogram_quantile({q}, sum by (le) (rate({h}_bucket[5m])))" for q in ("0.5", "0.95", "0.99"))
        yield f"rate({h}_sum[5m]) / rate({h}_count[5m])"
    yield from GAUGES
    yield from (f"avg_over_time({g}[5m])" for g in GAUGES)
    yield "sum(rate(llm_tokens_processed_sum[5m])) / sum(rate(llm_tokens_processed_count[5m]))"
    yield "topk(5, sum by (ip_address) (increase(llm_auth_failures_total[1h])))"


def of_dashboards():
    for b in make.read():
        if b["file"] not in ("llm-service", "security"):
            continue
        for _, panels in b["rows"]:
            for expr in (e for p in panels for _, e in p["targets"] if "alertname" not in e or "vector" in e):
                for name, _, _ in b["variables"]:
                    expr = expr.replace(f'"${name}"', '".*"')
                yield expr.replace("$__rate_interval", "5m")


def drawn(t, expr, now):
    """Of Grafana's request: the series that have a number."""
    form = urllib.parse.urlencode({"query": expr, "start": now - 20, "end": now, "step": 1})
    r = t.post("/api/v1/query_range", form.encode(), headers={"Content-Type": "application/x-www-form-urlencoded"})
    equal(r.status, 200, f"{expr}: {r.body!r}")
    return [s for s in r.json()["data"]["result"] if any(v not in ("NaN",) for _, v in s["values"])]


def test_none_is_empty():
    with folder() as d, Exporter() as x:
        Service(x)
        config = (f"global: {{scrape_interval: 500ms}}\nstorage: {{keep: all}}\nscrape_configs:\n"
                  f"  - {{job_name: llm-service, static_configs: [{{targets: ['{x.address}']}}]}}\n"
                  "route: {receiver: r}\nreceivers: [{name: r}]\n")
        with Tocsin(config, d) as t:
            until("several scrapes", lambda: len(x.requests) >= 6, 15)
            until("they are stored", lambda: drawn(t, "rate(llm_requests_total[5m])", time.time()), 10)
            now, every = time.time(), [*of_rules(), *of_metrics(), *of_dashboards()]
            equal([e for e in every if not drawn(t, e, now)], [], "nothing over the documents' series")
            for metric, label in ("llm_requests_total", "model"), ("llm_requests_total", "status"), ("gpu_temperature", "gpu"):
                r = t.get(f"/api/v1/label/{label}/values?match[]={metric}&start={now - 60}&end={now}").json()
                assert r["data"], f"label_values({metric}, {label})"
            print(len(every), "expressions")


main()
