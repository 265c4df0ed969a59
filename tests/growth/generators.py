"""What can be sent in any number, a row each: growth.py measures how the work grows with n, ./dev fuzz begins with small ones.

A row has a name, the tool that takes it, the n to begin with, and a function of n that gives what the tool takes:

    lint      {file: text}, of which tocsin.yml or rules.yml is checked
    query     (exposition, expression): tocsin query --file
    render    text of a template: tocsin template render
    serve     a Served: configuration, requests one after another, and how many messages go out
    NAME      input of tests/fuzz/NAME_fuzz.c, run by replay.c

fuzz: which target gets it, when the tool is none of its own; the function fuzz_of() makes it from what the tool takes.
"""
import collections, json, os, re, sys

SOURCE = os.environ.get("TOCSIN_SOURCE", os.path.abspath(os.path.join(os.path.dirname(__file__), "../..")))
Row = collections.namedtuple("Row", "name tool n make fuzz")
Served = collections.namedtuple("Served", "config requests told", defaults=("", [], 0))
ROWS = []


def row(tool, n, fuzz=None):
    def add(make):
        ROWS.append(Row(make.__name__.strip("_"), tool, n, make, fuzz or (tool if tool not in ("lint", "query", "render", "serve") else None)))
        return make
    return add


# -- alerts, silences, inhibition, groups: requests to the program --

ROUTE = "route: {receiver: r, group_by: [%s], group_wait: %s, group_interval: 1h, repeat_interval: 1h}\nreceivers: [{name: r%s}]\n"
QUIET = ROUTE % ("alertname", "1h", "")
END = "2100-01-01T00:00:00Z"


def post(alerts):
    return "POST", "/api/v2/alerts", json.dumps(alerts, separators=(",", ":"))


def alert(**labels):
    return {"labels": {"alertname": "A", **labels}, "endsAt": END}


def silence(*matchers):
    return "POST", "/api/v2/silences", json.dumps({
        "matchers": [{"name": n, "value": v, "isRegex": re_} for n, v, re_ in matchers], "startsAt": "2020-01-01T00:00:00Z",
        "endsAt": END, "createdBy": "me", "comment": "c"})


READ = [("GET", "/api/v2/alerts", ""), ("GET", "/api/v2/alerts/groups", ""), ("GET", "/api/v2/explain", ""), ("GET", "/metrics", "")]


def shuffled(n):
    return [(i * 7919) % n for i in range(n)]


@row("serve", 550)
def labels_of_an_alert(n):
    return Served(QUIET, [post([alert(k=str(k), **{f"l{i:x}": "v" for i in shuffled(n)})]) for k in range(25)] + READ)


@row("serve", 550)
def annotations_of_an_alert(n):
    return Served(QUIET, [post([{**alert(k=str(k)), "annotations": {f"l{i:x}": "v" for i in shuffled(n)}}]) for k in range(25)] + READ)


@row("serve", 1000)
def alerts_of_a_request(n):
    return Served(QUIET, [post([alert(i=str(i), j=str(i % 7)) for i in range(n)])] + READ)


@row("serve", 20000)
def length_of_a_value(n):
    return Served(QUIET, [post([alert(i="\u00e9" * n, k=str(k))]) for k in range(5)] + READ)


@row("serve", 60)
def matchers_of_a_silence(n):
    return Served(QUIET, [silence(*[(f"l{i}", "v", False) for i in range(n)], ("k", str(k), False)) for k in range(30)] +
                  [post([alert(i=str(i)) for i in range(100)])] + READ)


@row("serve", 120)
def silences_and_alerts(n):
    return Served(QUIET, [silence(("i", str(i), False)) for i in range(n)] + [post([alert(i=str(i)) for i in range(n)])] + READ)


@row("serve", 120)
def silences_by_regex(n):
    return Served(QUIET, [silence(("i", f"x{i}.*", True)) for i in range(n)] + [post([alert(i=f"y{i}") for i in range(20)])] + READ)


