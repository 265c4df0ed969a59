"""The page at "/": its policy, and, where a Chromium is installed, the views behind the links of messages and tools."""
import base64, hashlib, http.client, subprocess
from harness import *

CONFIG = "route: {receiver: hook, group_by: [alertname], group_wait: 0s}\nreceivers: [{name: hook}]\n"


def test_page_and_policy():
    with folder() as d, Tocsin(CONFIG, d) as t:
        r = t.get("/")
        equal(r.status, 200)
        html = r.body.decode() if isinstance(r.body, bytes) else r.body
        policy = {k.lower(): v for k, v in r.headers.items()}["content-security-policy"]
        for tag, directive in [("script", "script-src"), ("style", "style-src")]:
            text = html.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert f"{directive} 'sha256-{digest}'" in policy, policy
        assert "default-src 'none'" in policy and "unsafe" not in policy, policy
        assert "innerHTML" not in html and "insertAdjacentHTML" not in html
        assert len(html.split("<script>")[1].splitlines()) < 300
    with folder() as d, Tocsin(CONFIG, d, "--web.route-prefix=/x", "--web.external-url=http://h/x") as t:
        equal(t.get("/x/").status, 200)
        c = http.client.HTTPConnection(t.address)
        c.request("GET", "/")
        r = c.getresponse()
        equal((r.status, r.headers["Location"]), (302, "/x/"))
        c.close()


def test_matchers_are_read_by_the_server():
    with folder() as d, Tocsin(CONFIG, d) as t:
        def read(text):
            r = t.get("/api/tocsin/matchers?" + urllib.parse.urlencode({"text": text}))
            return r.status, r.json()

        a, b = {"name": "a", "value": "b", "isRegex": False, "isEqual": True}, {"name": "c", "value": "d,\"e", "isRegex": True, "isEqual": False}
        for text in ('a="b", c!~"d,\\"e"', 'a="b"\nc!~"d,\\"e"', '{a="b"}\n\n  {c!~"d,\\"e",}\n', 'a=b,\nc!~"d,\\"e"'):
            equal(read(text), (200, [a, b]), text)
        for text in ("", "\n \n", "{}"):
            equal(read(text), (200, []), text)
        for text in ('a="b" c="d"', "nothing", 'a="b"\nc', 'a="b', 'a=~"("'):
            status, why = read(text)
            assert status == 400 and why.startswith("line "), (text, status, why)


# As much of a browser as the form needs: it is filled in as a person does, and what it asks and says is printed.
FORM = r"""
const fs = require("fs"), script = fs.readFileSync(process.argv[2], "utf8").split("<script>")[1].split("</script>")[0];
const [base, text] = process.argv.slice(3), made = [];
class Element {
  constructor(tag) { this.tag = tag; this.children = []; this.on = {}; this.value = tag === "select" ? "2" : ""; made.push(this); }
  addEventListener(k, f) { this.on[k] = f; }
  setAttribute(k, v) { if (k === "value") this.value = v; }
  append(...c) { this.children.push(...c); if (this.tag === "textarea" && c.length) this.value = String(c[0]); }
  replaceChildren(...c) { this.children = c; }
  text() { return this.children.map(c => c.text ? c.text() : String(c)).join(" "); }
}
const ids = {};
global.document = {createElement: t => new Element(t), getElementById: i => ids[i] = ids[i] || new Element(i), querySelector: i => ids[i] = ids[i] || new Element(i),
  querySelectorAll: () => []};
global.window = {addEventListener() {}};
global.location = {hash: "#/silences/new"};
global.localStorage = {getItem: () => "me", setItem() {}};
const get = global.fetch;
global.fetch = (path, o) => get(base + "/" + path, o);
(0, eval)(script);
const pause = () => new Promise(r => setTimeout(r, 50));
(async () => {
  const find = t => made.find(e => e.tag === t);
  for (let i = 0; i < 100 && !find("form"); i++) await pause();
  find("textarea").value = text;
  made.filter(e => e.tag === "input").forEach(e => { if (!e.value) e.value = "why"; });
  find("form").on.submit({preventDefault() {}});
  const error = () => made.find(e => e.tag === "p" && /^(line|which)/.test(e.text()));
  for (let i = 0; i < 100 && location.hash === "#/silences/new" && !error(); i++) await pause();
  console.log(error() ? "refused " + error().text() : location.hash);
  process.exit(0);
})();
"""


