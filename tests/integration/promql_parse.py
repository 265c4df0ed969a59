"""Random expressions of the common subset: promtool 2.42 and lint accept and refuse the same ones."""
import random
from harness import *

SECONDS, FILES, RULES = 15, 400, 120
NAMES = ["up", "foo", "a:b", "sum", "by", "offset", "start", "without", "and", "rate", "m_total"]
LABELS = ["job", "le", "on", "sum", "x1"]
OPS = ["+", "-", "*", "/", "%", "^", "==", "!=", "<", "<=", ">", ">=", "and", "or", "unless", "atan2"]
AGGS = ["sum", "avg", "count", "min", "max", "group", "stddev", "stdvar", "topk", "bottomk", "quantile", "count_values"]
VECTOR = ["abs", "ceil", "sgn", "ln", "absent", "scalar", "sort", "timestamp", "hour", "clamp_min", "round", "nothing"]
MATRIX = ["rate", "increase", "irate", "deriv", "changes", "avg_over_time", "predict_linear", "quantile_over_time"]
DURATIONS = ["5m", "1h30m", "15s", "1d", "100ms", "2w", "5m1h", "1y"]


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def labels(self):
        return "(" + ", ".join(self.r.choices(LABELS, k=self.r.randint(0, 2))) + ")"

    def selector(self):
        r = self.r
        text = r.choice(NAMES) if r.random() < 0.9 else ""
        if not text or r.random() < 0.4:
            ops = ["=", "!=", "=~", "!~"]
            text += "{" + ",".join(f'{r.choice(LABELS)}{r.choice(ops)}"{r.choice(["a", "", ".*", ".+", "a|b", "(", "[a"])}"'
                                   for _ in range(r.randint(0, 2))) + r.choice(["", "", "", ","]) + "}"
        return text

    def modifier(self):
        r = self.r
        return r.choice(["", "", "", "", f" offset {r.choice(DURATIONS)}", " offset -5m", " @ 10", " @ start()", " @ -1.5",
                         " @ end() offset 1h", " offset 1m @ 3", " offset 1m offset 2m"])

    def matrix(self, depth):
        r = self.r
        if r.random() < 0.8:
            return f"{self.selector()}[{r.choice(DURATIONS)}]{self.modifier()}"
        return f"{self.operand(depth)}[{r.choice(DURATIONS)}:{r.choice(['', '1m', '30s'])}]{self.modifier()}"

    def operand(self, depth):
        r = self.r
        kind = r.random()
        if depth <= 0 or kind < 0.25:
            return r.choice([self.selector() + self.modifier(), r.choice(["1", "0.5", "1e3", "0x1f", "Inf", "NaN", "007"])])
        if kind < 0.35:
            return f"({self.expr(depth - 1)})"
        if kind < 0.45:
            return r.choice("+-") + self.operand(depth - 1)
        if kind < 0.65:
            return f"{r.choice(MATRIX)}({self.matrix(depth - 1)})"
        if kind < 0.8:
            name = r.choice(VECTOR)
            return f"{name}({', '.join(self.expr(depth - 1) for _ in range(r.choice([1, 1, 1, 2])))})"
        op = r.choice(AGGS)
        args = self.expr(depth - 1)
        if op in ("topk", "bottomk", "quantile", "count_values") and r.random() < 0.9:
            args = f'"v", {args}' if op == "count_values" else f"3, {args}"
        group = r.choice(["", f" by {self.labels()}", f" without {self.labels()}"])
        return f"{op}{group} ({args})" if r.random() < 0.5 else f"{op}({args}){group}"

    def expr(self, depth):
        r = self.r
        text = self.operand(depth)
        while r.random() < 0.35:
            match = r.choice(["", "", "", f" on {self.labels()}", f" ignoring {self.labels()}",
                              f" on {self.labels()} group_left {self.labels()}", " group_left", " on () group_right"])
            text += f" {r.choice(OPS)}{r.choice(['', '', '', ' bool'])}{match} {self.operand(depth - 1)}"
        return text

    def one(self):
        text = self.expr(3)
        if self.r.random() < 0.25:  # break it
            at = self.r.randrange(len(text))
            text = text[:at] + self.r.choice(["", "", ")", "(", "]", ",", " x", "=", "!"]) + text[at + 1:]
        return text


# Newer than 2.42, or refused by us for its type: not asked.
NEWER = re.compile(r"</|>/|\d_|\[\s*[-+(\d.]*[\d.]+\s*[:\]]|offset\s*[-+]?\s*[\d.]+(?![\d.]*[a-z])|@\s*[-+]?\s*\d+[a-z]|\{\s*['\"]")


def bad_rules(text):
    """Numbers of the rules that a tool complains about."""
    return set(int(n) for n in re.findall(r"rule (\d+), \"r", text))


def test_same_verdicts():
    promtool, end = peer("promtool"), time.monotonic() + SECONDS
    asked = accepted = skipped = 0
    wrong = []
    with folder() as dir:
        for seed in range(FILES):
            if time.monotonic() > end:
                break
            maker = Maker(seed)
            exprs = [maker.one() for _ in range(RULES)]
            path = os.path.join(dir, "r.yml")
            write(path, "groups:\n- name: g\n  rules:\n" + "".join(
                f"  - {{record: r, expr: {json.dumps(x)}}}\n" for x in exprs))
            theirs = subprocess.run([promtool, "check", "rules", "--lint=none", path], capture_output=True, text=True)
            ours = subprocess.run([PROGRAM, "lint", "-q", "-o", "github", path], capture_output=True, text=True)
            assert ours.returncode in (0, 1) and not SANITIZER.search(ours.stderr), ours.stderr
            a, b = bad_rules(theirs.stdout + theirs.stderr), bad_rules(ours.stdout)
            wrong_type = set(int(n) for n in re.findall(r"rule (\d+), \"r\": expression gives", ours.stdout))
            for i, x in enumerate(exprs, 1):
                if i in wrong_type or NEWER.search(x):
                    skipped += 1
                    continue
                asked += 1
                accepted += i not in a
                if (i in a) != (i in b):
                    wrong.append(f"promtool {'refuses' if i in a else 'accepts'}, we do not: {x}")
    print(f"{asked} expressions asked, {accepted} accepted, {skipped} newer or of a type that no rule can have, "
          f"{len(wrong)} different")
    assert asked > 500 and accepted > asked / 10 and not wrong, "\n".join(wrong[:40])


main()
