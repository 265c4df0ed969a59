#!/usr/bin/env python3
"""tocsin check metrics and tocsin check web-config beside promtool's commands of these names: the same yes and no.

    check.py SOURCE PROGRAM"""
import os, random, subprocess, sys, tempfile

PAGES = {  # by what lint finds; None: nothing
    "M004": "# TYPE foo gauge\nfoo 1\n",
    "": "# HELP foo_total x\n# TYPE foo_total counter\nfoo_total 1\n",
    "M006": "# HELP foo x\n# TYPE foo counter\nfoo 1\n",
    "M005": "# HELP x_milliseconds h\n# TYPE x_milliseconds gauge\nx_milliseconds 1\n",
    "M005 ": "# HELP x_ms_last h\n# TYPE x_ms_last gauge\nx_ms_last 1\n",
    "M006 ": "# HELP h_bucket h\n# TYPE h_bucket gauge\nh_bucket{a=\"1\"} 1\n",
    "M006  ": "# HELP h h\n# TYPE h gauge\nh{le=\"1\"} 1\n",
    "M006    ": "# HELP h h\n# TYPE h gauge\nh{quantile=\"1\"} 1\n",
    "M006     ": "# HELP a_total h\n# TYPE a_total gauge\na_total 1\n",
    "M006      ": "# HELP a_count h\n# TYPE a_count gauge\na_count 1\n",
    "M006       ": "# HELP a_gauge h\n# TYPE a_gauge gauge\na_gauge 1\n",
    "M007": "# HELP fooBar h\n# TYPE fooBar gauge\nfooBar 1\n",
    "M007 ": "# HELP foo h\n# TYPE foo gauge\nfoo{aB=\"1\"} 1\n",
    "M007  ": "# HELP foo:x h\n# TYPE foo:x gauge\nfoo:x 1\n",
    " ": "# HELP gauge_x h\n# TYPE gauge_x gauge\ngauge_x 1\n",
    "  ": "# HELP s h\n# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 1\ns_count 1\n",
    "   ": "# HELP h h\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
    "    ": "# HELP h h\n# TYPE h untyped\nh{le=\"1\"} 1\n",
    "     ": "# HELP none h\n# TYPE none counter\n",
    "M001": "foo{ 1\n",
    "M008": "# HELP foo x\n# TYPE foo gauge\nfoo 1\nfoo 2\n",
}
# What promtool lets pass, as no name and no type is wrong.
OURS = {"M002": "# HELP h h\n# TYPE h histogram\nh_bucket{le=\"1\"} 5\nh_bucket{le=\"+Inf\"} 3\nh_sum 1\nh_count 3\n"}
WORDS = ["a", "ms", "seconds", "kilobytes", "bytes", "total", "count", "bucket", "sum", "gauge", "counter", "days", "Mb", "fooBar", "x", "hours", "summary", "info"]

WEB = {
    "": True, "{}\n": True, "http_server_config: {http2: false}\n": True,
    "http_server_config: {headers: {X-Frame-Options: deny}}\n": True,
    "basic_auth_users: {u: $2b$06$abcdefghijklmnopqrstuuzQ9KqY6d1JzOQ1xJqX7yVb1k0d3l6yq}\n": True,
    "tls_server_config: {cert_file: none.pem, key_file: none.key}\n": False,
    "tls_server_config: {cert_file: none.pem}\n": False,
    "tls_server_confg: {}\n": False,
    "http_server_config: {headers: {Nonsense: x}}\n": False,
    "tls_server_config: {min_version: TLS14, cert_file: a, key_file: b}\n": False,
    "basic_auth_users: [u]\n": False,
}


def run(args, text=None):
    p = subprocess.run(args, input=text, capture_output=True, text=True)
    return p.returncode, p.stdout + p.stderr


def main():
    source, program = sys.argv[1:3]
    promtool = next((p for p in (f"{source}/build/{f}/usr/bin/promtool" for f in ("newer", "peers")) if os.path.exists(p)), None)
    failed = []

    def check(ok, what):
        if not ok:
            failed.append(what)
            print("FAIL", what)

    for wanted, text in list(PAGES.items()) + list(OURS.items()):
        code, said = run([program, "check", "metrics"], text)
        check(code == (1 if wanted.strip() else 0), f"exit code {code} of {text!r}\n{said}")
        check(not wanted.strip() or f"[{wanted.strip()}]" in said, f"{wanted} is not said of {text!r}\n{said}")
        if promtool:
            theirs = run([promtool, "check", "metrics"], text)
            check(wanted in OURS or (theirs[0] == 0) == (code == 0), f"promtool says {theirs} of {text!r}")
    rng = random.Random(1)
    for _ in range(40 if promtool else 0):
        name = "_".join(rng.choice(WORDS) for _ in range(rng.randrange(1, 4)))
        kind = rng.choice(["counter", "gauge", "untyped"])
        text = f"# HELP {name} x\n# TYPE {name} {kind}\n{name} 1\n"
        theirs, ours = run([promtool, "check", "metrics"], text), run([program, "check", "metrics"], text)
        check((theirs[0] == 0) == (ours[0] == 0), f"{text!r}: promtool says {theirs}, tocsin {ours}")
    with tempfile.TemporaryDirectory() as d:
        page = os.path.join(d, "page")
        open(page, "w").write(PAGES["M004"])
        check(run([program, "check", "metrics", page])[0] == 1, "a file")
        check(run([program, "check", "metrics", "--fail-on=error", page])[0] == 0, "--fail-on")
        check(run([program, "check", "metrics", page + ".none"])[0] == 1, "a file that is not there")
        check(run([program, "check", "metrics", page, page])[0] == 2, "two files")
        check(run([program, "check", "web-config"])[0] == 2, "no file")
        for i, (text, good) in enumerate(WEB.items()):
            path = os.path.join(d, f"web{i}.yml")
            open(path, "w").write(text)
            code, said = run([program, "check", "web-config", path])
            check((code == 0) == good, f"{text!r}: {code}, {said}")
            if promtool:
                theirs = run([promtool, "check", "web-config", path])
                check((theirs[0] == 0) == good, f"promtool says {theirs} of {text!r}")
    print("%d failures" % len(failed) + ("" if promtool else "; promtool is missing: ./dev deps"))
    sys.exit(bool(failed))


main()
