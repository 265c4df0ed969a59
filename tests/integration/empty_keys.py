"""Keys without a value and null elements, beside Alertmanager: what it makes of them is read from the configuration it shows."""
import yaml

from harness import *

EMPTY = (None, "", 0, "0s", False, [], {})
# The keys that get no value, and what has to stand beside them.
RECEIVERS = {
    "webhook": ("send_resolved max_alerts", {"url": "http://h/"}),
    "email": ("send_resolved html text require_tls hello", {"to": "a@b", "from": "a@b", "smarthost": "h:25"}),
    "slack": ("send_resolved title color text short_fields link_names username channel pretext fallback footer icon_url",
              {"api_url": "http://h/"}),
    "pushover": ("send_resolved title message retry expire html priority sound url", {"user_key": "k", "token": "t"}),
    "opsgenie": ("send_resolved message description source priority update_alerts tags note", {"api_key": "k"}),
    "pagerduty": ("send_resolved description severity class client client_url", {"routing_key": "k"}),
    "wechat": ("send_resolved message to_user agent_id message_type", {"api_secret": "s", "corp_id": "c"}),
    "victorops": ("send_resolved message_type state_message entity_display_name monitoring_tool",
                  {"api_key": "k", "routing_key": "r"}),
    "telegram": ("send_resolved message parse_mode disable_notifications", {"bot_token": "t", "chat_id": 1}),
    "webex": ("send_resolved message", {"room_id": "r", "http_config": {"authorization": {"credentials": "x"}}}),
    "discord": ("send_resolved title message", {"webhook_url": "http://h/"}),
    "sns": ("send_resolved subject message", {"topic_arn": "a", "sigv4": {}}),
}
BASE = {"route": {"receiver": "r"}, "receivers": [{"name": "r"}]}


def places():
    """(what it is, configuration, path in it, keys)"""
    yield "global", {**BASE, "global": dict.fromkeys(["resolve_timeout", "smtp_require_tls", "smtp_hello", "smtp_from"])}, \
        lambda c: c.get("global", {}), ["resolve_timeout", "smtp_require_tls", "smtp_hello", "smtp_from"]
    keys = ["group_wait", "group_interval", "repeat_interval", "group_by", "continue", "match", "routes", "matchers"]
    yield "route", {**BASE, "route": {"receiver": "r", **dict.fromkeys(keys)}}, lambda c: c["route"], keys
    keys = ["follow_redirects", "enable_http2", "proxy_url", "basic_auth"]
    yield "http_config", {**BASE, "receivers": [{"name": "r", "webhook_configs": [{"url": "http://h/", "http_config": dict.fromkeys(keys)}]}]}, \
        lambda c: c["receivers"][0]["webhook_configs"][0]["http_config"], keys
    for kind, (keys, beside) in RECEIVERS.items():
        keys, kind = keys.split(), kind + "_configs"
        yield kind, {**BASE, "receivers": [{"name": "r", kind: [{**beside, **dict.fromkeys(keys)}]}]}, \
            lambda c, kind=kind: c["receivers"][0][kind][0], keys


def shown(server, text):
    with folder() as d, server(text, d) as s:
        return yaml.safe_load(request("GET", s.url + "/api/v2/status").json()["config"]["original"])


def test_keys_without_a_value():
    for what, config, at, keys in places():
        text = yaml.safe_dump(config)
        ours, theirs = at(shown(Tocsin, text)), at(shown(Alertmanager, text))
        for key in keys:
            a, b = ours.get(key), theirs.get(key)
            assert a == b or (a in EMPTY and b in EMPTY), f"{what}.{key}: {a!r}, there {b!r}"