INHIBIT = "inhibit_rules: [{source_match: {s: '1'}, target_match: {s: '2'}, equal: [%s]}]\n"


@row("serve", 500)
def inhibition(n):
    return Served(QUIET + INHIBIT % "i", [post([alert(s=str(k), i=str(i)) for i in range(n)]) for k in (1, 2)] + READ)


@row("serve", 500)
def inhibition_of_all_by_all(n):
    return Served(QUIET + INHIBIT % "", [post([alert(s=str(k), i=str(i)) for i in range(n)]) for k in (1, 2)] + READ)


# All are sources and targets, and so inhibit nobody.
@row("serve", 500)
def inhibition_of_each_other(n):
    return Served(QUIET + "inhibit_rules: [{source_match_re: {s: '.+'}, target_match_re: {s: '.+'}}]\n",
                  [post([alert(s=str(i)) for i in range(n)])] + READ)


# The sources ended before anybody asked.
@row("serve", 500)
def inhibition_by_ended(n):
    ended = [{**alert(s="1", i=str(i)), "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2020-01-01T00:01:00Z"} for i in range(n)]
    return Served(QUIET + INHIBIT % "", [post(ended), post([alert(s="2", i=str(i)) for i in range(n)])] + READ)


# Silenced, each of them by the last.
@row("serve", 60)
def silences_of_silenced(n):
    return Served(QUIET, [silence(("i", f"x{i}.*", True)) for i in range(n)] + [silence(("alertname", ".+", True))] +
                  [post([alert(i=f"y{i}") for i in range(20)])] + READ)


@row("serve", 60)
def inhibit_rules(n):
    rules = ", ".join("{source_match: {s: '%d'}, target_match: {t: '%d'}, equal: [i]}" % (i, i) for i in range(n))
    return Served(QUIET + f"inhibit_rules: [{rules}]\n", [post([alert(s=str(i), i=str(i)) for i in range(50)]),
                                                        post([alert(t=str(i), i=str(i)) for i in range(50)])] + READ)


@row("serve", 150)
def groups(n):
    return Served(ROUTE % ("i", "0s", ", webhook_configs: [{url: '%(sink)s'}]"), [post([alert(i=str(i)) for i in range(n)])] + READ, n)


@row("serve", 800)
def alerts_of_a_group(n):
    return Served(ROUTE % ("alertname", "0s", ", webhook_configs: [{url: '%(sink)s'}]"), [post([alert(i=str(i)) for i in range(n)])] + READ, 1)


@row("serve", 60)
def routes_that_take_it(n):
    """Not the groups: n of them, each alert in each with the names of n receivers, as Alertmanager shows it."""
    routes = ", ".join("{continue: true, receiver: r, matchers: ['alertname=A'], group_by: [x%d]}" % i for i in range(n))
    return Served(QUIET.replace("}\nrec", ", routes: [%s]}\nrec" % routes, 1), [post([alert(i=str(i)) for i in range(20)])] + READ[:1] + READ[2:])


# -- configurations --

def lists(text):
    return {"tocsin.yml": text}


@row("lint", 500, "config")
def routes(n):
    return lists(QUIET.replace("}\nrec", ", routes: [%s]}\nrec" % ", ".join("{match: {i: '%d'}}" % i for i in range(n)), 1))


@row("lint", 20, "config")
def routes_in_routes(n):
    """Deep, up to what YAML may be, again and again."""
    deep = "{matchers: ['a=b']}"
    for _ in range(20):
        deep = "{matchers: ['a=b'], routes: [%s]}" % deep
    return lists(QUIET.replace("}\nrec", ", routes: [%s]}\nrec" % ", ".join([deep] * n), 1))


@row("lint", 500, "config")
def receivers(n):
    return lists("route: {receiver: r0}\nreceivers:\n" + "".join("- {name: r%d, webhook_configs: [{url: 'http://h/%d'}]}\n" % (i, i) for i in range(n)))