def test_the_form_makes_what_was_typed():
    node = shutil.which("node")
    if node is None:
        raise Skip("node is not installed")
    with folder() as d, Tocsin(CONFIG, d) as t:
        js = write(os.path.join(d, "form.js"), FORM)

        def fill(text):
            p = subprocess.run([node, js, os.path.join(SOURCE, "src/ui/page.html"), t.url, text], capture_output=True, text=True, timeout=30)
            return p.stdout.strip() or p.stderr

        for text in ('a="b", c="d"', 'a="b"\nc="d"', '{a="b", c="d"}'):
            said = fill(text)
            assert said.startswith("/silences/"), said
            s = t.get("/api/v2/silence/" + said.split("/")[-1]).json()
            equal([(m["name"], m["value"]) for m in s["matchers"]], [("a", "b"), ("c", "d")], text)
        n = len(t.get("/api/v2/silences").json())
        for text in ('a="b" c="d"', "nothing", "", 'a="b"\nc'):
            said = fill(text)
            assert said.startswith("refused"), (text, said)
        equal(len(t.get("/api/v2/silences").json()), n)


def view(t, where):
    chromium = shutil.which("chromium")
    if chromium is None:
        raise Skip("chromium is not installed")
    with folder() as profile:
        p = subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                            "--disable-background-networking", "--disable-component-update", "--disable-sync",
                            "--user-data-dir=" + profile, "--window-size=420,900", "--virtual-time-budget=2000",
                            "--enable-logging=stderr", "--dump-dom", t.url + "/" + where],
                           capture_output=True, text=True, timeout=60)
    assert "CONSOLE" not in p.stderr, p.stderr
    return p.stdout


def test_views():
    with folder() as d, Tocsin(CONFIG, d) as t:
        t.alert(alertname="Slow", gpu="0", note="<img src=x onerror=alert(1)>")
        t.alert(alertname="Slow", gpu="1")
        s = {"matchers": [{"name": "gpu", "value": "1", "isRegex": False}], "startsAt": stamp(), "endsAt": stamp(3600),
             "createdBy": "me", "comment": "known trouble"}
        id = t.post("/api/v2/silences", s).json()["silenceID"]
        dom = view(t, "#/alerts?filter=%7Balertname%3D%22Slow%22%7D&receiver=hook")
        assert "2 alerts" in dom and "next look" in dom and "known trouble" in dom, dom
        assert "<img" not in dom and "&lt;img" in dom, dom
        dom = view(t, "#/alerts?receiver=nobody")
        assert "No alerts" in dom, dom
        dom = view(t, "#/silences/new?filter=%7Bgpu%3D~%220%7C1%22%7D&comment=why")
        assert "2 alerts would be silenced now" in dom and "gpu=~" in dom, dom
        dom = view(t, "#/silences/" + id)
        assert "known trouble" in dom and "matches 1 alerts" in dom, dom
        assert "known trouble" in view(t, "#/silences")
        assert "No rule files" in view(t, "#/rules") and "group_by" in view(t, "#/status")


def test_what_fails_is_shown():
    with folder() as d, Sink(otherwise=400) as sink:
        files = {"bad.json": '[{"targets": ["127.0.0.1:1"], "scheme": "https"}]'}
        with Tocsin(simple(sink) + "scrape_configs: [{job_name: j, file_sd_configs: [{files: [bad.json]}]}]\n", d, files=files) as t:
            t.alert(alertname="Slow")
            until("it fails", lambda: t.metric("tocsin_receiver_failing", receiver="hook") == 1.0)
            dom = view(t, "#/alerts")
            assert "1 receiver not told" in dom and "unexpected status code 400" in dom, dom
            dom = view(t, "#/status")
            assert "Lists of targets" in dom and "refused" in dom and "__scheme__" in dom, dom


main()