ROUTE = "route: {receiver: r, %s}\nreceivers: [{name: r}]\n"
REST = "route: {receiver: r}\nreceivers: [{name: r}]\n%s\n"
ELEMENTS = [ROUTE % x for x in (
    "routes: [~]", "routes: [{receiver: r}, ~]", "routes: ~", "routes: [{}]", "matchers: [~]", 'matchers: ["a=b", ~]', "match: {a: ~}",
    "match_re: {a: ~}", "group_by: [~]", "group_by: [a, ~]", 'group_by: [""]', "mute_time_intervals: [~]", "active_time_intervals: [~]")] + \
    [REST % x for x in (
        "inhibit_rules: [~]", "inhibit_rules: ~", "inhibit_rules: [{source_matchers: [~]}]",
        "inhibit_rules: [{source_match: {a: ~}}]", "templates: [~]", "templates: ~", "global: ~", "time_intervals: ~",
        "time_intervals: [{name: a, time_intervals: [~]}]", "time_intervals: [{name: a, time_intervals: ~}]", "foo: ~")] + \
    ["route: {receiver: r}\n%s\n" % x for x in ("receivers: [~]", "receivers: ~", "receivers: [{name: ~}]")]
# Taken there, and then nothing happens or it ends: refused here with words.
STRICTER = ["route: {receiver: r}\nreceivers: [{name: r, slack_configs: [{api_url: 'http://h/', fields: [~]}]}]\n",
            REST % "time_intervals: [~]", REST % "time_intervals: [{name: a, time_intervals: [{times: [~]}]}]"]
# Refused by one of 0.25 and 0.33, and here.
(STRICTER if IS_NEWER else ELEMENTS).append("route: {receiver: r}\nreceivers: [{name: r}, ~]\n")
(ELEMENTS if IS_NEWER else STRICTER).append(REST % "inhibit_rules: [{equal: [~]}]")


def test_null_elements():
    with folder() as d:
        file = os.path.join(d, "am.yml")
        for text in ELEMENTS + STRICTER:
            write(file, text)
            ours = subprocess.run([PROGRAM, "lint", file], capture_output=True, text=True)
            theirs = subprocess.run([peer("amtool"), "check-config", file], capture_output=True, text=True)
            equal((ours.returncode == 0, theirs.returncode == 0), (False, True) if text in STRICTER else (theirs.returncode == 0,) * 2,
                  text + ours.stdout)


def test_lint_says_it():
    with folder() as d:
        file = os.path.join(d, "am.yml")
        write(file, "route: {receiver: r}\nreceivers: [{name: r, slack_configs: [{api_url: 'http://h/', title: , send_resolved: }]}]\n")
        out = subprocess.run([PROGRAM, "lint", file], capture_output=True, text=True).stdout
        equal(sorted(re.findall(r"info\[C012\].*", out)), [
            "info[C012]: receivers[0].slack_configs[0].send_resolved: an empty value means false, not the default",
            'info[C012]: receivers[0].slack_configs[0].title: an empty value means an empty text, not the default '
            '"{{ template "slack.default.title" . }}"'])


# The last element, and what lint says it does not override.
MERGED = [("{max_alerts: 5, <<: *w}", ["max_alerts"]), ("{<<: *w, max_alerts: 5}", []), ("{<<: [*w, *v]}", []),
          ("{<<: *w, <<: *v}", ["url", "max_alerts"]), ("{url: 'http://three/', <<: [*w, *v]}", ["url", "url"])]


def test_merge_keys():
    """Where YAML's meaning, which is ours, is not that of yaml.v2, lint says so."""
    for element, clashes in MERGED:
        text = ("route: {receiver: r}\nreceivers:\n- name: r\n  webhook_configs:\n  - &w {url: 'http://one/', max_alerts: 3}\n"
                "  - &v {url: 'http://two/', max_alerts: 4, send_resolved: false}\n  - %s\n" % element)
        with folder() as d:
            write(os.path.join(d, "am.yml"), text)
            out = subprocess.run([PROGRAM, "lint", os.path.join(d, "am.yml")], capture_output=True, text=True)
        equal(out.returncode, 0, out.stdout)
        equal(re.findall(r'warning\[C013\]: "<<" does not override "(\w+)"', out.stdout), clashes, element)
        ours, theirs = (shown(s, text)["receivers"][0]["webhook_configs"][2] for s in (Tocsin, Alertmanager))
        differs = ours["max_alerts"] != theirs["max_alerts"]
        assert not differs or clashes, (element, ours, theirs)


if __name__ == "__main__":
    main()
