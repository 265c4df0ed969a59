"""The verdict of `tocsin lint` on each file of Prometheus' fixtures beside promtool 2.42's; differences must be known."""
import glob, os, re, subprocess
from harness import *

SHARED = os.environ.get("TOCSIN_SHARED", "")
# file: (what promtool says, what we say, why)
KNOWN = {
    "promtool-testdata/features.yml": ("bad", "ok", "newer than 2.42"),
    "promtool-testdata/rules-bad.yml": ("bad", "ok", "needs the template parser"),
    "rulefmt-testdata/legacy_validation_annotation.bad.yaml": ("bad", "ok", "refused by the legacy name scheme only"),
    "rulefmt-testdata/utf-8_annotation.good.yaml": ("bad", "ok", "UTF-8 names are newer than 2.42"),
    "rulefmt-testdata/utf-8_lname.good.yaml": ("bad", "ok", "UTF-8 names are newer than 2.42"),
    "promtool-testdata/authorization_credentials_file.bad.yml": ("bad", "ok", "scrape_configs come later"),
    "promtool-testdata/config_with_tls_files.yml": ("bad", "ok", "scrape_configs come later"),
    "promtool-testdata/config_with_rule_files.yml": ("bad", "ok", "a pattern without a match is a warning"),
    "promtool-testdata/prometheus-aws-sd-empty-region.good.yml": ("bad", "ok", "scrape_configs come later"),
    "promtool-testdata/url_in_alert_targetgroup_with_relabel_config.bad.yml": ("bad", "ok", "alerting comes later"),
    "promtool-testdata/url_in_scrape_targetgroup_with_relabel_config.bad.yml": ("bad", "ok", "scrape_configs come later"),
}
CONFIG = re.compile(r"^(global|scrape_configs|rule_files|alerting|remote_write):", re.M)


def verdicts(promtool, path):
    with open(path, errors="replace") as f:
        text = f.read()
    if re.search(r"^tests:", text, re.M):
        return None
    kind = "config" if CONFIG.search(text) else "rules"
    theirs = subprocess.run([promtool, "check", kind, path], capture_output=True, text=True)
    ours = subprocess.run([os.environ["TOCSIN"], "lint", "-q", "-o", "github", path], capture_output=True, text=True)
    assert ours.returncode in (0, 1), (path, ours.returncode, ours.stderr)
    if ours.returncode == 1:
        assert re.search(r"::error file=.*,line=\d+,col=\d+", ours.stdout), (path, ours.stdout)
    return "bad" if theirs.returncode == 1 else "ok", "bad" if ours.returncode else "ok"


def test_fixtures():
    promtool = peer("promtool")
    base = os.path.join(SHARED, "conformance/rules/prometheus/")
    files = sorted(glob.glob(base + "*testdata*/*.y*ml") + glob.glob(base + "rules-fixtures/*.y*ml"))
    if not files and os.environ.get("CI") != "true":
        raise Skip("no conformance data")
    equal_count, known, tests, wrong = 0, 0, 0, []
    for path in files:
        name = path[len(base):]
        v = verdicts(promtool, path)
        if v is None:
            tests += 1
        elif name in KNOWN and v == KNOWN[name][:2]:
            known += 1
        elif v[0] == v[1]:
            equal_count += 1
        else:
            wrong.append(f"{name}: promtool {v[0]}, tocsin {v[1]}")
    print(f"{len(files)} files: {equal_count} equal, {known} known differences, {tests} unit-test files, {len(wrong)} unexplained")
    assert files and not wrong, "\n".join(wrong)


main()
