#!/usr/bin/env python3
"""Writes dashboards/*.json from dashboards.txt, which says in its head how it is written.

    make.py            writes them
    make.py --check    says which are not what it would write
"""
import json, os, re, sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDE, HIGH, STAT_WIDE, STAT_HIGH = 8, 8, 4, 4  # of 24 columns


def read(path=os.path.join(HERE, "dashboards.txt")):
    """[{file, title, prefix, variables: [(name, metric, label)], rows: [(title, [panel])]}]; panel: {kind, title, unit, threshold, targets: [(legend, expr)]}"""
    boards = []
    for n, line in enumerate(open(path), 1):
        text = line.strip()
        if not text or n < 12 and text.startswith("#"):
            continue
        if text.startswith("== "):
            file, title, prefix = re.fullmatch(r"== ([\w-]+): (.*) \| (\w+)", text).groups()
            boards.append({"file": file, "title": title, "prefix": prefix, "variables": [], "rows": [("Alerts", alert_panels(prefix))]})
        elif text.startswith("var "):
            boards[-1]["variables"].append(re.fullmatch(r"var (\w+) = (.*), (\w+)", text).groups())
        elif text.startswith("# "):
            boards[-1]["rows"].append((text[2:], []))
        elif line.startswith("  "):
            boards[-1]["rows"][-1][1][-1]["targets"].append(tuple(text.split(" = ", 1)))
        else:
            boards[-1]["rows"][-1][1].append(panel(*text.split(" | ")))
    return boards


def panel(title, unit, threshold=None):
    kind = "stat" if title.startswith("stat ") else "timeseries"
    return {"kind": kind, "title": title.removeprefix("stat "), "unit": unit, "threshold": threshold, "targets": []}


def alert_panels(prefix):
    firing = f'ALERTS{{alertname=~"{prefix}.*", alertstate="firing"}}'
    now, which = panel("stat Firing", "short", "1"), panel("Which", "short")
    now["targets"].append(("alerts", f"count({firing}) or vector(0)"))
    which["targets"].append(("{{severity}} {{alertname}}", f"sum by (alertname, severity) ({firing})"))
    return [now, which]


def thresholds(p):
    steps = [{"color": "green", "value": None}]
    if p["threshold"] is not None:
        steps.append({"color": "red", "value": float(p["threshold"])})
    return {"mode": "absolute", "steps": steps}


def panel_json(p, number, x, y, wide, high):
    custom = {"lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "spanNulls": False,
              "thresholdsStyle": {"mode": "off" if p["threshold"] is None else "dashed"}}
    out = {"id": number, "type": p["kind"], "title": p["title"], "datasource": SOURCE, "gridPos": {"x": x, "y": y, "w": wide, "h": high},
           "fieldConfig": {"defaults": {"unit": p["unit"], "thresholds": thresholds(p), **({"custom": custom} if p["kind"] == "timeseries" else {})}, "overrides": []},
           "targets": [{"refId": chr(ord("A") + i), "datasource": SOURCE, "expr": expr, "legendFormat": legend, "range": True}
                       for i, (legend, expr) in enumerate(p["targets"])]}
    out["options"] = ({"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "colorMode": "value", "graphMode": "area"}
                      if p["kind"] == "stat" else {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}, "tooltip": {"mode": "multi", "sort": "desc"}})
    return out


def placed(rows):
    """Panels from left to right, row by row."""
    y, number = 0, 1
    for title, panels in rows:
        yield {"id": number, "type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}}
        x, y, number, high = 0, y + 1, number + 1, 0
        for p in panels:
            wide, tall = (STAT_WIDE, STAT_HIGH) if p["kind"] == "stat" else (24 - STAT_WIDE, STAT_HIGH) if title == "Alerts" else (WIDE, HIGH)
            if x + wide > 24 or high not in (0, tall):
                x, y, high = 0, y + high, 0
            yield panel_json(p, number, x, y, wide, tall)
            x, number, high = x + wide, number + 1, tall
        y += high


def variable(name, metric, label):
    query = f"label_values({metric}, {label})"
    return {"name": name, "label": name, "type": "query", "datasource": SOURCE, "definition": query, "query": {"query": query, "refId": "A"}, "refresh": 2, "sort": 1,
            "multi": True, "includeAll": True, "allValue": ".*", "current": {"text": "All", "value": "$__all"}}


def dashboard(b):
    source = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": {}}
    return {"uid": "tocsin-" + b["file"], "title": b["title"], "tags": ["tocsin"], "schemaVersion": 39, "version": 1, "editable": True, "timezone": "browser",
            "refresh": "30s", "time": {"from": "now-3h", "to": "now"}, "graphTooltip": 1, "links": [{"type": "dashboards", "title": "tocsin", "tags": ["tocsin"], "asDropdown": True}],
            "annotations": {"list": []}, "templating": {"list": [source, *(variable(*v) for v in b["variables"])]}, "panels": list(placed(b["rows"]))}


def main():
    wrong = []
    for b in read():
        path = os.path.join(HERE, "dashboards", b["file"] + ".json")
        text = json.dumps(dashboard(b), indent=1) + "\n"
        if "--check" not in sys.argv:
            open(path, "w").write(text)
        elif not os.path.exists(path) or open(path).read() != text:
            wrong.append(path)
    if wrong:
        sys.exit("not what make.py writes, run it: " + " ".join(wrong))


if __name__ == "__main__":
    main()
