#!/usr/bin/env python3
"""This build beside another one of tocsin, in turns: does a change cost anything?

usage: against.py PROGRAM [RUNS [SECONDS]]   run from the root; RUNS (5) of each, scraping for SECONDS (30) a run

Each run of a program takes in 100,000 alerts in 100 groups, 20,000 in as many groups, and scrapes 97,500 series with rules
over them. Prints the median of each figure for both, and the ratio. CPU seconds and memory are the process's.
"""
import json, os, re, socket, statistics, subprocess, sys, tempfile, time, urllib.request

SHARED = os.environ.get('TOCSIN_SHARED', '../shared')
OURS = 'build/release/tocsin'
ROUTES = {100: ('alertname,cluster', '5s'), 20000: ('replica', '0s')}


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_ready(url):
    for _ in range(300):
        try:
            return urllib.request.urlopen(url + '/-/ready', timeout=1).read()
        except OSError:
            time.sleep(0.1)
    raise SystemExit('does not answer: ' + url)


def router(program, alerts, groups, dir):
    by, wait = ROUTES[groups]
    sink, listen = free_port(), f'127.0.0.1:{free_port()}'
    with open(f'{dir}/t.yml', 'w') as f:
        f.write(f"route: {{receiver: sink, group_by: [{by}], group_wait: {wait}, group_interval: 5m, repeat_interval: 4h}}\n"
                f"receivers: [{{name: sink, webhook_configs: [{{url: 'http://127.0.0.1:{sink}/', send_resolved: false}}]}}]\n")
    env = {**os.environ, 'MALLOC_MMAP_THRESHOLD_': '4194304'}
    receiver = subprocess.Popen([sys.executable, f'{SHARED}/bench/sink.py', '--port', str(sink)], env=env,
                                stdout=subprocess.DEVNULL)
    server = subprocess.Popen([program, f'--config.file={dir}/t.yml', f'--storage.path={dir}/data',
                               f'--web.listen-address={listen}', '--cluster.listen-address=', '--log.level=error'],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_ready('http://' + listen)
        subprocess.run([sys.executable, f'{SHARED}/bench/router_bench.py', '--url', 'http://' + listen, '--pid',
                        str(server.pid), '--alerts', str(alerts), '--sink-port', str(sink), '--groups', str(groups),
                        '--json', f'{dir}/out.json'], check=True, stdout=subprocess.DEVNULL)
    finally:
        for p in server, receiver:
            p.terminate()
        for p in server, receiver:
            p.wait()
    return json.load(open(f'{dir}/out.json'))


def scrape(program, seconds):
    out = subprocess.run([sys.executable, 'tests/bench/scrape.py', '2500', str(seconds), 'tocsin'], check=True,
                         capture_output=True, text=True, env={**os.environ, 'TOCSIN': program}).stdout
    cpu, peak, took = re.search(r'([0-9.]+) CPU s +([0-9.]+) MB +([0-9.]+) ms', out).groups()
    return {'scrape: CPU s': float(cpu), 'scrape: peak MB': float(peak), 'scrape: evaluation, ms': float(took)}


def figures(program, seconds):
    all = {}
    for alerts, groups in (100000, 100), (20000, 20000):
        with tempfile.TemporaryDirectory(prefix='tocsin-bench-') as dir:
            steps = router(program, alerts, groups, dir)
        name = f'{alerts} in {groups}: '
        lists = 'get_alerts', 'get_groups', 'filter', 'get_silenced'
        all[name + 'taking in and telling, CPU s'] = sum(steps[x]['cpu_s'] for x in ('ingest', 'refresh', 'notify'))
        all[name + 'lists, CPU s'] = sum(steps[x]['cpu_s'] for x in lists)
        all[name + '500 silences, CPU s'] = steps['silences']['cpu_s']
        all[name + 'all, CPU s'] = sum(x['cpu_s'] for x in steps.values())
        all[name + 'peak MB'] = max(x['peak_mb'] for x in steps.values())
        all[name + 'last message, s'] = steps['notify']['s_from_first_post']
    return {**all, **scrape(program, seconds)}


def main():
    other = sys.argv[1]
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    seconds = int(sys.argv[3]) if len(sys.argv) > 3 else 30
    taken = {OURS: [], other: []}
    for i in range(runs):
        for program in (OURS, other) if i % 2 else (other, OURS):
            taken[program].append(figures(program, seconds))
        print(f'run {i + 1} of {runs}', file=sys.stderr)
    print(f'{"median of %d" % runs:60} {"before":>10} {"now":>10} {"ratio":>7}')
    for name in taken[other][0]:
        before, now = (statistics.median(f.get(name, 0) for f in taken[p]) for p in (other, OURS))
        print(f'{name:60} {before:10.3f} {now:10.3f} {now / before if before else 0:7.3f}')


if __name__ == "__main__":
    main()
