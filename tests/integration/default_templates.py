"""Every built-in template that Debian's Alertmanager has renders the same text here, over firing, mixed and resolved data."""
import json, os, re, subprocess
from harness import *

PEER = os.path.join(os.path.dirname(peer("amtool")), "..")  # the templates that this amtool belongs to
FILES = os.path.join(PEER, "share/prometheus/alertmanager")


def alert(status, **labels):
    return {"status": status, "labels": labels, "annotations": {"summary": "s <x> & " + labels.get("gpu", "?"), "z": "1"},
            "startsAt": "2026-01-01T00:00:00Z", "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else "2026-01-01T01:00:00Z",
            "generatorURL": "http://p/graph?a=1&b=2", "fingerprint": "ab"}


def data(*alerts):
    def common(key):
        return {k: v for k, v in alerts[0][key].items() if all(a[key].get(k) == v for a in alerts)}

    return {"receiver": "team", "status": "firing" if any(a["status"] == "firing" for a in alerts) else "resolved",
            "alerts": list(alerts), "groupLabels": {"alertname": "A"}, "commonLabels": common("labels"),
            "commonAnnotations": common("annotations"), "externalURL": "http://am"}


SETS = [data(alert("firing", alertname="A", gpu="0", severity="critical")),
        data(alert("firing", alertname="A", gpu="0", severity="critical"), alert("resolved", alertname="A", gpu="1", severity="warning")),
        data(alert("resolved", alertname="A", gpu="1", job="j"))]


def plain(text):
    """Four templates that are newer than 0.25 begin and end sections with more blank lines there."""
    return re.sub(r"\n+", "\n", text).strip("\n") if IS_NEWER else text.rstrip("\n")


def test_same_text():
    names = set()
    for name in ("default.tmpl", "email.tmpl"):
        with open(os.path.join(FILES, name)) as f:
            names |= set(re.findall(r'define "([A-Za-z0-9_.]+)"', f.read()))
    names.discard("email.default.html")  # a page of our own, of the same content
    compared, wrong = 0, []
    with folder() as d:
        for i, one in enumerate(SETS):
            path = write(f"{d}/{i}.json", json.dumps(one))
            for name in sorted(names):
                text = "{{ template \"%s\" %s }}" % (name, ".Alerts" if name.startswith("__text_alert_list") else ".")
                args = ["template", "render", "--template.text=" + text, "--template.data=" + path]
                theirs = subprocess.run([peer("amtool"), *args, f"--template.glob={FILES}/*.tmpl"], capture_output=True, text=True)
                ours = subprocess.run([os.environ["TOCSIN"], *args], capture_output=True, text=True)
                compared += 1
                if plain(theirs.stdout) != plain(ours.stdout) or theirs.returncode != ours.returncode:
                    wrong.append((name, i, theirs.stdout + theirs.stderr, ours.stdout + ours.stderr))
    print(f"{compared} compared, {len(wrong)} differ")
    assert not wrong, "\n".join(map(repr, wrong))


main()
