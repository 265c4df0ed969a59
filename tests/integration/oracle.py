"""What comparisons with Debian's Prometheus share: the rule corpora, and when two answers are the same."""
import glob, json, math, subprocess
from harness import *

sys.path.append(os.path.join(PEERS, "../lib/python3/dist-packages"))
try:
    import yaml
except ImportError:
    yaml = None

SHARED = os.environ.get("TOCSIN_SHARED", os.path.join(SOURCE, "../shared"))
ASK = os.path.join(os.path.dirname(PROGRAM), "tests", "promql_ask")


def documents():
    """Every YAML document of the rule corpora, a list a file, and how many files are none: templates of YAML."""
    out, unread = [], 0
    for name in ("rules", "ai-rules"):
        for path in sorted(glob.glob(os.path.join(SHARED, "conformance", name, "**"), recursive=True)):
            if not path.endswith((".yml", ".yaml", ".json")):
                continue
            try:
                with open(path) as f:
                    out.append(list(yaml.load_all(f, getattr(yaml, "CSafeLoader", yaml.SafeLoader))))
            except (yaml.YAMLError, UnicodeDecodeError):
                unread += 1
    return out, unread


def same(a, b, tolerance):
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or abs(a - b) <= tolerance * max(abs(a), abs(b)) or (max(abs(a), abs(b)) < 1e-9)


def value(s):
    return float(s.replace("Inf", "inf"))


def points(x):
    return x["values"] if "values" in x else [x["value"]]


def differs(theirs, ours, tolerance):
    """None, or what is different."""
    if theirs["resultType"] == "scalar" or ours["resultType"] == "scalar":
        if theirs["resultType"] != ours["resultType"] or not same(value(theirs["result"][1]), value(ours["result"][1]), tolerance):
            return f"{theirs['result']} / {ours['result']}"
        return None
    key = lambda x: tuple(sorted(x["metric"].items()))
    a, b = {key(x): points(x) for x in theirs["result"]}, {key(x): points(x) for x in ours["result"]}
    if a.keys() != b.keys():
        return f"series: only there {sorted(a.keys() - b.keys())[:3]}, only here {sorted(b.keys() - a.keys())[:3]}"
    for k in a:
        if [p[0] for p in a[k]] != [p[0] for p in b[k]]:
            return f"{k}: times {len(a[k])} / {len(b[k])}"
        for p, q in zip(a[k], b[k]):
            if not same(value(p[1]), value(q[1]), tolerance):
                return f"{k} at {p[0]}: {p[1]} / {q[1]}"
    return None


def ours(data, questions, *flags):
    """Our engine's answers over a file of samples; a question is (start, end, step, expression) in ms."""
    text = "".join(f"{s} {e} {p} {x}\n" for s, e, p, x in questions)
    p = subprocess.run([ASK, *flags, data], input=text, capture_output=True, text=True, timeout=600)
    equal(p.returncode, 0, p.stderr[-2000:])
    answers = [json.loads(line) for line in p.stdout.splitlines()]
    equal(len(answers), len(questions), "answers")
    return answers
