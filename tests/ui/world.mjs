// A small world for the screens: an exporter of a GPU cluster, receivers that answer as told, and the real server over real rules.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const PROGRAM = process.env.TOCSIN ?? new URL("../../build/release/tocsin", import.meta.url).pathname;

const listen = server =>
  new Promise(done => server.listen(0, "127.0.0.1", () => done(server.address().port)));

export const sleep = ms => new Promise(done => setTimeout(done, ms));

/** How long anything is waited for, in seconds, that says nothing about time: a busy machine is slow. */
export const PATIENCE = 60;

export async function until(what, check, seconds = PATIENCE) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(50);
  }
}

export const XSS = '<img src=x onerror="window.pwned=1"><script>window.pwned=2</script>';

const RULES = `groups:
  - name: serving
    interval: 1s
    rules:
      - record: model:ttft_seconds:p95
        expr: vllm_ttft_p95_seconds
      - alert: ModelServerDown
        expr: up{job="vllm"} == 0
        labels: {severity: critical, team: llm}
        annotations: {summary: "No metrics from {{ $labels.instance }}: qwen2.5-72b is served by the other two replicas", runbook_url: "https://runbooks.example/model-server-down"}
      - alert: TTFTHigh
        expr: vllm_ttft_p95_seconds > 1
        labels: {severity: warning, team: llm}
        annotations: {summary: "P95 time to first token of {{ $labels.model_name }} is {{ $value }} s", dashboard: "https://grafana.example/d/ttft"}
      - alert: QueueGrows
        expr: vllm_num_requests_waiting > 40
        for: 1h
        labels: {severity: warning, team: llm}
        annotations: {summary: "{{ $value }} requests wait at {{ $labels.replica }}"}
      - alert: NeverSeen
        expr: vllm_nothing_of_this_name > 1
  - name: hardware
    interval: 1s
    rules:
      - alert: XidFellOffBus
        expr: DCGM_FI_DEV_XID_ERRORS == 79
        labels: {severity: critical, team: gpu}
        annotations: {summary: "GPU {{ $labels.gpu }} of {{ $labels.Hostname }} has fallen off the bus (XID 79): drain the node, then reset or reseat the card"}
      - alert: GPUUtilizationLow
        expr: DCGM_FI_DEV_GPU_UTIL < 5
        labels: {severity: info, team: gpu}
        annotations: {summary: "GPU {{ $labels.gpu }} of {{ $labels.Hostname }} is idle"}
      - alert: LinkFlaps
        expr: nvlink_flaps > 0
        labels: {severity: warning, team: gpu}
        annotations: {summary: "NVLink of GPU {{ $labels.gpu }} flaps"}
      - alert: 磁盘将满
        expr: node_filesystem_free_ratio * 100 < 5
        labels: {severity: warning, team: 存储}
        annotations: {summary: "磁盘 {{ $labels.mountpoint }} 剩余 {{ $value }}%，预计 2 小时后写满"}
  - name: broken
    interval: 1s
    rules:
      - alert: JoinsTwice
        expr: vllm_num_requests_waiting * on (job) DCGM_FI_DEV_GPU_UTIL
`;

const CONFIG = w => `global: {resolve_timeout: 1h, scrape_interval: 1s, external_labels: {cluster: gpu-east}}
route:
  receiver: llm-team
  group_by: [alertname]
  group_wait: 200ms
  group_interval: 2m
  repeat_interval: 4h
  routes:
    - {receiver: oncall, matchers: ['severity="critical"'], continue: false}
    - {receiver: 存储, matchers: ['team="存储"']}
    - {receiver: gpu-team, matchers: ['team="gpu"'], mute_time_intervals: [nights]}
receivers:
  - {name: llm-team, webhook_configs: [{url: 'http://127.0.0.1:${w.sinkPort}/ok'}]}
  - {name: oncall, webhook_configs: [{url: 'http://127.0.0.1:${w.sinkPort}/ok'}]}
  - {name: gpu-team, webhook_configs: [{url: 'http://127.0.0.1:${w.sinkPort}/ok'}]}
  - {name: 存储, webhook_configs: [{url: 'http://127.0.0.1:${w.sinkPort}/refuse'}]}
time_intervals:
  - {name: nights, time_intervals: [{months: ['february:february'], days_of_month: ['30:30']}]}
inhibit_rules:
  - {source_matchers: ['alertname="XidFellOffBus"'], target_matchers: ['alertname="GPUUtilizationLow"'], equal: [Hostname]}
scrape_configs:
  - {job_name: vllm, static_configs: [{targets: ['127.0.0.1:${w.exporterPort}', '127.0.0.1:1']}]}
  - {job_name: lists, file_sd_configs: [{files: [bad.json]}]}
rule_files: [rules.yml]
storage: {keep: all}
`;

