"""tocsin query: over a file in both formats, asked of a server, and where an expression is wrong."""
import http.server

from harness import *

OPENMETRICS = """# TYPE m counter
m_total{a="x"} 1 1000
m_total{a="x"} 31 1030
m_total{a="y"} 7 1030
# EOF
"""


def query(*args):
    r = subprocess.run([PROGRAM, "query", *args], capture_output=True, text=True, timeout=30)
    assert not SANITIZER.search(r.stderr), r.stderr
    return r.returncode, r.stdout, r.stderr


def write(d, text):
    path = os.path.join(d, "data")
    with open(path, "w") as f:
        f.write(text)
    return path


def test_openmetrics():
    with folder() as d:
        path = write(d, OPENMETRICS)
        equal(query("m_total", "--file", path), (0, 'm_total{a="x"}  31\nm_total{a="y"}  7\n', ""))
        equal(query("sum(m_total)", "--file", path, "--time", "1000")[1], "{}  1\n")
        equal(query("1 + 1", "--file", path), (0, "2\n", ""))
        code, out, _ = query("m_total{a='x'}", "--file", path, "--start", "1000", "--end", "1040", "--step", "20s",
                             "--output", "json")
        equal(json.loads(out), {"resultType": "matrix", "result": [
            {"metric": {"__name__": "m_total", "a": "x"}, "values": [[1000, "1"], [1020, "1"], [1040, "31"]]}]})


def test_text_without_times_is_now():
    with folder() as d:
        equal(query("up * 2", "--file", write(d, "# any\nup 1\n"))[:2], (0, "{}  2\n"))


def test_caret():
    with folder() as d:
        code, out, err = query("sum(rate(m_total))", "--file", write(d, OPENMETRICS))
        equal((code, out), (1, ""))
        equal(err.splitlines()[1:], ["  sum(rate(m_total))", "           ^^^^^^^"])
        equal(query("m_total", "--file", write(d, "m_total x\n"))[2], "tocsin: %s:1: a value is not a number: \"x\"\n" %
              os.path.join(d, "data"))


class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
        equal(asked["query"], ["up{a=\"b c\"}"])
        body = json.dumps({"status": "success", "warnings": ["beware"], "data": {"resultType": "vector", "result": [
            {"metric": {"__name__": "up", "a": "b c"}, "value": [float(asked["time"][0]), "1"]}]}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def test_server():
    with http.server.HTTPServer(("127.0.0.1", 0), Api) as s:
        threading.Thread(target=s.serve_forever, daemon=True).start()
        url = "http://127.0.0.1:%d" % s.server_port
        equal(query('up{a="b c"}', "--url", url, "--time", "5"), (0, 'up{a="b c"}  1\n', "beware\n"))
        s.shutdown()


def test_usage():
    equal(query("up")[0], 2)
    equal(query("up", "--file", "/dev/null", "--url", "http://x")[0], 2)


main()
