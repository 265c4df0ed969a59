#!/usr/bin/env python3
"""down.scn with 500 groups and a reload in the middle, by a seed: plays it with the simulator.

usage: down.py SIM [GROUPS [SEED]]
"""
import os, random, subprocess, sys, tempfile

HEAD = """# made by tests/sim/down.py %d %d
config
  route:
    receiver: a
    group_by: [alertname]
    group_wait: 10s
    group_interval: 5m
    repeat_interval: 12h
  receivers:
    - {name: a, webhook_configs: [{url: http://sink, digest: true, pace: [{messages: 20, per: 1m}]}]}

at 0s      sink answers 503
"""
AWAY, LAST = 3 * 3600, 3 * 3600 - 600


def scenario(groups, seed):
    r, fires, acts = random.Random(seed), {}, [(5400, "reload")]
    for i in range(groups):
        name, at, on = f"F{i:03d}", r.randint(60, LAST), True
        while at < LAST:
            acts.append((at, ("post" if on else "resolve") + f' {{alertname="{name}"}}'))
            fires[name] = on
            on, at = not on, at + r.randint(400, 4000)
    lines = [f"at {at}s {what}" for at, what in sorted(acts)]
    lines.append(f"at {AWAY}s sink answers 200")
    lines += [f'expect 3h..3h10m a {{alertname="{n}"}} firing alertname={n}' for n in sorted(fires) if fires[n]]
    return HEAD % (groups, seed) + "\n".join(lines) + "\nexpect nothing until 4h\n", sum(fires.values())


def main():
    groups, seed = (int(v) for v in (sys.argv[2:] + ["500", "1"][len(sys.argv) - 2:]))
    text, firing = scenario(groups, seed)
    with tempfile.TemporaryDirectory(prefix="tocsin-down-") as d:
        path = os.path.join(d, "down.scn")
        with open(path, "w") as f:
            f.write(text)
        done = subprocess.run([sys.argv[1], path], capture_output=True, text=True)
    print(f"{groups} groups, {firing} fire in the end, seed {seed}: {done.stdout.strip()}")
    print("\n".join(done.stderr.splitlines()[:20]), end="")
    sys.exit(done.returncode)


main()