export async function makeWorld({ more = "", tokens = "", flags = [] } = {}) {
  const w = { told: [] };
  const metrics = () =>
    [
      ...[1.9, 2.4, 0.4, 1.2].map((v, i) => `vllm_ttft_p95_seconds{model_name="qwen2.5-72b",replica="vllm-${i}"} ${v}`),
      ...[52, 3].map((v, i) => `vllm_num_requests_waiting{replica="vllm-${i}"} ${v}`),
      ...[0, 1, 2, 3, 4, 5, 6, 7].map(i => `DCGM_FI_DEV_GPU_UTIL{Hostname="gpu-07",gpu="${i}",uuid="GPU-${i}a7"} ${i < 3 ? 0 : 93}`),
      `DCGM_FI_DEV_XID_ERRORS{Hostname="gpu-07",gpu="3",uuid="GPU-3a7"} 79`,
      `nvlink_flaps{Hostname="gpu-02",gpu="1"} 1`,
      `nvlink_flaps{Hostname="gpu-02",gpu="4"} 1`,
      `node_filesystem_free_ratio{node="10.0.0.9:9100",mountpoint="/data"} 0.03`,
    ].join("\n");
  const exporter = http.createServer((_rq, rs) => {
    rs.setHeader("Content-Type", "text/plain");
    rs.end(`${metrics()}\n`);
  });
  const sink = http.createServer((rq, rs) => {
    rq.resume();
    rq.on("end", () => {
      w.told.push(rq.url);
      rs.statusCode = rq.url === "/refuse" ? 400 : 200;
      rs.end(rq.url === "/refuse" ? "no such channel" : "ok");
    });
  });
  w.exporterPort = await listen(exporter);
  w.sinkPort = await listen(sink);
  w.dir = mkdtempSync(join(tmpdir(), "tocsin-ui-"));
  writeFileSync(join(w.dir, "rules.yml"), RULES);
  writeFileSync(join(w.dir, "bad.json"), '[{"targets": ["127.0.0.1:1"], "scheme": "https"}]');
  writeFileSync(join(w.dir, "tocsin.yml"), CONFIG(w) + more + (tokens ? `web: {tokens: ${tokens}}\n` : ""));
  w.start = async (address = "127.0.0.1:0") => {
    w.log = "";
    w.p = spawn(PROGRAM, [`--config.file=${w.dir}/tocsin.yml`, `--storage.path=${w.dir}/data`, `--web.listen-address=${address}`, ...flags], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const s of [w.p.stdout, w.p.stderr])
      s.on("data", d => {
        w.log += d;
      });
    w.address = await until("it listens", () => /address=(127\.0\.0\.1:\d+)/.exec(w.log)?.[1]);
    w.url = `http://${w.address}`;
  };
  w.stop = (signal = "SIGTERM") =>
    new Promise(done => {
      if (w.p.exitCode !== null || w.p.signalCode !== null) done();
      w.p.on("exit", done);
      w.p.kill(signal);
    });
  w.get = async (path, headers = {}) => (await fetch(w.url + path, { headers })).json();
  w.post = async (path, body) => {
    const r = await fetch(w.url + path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    if (!r.ok) throw new Error(`${path}: ${r.status} ${await r.text()}`);
    const text = await r.text();
    return text ? JSON.parse(text) : null;
  };
  w.silence = (labels, comment, hours = 3, createdBy = "zhao") =>
    w.post("/api/v2/silences", {
      matchers: Object.entries(labels).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true })),
      startsAt: new Date().toISOString(),
      endsAt: new Date(Date.now() + hours * 3_600_000).toISOString(),
      createdBy,
      comment,
    });
  w.end = async () => {
    await w.stop();
    exporter.close();
    exporter.closeAllConnections();
    sink.close();
    sink.closeAllConnections();
    rmSync(w.dir, { recursive: true, force: true });
  };
  await w.start();
  return w;
}
