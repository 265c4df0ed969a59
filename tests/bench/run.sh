#!/bin/sh
# The same load on tocsin and on Debian's Alertmanager, one after the other, on one machine in one run: prints both and
# the ratios. Usage: run.sh [ALERTS GROUPS]: 100 groups, or as many as alerts; without, 100000 in 100 and 20000 in 20000.
# Needs build/release/tocsin, build/peers and the load tools of TOCSIN_SHARED.
set -eu
cd "$(dirname "$0")/../.."
tools=${TOCSIN_SHARED:-../shared}/bench
[ -e "$tools/router_bench.py" ] || { echo "bench: $tools/router_bench.py is missing" >&2; exit 77; }

dir=build/bench
rm -rf $dir
mkdir -p $dir
pids=""
stop() {
    # shellcheck disable=SC2086
    [ -z "$pids" ] || kill $pids 2>/dev/null || true
    wait
    pids=""
}
trap stop EXIT
trap 'exit 1' INT TERM

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
wait_ready() {
    python3 - "$1" <<'END'
import sys, time, urllib.request
for _ in range(300):
    try:
        urllib.request.urlopen(sys.argv[1] + "/-/ready", timeout=1).read()
        sys.exit(0)
    except OSError:
        time.sleep(0.1)
sys.exit("does not answer: " + sys.argv[1])
END
}

# one NAME PROGRAM [FLAG...]. Of 100 groups each waits until all alerts are there; of as many as alerts none waits, so that
# the time to the last message is work.
one() {
    name=$1
    shift
    rm -rf "${dir:?}/$name"
    sink=$(port)
    listen=127.0.0.1:$(port)
    if [ "$groups" = 100 ]; then
        by=alertname,cluster
        wait=5s
    else
        by=replica
        wait=0s
    fi
    cat >"$dir/$name.yml" <<END
route: {receiver: sink, group_by: [$by], group_wait: $wait, group_interval: 5m, repeat_interval: 4h}
receivers: [{name: sink, webhook_configs: [{url: 'http://127.0.0.1:$sink/', send_resolved: false}]}]
END
    # Python's allocator may or may not map and unmap memory for each request, which takes the sink 60 or 160 us of it: by
    # chance, unless told.
    MALLOC_MMAP_THRESHOLD_=4194304 python3 "$tools/sink.py" --port "$sink" &
    pids="$!"
    "$@" "--config.file=$dir/$name.yml" "--storage.path=$dir/$name" "--web.listen-address=$listen" \
        --cluster.listen-address= --log.level=error >"$dir/$name.log" 2>&1 &
    server=$!
    pids="$pids $server"
    wait_ready "http://$listen"
    echo "== $name, $alerts alerts in $groups groups"
    python3 "$tools/router_bench.py" --url "http://$listen" --pid "$server" --alerts "$alerts" --sink-port "$sink" \
        --groups "$groups" --json "$dir/$name.json"
    stop
}

both() {
    alerts=$1
    groups=$2
    one alertmanager build/peers/usr/bin/prometheus-alertmanager
    one tocsin build/release/tocsin
    compare
}

compare() {
python3 - $dir/alertmanager.json $dir/tocsin.json <<'END'
import json, sys
peer, ours = (json.load(open(p)) for p in sys.argv[1:3])
print("\n%-13s %10s %10s %7s   %10s %10s %7s   %9s %9s %7s" % (
    "step", "AM s", "tocsin s", "ratio", "AM CPU s", "tocsin", "ratio", "AM RSS MB", "tocsin", "ratio"))
def ratio(a, b):
    return "%.1fx" % (a / b) if b > 0 else "-"
for step, p in peer.items():
    o = ours[step]
    t = [x.get("s", x.get("s_from_first_post", 0)) for x in (p, o)]
    print("%-13s %10.3f %10.3f %7s   %10.2f %10.2f %7s   %9.1f %9.1f %7s" % (
        step, *t, ratio(*t), p["cpu_s"], o["cpu_s"], ratio(p["cpu_s"], o["cpu_s"]),
        p["rss_mb"], o["rss_mb"], ratio(p["rss_mb"], o["rss_mb"])))
cpu = [sum(s["cpu_s"] for s in r.values()) for r in (peer, ours)]
peak = [max(s["peak_mb"] for s in r.values()) for r in (peer, ours)]
print("\nall steps: CPU %.1f s and %.1f s (%s), peak RSS %.0f MB and %.0f MB (%s)" % (
    *cpu, ratio(*cpu), *peak, ratio(*peak)))
END
python3 - $dir/tocsin <<'END'
import os, sqlite3, sys
rows, size = sqlite3.connect(sys.argv[1] + "/state.db").execute(
    "SELECT count(*), coalesce(sum(length(key) + length(value)), 0) FROM decision").fetchone()
print("journal of decisions: %d rows, %.1f MB; log of alerts: %.1f MB\n" % (
    rows, size / 1e6, os.path.getsize(sys.argv[1] + "/alerts.log") / 1e6))
END
}

if [ $# -ne 0 ]; then
    both "$1" "$2"
else
    both 100000 100
    both 20000 20000
fi
