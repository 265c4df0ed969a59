#!/usr/bin/env python3
"""Creating silences, one a request, by 1, 8 and 32 clients at once: this build beside Debian's Alertmanager.

usage: silences.py [SECONDS [PROGRAM...]]   run from the root; SECONDS (3) for each number of clients

An answer means that the silence is on disk (Alertmanager: that it is in memory; its snapshot follows every 15 minutes).
"""
import json, os, select, socket, subprocess, sys, tempfile, time, urllib.request

CLIENTS = 1, 8, 32
PEER = 'build/peers/usr/bin/prometheus-alertmanager'
CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


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


def stamp(after):
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + after))


class Client:
    """One connection with one request under way; all of them are driven by one poll."""

    made = 0

    def __init__(self, port):
        self.s = socket.create_connection(('127.0.0.1', port))
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.got = b''

    def ask(self, head, tail):
        Client.made += 1
        body = head + b'%d' % Client.made + tail
        self.s.sendall(b'POST /api/v2/silences HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
                       b'Content-Length: %d\r\n\r\n%s' % (len(body), body))

    def answered(self):
        self.got += self.s.recv(65536)
        head, found, body = self.got.partition(b'\r\n\r\n')
        if not found:
            return False
        length = int(head.lower().partition(b'content-length:')[2].split(b'\r\n')[0])
        if len(body) < length:
            return False
        if b' 200 ' not in head.split(b'\r\n')[0]:
            raise SystemExit(f'refused: {self.got!r}')
        self.got = b''
        return True


def rate(port, clients, seconds):
    body = json.dumps({'matchers': [{'name': 'instance', 'value': 'host-#', 'isRegex': False, 'isEqual': True}],
                       'startsAt': stamp(0), 'endsAt': stamp(3600), 'createdBy': 'bench', 'comment': 'bench'})
    head, tail = body.encode().split(b'#')
    all = [Client(port) for _ in range(clients)]
    by_fd = {c.s.fileno(): c for c in all}
    poll, done, end = select.epoll(), 0, time.monotonic() + seconds
    for c in all:
        poll.register(c.s, select.EPOLLIN)
        c.ask(head, tail)
    start, waiting = time.monotonic(), clients
    while waiting:
        for fd, _ in poll.poll():
            if not by_fd[fd].answered():
                continue
            done += 1
            if time.monotonic() < end:
                by_fd[fd].ask(head, tail)
            else:
                waiting -= 1
    for c in all:
        c.s.close()
    return done / (time.monotonic() - start)


def measure(program, seconds):
    with tempfile.TemporaryDirectory(prefix='tocsin-bench-', dir=os.environ.get('TMPDIR')) as dir:
        port = free_port()
        with open(dir + '/t.yml', 'w') as f:
            f.write(CONFIG)
        server = subprocess.Popen([program, f'--config.file={dir}/t.yml', f'--storage.path={dir}/data',
                                   f'--web.listen-address=127.0.0.1:{port}', '--cluster.listen-address=',
                                   '--log.level=error'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_ready(f'http://127.0.0.1:{port}')
            return [rate(port, n, seconds) for n in CLIENTS]
        finally:
            server.terminate()
            server.wait()


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3
    programs = sys.argv[2:] or [PEER, 'build/release/tocsin']
    print(f'{"silences created a second, by clients at once":60}' + ''.join(f'{n:>10}' for n in CLIENTS))
    for program in programs:
        print(f'{program:60}' + ''.join(f'{r:10.0f}' for r in measure(program, seconds)), flush=True)


if __name__ == "__main__":
    main()
