"""10,000 rules in 100 groups over the series of the exporter of ../shared/bench."""
GROUPS, RULES, REPLICAS = 100, 100, 250
FIRES, MISSPELT = 50, 51  # of each group
KINDS = ["llm_gpu_utilization_percent{{replica=\"{n}\"}} > 1{x}",
         "rate(llm_requests_total{{replica=\"{n}\",status=\"error\"}}[5m]) > 1{x}",
         "sum by (zone) (rate(llm_requests_total{{model=\"llama-3-{m}b\",zone=\"z{z}\"}}[5m])) > 1{x}",
         "histogram_quantile(0.95, sum by (le) (rate(llm_ttft_ms_bucket{{replica=\"{n}\"}}[5m]))) > 1{x}0",
         "avg_over_time(gpu_temperature{{replica=\"{n}\"}}[5m]) > 1{x}"]


def rules(generation, of=GROUPS * RULES):
    """generation: another threshold for the first `of` rules."""
    out = ["groups:"]
    for g in range(GROUPS):
        out += [f"  - name: g{g}", "    rules:"]
        for r in range(RULES):
            i = g * RULES + r
            x = 10000 + (generation if i < of else 0)
            text = KINDS[i % len(KINDS)].format(n=i % REPLICAS, m=i % 7, z=i // 7 % 5, x=x)
            if r in (FIRES, MISSPELT):
                text = f'llm_service_up{"p" * (r == MISSPELT)}{{replica="{i % REPLICAS}"}} < {x}'
            out += [f"      - alert: A{g}_{r}", f"        expr: '{text}'", "        for: 30s",
                    "        labels: {severity: warning}", "        annotations: {summary: 'value {{ $value }} of {{ $labels.instance }}'}"]
    return "\n".join(out) + "\n"
