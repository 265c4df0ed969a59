"""Every expression of contrib/grafana through /api/v1/query_range beside Prometheus over the same scrapes: none is empty, and both
give the same. The series are those of the packs' unit tests, as dashboards.py has them, ten hours of them played within RANGES_SECONDS
(40; an hour: 3600) by an exporter whose samples have times of their own, two seconds apart. Each of them is there for four
scrapes; where a busy machine keeps one of the two from all four, nothing can be compared, and that is said. What rules leave (ALERTS, recorded series) has
the times of whoever evaluated it: of that no more is asked than that both have it, or none within so short a time."""
import math
from dashboards import *

SECONDS = int(os.environ.get("RANGES_SECONDS", "40"))
MINUTES, TICK, FIRST = 600, 2, 12
ITEM = re.compile(r"^(?:(_)|(stale)|(-?[\d.]+(?:e[-+]?\d+)?|[-+]?Inf|NaN)(?:([+-])([\d.]+(?:e[-+]?\d+)?))?)(?:x(\d+))?$", re.I)


def expand(values):
    """promtool's notation, as far as our packs have it: a list of numbers, or None where there is no sample."""
    out = []
    for item in values.split():
        m = ITEM.match(item)
        assert m, item
        n = int(m[6] or 0)
        if m[1]:
            out += [None] * max(n, 1)
        elif m[2]:
            out.append(None)
        else:
            v, step = float(m[3]), float(m[5] or 0) * (-1 if m[4] == "-" else 1)
            out += [v + step * k for k in range(n + 1)]
    return out


def minute(tick):
    """That a tick shows: each of the first ones, for some series last no longer, then as many as fit."""
    n = SECONDS // TICK
    return tick * MINUTES // n if n >= MINUTES or tick < 0 else tick if tick < FIRST else FIRST + (tick - FIRST) * (MINUTES - FIRST) // (n - FIRST)


WHOLE = "played_for_ranges"  # is there at every tick


class Player:
    """A page of what stands at a minute; all of MINUTES within SECONDS."""

    def __init__(self, all_series):
        self.lines, self.begin = [(name, expand(values)) for name, values in all_series.items()], 1 << 40

    def page(self):
        now = int(time.time()) // TICK * TICK
        k = minute((now - self.begin) // TICK)
        text = f"# TYPE {WHOLE} gauge\n{WHOLE} {k} {now * 1000}\n" * (0 <= k < MINUTES) + "".join(f"{name} {values[k]!r} {now * 1000}\n" for name, values in self.lines if 0 <= k < len(values) and values[k] is not None)
        return 200, {"Content-Type": TEXT}, text.encode()


def by_rules(expr):
    return "ALERTS" in expr or re.search(r"\b[a-zA-Z_]\w*:\w+:\w+", expr) is not None


def ranges(url, expr, begin, end):
    r = request("GET", f"{url}/api/v1/query_range?" + urllib.parse.urlencode({"query": expr, "start": begin, "end": end, "step": max(TICK, SECONDS // 60 // TICK * TICK)}), timeout=60).json()
    assert r["status"] == "success", f"{expr}: {r}"
    return {json.dumps(s["metric"], sort_keys=True): {t: float(v) for t, v in s["values"]} for s in r["data"]["result"]}


def near(a, b):
    return a == b or (math.isnan(a) and math.isnan(b)) or abs(a - b) <= 1e-12 * max(abs(a), abs(b))


def difference(ours, theirs):
    """In words; None: they are the same."""
    if ours.keys() != theirs.keys():
        return f"series differ: {sorted(ours.keys() ^ theirs.keys())[:3]}"
    for labels, points in theirs.items():
        if points.keys() != ours[labels].keys():
            return f"{labels}: times differ: {sorted(points.keys() ^ ours[labels].keys())[:5]}"
        for t, v in points.items():
            if not near(ours[labels][t], v):
                return f"{labels} at {t}: {ours[labels][t]!r}, there {v!r}"
    return None


def test_as_prometheus_gives_them():
    every = {}
    for pack in BOARDS:
        for name, values in series(pack).items():
            every.setdefault(name, values)
    job = "honor_labels: true, scrape_interval: 500ms, scrape_timeout: 500ms, "
    rules = "rule_files: [%s/rules/*/*.yml]\n" % SOURCE
    with folder() as d, Exporter() as x:
        player = Player(every)
        x.pages["/metrics"] = player.page
        config = ("global: {evaluation_interval: 1s}\nstorage: {keep: all, history: {what: all}}\n" + rules +
                  f"scrape_configs: [{{job_name: node, {job}static_configs: [{{targets: ['{x.address}']}}]}}]\nroute: {{receiver: r}}\nreceivers: [{{name: r}}]\n")
        of_packs = "rule_files: [%s]\n" % ", ".join(f"{SOURCE}/rules/{pack}/*.yml" for pack in BOARDS)
        with Prometheus(d, [x.address], of_packs, job=job) as p, Tocsin(config, d) as t:
            until("both scrape", lambda: len({h.get("User-Agent") for _, h in x.requests}) == 2, 30)
            player.begin = (int(time.time()) + 4) // TICK * TICK
            end = player.begin + SECONDS - 1
            while time.time() < end + 2:
                time.sleep(1)
            ticks = [ranges(url, f"count_over_time({WHOLE}[{SECONDS}s])", end, end) for url in (t.url, p.url)]
            if [[v for x in got.values() for v in x.values()] for got in ticks] != [[SECONDS // TICK]] * 2:
                raise Skip(f"not every sample was scraped by both: {ticks}")
            wrong, n, asked_of_rules = [], 0, 0
            for pack, b in BOARDS.items():
                for title, expr in expressions(b):
                    # between samples: whether a window has its first instant is another matter in Prometheus 2 and 3
                    ours, theirs = (ranges(url, expr, player.begin + 0.5, end + 0.5) for url in (t.url, p.url))
                    n += 1
                    asked_of_rules += by_rules(expr)
                    is_short = by_rules(expr) and SECONDS < 3600  # some alerts wait for longer
                    if bool(ours) != bool(theirs) or (not ours and not is_short):
                        why = f"{len(ours)} series here, {len(theirs)} there"
                    else:
                        why = None if by_rules(expr) else difference(ours, theirs)
                    if why:
                        wrong.append(f"{pack}: {title}: {expr}: {why}")
        print(f"{n} expressions over {len(every)} series and {SECONDS} s, {asked_of_rules} of them of what rules leave; {len(wrong)} wrong")
        assert not wrong, "\n".join(wrong[:40])


if __name__ == "__main__":
    main()
