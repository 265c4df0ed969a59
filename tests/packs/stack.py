"""contrib/docker/compose.yml without a network: what it mounts is there, what is built and pulled has a version, Grafana finds its
dashboards where they are mounted, lint and promtool take the configurations, and Prometheus with its file feeds tocsin with its own."""
from harness import *

DOCKER = os.path.join(SOURCE, "contrib/docker")


def yaml(path):
    sys.path.append(os.path.join(PEERS, "../lib/python3/dist-packages"))
    try:
        import yaml as parser
    except ImportError:
        raise Skip("no parser of YAML is there: ./dev deps")
    return parser.safe_load(open(os.path.join(DOCKER, path)))


def mounts(service):
    """{path in the container: path here}, without the volumes."""
    parts = [m.split(":") for m in service.get("volumes", [])]
    return {p[1]: os.path.normpath(os.path.join(DOCKER, p[0])) for p in parts if p[0][0] in "./"}


def here(service, path):
    """What stands at a path of the container."""
    for inside, outside in mounts(service).items():
        if (path + "/").startswith(inside.rstrip("/") + "/"):
            return outside + path[len(inside):]
    return None


def test_what_it_names_is_there():
    c = yaml("compose.yml")
    equal(sorted(c["services"]), ["grafana", "node-exporter", "prometheus", "tocsin"])
    for name, s in c["services"].items():
        for outside in mounts(s).values():
            assert os.path.exists(outside), f"{name}: {outside}"
        for m in s.get("volumes", []):
            assert m[0] in "./" or m.split(":")[0] in c["volumes"], f"{name}: {m}"
        for port in s.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name}: {port} is for everybody"
        assert "build" in s or re.search(r":v?\d+[.]\d+[.]\d+$", s["image"]), f"{name}: a version"
    build = c["services"]["tocsin"]["build"]
    assert os.path.exists(os.path.join(DOCKER, build["context"], build["dockerfile"]))


def test_grafana_finds_dashboards_and_sources():
    grafana = yaml("compose.yml")["services"]["grafana"]
    provider = yaml(os.path.relpath(here(grafana, "/etc/grafana/provisioning/dashboards/tocsin.yml"), DOCKER))["providers"][0]
    found = [f for f in os.listdir(here(grafana, provider["options"]["path"])) if f.endswith(".json")]
    assert len(found) >= 17 and all(json.load(open(os.path.join(here(grafana, provider["options"]["path"]), f)))["uid"] for f in found), found
    services = yaml("compose.yml")["services"]
    for source in yaml(os.path.relpath(here(grafana, "/etc/grafana/provisioning/datasources/tocsin.yml"), DOCKER))["datasources"]:
        assert re.fullmatch(r"http://([\w-]+):\d+", source["url"])[1] in services, source


def test_names_of_the_network():
    """Prometheus' targets are services, or names that they go by."""
    services = yaml("compose.yml")["services"]
    names = set(services) | {"localhost"} | set(services["tocsin"]["networks"]["default"]["aliases"])
    text = open(DOCKER + "/stack/prometheus.yml").read()
    for host in re.findall(r"(?m)^[^#\n]*targets: \['([\w-]+):\d+'\]", text):
        assert host in names, host


def test_docker_reads_it():
    """Where docker compose is."""
    if subprocess.run(["sh", "-c", "docker compose version"], capture_output=True).returncode != 0:
        raise Skip("docker compose is not there")
    p = subprocess.run(["docker", "compose", "-f", DOCKER + "/compose.yml", "config", "-q"], capture_output=True, text=True)
    equal(p.returncode, 0, p.stderr)


def laid_out(d, tocsin, port):
    """Prometheus' folder as in its container, addresses of this machine in place of names."""
    text = open(DOCKER + "/stack/prometheus.yml").read()
    os.symlink(os.path.join(SOURCE, "rules"), d + "/rules")
    for name, address in (("alertmanager:9093", tocsin), ("tocsin:9093", tocsin), ("localhost:9090", f"127.0.0.1:{port}"), ("15s", "1s")):
        assert name in text, name
        text = text.replace(name, address)
    return write(d + "/prometheus.yml", text)


def test_configurations_are_clean():
    p = subprocess.run([PROGRAM, "lint", "--fail-on=warning", DOCKER + "/stack/alertmanager.yml"], capture_output=True, text=True)
    equal(p.returncode, 0, p.stdout)
    with folder() as d:
        p = subprocess.run([peer("promtool"), "check", "config", laid_out(d, "127.0.0.1:1", 2)], capture_output=True, text=True)
        equal(p.returncode, 0, p.stdout + p.stderr)


def test_prometheus_feeds_tocsin():
    with folder() as d, Tocsin(open(DOCKER + "/stack/alertmanager.yml").read(), d) as t:
        port = free_port()
        config = laid_out(d, t.address, port)
        with Process([peer("prometheus"), "--config.file=" + config, f"--storage.tsdb.path={d}/samples", f"--web.listen-address=127.0.0.1:{port}",
                      "--rules.alert.resend-delay=1s"]) as p:
            until("the watchdog's alert", lambda: [a for a in t.alerts() if a["labels"]["alertname"] == "TocsinWatchdog"], 30)
            answer = until("tocsin is scraped", lambda: request("GET", f"http://127.0.0.1:{port}/api/v1/query?query=up%7Bjob%3D%22tocsin%22%7D%3D%3D1").json()["data"]["result"], 15)
            equal(answer[0]["metric"]["job"], "tocsin")
            assert p.p.poll() is None, p.text()


main()
