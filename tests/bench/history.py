#!/usr/bin/env python3
"""History on disk beside Debian's Prometheus: both scrape one exporter at once, then the same range queries, in turns.

usage: history.py [REPLICAS [MINUTES]]   run from the root; default 2500 replicas (97,500 series), 11 minutes

The exporter of ../shared/bench is scraped every 15 s; tocsin has `storage.history: {what: all}`, a second one beside it has no
history, so that what it costs can be told. Prints CPU seconds and peaks of resident memory, the bytes on disk for a sample, the
longest turn of the loop, and the median CPU time of range queries over all that there is, of nine, in turns: that of the process
while it answers, with whatever else it does then. Everything is on the loopback.
"""
import glob, json, os, shutil, signal, statistics, subprocess, sys, tempfile, time, urllib.parse

sys.path.insert(0, os.path.dirname(__file__))
from scrape import cpu, free_port, get, metric, peak, wait_for

SHARED = os.environ.get('TOCSIN_SHARED', '../shared')
TOCSIN = os.environ.get('TOCSIN', 'build/release/tocsin')
PEER = 'build/peers/usr/bin/prometheus'
CONFIG = """
global: {{scrape_interval: 15s, scrape_timeout: 10s, evaluation_interval: 15s}}
scrape_configs: [{{job_name: fleet, honor_labels: true, static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]}}]
"""
OURS = """
storage: {{keep: {keep}, history: {{keep: {hours}, max_size: 2GiB, what: all}}}}
"""
QUERIES = [
    'up',
    'sum(scrape_samples_scraped)',
    '{name}{{{label}}}',
    'count({name})',
    'sum(rate({name}[2m]))',
    'count({{__name__!=""}})',
]


def cpu_ns(pid):
    """Of all its threads, also of what ended between two looks: precise where /proc/PID/stat counts ticks."""
    total = 0
    for f in glob.glob(f'/proc/{pid}/task/*/schedstat'):
        try:
            with open(f) as s:
                total += int(s.read().split()[0])
        except OSError:
            pass
    return total


def size(folder):
    return sum(os.path.getsize(f) for f in glob.glob(folder + '/**', recursive=True) if os.path.isfile(f))


class Program:
    def __init__(self, name, d, exporter):
        self.name, self.folder, port = name, f'{d}/{name}', free_port()
        self.base = f'http://127.0.0.1:{port}'
        config = f'{d}/{name}.yml'
        with open(config, 'w') as f:
            f.write(CONFIG.format(exporter=exporter))
            if name != 'prometheus':
                f.write(OURS.format(keep='all', hours='24h' if name == 'history' else '0s'))
        flag = f'--storage.tsdb.path={self.folder}' if name == 'prometheus' else f'--storage.path={self.folder}'
        self.p = subprocess.Popen([PEER if name == 'prometheus' else TOCSIN, f'--config.file={config}', flag,
                                   f'--web.listen-address=127.0.0.1:{port}'],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def query(self, text, start, end):
        args = urllib.parse.urlencode({'query': text, 'start': start, 'end': end, 'step': 15})
        began, cpu_began = time.perf_counter(), cpu_ns(self.p.pid)
        body = get(f'{self.base}/api/v1/query_range?{args}')
        return (cpu_ns(self.p.pid) - cpu_began) / 1e9, time.perf_counter() - began, json.loads(body)

    def stop(self):
        self.p.send_signal(signal.SIGTERM)
        self.p.wait()


def biggest(program):
    """A metric with many series, and a matcher that selects one of them."""
    body = json.loads(get(program.base + '/api/v1/status/tsdb?limit=1'))
    name = body['data']['seriesCountByMetricName'][0]['name']
    body = json.loads(get(f'{program.base}/api/v1/query?query=' + urllib.parse.quote(f'topk(1, {name})')))
    labels = body['data']['result'][0]['metric']
    return name, ','.join(f'{k}={json.dumps(v)}' for k, v in labels.items() if k != '__name__')


def main():
    replicas, minutes = (int(x) for x in (sys.argv[1:3] + ['2500', '11'][len(sys.argv[1:3]):]))
    d = tempfile.mkdtemp(prefix='tocsin-bench-')
    exporter = free_port()
    source = subprocess.Popen([sys.executable, SHARED + '/bench/exporter.py', f'--port={exporter}',
                               f'--replicas={replicas}'])
    programs = []
    try:
        wait_for(f'http://127.0.0.1:{exporter}/metrics')
        programs = [Program(n, d, exporter) for n in ('history', 'memory', 'prometheus')]
        for p in programs:
            wait_for(p.base + '/-/ready')
        began = time.time()
        print(f'{replicas} replicas, {minutes} minutes', flush=True)
        time.sleep(minutes * 60)
        figures = {}
        for p in programs:
            figures[p.name] = cpu(p.p.pid), peak(p.p.pid), get(p.base + '/metrics')
            print(f'{p.name:10} {figures[p.name][0]:7.2f} CPU s {figures[p.name][1]:7.0f} MB', flush=True)
        text = figures['history'][2]
        written, there = metric(text, 'tocsin_history_samples_written_total'), metric(text, 'tocsin_history_size_bytes')
        appended = metric(figures['prometheus'][2], 'prometheus_tsdb_head_samples_appended_total')
        peer = size(d + '/prometheus')
        print(f'history: {written:.0f} samples in {there:.0f} bytes: {there / written:.2f} a sample; prometheus: '
              f'{appended:.0f} in {peer}: {peer / appended:.2f} (head and log)', flush=True)
        print('longest turns: ' + ', '.join(
            f'{p} {metric(figures[p][2], "tocsin_turn_longest_seconds") * 1000:.1f} ms' for p in ('history', 'memory')))
        name, label = biggest(programs[2])
        end = time.time() - 15
        for q in QUERIES:
            q = q.format(name=name, label=label)
            took, waited, points = {}, {}, {}
            for _ in range(9):
                for p in programs:
                    if p.name != 'memory':
                        used, seconds, body = p.query(q, began, end)
                        took.setdefault(p.name, []).append(used)
                        waited.setdefault(p.name, []).append(seconds)
                        points[p.name] = sum(len(r['values']) for r in body['data']['result'])
            a, b = (statistics.median(took[n]) * 1000 for n in ('history', 'prometheus'))
            c, d2 = (statistics.median(waited[n]) * 1000 for n in ('history', 'prometheus'))
            print(f'{a:9.1f} ms {b:9.1f} ms CPU  1/{b / a:.1f}  (waited {c:.0f} and {d2:.0f} ms)  '
                  f'{points["history"]} and {points["prometheus"]} points  {q}', flush=True)
    finally:
        for p in programs:
            p.stop()
        source.kill()
        source.wait()
        shutil.rmtree(d)


main()
