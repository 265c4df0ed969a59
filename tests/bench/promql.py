#!/usr/bin/env python3
"""The store and the evaluator beside Debian's Prometheus: the same series, the same instant queries, one run.

usage: promql.py SERIES [SERIES...]          run from the root; needs build/release/tests/promql_bench, and build/peers
                                             for the ratios
       promql.py --range SERIES [SERIES...]  range queries of 240 steps, beside build/newer as well

Prometheus gets the series by remote write and is asked with stats=all: evalTotalTime is the engine's time without HTTP
and JSON, as what promql_bench measures: a rule's expression that is evaluated again and again, and its first time, when
the tables of groups and partners are made. Best of five each. Everything is on the loopback.
"""
import contextlib, json, os, shutil, socket, struct, subprocess, sys, tempfile, time, urllib.parse, urllib.request

BENCH = 'build/release/tests/promql_bench'
PEER = 'build/peers/usr/bin/prometheus'
NEWER = 'build/newer/usr/bin/prometheus'
SAMPLES, STEPS, STEP, FIRST = 21, 240, 15000, 7  # as in promql_bench.c
NOW = ((SAMPLES - 1) * STEP + 2 * FIRST) / 1000
BATCH = 2000  # series a request
ROUND = 120   # samples of each


# -- remote write: protobuf in an uncompressed snappy block --

def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


TIMES = [b'\x10' + varint(FIRST + k * STEP) for k in range(SAMPLES + STEPS - 1)]


def series(line, begin, end):
    *values, first, growth = line.split()
    last = 'le' if values[0] == 'h_bucket' else 'mode'
    labels = zip(('__name__', 'cpu', 'instance', 'job', last), values)
    out = [field(1, field(1, n.encode()) + field(2, v.encode())) for n, v in labels]
    first, growth = float(first), float(growth)
    for k in range(begin, end):
        t = TIMES[k]
        out.append(b'\x12' + varint(9 + len(t)) + b'\x09' + struct.pack('<d', first + k * growth) + t)
    return field(1, b''.join(out))


def snappy(data):
    out = [varint(len(data))]
    for k in range(0, len(data), 65536):
        part = data[k:k + 65536]
        out.append(bytes([61 << 2]) + struct.pack('<H', len(part) - 1) + part)
    return b''.join(out)


def write(peers, lines, samples):
    headers = {'Content-Encoding': 'snappy', 'Content-Type': 'application/x-protobuf',
               'X-Prometheus-Remote-Write-Version': '0.1.0'}
    # Half an hour at a time: what is an hour older than the newest sample is refused.
    for begin in range(0, samples, ROUND):
        for k in range(0, len(lines), BATCH):
            part = (series(line, begin, min(begin + ROUND, samples)) for line in lines[k:k + BATCH])
            body = snappy(b''.join(part))
            for peer in peers:
                urllib.request.urlopen(urllib.request.Request(peer.base + '/api/v1/write', body, headers)).read()


# -- the peer --

