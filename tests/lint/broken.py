#!/usr/bin/env python3
"""Files that nobody would write on purpose: each gets a clear answer at once, and costs no other file its check.

    broken.py PROGRAM"""
import os, subprocess, sys, tempfile, time

PROGRAM = os.path.abspath(sys.argv[1])
GOOD = "groups: [{name: g, rules: [{record: a, expr: 'y'}]}]\n"
RULE = "groups:\n  - name: g\n    rules:\n      - {record: a, expr: up}\n"
# name: (bytes, exit code, what is said)
FILES = {
    "tabs.yml": (b"groups:\n\t- name: g\n", 1, "tabs.yml:2:1"),
    "tab-value.yml": (b"groups:\n  - name: g\n    rules:\n      - record: a\n\t    expr: up\n", 1, "tab-value.yml:5:"),
    "bom.yml": (b"\xef\xbb\xbf" + RULE.encode(), 0, "1 rule files with 1 rules"),
    "crlf.yml": (RULE.replace("\n", "\r\n").encode(), 0, "1 rule files with 1 rules"),
    "crlf-bad.yml": (RULE.replace("up}", "up >}").replace("\n", "\r\n").encode(), 1, "crlf-bad.yml:4:"),
    "cr.yml": (RULE.replace("\n", "\r").encode(), 0, "1 rule files with 1 rules"),
    "deep.yml": (b"groups: " + b"[" * 5000 + b"]" * 5000, 1, "nested deeper"),
    "deep-block.yml": ("\n".join(" " * i + "a:" for i in range(1000)).encode(), 1, "nested deeper"),
    "deep-expr.yml": (b"groups: [{name: g, rules: [{record: a, expr: '" + b"(" * 20000 + b"up" + b")" * 20000 + b"'}]}]\n", 1, "R005"),
    "bomb.yml": (b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(9)), 1, "too many nodes"),
    "loop.yml": (b"groups: &g [*g]\n", 1, "alias stands inside"),
    "huge.yml": (b"# " + b"x" * (50 << 20) + b"\n" + RULE.encode(), 1, "larger than"),
    "huge-line.yml": (b"groups: [{name: g, rules: [{record: a, expr: '" + b"up + " * 200000 + b"up'}]}]\n", 1, "R005"),
    "binary.yml": (bytes(range(256)) * 100, 1, "binary.yml:"),
    "elf.yml": (open(PROGRAM, "rb").read(1 << 16), 1, "elf.yml:"),
    "nul.yml": (b"groups:\n  - name: \"g\0h\"\n", 1, "nul.yml:2:"),
    "latin1.yml": ("groups: [{name: gr\u00fcn}]\n".encode("latin-1"), 1, "not valid UTF-8"),
    "utf16.yml": (RULE.encode("utf-16"), 1, "not valid UTF-8"),
    "empty.yml": (b"", 0, "R000"),
    "comment.yml": (b"# nothing\n", 0, "R000"),
    "open-quote.yml": (b"groups:\n  - name: \"g\n", 1, "open-quote.yml:"),
    "open-brace.yml": (b"groups: [{name: g, rules: [\n", 1, "open-brace.yml:"),
    "json.yml": (b'{"groups": [{"name": "g", "rules": [{"record": "a", "expr": "up"}]}]}', 0, "1 rule files with 1 rules"),
    "html.yml": (b"<!DOCTYPE html>\n<html><body>404</body></html>\n", 1, "html.yml:"),
    "conflict.yml": (RULE.encode() + b"<<<<<<< HEAD\n      - {record: b, expr: up}\n=======\n>>>>>>> x\n", 1, "conflict.yml:5:"),
    "odd\n\x1b[31mname.yml": (b"groups: [{name: g, rules: [{record: a, expr: up >}]}]\n", 1, "\\u001b[31mname.yml:1:"),
    "key-alone.yml": (b"groups\n", 1, "key-alone.yml:"),
    "number.yml": (b"12\n", 1, "number.yml:"),
    "surrogate.yml": (b"groups: [{name: \"\\ud800\"}]\n", 1, "surrogate.yml:1:"),
}
OTHERS = {"html.yml", "key-alone.yml", "number.yml"}  # valid YAML, and nothing of ours: in a folder they are passed over
failed = 0


def check(name, args, code, said, **options):
    global failed
    began = time.monotonic()
    try:
        p = subprocess.run([PROGRAM, "lint", *args], capture_output=True, text=True, errors="replace", timeout=60, **options)
    except subprocess.TimeoutExpired:
        failed += 1
        print(f"{name!r} hangs")
        return
    out, took = p.stdout + p.stderr, time.monotonic() - began
    if p.returncode != code or said not in out or "\x1b" in out or "\0" in out or "Sanitizer" in out:
        failed += 1
        print(f"{name!r}: exit code {p.returncode}, wanted {code} and {said!r} in\n{out[:600]}")
    elif took > 20:
        failed += 1
        print(f"{name!r} took {took:.1f} s")


def main(d):
    for name, (data, code, said) in FILES.items():
        path = os.path.join(d, name)
        with open(path, "wb") as f:
            f.write(data)
        check(name, [name], code, said, cwd=d)
        os.mkdir(os.path.join(d, "beside"))
        os.rename(path, os.path.join(d, "beside", name))
        with open(os.path.join(d, "beside", "good.yml"), "w") as f:
            f.write(GOOD.replace("'y'", "'y{x=~\"y\"}'"))
        check(name + " beside a good one", ["beside"], 0 if name in OTHERS else code, "good.yml", cwd=d)
        for left in os.listdir(os.path.join(d, "beside")):
            os.unlink(os.path.join(d, "beside", left))
        os.rmdir(os.path.join(d, "beside"))

    os.symlink("b.yml", os.path.join(d, "a.yml"))
    os.symlink("a.yml", os.path.join(d, "b.yml"))
    check("a loop of links", ["a.yml"], 1, "a.yml", cwd=d)
    os.unlink(os.path.join(d, "a.yml"))
    check("a link to nothing", ["b.yml"], 1, "No such file", cwd=d)
    os.mkdir(os.path.join(d, "round"))
    os.symlink("..", os.path.join(d, "round", "up"))
    with open(os.path.join(d, "round", "good.yml"), "w") as f:
        f.write(GOOD)
    check("a folder within itself", ["round"], 0, "1 rule files", cwd=d)
    os.mkfifo(os.path.join(d, "round", "pipe.yml"))
    check("a pipe in a folder", ["round"], 1, "not a regular file", cwd=d)
    os.unlink(os.path.join(d, "round", "pipe.yml"))
    check("not there", ["nowhere.yml"], 1, "nowhere.yml", cwd=d)
    check("a device", ["/dev/null"], 0, "R000", cwd=d)
    check("standard input", ["-"], 0, "1 rule files", cwd=d, input=GOOD)
    if os.getuid() == 0:
        path = os.path.join(d, "secret.yml")
        with open(path, "w") as f:
            f.write(GOOD)
        os.chmod(path, 0)
        os.chmod(d, 0o755)
        check("unreadable", ["secret.yml"], 1, "Permission denied", cwd=d, user=65534)


with tempfile.TemporaryDirectory() as folder:
    main(folder)
print(f"{len(FILES) + 8} files, {failed} failures")
sys.exit(failed != 0)