@row("lint", 500, "config")
def integrations_of_a_receiver(n):
    return lists("route: {receiver: r}\nreceivers:\n- name: r\n  webhook_configs:\n" + "".join("  - url: 'http://h/%d'\n" % i for i in range(n)))


@row("lint", 600, "config")
def jobs(n):
    return lists("scrape_configs:\n" + "".join("- {job_name: j%d, static_configs: [{targets: ['h:%d']}]}\n" % (i, i + 1) for i in range(n)))


@row("lint", 3000, "config")
def targets(n):
    return lists("scrape_configs: [{job_name: j, static_configs: [{targets: [%s]}]}]\n" % ", ".join("'h%d:1'" % i for i in range(n)))


@row("lint", 500, "config")
def labels_of_targets(n):
    return lists("scrape_configs: [{job_name: j, static_configs: [{targets: [a], labels: {%s}}]}]\n" % ", ".join("l%d: v" % i for i in shuffled(n)))


@row("lint", 1000, "config")
def relabeling(n):
    return lists("scrape_configs: [{job_name: j, static_configs: [{targets: [a]}], relabel_configs: [%s]}]\n" %
                 ", ".join("{target_label: l%d, replacement: v}" % i for i in range(n)))


@row("lint", 1000, "config")
def time_intervals(n):
    return lists(QUIET + "time_intervals: [%s]\n" % ", ".join("{name: t%d, time_intervals: [{weekdays: [monday]}]}" % i for i in range(n)))


@row("lint", 3000, "config")
def mistakes(n):
    return lists("route: {receiver: r}\nreceivers: [{name: r}]\n" + "".join("wrong%d: 1\n" % i for i in range(n)))


def rule_file(rules):
    return {"rules.yml": "groups:\n- name: g\n  rules:\n" + "".join(rules)}


@row("lint", 300, "rulefile")
def rules(n):
    return rule_file("  - {alert: A%d, expr: 'sum by (i) (rate(m%d[5m])) > 1', annotations: {s: '{{ $labels.i }} {{ $value }}'}}\n" % (i, i) for i in range(n))