class Prometheus:
    def __init__(self, program=PEER):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            address = '127.0.0.1:%d' % s.getsockname()[1]
        self.base = 'http://' + address
        self.dir = tempfile.mkdtemp(prefix='promql-bench-', dir='build')
        config = self.dir + '/prometheus.yml'
        with open(config, 'w') as f:
            f.write('global: {}\n')
        self.process = subprocess.Popen(
            [program, '--config.file=' + config, '--storage.tsdb.path=' + self.dir + '/data',
             '--storage.tsdb.retention.time=100y', '--web.listen-address=' + address,
             '--web.enable-remote-write-receiver', '--query.timeout=5m', '--log.level=error'])
        for _ in range(200):
            try:
                urllib.request.urlopen(self.base + '/-/ready').read()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit('promql.py: Prometheus does not answer')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir)

    def resident(self):
        with open('/proc/%d/statm' % self.process.pid) as f:
            return int(f.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')

    def ask(self, text):
        """Milliseconds, the best of five."""
        return self.best_of('/api/v1/query?', {'query': text, 'time': NOW})

    def ask_range(self, text):
        return self.best_of('/api/v1/query_range?', {'query': text, 'start': NOW, 'step': STEP / 1000,
                                                     'end': NOW + (STEPS - 1) * STEP / 1000})

    def best_of(self, path, params):
        url = self.base + path + urllib.parse.urlencode({**params, 'stats': 'all'})
        took = []
        for _ in range(5):
            answer = json.load(urllib.request.urlopen(url))
            took.append(answer['data']['stats']['timings']['evalTotalTime'] * 1000)
        return min(took)


# -- both --

def ours(n):
    """The store's figures by name, and (name, text, milliseconds, of the first time) of each query."""
    store, queries = {}, []
    for line in subprocess.run([BENCH, str(n)], check=True, capture_output=True, text=True).stdout.splitlines():
        word = line.split()
        if word[0] in ('store', 'log'):
            store.update(('log_' * (word[0] == 'log') + k, float(v)) for k, v in zip(word[2::2], word[3::2]))
        else:
            queries.append((word[2], line.split(' ', 5)[5], float(word[3]), float(word[4])))
    return store, queries


def compare(n):
    store, queries = ours(n)
    print('\n%d series (%d in the store): %.0f bytes a series, %.0f ns a new series, %.1f ns a sample, '
          '%.1f ns a series read'
          % (n, 2 * n, store['bytes_per_series'], store['create_ns'], store['append_ns'], store['read_ns']))
    print('with the log %.1f ns a sample, %.1f bytes; written and synced in %.1f ns, replayed in %.1f ns'
          % (store['log_append_ns'], store['log_bytes_per_sample'], store['log_write_ns'], store['log_replay_ns']))
    print('%-20s %12s %12s %12s %14s %9s'
          % ('query', 'first ms', 'tocsin ms', 'ns a series', 'Prometheus ms', 'ratio'))
    if not os.path.exists(PEER):
        for name, _, ms, first in queries:
            print('%-20s %12.3f %12.3f %12.1f' % (name, first, ms, ms * 1e6 / n))
        return
    lines = subprocess.run([BENCH, '--series', str(n)], check=True, capture_output=True, text=True).stdout.splitlines()
    with Prometheus() as peer:
        before = peer.resident()
        write([peer], lines, SAMPLES)
        used = peer.resident() - before
        for name, text, ms, first in queries:
            theirs = peer.ask(text)
            print('%-20s %12.3f %12.3f %12.1f %14.3f %8.1fx'
                  % (name, first, ms, ms * 1e6 / n, theirs, theirs / ms), flush=True)
        print('Prometheus: %.0f bytes a series, %.1fx' % (used / (2 * n), used / (2 * n) / store['bytes_per_series']))


def compare_ranges(n):
    rows = []
    for line in subprocess.run([BENCH, '--range', str(n)], check=True, capture_output=True,
                               text=True).stdout.splitlines():
        _, _, name, ms, plain, _, text = line.split(' ', 6)
        rows.append((name, text, float(ms), float(plain)))
    lines = subprocess.run([BENCH, '--range-series', str(n)], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    programs = [p for p in (PEER, NEWER) if os.path.exists(p)]
    print('\n%d series, %d steps%s' % (n, STEPS, ''.join(', ' + p for p in programs)))
    print('%-16s %11s %11s' % ('query', 'tocsin ms', 'plain ms') + '%20s' % 'peer ms' * len(programs))
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(Prometheus(p)) for p in programs]
        write(peers, lines, SAMPLES + STEPS - 1)
        for name, text, ms, plain in rows:
            theirs = [peer.ask_range(text) for peer in peers]
            print('%-16s %11.1f %11.1f' % (name, ms, plain)
                  + ''.join('%12.1f %6.1fx' % (t, t / ms) for t in theirs), flush=True)


arguments = sys.argv[1:]
of_ranges = arguments[:1] == ['--range']
if len(arguments) == of_ranges:
    sys.exit(__doc__)
for argument in arguments[of_ranges:]:
    (compare_ranges if of_ranges else compare)(int(argument))
