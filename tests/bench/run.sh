#!/bin/sh
# The same load on tocsin and on Debian's Alertmanager, one after the other, on one machine in one run: prints both and
# the ratios. Usage: run.sh [ALERTS]. Needs build/release/tocsin, build/peers and the load tools of TOCSIN_SHARED.
set -eu
cd "$(dirname "$0")/../.."
tools=${TOCSIN_SHARED:-../shared}/bench
alerts=${1:-50000}
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

# one NAME PROGRAM [FLAG...]: `replica` is different for each alert, so every alert is a group
one() {
    name=$1
    shift
    sink=$(port)
    listen=127.0.0.1:$(port)
    cat >"$dir/$name.yml" <<END
route: {receiver: sink, group_by: [replica], group_wait: 5s, group_interval: 5m, repeat_interval: 4h}
receivers: [{name: sink, webhook_configs: [{url: 'http://127.0.0.1:$sink/', send_resolved: false}]}]
END
    python3 "$tools/sink.py" --port "$sink" &
    pids="$!"
    "$@" "--config.file=$dir/$name.yml" "--storage.path=$dir/$name" "--web.listen-address=$listen" \
        --cluster.listen-address= --log.level=error >"$dir/$name.log" 2>&1 &
    server=$!
    pids="$pids $server"
    wait_ready "http://$listen"
    echo "== $name, $alerts alerts"
    python3 "$tools/router_bench.py" --url "http://$listen" --pid "$server" --alerts "$alerts" --sink-port "$sink" \
        --groups "$alerts" --json "$dir/$name.json"
    stop
}

one alertmanager build/peers/usr/bin/prometheus-alertmanager
one tocsin build/release/tocsin

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
