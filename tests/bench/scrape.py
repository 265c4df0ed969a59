#!/usr/bin/env python3
"""Scraping and evaluating beside Debian's Prometheus: one exporter, the same rules, one program after the other.

usage: scrape.py [REPLICAS [SECONDS [PROGRAM]]]   run from the root; default 2500 replicas (97,500 series), 60 s each,
                                                  both programs (tocsin or prometheus: only that one)

The exporter of ../shared/bench is scraped every 5 s, bench/rules.yml is evaluated every 15 s. Prints CPU seconds and the
peak of resident memory of the process, and how long the last evaluation of all groups took. Everything is on the loopback.
"""
import os, re, shutil, signal, socket, subprocess, sys, tempfile, time, urllib.request

SHARED = os.environ.get('TOCSIN_SHARED', '../shared')
TOCSIN = os.environ.get('TOCSIN', 'build/release/tocsin')
PEER = 'build/peers/usr/bin/prometheus'
CONFIG = """
global: {{scrape_interval: 5s, scrape_timeout: 4s, evaluation_interval: 15s}}
scrape_configs: [{{job_name: fleet, honor_labels: true, static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]}}]
rule_files: ['{rules}']
"""


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def get(url):
    with urllib.request.urlopen(url, timeout=120) as r:
        return r.read().decode()


def wait_for(url, seconds=30):
    end = time.time() + seconds
    while True:
        try:
            return get(url)
        except OSError:
            if time.time() > end:
                raise
            time.sleep(0.1)


def cpu(pid):
    fields = open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def peak(pid):
    return int(re.search(r'VmHWM:\s+(\d+)', open(f'/proc/{pid}/status').read()).group(1)) / 1024


def metric(text, name):
    return sum(float(line.rsplit(' ', 1)[1]) for line in text.splitlines()
               if line.startswith((name + '{', name + ' ')))


def run(name, command, base, seconds):
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(base + '/-/ready')
        time.sleep(seconds)
        text = get(base + '/metrics')
        result = cpu(p.pid), peak(p.pid), metric(text, 'prometheus_rule_group_last_duration_seconds')
        series = metric(text, 'tocsin_tsdb_series') or metric(text, 'prometheus_tsdb_head_series')
        failed = metric(text, 'prometheus_rule_evaluation_failures_total')
    finally:
        p.send_signal(signal.SIGTERM)
        p.wait()
    print(f'{name:10} {result[0]:7.2f} CPU s {result[1]:7.0f} MB {result[2] * 1000:9.1f} ms an evaluation'
          f'   ({series:.0f} series, {failed:.0f} failed evaluations)', flush=True)
    return result


def main():
    replicas, seconds = (int(x) for x in (sys.argv[1:3] + ['2500', '60'][len(sys.argv[1:3]):]))
    only = sys.argv[3] if len(sys.argv) > 3 else ''
    d = tempfile.mkdtemp(prefix='tocsin-bench-')
    exporter, port = free_port(), free_port()
    base = f'http://127.0.0.1:{port}'
    config = os.path.join(d, 'prometheus.yml')
    with open(config, 'w') as f:
        f.write(CONFIG.format(exporter=exporter, rules=os.path.abspath(SHARED + '/bench/rules.yml')))
    source = subprocess.Popen([sys.executable, SHARED + '/bench/exporter.py', f'--port={exporter}',
                               f'--replicas={replicas}'])
    results = {}
    try:
        wait_for(f'http://127.0.0.1:{exporter}/metrics')
        print(f'{replicas} replicas, {seconds} s each', flush=True)
        if only != 'prometheus':
            results['tocsin'] = run('tocsin', [TOCSIN, f'--config.file={config}', f'--storage.path={d}/tocsin',
                                               f'--web.listen-address=127.0.0.1:{port}'], base, seconds)
        if only != 'tocsin':
            results['prometheus'] = run('prometheus', [PEER, f'--config.file={config}',
                                                       f'--storage.tsdb.path={d}/prometheus',
                                                       f'--web.listen-address=127.0.0.1:{port}'], base, seconds)
    finally:
        source.kill()
        source.wait()
        shutil.rmtree(d)
    if len(results) == 2:
        names = 'CPU', 'memory', 'evaluation'
        print(', '.join(f'{n}: 1/{p / max(t, 1e-9):.1f}' for n, t, p in zip(names, *results.values())))


if __name__ == "__main__":
    main()
