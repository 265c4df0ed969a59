#!/usr/bin/env python3
"""The JSON schemas take what lint takes, over all files at hand, and refuse a misspelt key; docs/config.md is what the tables
print. Without python3-jsonschema only the document is looked at.

    schema.py SOURCE PROGRAM [--write]"""
import glob, json, os, subprocess, sys

SOURCE, PROGRAM = sys.argv[1], os.path.abspath(sys.argv[2])
sys.path.append(os.path.join(SOURCE, "build/peers/usr/lib/python3/dist-packages"))
try:
    import jsonschema, yaml
except ImportError:
    jsonschema = None
SHARED = os.environ.get("TOCSIN_SHARED", "")
KINDS = {"config": "Configurations", "rules": "Rule files", "test": "Tests of rules", "slo": "Objectives", "collect": "What tocsin collect reads"}
failed = 0


def fail(what):
    global failed
    failed += 1
    print(what)


def run(*args):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, check=False)


MANUALS = {"cli": "docs/cli.md", "api": "docs/endpoints.md", "metrics": "docs/metrics.md", "man": "contrib/man/tocsin.1"}


def document():
    text = "# What files may say\n\nPrinted from the tables that read them: `tocsin schema -o markdown`.\n"
    for kind, title in KINDS.items():
        text += f"\n# {title}\n\n" + run("schema", "-o", "markdown", kind).stdout
    path = os.path.join(SOURCE, "docs/config.md")
    for path, text in ((path, text), *((os.path.join(SOURCE, path), run("schema", kind).stdout) for kind, path in MANUALS.items())):
        if sys.argv[3:] == ["--write"]:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            open(path, "w").write(text)
        elif not os.path.exists(path) or open(path).read() != text:
            fail(f"{path} is not what the tables print: tests/lint/schema.py SOURCE PROGRAM --write")
    p = run("help", "config", "group_wait")
    if p.returncode != 0 or "route.group_wait: duration, inherited, default 30s" not in p.stdout:
        fail(f"help config group_wait: {p}")
    p = run("help", "config", "group_weit")
    if p.returncode != 1 or "did you mean 'group_wait'" not in p.stderr:
        fail(f"help config group_weit: {p}")


def loader():
    """Dates are texts."""
    class Loader(yaml.SafeLoader):
        pass
    Loader.yaml_implicit_resolvers = {k: [r for r in v if r[0] != "tag:yaml.org,2002:timestamp"]
                                      for k, v in yaml.SafeLoader.yaml_implicit_resolvers.items()}
    return Loader


def kind_of(y):
    if not isinstance(y, dict):
        return None
    keys = set(y)
    return ("test" if "tests" in keys else "rules" if "groups" in keys else
            "config" if keys & {"route", "receivers", "global", "scrape_configs", "rule_files"} else None)


def files():
    for path in sorted(glob.glob(SHARED + "/conformance/**/*.y*ml", recursive=True) + glob.glob(SOURCE + "/examples/**/*.yml", recursive=True)):
        if json.loads(run("lint", "-q", "-o", "json", path).stdout)["errors"]:
            continue
        try:
            with open(path, encoding="utf-8-sig") as f:
                y = yaml.load(f, loader())
        except (yaml.YAMLError, ValueError):
            continue
        if kind_of(y):
            yield path, y


def spoil(y):
    """A key that nobody knows, at the first mapping of each level."""
    for key in ("route", "receivers", "groups", "tests", "global"):
        v = y.get(key)
        v = v[0] if isinstance(v, list) and v else v
        if isinstance(v, dict):
            return {**y, key: [{**v, "no_such_key": 1}] if isinstance(y[key], list) else {**v, "no_such_key": 1}}
    return {**y, "no_such_key": 1}


def main():
    document()
    if jsonschema is None:
        print("python3-jsonschema is missing: the schemas are not tried")
        return
    check = {}
    for kind in KINDS:
        schema = json.loads(run("schema", kind).stdout)
        jsonschema.Draft202012Validator.check_schema(schema)
        check[kind] = jsonschema.Draft202012Validator(schema)
    n = 0
    for path, y in files():
        n += 1
        for e in list(check[kind_of(y)].iter_errors(y))[:1]:
            fail(f"{path}: {list(e.absolute_path)}: {e.message[:200]}")
        if check[kind_of(y)].is_valid(spoil(y)):
            fail(f"{path}: a key that nobody knows is taken")
    print(f"{n} files that lint accepts are valid, and none of them with a key more")


main()
print(f"{failed} failures")
sys.exit(failed != 0)
