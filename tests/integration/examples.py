"""Every example passes lint and loads as it is."""
import os, subprocess
from harness import *

EXAMPLES = os.path.join(SOURCE, "examples")
CONFIGS = {
    "quickstart": ["tocsin.yml"],
    "with-prometheus": ["tocsin.yml"],
    "alertmanager-only": ["alertmanager.yml"],
    "llm-serving": ["alertmanager.yml", "prometheus.yml", "tocsin.yml"],
    "p1-p2-p3": ["alertmanager.yml", "tocsin.yml"],
}


def test_all_are_known():
    equal(sorted(os.listdir(EXAMPLES)), sorted(CONFIGS), "folders of examples/")


def test_they_pass_lint():
    for name in CONFIGS:
        p = subprocess.run([PROGRAM, "lint", os.path.join(EXAMPLES, name)], capture_output=True, text=True)
        equal(p.returncode, 0, p.stdout + p.stderr)


def test_they_load():
    for name, files in CONFIGS.items():
        with folder() as d:
            args = ["--config.file=" + os.path.join(EXAMPLES, name, f) for f in files]
            with Process([PROGRAM, *args, "--storage.path=" + d, "--web.listen-address=127.0.0.1:0"]) as p:
                until(f"{name} is served\n{p.text()}", lambda: "Listening on" in p.text() or p.p.poll() is not None)
                assert p.p.poll() is None, f"{name}: {p.text()}"
                p.p.terminate()
                equal(p.wait(), 0, f"{name}: {p.text()}")
                assert "level=ERROR" not in p.text().replace("heartbeat", ""), p.text()


main()
