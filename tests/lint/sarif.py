#!/usr/bin/env python3
"""What lint prints as SARIF, held against the schema of 2.1.0 that npm's @microsoft/jest-sarif has with it.

    sarif.py SOURCE PROGRAM

Skipped, and it says so, where npm or the package cannot be had, or python3-jsonschema (./dev deps)."""
import glob, json, os, subprocess, sys, tempfile

PACKAGE = "@microsoft/jest-sarif@1.0.0-beta.0"

FILES = {
    "rules 中.yml": "groups:\n- name: g\n  rules:\n  - {alert: A, expr: absent(x), fro: 1m}\n  - record: b\n    expr: |\n      up{a=~\"b\"} +\n        topk(\n  - {record: b, expr: x}\n  - {record: b, expr: x}\n",
    "alertmanager.yml": "route: {receiver: q, group_wiat: 1s}\nreceivers: [{name: r, webhook_configs: [{url: 'http://u:secret@h/'}]}]\n",
    "broken.yml": "groups: [",
    "none.yml": "a: 1\n",
}


def skip(why):
    print("skipped: " + why)
    sys.exit(77)


def schema(source, folder):
    kept = os.path.join(source, "build/sarif-2.1.0.json")
    if not os.path.exists(kept):
        try:
            p = subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, capture_output=True, text=True, timeout=120)
        except (OSError, subprocess.TimeoutExpired) as e:
            skip(f"npm: {e}")
        if p.returncode:
            skip(f"{PACKAGE} cannot be had")
        subprocess.run(["tar", "xzf", p.stdout.split()[-1]], cwd=folder, check=True)
        os.rename(glob.glob(f"{folder}/package/lib/schemas/sarif-2.1.0*.json")[0], kept + ".new")
        os.rename(kept + ".new", kept)
    return json.load(open(kept))


def main():
    source, program = sys.argv[1], os.path.abspath(sys.argv[2])
    sys.path.append(os.path.join(source, "build/peers/usr/lib/python3/dist-packages"))
    try:
        import jsonschema
    except ImportError:
        skip("python3-jsonschema is missing: ./dev deps")
    with tempfile.TemporaryDirectory(dir=os.path.join(source, "build")) as d:
        validator = jsonschema.Draft7Validator(schema(source, d))
        work = os.path.join(d, "work")
        os.mkdir(work)
        for name, text in FILES.items():
            with open(os.path.join(work, name), "w") as f:
                f.write(text)
        for args in (["lint", "-o", "sarif", "."], ["lint", "-o", "sarif", "alertmanager.yml"], ["lint", "-o", "sarif", "--disable=R046", "none.yml", "broken.yml"],
                     ["check", "metrics", "-o", "sarif", "none.yml"], ["lint", "-o", "sarif", "rules 中.yml"]):
            p = subprocess.run([program, *args], cwd=work, capture_output=True, text=True)
            log = json.loads(p.stdout)
            faults = list(validator.iter_errors(log))
            assert not faults, f"{args}: {[(list(e.absolute_path), e.message[:200]) for e in faults[:5]]}"
            assert args[0] == "check" or log["runs"][0]["results"], p.stdout
        log["runs"][0]["results"][0]["level"] = "grave"
        assert list(validator.iter_errors(log)), "the schema takes whatever one likes"
    print("ok")


main()
