"""URLs of configurations and templates, as Alertmanager reads and sends them."""
from harness import *

# What stands in the file, and what the first line of a request then has; None: refused at load.
URLS = [
    ("http://%s", "/"), ("HTTP://%s/x", "/x"), ("http://%s/a b", "/a%%20b"), ("http://%s/a%%2Fb?c=d e", "/a%%2Fb?c=d%%20e"),
    ("http://%s/\u544a", "/%%E5%%91%%8A"), ("http://%s/x#f", "/x"), ("http://%s/../x/./y", "/../x/./y"), ("http://%s?a=b", "/?a=b"),
    ("http://${HOST}:9093/x", None), ("http://h:port/", None), ("http://[::1/x", None), ("http://a b/", None), ("http://h/%%zz", None),
    ("http:///x", None), ("ftp://h/x", None), ("h:9093/x", None), ("//h/x", None),
]


def config(url):
    return ("route: {receiver: r, group_by: ['...'], group_wait: 0s}\n"
            f"receivers: [{{name: r, webhook_configs: [{{url: '{url}', send_resolved: false}}]}}]\n")


def verdict(command, *args):
    return subprocess.run([command, *args], capture_output=True, text=True)


def test_what_is_a_url_and_what_is_sent():
    with Sink() as sink, folder() as d:
        at = sink.url.split("/")[2]
        for url, sent in URLS:
            url, sent = url.replace("%s", at).replace("%%", "%"), sent and sent.replace("%%", "%")
            file = write(os.path.join(d, "am.yml"), config(url))
            ours = verdict(PROGRAM, "lint", os.path.join(d, "am.yml"))
            theirs = verdict(peer("amtool"), "check-config", os.path.join(d, "am.yml"))
            equal((ours.returncode == 0, theirs.returncode == 0), (sent is not None,) * 2, url + ours.stdout + theirs.stderr)
            if sent is None:
                assert "am.yml:2:" in ours.stdout and "an http or https URL with a host expected: " in ours.stdout, ours
                continue
            # It sends a blank of a query as it is: a malformed request.
            for server in (Tocsin,) if " " in url[url.find("?"):] and "?" in url else (Tocsin, Alertmanager):
                before = sink.count()
                with folder() as own, server(config(url), own) as s:
                    request("POST", s.url + "/api/v2/alerts", [{"labels": {"alertname": "A"}}])
                    until("it is told", lambda: sink.count() > before)
                equal(sink.got[-1].path, sent, f"{server.__name__}: {url}")


def test_a_rendered_url():
    with Sink() as sink, folder() as d, \
            Tocsin(config("http://" + sink.url.split("/")[2] + "/{{ .GroupLabels.alertname }}?a={{ .GroupLabels.alertname }}"), d) as t:
        t.alert(alertname="Disk full")
        until("it is told", lambda: sink.count() == 1)
        equal(sink.got[0].path, "/Disk%20full?a=Disk%20full")
    with folder() as d, Tocsin(config("http://{{ .GroupLabels.alertname }}:9093/x"), d) as t:
        t.alert(alertname="{HOST}")
        until("it is given up", lambda: t.metric("alertmanager_notifications_failed_total", integration="webhook",
                                                  reason="clientError") == 1)
        t.says("invalid character \\\"{\\\" in host name")
        time.sleep(0.5)
        equal(t.text().count("in host name"), 1, "once and for all")


if __name__ == "__main__":
    main()