@row("lint", 400, "rulefile")
def rules_that_need_each_other(n):
    return rule_file("  - {record: 'r:m%d', expr: 'r:m%d + r:m%d'}\n" % (i, i - 1, i // 2) for i in range(1, n))


@row("lint", 400, "rulefile")
def rule_groups(n):
    return {"rules.yml": "groups:\n" + "".join("- {name: g%d, rules: [{record: 'r:m', expr: '1', labels: {g: '%d'}}]}\n" % (i, i) for i in range(n))}


@row("lint", 600, "rulefile")
def labels_of_a_rule(n):
    return rule_file(["  - {alert: A, expr: '1', labels: {%s}, annotations: {%s}}\n" % (
        ", ".join("l%d: v" % i for i in shuffled(n)), ", ".join("a%d: '{{ $value }}'" % i for i in shuffled(n)))])


# -- YAML and JSON themselves --

@row("yaml", 8000)
def yaml_keys(n):
    return "".join("k%d: v\n" % i for i in shuffled(n))


@row("yaml", 8000)
def yaml_keys_of_one_hash_bucket(n):
    return "{" + ", ".join("%s: v" % ("a" * (i % 60) + "%x" % i) for i in range(n)) + "}"


@row("yaml", 150)
def yaml_nesting(n):
    return "".join("k%d: %s1%s\n" % (i, "[" * 60, "]" * 60) for i in range(n))


@row("yaml", 1500)
def yaml_aliases(n):
    return "a: &a [1, 2, 3]\n" + "".join("k%d: *a\n" % i for i in range(n))


@row("yaml", 200000)
def yaml_text(n):
    return 'k: "' + "\\u00e9 x\\n" * (n // 8) + '"\nl: |\n' + "  line\n" * (n // 7)


@row("json", 40000)
def json_width(n):
    return "[" + ",".join("1" for _ in range(n)) + "]"


@row("json", 20000)
def json_keys(n):
    return "{" + ",".join('"k%d":"v"' % i for i in shuffled(n)) + "}"


@row("json", 600)
def json_depth(n):
    return "[" + ",".join("[" * 60 + "]" * 60 for _ in range(n)) + "]"


@row("json", 300000)
def json_text(n):
    return '"' + "\\u00e9\\n" * (n // 8) + '"'


# -- series --

def series(n, more=""):
    return "# TYPE m gauge\n" + "".join('m{i="%d"%s} %d\n' % (i, more, i) for i in shuffled(n))


@row("exposition", 3000)
def lines_of_a_scrape(n):
    return series(n)


@row("query", 1500)
def series_of_a_scrape(n):
    return series(n), "count(m)"


@row("query", 60)
def labels_of_a_series(n):
    return "".join("m{k=\"%d\",%s} 1\n" % (k, ",".join('l%d="v"' % i for i in shuffled(n))) for k in range(100)), "count(m)"


@row("query", 2000)
def length_of_a_label(n):
    return "".join('m{k="%d",l="%s"} 1\n' % (k, "\\n" * n) for k in range(100)), "count(m)"


@row("target_list", 2000)
def listed_targets(n):
    return "\1" + json.dumps([{"targets": ["h%d:1" % i], "labels": {"a": "b"}} for i in range(n)])


@row("target_list", 2500)
def labels_of_a_list(n):
    return "\1" + json.dumps([{"targets": ["h:1"], "labels": {"l%d" % i: "b" for i in shuffled(n)}}])


# -- PromQL --

@row("query", 1200, "promql")
def query_arguments(n):
    return series(100), "label_join(m, 'x', '-', " + ", ".join("'i'" for i in range(n)) + ")"


@row("query", 4000, "promql")
def query_text(n):
    return series(100), "count(m) # " + "x" * n + "\n + count(label_replace(m, 'x', '%s', 'i', '.*'))" % ("$1" * (n // 4))


@row("query", 400, "promql")
def query_matchers(n):
    return series(1000), "m{" + ",".join('l%d!="x"' % i for i in range(n)) + "}"


@row("query", 400, "promql")
def query_grouping_labels(n):
    return series(300), "sum by (" + ",".join("l%d" % i for i in range(n)) + ") (m)"


@row("lint", 100, "rulefile")
def query_nesting(n):
    """Deep, up to what an expression may be, in many."""
    return rule_file("  - {record: 'r:m%d', expr: '%s'}\n" % (i, "(" * 150 + "1" + ")" * 150 + " + -1" * 100) for i in range(n))


for name, text in {
        "matching": "sum(m + on (i) m)", "many_to_one": "sum(m * on (j) group_left () sum by (j) (m))", "set_operators": "count((m and m) or (m unless m))",
        "sorting": "sort_desc(m)", "topk": "topk(scalar(count(m)) / 2, m)", "quantile": "quantile(0.9, m)", "count_values": "count(count_values('v', m))",
        "grouping": "count(sum by (i) (m))", "label_replace": "count(label_replace(m, 'x', '$1', 'i', '(.*)'))",
        "label_join": "count(label_join(m, 'x', '-', 'i', 'j'))", "over_time": "sum(avg_over_time(m[5m]))", "absent": "absent(m{i='x'})",
        "regex_of_series": "count(m{i=~'.*7.*|.*3'})", "limits": "count(limitk(100, m)) + count(limit_ratio(0.5, m))"}.items():
    ROWS.append(Row("query_" + name, "query", 1000, lambda n, text=text: (series(n, ',j="a"'), text), "promql"))


@row("query", 1500, "promql")
def query_buckets(n):
    return "".join('h_bucket{le="%d"} %d\n' % (i, i) for i in shuffled(n)) + 'h_bucket{le="+Inf"} %d\n' % n, "histogram_quantile(0.9, h_bucket)"


# -- regular expressions --

def subject(pattern):
    return "".join('m{h="node%d.example.com"} 1\n' % i for i in range(500)), 'count(m{h=~"%s"}) or vector(0)' % pattern


@row("query", 300, "promql")
def regex_names(n):
    return subject("|".join("node%d.example.com" % i for i in range(n)))


@row("query", 50, "promql")
def regex_alternatives(n):
    return subject("|".join("a%d.*b" % i for i in range(n)))


@row("query", 50, "promql")
def regex_length(n):
    return subject("a?" * n)


@row("query", 5, "promql")
def regex_nesting(n):
    return subject("|".join("(" * 8 + "a%d*" % i + ")?" * 8 for i in range(n)))


@row("query", 20, "promql")
def regex_classes(n):
    return subject("|".join("[%s]x" % "".join(chr(0x4E00 + (i * 31 + k * 7) % 2000) for k in range(10)) for i in range(n)))


@row("query", 2000)
def regex_subject(n):
    return "".join('m{k="%d",h="%s"} 1\n' % (k, "a" * n) for k in range(30)), 'count(m{h=~"(a*)*b|.*c"}) or vector(0)'


# -- templates --

@row("render", 2000, "template")
def template_actions(n):
    return "{{ .Status }}x" * n


@row("render", 60, "template")
def template_variables(n):
    """At most 1,000, in many templates; one is executed, whose look-ups are counted as steps."""
    one = "".join("{{ $v%d := %d }}" % (i, i) for i in range(n)) + "".join("{{ $v%d }}" % i for i in range(n))
    return "".join('{{ define "v%d" }}%s{{ end }}' % (k, one) for k in range(60))


@row("render", 600, "template")
def template_definitions(n):
    return "".join('{{ template "t%d" . }}' % i for i in range(n)) + "".join('{{ define "t%d" }}x{{ end }}' % i for i in range(n))


@row("render", 50, "template")
def template_branches(n):
    """Up to 200 deep, in many."""
    return ("{{ if false }}a" + "{{ else if false }}b" * 150 + "{{ end }}") * n


def functions():
    """{name: kinds of the arguments} of those that messages have, from their table."""
    with open(os.path.join(SOURCE, "src/template/funcs_alertmanager.c")) as f:
        return dict(re.findall(r'^    \{"(\w+)", "([a-z*]*)", ', f.read(), re.M))


ARGUMENTS = {"s": "$s", "l": "$l", "t": "now", "a": "$l"}
SPECIAL = {"dict": 'dict "k" $s', "mustToDate": 'mustToDate "2006" "2024"', "date": "now | date $s", "tz": 'tz "UTC" now',
           "match": 'match "(a|b)*c$" $s', "reReplaceAll": 'reReplaceAll "(a+)" "<$1>" $s', "join": 'join "," $l', "base64decode": "base64encode $s | base64decode",
           "humanizeDuration": "humanizeDuration 1.5", "urlUnescape": "urlUnescape $s"}


@row("render", 1500, "template")
def template_functions(n):
    """Each once, of a text of n times a few bytes, or a list of such a number."""
    calls = [SPECIAL.get(name) or " ".join([name] + [ARGUMENTS[k] for k in kinds if k != "*"]) for name, kinds in functions().items()]
    begin = '{{ $s := "%s" }}{{ $l := stringSlice %s }}' % ("a \\u00e9B" * n, " ".join(['"x"'] * min(n // 4, 250)))
    return begin + "".join("{{ $x := %s }}" % c for c in calls)


# -- corpora --

def fuzz_of(row, n):
    """Small input of a row for its fuzz target."""
    made = row.make(n)
    if row.tool == "lint":
        return next(iter(made.values()))
    return made[1] if row.tool == "query" else made


def main():
    """FOLDER TARGET: writes FOLDER/TARGET/grown-ROW."""
    for r in ROWS:
        if r.fuzz == sys.argv[2]:
            folder = os.path.join(sys.argv[1], r.fuzz)
            with open(os.path.join(folder, "grown-" + r.name), "wb") as f:
                f.write(fuzz_of(r, 4).encode())


if __name__ == "__main__":
    main()
