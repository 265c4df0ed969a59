"""Chats that refuse: what their body says counts, a wait is waited for, and no secret is told anywhere."""
from harness import *

KINDS = {
    "telegram": "{api_url: 'URL', bot_token: '1:SECRET', chat_id: 7}",
    "discord": "{webhook_url: 'URL/SECRET'}",
    "msteams": "{webhook_url: 'URL/SECRET'}",
    "msteamsv2": "{webhook_url: 'URL/SECRET?sig=SECRET'}",
    "webex": "{api_url: 'URL', room_id: r, http_config: {authorization: {credentials: SECRET}}}",
    "rocketchat": "{api_url: 'URL', token: SECRET, token_id: SECRET}",
    "mattermost": "{webhook_url: 'URL/SECRET'}",
}


def config(url, kinds=KINDS):
    return """
route: {receiver: chat, group_by: [alertname], group_wait: 0s, group_interval: 1h, repeat_interval: 4h}
receivers:
  - name: chat
""" + "".join(f"    {kind}_configs: [{KINDS[kind].replace('URL', f'{url}/{kind}')}]\n" for kind in kinds)


def answer(status, body):
    return f"HTTP/1.1 {status} Status\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()


def tried(t):
    """Kinds of which an attempt has ended."""
    return {k for k in KINDS if re.search(r'^alertmanager_notification_requests_total\{[^}]*integration="%s"[^}]*\} [1-9]' % k,
                                          t.get("/metrics").body.decode(), re.M)}


def test_no_secret_is_told():
    """Nobody listens; no answer; half of one; refused; sent elsewhere."""
    with folder() as d:
        for n, behaviour in enumerate(("nobody", CLOSE, HALF, 404, (302, {"Location": "http://127.0.0.1:1/x"}))):
            with Sink(otherwise=behaviour) as sink:
                url = sink.url if behaviour != "nobody" else f"http://127.0.0.1:{free_port()}"
                os.mkdir(f"{d}/{n}")
                with Tocsin(config(url), f"{d}/{n}", "--log.level=debug") as t:
                    t.alert(alertname="A", ends=600)
                    until(f"all were tried: {behaviour}", lambda: len(tried(t)) == len(KINDS), 15)
                    shown = t.text() + t.get("/api/v2/status").body.decode() + t.get("/api/v2/receivers").body.decode() + t.get("/metrics").body.decode()
                    assert "SECRET" not in shown, [line for line in shown.splitlines() if "SECRET" in line]
                for folder_, _, files in os.walk(t.storage):
                    for f in files:
                        with open(os.path.join(folder_, f), "rb") as one:
                            assert b"SECRET" not in one.read(), f


def test_waits_that_bodies_name():
    bodies = {"telegram": '{"ok":false,"error_code":429,"parameters":{"retry_after":1}}', "discord": '{"message":"slow","retry_after":0.7}'}
    with folder() as d:
        for kind, body in bodies.items():
            with Sink(answer(429, body), otherwise=answer(200, '{"ok":true}')) as sink:
                os.mkdir(f"{d}/{kind}")
                with Tocsin(config(sink.url, [kind]), f"{d}/{kind}") as t:
                    t.alert(alertname="A", ends=600)
                    until(f"{kind}: told again", lambda: sink.count() >= 2, 15)
                    gap = sink.got[1].at - sink.got[0].at
                    assert gap >= 0.9, f"{kind}: again after {gap} s"
                    equal(sink.got[0].body, sink.got[1].body)


def test_what_to_change():
    cases = {"telegram": (400, '{"ok":false,"description":"Bad Request: chat not found"}', "chat_id"),
             "discord": (404, '{"message":"Unknown Webhook","code":10015}', "webhook_url"),
             "msteams": (410, "Gone", "msteamsv2_configs"),
             "msteamsv2": (404, "{}", "turn it on"),
             "webex": (404, '{"message":"Could not find a room"}', "room_id"),
             "rocketchat": (200, '{"success":false,"error":"[invalid-channel]"}', "channel"),
             "mattermost": (200, "<html>login</html>", "not the answer")}
    with folder() as d:
        for kind, (status, body, words) in cases.items():
            with Sink(otherwise=answer(status, body)) as sink:
                path = write(f"{d}/t.yml", config(sink.url, [kind]))
                p = subprocess.run([PROGRAM, "receiver", "test", "--config.file=" + path, "chat"], capture_output=True, text=True, timeout=60)
                said = p.stdout + p.stderr
                equal((p.returncode, sink.count()), (1, 1), f"{kind}: {said}")
                assert words in said and "SECRET" not in said, (kind, said)


def test_a_file_that_holds_no_chat():
    """A name would be somebody's; the file may get better."""
    with folder() as d, Sink(otherwise=answer(200, '{"ok":true}')) as sink:
        write(f"{d}/chat", "@ops\n")
        with Tocsin(config(sink.url, ["telegram"]).replace("chat_id: 7", f"chat_id_file: '{d}/chat'"), d) as t:
            t.alert(alertname="A", ends=600)
            until("it is said", lambda: "chat' does not hold the number of a chat" in t.text(), 15)
            equal(sink.count(), 0)
            write(f"{d}/chat", "-7\n")
            until("the message", lambda: sink.count() == 1, 15)
            equal(sink.got[0].json()["chat_id"], "-7")


main()
