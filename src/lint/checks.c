/* The rows, by id. An example is the whole of a small file; the tests run lint over each (tests/lint/cases.py). */
#include "lint/checks.h"

#include <stdlib.h>

/* clang-format off */
const struct check_row check_rows[] = {
    {.id = "C000", .severity = DIAG_ERROR,
     .title = "what is neither a configuration nor a rule file",
     .why = "A file that was named, or that cannot be read, is checked by nobody. Name the file that is "
            "meant, or say what it is with --as.",
     .bad = "apiVersion: v1\n",
     .good = "groups: [{name: g, rules: [{record: x, expr: up}]}]\n",
    },
    {.id = "C001", .severity = DIAG_ERROR,
     .title = "a value that the key cannot take",
     .why = "The configuration is refused: a duration, an address, a label or a number is malformed or out of "
            "its range. What is expected stands in the message.",
     .bad = "route: {receiver: r, group_by: [a]}\n"
            "receivers:\n"
            "  - {name: r, webhook_configs: [{url: 'h:9'}]}\n"
            "inhibit_rules: [{source_matchers: [a=b], equal: [x, ~]}]\n"
            "time_intervals:\n"
            "  - {name: t, time_intervals: [{times: [{start_time: '9', end_time: '10:00'}]}]}\n",
     .good = "route: {receiver: r, group_by: [a0]}\n"
             "receivers:\n"
             "  - {name: r, webhook_configs: [{url: 'http://h:9'}]}\n",
    },
    {.id = "C002", .severity = DIAG_ERROR,
     .title = "an unknown key",
     .why = "The configuration is refused, here and by the program that the file is for. Nearly always it is "
            "a misspelt key, or one that stands at another level.",
     .bad = "route: {receiver: r, group_wiat: 1s}\n"
            "receivers: [{name: r}]\n",
     .good = "route: {receiver: r, group_wait: 1s}\n"
             "receivers: [{name: r}]\n",
     .is_fixable = true,
    },
    {.id = "C003", .severity = DIAG_ERROR,
     .title = "a key that is missing, or a list entry that is empty",
     .why = "The configuration is refused: without it nothing can be done.",
     .bad = "route: {receiver: r}\n"
            "receivers: [{}, ~, {name: r}]\n",
     .good = "route: {receiver: r}\n"
             "receivers: [{name: r}]\n",
    },
    {.id = "C004", .severity = DIAG_ERROR,
     .title = "keys that exclude each other",
     .why = "The configuration is refused: both would say the same thing, such as a secret in the file and in "
            "another one.",
     .bad = "route: {receiver: r}\n"
            "receivers: [{name: r, webhook_configs: [{url: 'http://a/', url_file: x}]}]\n",
     .good = "route: {receiver: r}\n"
             "receivers: [{name: r, webhook_configs: [{url_file: x}]}]\n",
    },
    {.id = "C005", .severity = DIAG_ERROR,
     .title = "the same key in two files of one configuration",
     .why = "The configuration is refused: it would depend on the order of the files. Leave it in one of "
            "them.",
    },
    {.id = "C006", .severity = DIAG_ERROR,
     .title = "a name that nothing has",
     .why = "A route, a rule file or a source is named that is not defined, so that alerts would go nowhere. "
            "As a warning: a pattern of rule_files matches no file.",
     .bad = "route: {receiver: q, routes: [{mute_time_intervals: [t], receiver: r}]}\n"
            "receivers: [{name: r}]\n",
     .good = "route: {receiver: r, routes: [{mute_time_intervals: [t], receiver: r}]}\n"
             "receivers: [{name: r}]\n"
             "time_intervals: [{name: t, time_intervals: [{months: ['1']}]}]\n",
    },
    {.id = "C007", .severity = DIAG_WARNING,
     .title = "a key that has no effect here",
     .why = "It is accepted so that the file can stay as it is, and nothing is done with it. Make sure that "
            "nothing hangs on it: targets that are not found are not scraped.",
     .bad = "route: {receiver: r}\n"
            "scrape_configs: [{job_name: j, kubernetes_sd_configs: [{role: pod}]}]\n"
            "receivers: [{name: r}]\n",
     .good = "route: {receiver: r}\n"
             "scrape_configs: [{job_name: j, static_configs: [{targets: ['a:1']}]}]\n"
             "receivers: [{name: r}]\n",
    },
    {.id = "C008", .severity = DIAG_WARNING,
     .title = "a key or a form that is deprecated",
     .why = "It works, and there is a newer form: matchers in place of match and match_re. A later version of "
            "the originals may refuse it.",
     .bad = "route: {receiver: r, group_by: [a], routes: [{match: {a: b}}]}\n"
            "receivers: [{name: r}]\n",
     .good = "route: {receiver: r, routes: [{matchers: [a=b]}]}\n"
             "receivers: [{name: r}]\n",
    },
    {.id = "C009", .severity = DIAG_ERROR,
     .title = "settings that contradict each other",
     .why = "The configuration is refused, or, as a warning, one of the settings has no effect. The message "
            "says which.",
     .bad = "route: {receiver: r, continue: true}\n"
            "receivers: [{name: r}]\n",
     .good = "route: {receiver: r, routes: [{continue: true}]}\n"
             "receivers: [{name: r}]\n",
    },
    {.id = "C010", .severity = DIAG_ERROR,
     .title = "a template file that cannot be read as one",
     .why = "Each message that needs it would fail.",
    },
    {.id = "C011", .severity = DIAG_ERROR,
     .title = "a path outside of what the server may read",
     .why = "A running server has locked itself into the folders that it knew at its start. Restart it, or "
            "start it with --sandbox=off.",
    },
    {.id = "C012", .severity = DIAG_INFO,
     .title = "an empty value, which is not the default",
     .why = "In YAML an empty value is null: Alertmanager takes it for false, an empty text or no duration, "
            "and so does tocsin. Leave the key away to get the default.",
     .bad = "route: {receiver: r}\n"
            "receivers:\n"
            "  - {name: r, webhook_configs: [{send_resolved: , url: 'http://a/'}]}\n",
     .good = "route: {receiver: r}\n"
             "receivers:\n"
             "  - {name: r, webhook_configs: [{send_resolved: true, url: 'http://a/'}]}\n",
    },
    {.id = "C013", .severity = DIAG_WARNING,
     .title = "a merge key that the originals read otherwise",
     .why = "YAML says that a key beside << stands against what it merges, wherever it stands. Alertmanager "
            "and Prometheus let whatever comes later win. Put << first, and both agree.",
     .bad = "route:\n"
            "  receiver: r\n"
            "  routes:\n"
            "    - &a {receiver: r, group_wait: 1s, matchers: [a=b]}\n"
            "    - {group_wait: 2s, <<: *a}\n"
            "receivers: [{name: r}]\n",
     .good = "route:\n"
             "  receiver: r\n"
             "  routes:\n"
             "    - &a {receiver: r, group_wait: 1s, matchers: [a=b]}\n"
             "    - {<<: *a, group_wait: 2s, matchers: [a=c]}\n"
             "receivers: [{name: r}]\n",
    },
    {.id = "C014", .severity = DIAG_ERROR,
     .title = "a rollback without a configuration to go back to",
     .why = "No other configuration has run since the start.",
    },
    {.id = "C015", .severity = DIAG_WARNING,
     .title = "a template that cannot be read",
     .why = "Alertmanager accepts the file and fails with each message that needs it. Here such a message "
            "goes out as a plain text that says what failed.",
     .bad = "route: {receiver: r, labels: {x: '{{ env \"H\" }}'}}\n"
            "receivers:\n"
            "  - name: r\n"
            "    slack_configs:\n"
            "      - title: 'a {{ env \"H\" }}'\n"
            "        api_url: 'http://a/'\n",
     .good = "route: {receiver: r, labels: {x: '{{ .GroupLabels.a }}'}}\n"
             "receivers:\n"
             "  - name: r\n"
             "    slack_configs:\n"
             "      - title: 'a {{ template \"slack.default.title\" . }}'\n"
             "        api_url_file: /run/url\n",
    },
    {.id = "C020", .severity = DIAG_WARNING,
     .title = "a route that no alert reaches",
     .why = "What it says is never done: an earlier route without \"continue\" takes all that it would, or its "
            "matchers, with those above it, contradict each other.",
     .bad = "route:\n"
            "  receiver: r\n"
            "  routes:\n"
            "    - {matchers: [team=a]}\n"
            "    - {matchers: [team=a, severity=critical]}\n"
            "receivers: [{name: r}]\n",
     .good = "route:\n"
             "  receiver: r\n"
             "  routes:\n"
             "    - {matchers: [team=a, severity=critical]}\n"
             "    - {matchers: [team=a]}\n"
             "receivers: [{name: r}]\n",
    },
    {.id = "C021", .severity = DIAG_WARNING,
     .title = "a receiver or a time interval that no route names",
     .why = "It is written and tested, and nobody is told by it: a route is missing, or its name is an old "
            "one.",
     .bad = "route: {receiver: r}\n"
            "receivers: [{name: r}, {name: oncall}]\n",
     .good = "route: {receiver: r, routes: [{receiver: oncall, matchers: [severity=critical]}]}\n"
             "receivers: [{name: r}, {name: oncall}]\n",
    },
    {.id = "C022", .severity = DIAG_WARNING,
     .title = "a label value of an alert that is nearly one that routes ask for",
     .why = "The alert goes where all go that nobody asks for, and not where it was meant to. Mostly one of "
            "the two is misspelt.",
    },
    {.id = "C023", .severity = DIAG_INFO,
     .title = "a severity that no route asks for",
     .why = "Routes ask for other severities; alerts with this one go to the receiver of the root, at all "
            "hours.",
    },
    {.id = "C024", .severity = DIAG_WARNING,
     .title = "an inhibit rule that can never hold",
     .why = "Its matchers contradict each other, or a label that must be equal is given different values.",
     .bad = "route: {receiver: r}\n"
            "receivers: [{name: r}]\n"
            "inhibit_rules:\n"
            "  - {source_matchers: [a=x], target_matchers: [a=y], equal: [a]}\n",
     .good = "route: {receiver: r}\n"
             "receivers: [{name: r}]\n"
             "inhibit_rules:\n"
             "  - {source_matchers: [a=x], target_matchers: [a=y], equal: [b]}\n",
    },
    {.id = "C025", .severity = DIAG_WARNING,
     .title = "routes that share an entry of the notification log",
     .why = "The log knows a route by its matchers and a receiver by its name: of two alike the second finds "
            "that all has been told, and tells nothing.",
     .bad = "route:\n"
            "  receiver: r\n"
            "  routes:\n"
            "    - {matchers: [a=b], group_wait: 1s, continue: true}\n"
            "    - {matchers: [a=b], group_wait: 1h}\n"
            "receivers: [{name: r}]\n",
     .good = "route:\n"
             "  receiver: r\n"
             "  routes:\n"
             "    - {matchers: [a=b], group_wait: 1s, continue: true}\n"
             "    - {matchers: [a=b], group_wait: 1h, receiver: q}\n"
             "receivers: [{name: r}, {name: q}]\n",
    },
    {.id = "C026", .severity = DIAG_INFO,
     .title = "secrets in clear",
     .why = "Who reads the file, or its history, has them. A secret may stand in a file of its own, which is "
            "read at each use.",
     .bad = "route: {receiver: r}\n"
            "receivers: [{name: r, slack_configs: [{api_url: 'http://h/', channel: c, http_config: {basic_auth: {username: u, password: p}}}]}]\n",
     .good = "route: {receiver: r}\n"
             "receivers: [{name: r, slack_configs: [{api_url_file: /run/u, channel: c}]}]\n",
    },
    {.id = "C027", .severity = DIAG_WARNING,
     .title = "timers that contradict each other",
     .why = "A group is looked at each group_interval: a repeat_interval that is shorter is rounded up to it.",
     .bad = "route: {receiver: r, group_interval: 1h, repeat_interval: 30m}\n"
            "receivers: [{name: r}]\n",
     .good = "route: {receiver: r, group_interval: 5m, repeat_interval: 30m}\n"
             "receivers: [{name: r}]\n",
    },
    {.id = "C028", .severity = DIAG_WARNING,
     .title = "a variable that nobody fills in",
     .why = "${NAME} is taken as it stands, by the originals too: it was for a shell or a deployment tool "
            "that has not run.",
     .bad = "route: {receiver: r}\n"
            "receivers: [{name: r, webhook_configs: [{url: 'http://h/', http_config: {proxy_url: 'http://p:1', no_proxy: '${NO_PROXY}'}}]}]\n",
     .good = "route: {receiver: r}\n"
             "receivers: [{name: r, webhook_configs: [{url: 'http://h/', http_config: {proxy_url: 'http://p:1', no_proxy: h}}]}]\n",
    },
    {.id = "C029", .severity = DIAG_WARNING,
     .title = "an exporter at Prometheus' own port",
     .why = "9090 is where Prometheus listens: the target answers with the metrics of Prometheus itself, or "
            "not at all.",
     .bad = "route: {receiver: r}\n"
            "receivers: [{name: r}]\n"
            "scrape_configs: [{job_name: vllm, static_configs: [{targets: ['h:9090']}]}]\n",
     .good = "route: {receiver: r}\n"
             "receivers: [{name: r}]\n"
             "scrape_configs: [{job_name: vllm, static_configs: [{targets: ['h:8000']}]}]\n",
    },
    {.id = "C030", .severity = DIAG_WARNING,
     .title = "a health check that is scraped",
     .why = "A health check answers a line of text or JSON, which is no metrics: the scrape fails and up is 0 "
            "for ever. It is asked by the blackbox exporter, whose probe_success says how it went.",
     .bad = "route: {receiver: r}\n"
            "receivers: [{name: r}]\n"
            "scrape_configs:\n"
            "  - job_name: llm\n"
            "    metrics_path: /health\n"
            "    static_configs: [{targets: ['llm:8000']}]\n",
     .good = "route: {receiver: r}\n"
             "receivers: [{name: r}]\n"
             "scrape_configs:\n"
             "  - job_name: llm\n"
             "    metrics_path: /metrics\n"
             "    static_configs: [{targets: ['llm:8000']}]\n",
    },
    {.id = "C031", .severity = DIAG_INFO,
     .title = "what is critical waits as long as the rest",
     .why = "group_wait is how long a new group collects before anybody is told. A route for the gravest "
            "alerts that says nothing of its own waits as long as all others.",
     .bad = "route: {receiver: r, group_wait: 30s, routes: [{matchers: [severity=critical]}]}\n"
            "receivers: [{name: r}]\n",
     .good = "route: {receiver: r, group_wait: 30s, routes: [{matchers: [severity=critical], group_wait: 0s}]}\n"
             "receivers: [{name: r}]\n",
    },
    {.id = "C032", .severity = DIAG_WARNING,
     .title = "rules that two programs evaluate",
     .why = "A Prometheus evaluates the file and sends what fires, and the configuration that routes its "
            "alerts evaluates it again. Labels differ by the external ones, so that both are told.",
    },
    {.id = "C033", .severity = DIAG_WARNING,
     .title = "a key that belongs elsewhere",
     .why = "It is a flag of Prometheus, or another object of Kubernetes, and no key of a configuration. "
            "Prometheus refuses the file.",
     .bad = "route: {receiver: r}\n"
            "receivers: [{name: r}]\n"
            "storage: {tsdb: {path: /data}}\n",
     .good = "route: {receiver: r}\n"
             "receivers: [{name: r}]\n",
    },
    {.id = "C034", .severity = DIAG_WARNING,
     .title = "a template that fails when it is filled in",
     .why = "It can be read, and fails over a message such as every receiver gets some day: one whose alerts "
            "are all over, one of many, one without annotations. Alertmanager sends nothing then; here the "
            "message goes out as a plain text that says what failed.",
     .bad = "route: {receiver: r}\n"
            "receivers:\n"
            "  - name: r\n"
            "    slack_configs:\n"
            "      - title: '{{ (index .Alerts.Firing 0).Labels.job }}'\n"
            "        text: '{{ .Summary }}'\n"
            "        send_resolved: true\n"
            "        api_url_file: /run/url\n",
     .good = "route: {receiver: r}\n"
             "receivers:\n"
             "  - name: r\n"
             "    slack_configs:\n"
             "      - title: '{{ (index .Alerts 0).Labels.job }}'\n"
             "        text: '{{ .CommonAnnotations.summary }}'\n"
             "        send_resolved: true\n"
             "        api_url_file: /run/url\n",
    },
    {.id = "C035", .severity = DIAG_WARNING,
     .title = "a label that is nearly another one",
     .why = "No alert has it, so that a route takes none, a group holds what belongs apart, or nothing is "
            "inhibited; \"equal\" holds where both alerts have it not. Other labels are those of the rules, of the "
            "rest of the configuration, and alertname, severity and instance.",
     .bad = "route: {receiver: r, group_by: [alertname, custer], routes: [{receiver: r, matchers: [severtiy=critical]}]}\n"
            "receivers: [{name: r}]\n"
            "inhibit_rules: [{source_matchers: [a=b], target_matchers: [a=c], equal: [alertnam]}]\n",
     .good = "route: {receiver: r, group_by: [alertname, cluster], routes: [{receiver: r, matchers: [severity=critical]}]}\n"
             "receivers: [{name: r}]\n"
             "inhibit_rules: [{source_matchers: [a=b], target_matchers: [a=c], equal: [alertname]}]\n",
    },
    {.id = "C036", .severity = DIAG_WARNING,
     .title = "a value that no alert has, and nearly one that some have",
     .why = "A route or an inhibit rule that asks for it takes nothing. The values are those that the rules of the "
            "same configuration give; of severity and priority also what they are usually called.",
     .bad = "route: {receiver: r, routes: [{receiver: r, matchers: [severity=critcal]}]}\n"
            "receivers: [{name: r}]\n",
     .good = "route: {receiver: r, routes: [{receiver: r, matchers: [severity=critical]}]}\n"
             "receivers: [{name: r}]\n",
    },
    {.id = "M001", .severity = DIAG_ERROR,
     .title = "metrics that cannot be read",
     .why = "A scrape of this text fails, and up is 0. The line says where.",
     .is_online = true,
    },
    {.id = "M002", .severity = DIAG_WARNING,
     .title = "a histogram that contradicts itself",
     .why = "A bucket holds all events up to its bound, so that no bucket holds fewer than one below it, and "
            "the last, +Inf, as many as _count says. Quantiles of anything else are nonsense.",
     .is_online = true,
    },
    {.id = "M003", .severity = DIAG_WARNING,
     .title = "a counter that falls",
     .why = "It was read twice, and fell in between. But for a restart a counter only grows: rate() and "
            "increase() take each fall for a restart and count too much.",
     .is_online = true,
    },
    {.id = "M004", .severity = DIAG_WARNING,
     .title = "a metric without a help text",
     .why = "Nobody but its author knows what it counts. (tocsin check metrics)",
     .is_online = true,
    },
    {.id = "M005", .severity = DIAG_WARNING,
     .title = "a unit that is not the base unit",
     .why = "Seconds, bytes, meters, grams, joules, volts, amperes, degrees Celsius: who has to know of each "
            "metric whether it is in milliseconds mixes them up some day. (tocsin check metrics)",
     .is_online = true,
    },
    {.id = "M006", .severity = DIAG_WARNING,
     .title = "a name that says another type",
     .why = "What ends in _total is taken for a counter, _bucket, _sum, _count and le for a histogram. (tocsin "
            "check metrics)",
     .is_online = true,
    },
    {.id = "M007", .severity = DIAG_WARNING,
     .title = "a name that is not written as names are",
     .why = "Names are in snake_case; a colon is for what rules record. (tocsin check metrics)",
     .is_online = true,
    },
    {.id = "M008", .severity = DIAG_ERROR,
     .title = "a series that stands twice",
     .why = "A scrape takes one of the two, and says nothing. (tocsin check metrics)",
     .is_online = true,
    },
    {.id = "R000", .severity = DIAG_INFO,
     .title = "a file without groups",
     .why = "Prometheus accepts it, and nothing is evaluated.",
     .bad = "groups: []\n",
     .good = "groups: [{name: g, rules: [{record: x, expr: up}]}]\n",
    },
    {.id = "R001", .severity = DIAG_ERROR,
     .title = "a value of the wrong type",
     .why = "Prometheus refuses the whole file.",
     .bad = "groups: [{name: g, rules: [{alert: A, labels: 1, expr: up > 0}]}]\n",
     .good = "groups: [{name: g, rules: [{alert: A, labels: {a: b}, expr: up > 0}]}]\n",
     .pint = "yaml/parse",
    },
    {.id = "R002", .severity = DIAG_ERROR,
     .title = "an unknown key",
     .why = "Prometheus refuses the whole file. Nearly always it is a misspelt key, or one that stands at "
            "another level.",
     .bad = "groups: [{name: g, rules: [{alert: A, fro: 1m, expr: up > 0}]}]\n",
     .good = "groups: [{name: g, rules: [{alert: A, for: 1m, expr: up > 0}]}]\n",
     .pint = "yaml/parse",
     .is_fixable = true,
    },
    {.id = "R003", .severity = DIAG_ERROR,
     .title = "a group without a name, or two with the same",
     .why = "Prometheus refuses the whole file.",
     .bad = "groups: [{rules: []},\n"
            "  {name: g}, {name: g}]\n",
     .good = "groups: [{name: g}, {name: h}]\n",
     .pint = "yaml/parse",
    },
    {.id = "R004", .severity = DIAG_ERROR,
     .title = "a rule that is neither an alert nor a record, or both",
     .why = "Prometheus refuses the whole file.",
     .bad = "groups: [{name: g, rules: [{expr: up}, {alert: A, record: b, expr: up > 0}]}]\n",
     .good = "groups: [{name: g, rules: [{record: b, expr: up}]}]\n",
     .pint = "yaml/parse",
    },
    {.id = "R005", .severity = DIAG_ERROR,
     .title = "an expression that is missing or cannot be parsed",
     .why = "Prometheus refuses the whole file. The caret stands where it cannot go on.",
     .bad = "groups:\n"
            "  - name: g\n"
            "    rules:\n"
            "      - expr: up >\n"
            "        record: x\n"
            "      - {record: x, expr: 'a(b)'}\n",
     .good = "groups: [{name: g, rules: [{record: x, expr: up}]}]\n",
     .pint = "promql/syntax",
    },
    {.id = "R006", .severity = DIAG_ERROR,
     .title = "an expression that gives no instant vector",
     .why = "A rule needs one value a series, so a range vector needs a function around it; a text is none.",
     .bad = "groups: [{name: g, rules: [{record: x, expr: \"up[5m]\"}]}]\n",
     .good = "groups: [{name: g, rules: [{record: x, expr: \"max_over_time(up[5m])\"}]}]\n",
     .pint = "promql/syntax",
    },
    {.id = "R007", .severity = DIAG_ERROR,
     .title = "a duration that cannot be read",
     .why = "Prometheus refuses the whole file: units are ms, s, m, h, d, w and y, the greater first.",
     .bad = "groups: [{name: g, rules: [{alert: A, for: 1x, expr: up > 0}]}]\n",
     .good = "groups: [{name: g, rules: [{alert: A, for: 1h, expr: up > 0}]}]\n",
     .pint = "alerts/for",
    },
    {.id = "R008", .severity = DIAG_ERROR,
     .title = "a key that a recording rule cannot have",
     .why = "Prometheus refuses the whole file.",
     .bad = "groups: [{name: g, rules: [{record: x, for: 1m, expr: up}]}]\n",
     .good = "groups: [{name: g, rules: [{alert: A, for: 1m, expr: up > 0}]}]\n",
     .pint = "yaml/parse",
    },
    {.id = "R009", .severity = DIAG_ERROR,
     .title = "a name that is none",
     .why = "Prometheus refuses the whole file: the name of a series, a label or an annotation is malformed.",
     .bad = "groups: [{name: g, rules: [{record: \"a{b\", expr: up}]}]\n",
     .good = "groups: [{name: g, rules: [{record: \"a:b\", expr: up}]}]\n",
     .pint = "yaml/parse",
    },
    {.id = "R010", .severity = DIAG_ERROR,
     .title = "a template that cannot be read",
     .why = "Prometheus refuses the whole file.",
     .bad = "groups: [{name: g, rules: [{alert: A, expr: up > 0, annotations: {x: \"a {{ env `H` }}\"}, labels: {y: '{{ semver \"1\" }}'}}]}]\n",
     .good = "groups: [{name: g, rules: [{alert: A, expr: up > 0, annotations: {x: \"a {{ $value }}\"}, labels: {y: '{{ $labels.a }}'}}]}]\n",
     .pint = "alerts/template",
    },
    {.id = "R011", .severity = DIAG_INFO,
     .title = "a number or a truth value where a text is meant",
     .why = "YAML reads 1 as a number and yes as a truth value; it is turned back into a text, which may not "
            "be the one that was written (1.10 becomes 1.1). Quote it.",
     .bad = "groups: [{name: g, rules: [{alert: A, labels: {a: 1}, expr: up > 0}]}]\n",
     .good = "groups: [{name: g, rules: [{alert: A, labels: {a: '1'}, expr: up > 0}]}]\n",
     .pint = "yaml/parse",
     .is_fixable = true,
    },
    {.id = "R012", .severity = DIAG_WARNING,
     .title = "several YAML documents in one file",
     .why = "Prometheus reads the first and passes over the rest without a word.",
     .bad = "groups: [{name: g, rules: [{record: a, expr: up}]}]\n"
            "---\n"
            "groups: []\n",
     .good = "groups: [{name: g, rules: [{record: a, expr: up}]}]\n",
     .pint = "yaml/parse",
    },
    {.id = "R013", .severity = DIAG_ERROR,
     .title = "a rule file that runs, and would be left out",
     .why = "A reload must not take away rules that run because the file has got a problem.",
    },
    {.id = "R014", .severity = DIAG_ERROR,
     .title = "a rule that cannot be confined to its namespace",
     .why = "With enforced_namespace_label a PrometheusRule reads and writes its own namespace only.",
    },
    {.id = "R020", .severity = DIAG_WARNING,
     .title = "the same rule twice",
     .why = "Alerts or series with the same name and labels get mixed: of two values one is lost, and an "
            "alert flaps between them.",
     .bad = "groups: [{name: g, rules: [{alert: A, expr: up > 0}, {record: a, expr: up}, {record: a, expr: up}]}]\n",
     .good = "groups: [{name: g, rules: [{record: a, expr: up, labels: {a: b}}, {record: a, expr: up, labels: {a: c}}]}]\n",
     .pint = "rule/duplicate",
    },
    {.id = "R030", .severity = DIAG_WARNING,
     .title = "an alert without a condition",
     .why = "It fires for every series that exists, whatever its value.",
     .bad = "groups: [{name: g, rules: [{alert: A, expr: up}]}]\n",
     .good = "groups: [{name: g, rules: [{alert: A, expr: up == 0}]}]\n",
     .pint = "alerts/comparison",
    },
    {.id = "R031", .severity = DIAG_WARNING,
     .title = "absent() without for",
     .why = "It fires at every gap of a scrape interval, and after each restart.",
     .bad = "groups: [{name: g, rules: [{alert: A, expr: absent(up)}]}]\n",
     .good = "groups: [{name: g, rules: [{alert: A, expr: absent(up), for: 5m}]}]\n",
     .pint = "alerts/absent",
    },
    {.id = "R038", .severity = DIAG_WARNING,
     .title = "an alert on topk, bottomk, limitk or limit_ratio",
     .why = "Which series are chosen changes from run to run, so the alert flaps.",
     .bad = "groups: [{name: g, rules: [{alert: A, expr: 'topk(5, up) > 1'}]}]\n",
     .good = "groups: [{name: g, rules: [{record: a, expr: 'topk(5, up) > 1'}]}]\n",
     .pint = "promql/fragile",
    },
    {.id = "R041", .severity = DIAG_WARNING,
     .title = "what can give nothing",
     .why = "A join whose sides never have the same labels (each scraped series has job and instance; what sum by "
            "(job) gives has job alone), an aggregation by a label that is gone, matchers that contradict each other: the expression is valid and its result empty, so an alert is silent.",
     .bad = "groups: [{name: g, rules: [{alert: A, expr: 'rate(x[5m]) / sum by (job) (rate(y[5m])) > 0.1'}]}]\n",
     .good = "groups: [{name: g, rules: [{alert: A, expr: 'sum by (job) (rate(x[5m])) / sum by (job) (rate(y[5m])) > 0.1'}]}]\n",
     .pint = "promql/impossible promql/vector_matching",
    },
    {.id = "R042", .severity = DIAG_WARNING,
     .title = "a window of less than two scrape intervals",
     .why = "rate() and its kin need two samples in the window. With one scrape late or lost a window of two "
            "intervals gives nothing; four are safe. The interval is known when the configuration that "
            "scrapes is linted with the rules.",
     .pint = "promql/rate",
    },
    {.id = "R043", .severity = DIAG_WARNING,
     .title = "a counter's own value in a comparison",
     .why = "It counts all since the start of the process and only grows, so the alert fires some day and "
            "never ends.",
     .bad = "groups: [{name: g, rules: [{alert: A, expr: errors_total > 5}]}]\n",
     .good = "groups: [{name: g, rules: [{alert: A, expr: 'increase(errors_total[5m]) > 5'}]}]\n",
     .pint = "promql/counter",
    },
    {.id = "R044", .severity = DIAG_WARNING,
     .title = "the rate of an aggregate",
     .why = "A counter that starts anew is invisible in a sum: its fall looks like the start of all of them. "
            "Aggregate the rates.",
     .bad = "groups: [{name: g, rules: [{record: a, expr: 'rate(sum(x_total)[5m:1m])'}]}]\n",
     .good = "groups: [{name: g, rules: [{record: a, expr: 'sum(rate(x_total[5m]))'}]}]\n",
     .pint = "promql/rate",
    },
    {.id = "R045", .severity = DIAG_INFO,
     .title = "a function that is not made for it",
     .why = "irate() sees two samples, so that an alert flaps; deriv() and delta() take the restart of a "
            "counter for a fall.",
     .bad = "groups: [{name: g, rules: [{alert: A, expr: 'irate(x_total[5m]) > 1'}, {record: b, expr: 'deriv(x_total[5m])'}]}]\n",
     .good = "groups: [{name: g, rules: [{alert: A, expr: 'rate(x_total[5m]) > 1'}, {record: b, expr: 'deriv(x_bytes[5m])'}]}]\n",
     .pint = "promql/counter",
    },
    {.id = "R046", .severity = DIAG_WARNING,
     .title = "a matcher or a selector that says more than it means",
     .why = "A regular expression without a pattern, with anchors that are there anyway, that matches "
            "everything, or a selector without a name, which reads every series.",
     .bad = "groups: [{name: g, rules: [{record: a, expr: 'x{a=~\"b\"}'}, {record: b, expr: 'x{a=~\"^b.*\"}'}, {record: c, expr: '{a=\"b\"}'}]}]\n",
     .good = "groups: [{name: g, rules: [{record: a, expr: 'x{a=\"b\"}'}, {record: b, expr: 'x{a=~\"b.*\"}'}]}]\n",
     .pint = "promql/regexp",
    },
    {.id = "R048", .severity = DIAG_WARNING,
     .title = "histogram_quantile() of an aggregate without le",
     .why = "Without the bounds of the buckets it gives nothing, ever.",
     .bad = "groups: [{name: g, rules: [{record: a, expr: 'histogram_quantile(0.9,     sum by (job) (rate(x_bucket[5m])))'}]}]\n",
     .good = "groups: [{name: g, rules: [{record: a, expr: 'histogram_quantile(0.9, sum by (job, le) (rate(x_bucket[5m])))'}]}]\n",
     .pint = "promql/impossible",
    },
    {.id = "R049", .severity = DIAG_INFO,
     .title = "equality with a number that is no whole one",
     .why = "Sums and quotients of floating-point numbers are hardly ever equal to it. Compare with a range.",
     .bad = "groups: [{name: g, rules: [{alert: A, expr: up == 0.3}]}]\n",
     .good = "groups: [{name: g, rules: [{alert: A, expr: up == 1}]}]\n",
    },
    {.id = "R050", .severity = DIAG_WARNING,
     .title = "a label with the value of the alert",
     .why = "Labels are what an alert is: with each new value it is another one, the old one is resolved, and "
            "\"for\" begins anew.",
     .bad = "groups: [{name: g, rules: [{alert: A, expr: x > 1, labels: {now: '{{ $value }}'}}]}]\n",
     .good = "groups: [{name: g, rules: [{alert: A, expr: x > 1, annotations: {now: '{{ $value }}'}}]}]\n",
     .pint = "alerts/template",
    },
    {.id = "R051", .severity = DIAG_WARNING,
     .title = "a label that the expression does not give",
     .why = "It is dropped by an aggregation or a join, so the text has an empty place where the name of the "
            "culprit should be.",
     .bad = "groups: [{name: g, rules: [{alert: A, expr: sum by (job) (x) > 1, annotations: {at: '{{ $labels.instance }}'}}]}]\n",
     .good = "groups: [{name: g, rules: [{alert: A, expr: 'sum by (job, instance) (x) > 1', annotations: {at: '{{ $labels.instance }}'}}]}]\n",
     .pint = "alerts/template",
    },
    {.id = "R057", .severity = DIAG_WARNING,
     .title = "a ratio of series to themselves",
     .why = "Without an aggregation each series is divided by the one with the same labels, itself: the "
            "result is always 1.",
     .bad = "groups: [{name: g, rules: [{alert: A, expr: 'rate(x_total{status=\"error\"}[5m]) / rate(x_total[5m]) > 0.05'}]}]\n",
     .good = "groups: [{name: g, rules: [{alert: A, expr: 'sum(rate(x_total{status=\"error\"}[5m])) / sum(rate(x_total[5m])) > 0.05'}]}]\n",
     .pint = "promql/vector_matching",
    },
    {.id = "R058", .severity = DIAG_WARNING,
     .title = "a condition that never holds",
     .why = "A count of nothing is no series and not 0; a comparison binds tighter than \"or\"; a quantile is "
            "between 0 and 1.",
     .bad = "groups: [{name: g, rules: [{alert: A, expr: count(up) == 0}]}]\n",
     .good = "groups: [{name: g, rules: [{alert: A, expr: absent(up), for: 1m}]}]\n",
     .pint = "alerts/comparison",
    },
    {.id = "R059", .severity = DIAG_WARNING,
     .title = "braces of a template torn apart",
     .why = "\"{ {\" is no template: the text is sent as it stands.",
     .bad = "groups: [{name: g, rules: [{alert: A, expr: x > 1, annotations: {s: 'is { { $value }}'}}]}]\n",
     .good = "groups: [{name: g, rules: [{alert: A, expr: x > 1, annotations: {s: 'is {{ $value }}'}}]}]\n",
    },
    {.id = "R062", .severity = DIAG_WARNING,
     .title = "a metric that nobody exports",
     .why = "The name begins as those of an exporter that lint knows (src/lint/catalogue.txt), and it is none "
            "of them: a letter, the ending _total or a unit is wrong, or it never existed. An alert on what "
            "is not there never fires. Series that a rule of the linted files records are known, too.",
     .bad = "groups:\n"
            "  - name: g\n"
            "    rules:\n"
            "      - alert: A\n"
            "        for: 5m\n"
            "        expr: rate(vllm:num_preemptions[5m]) > 0.1\n",
     .good = "groups:\n"
             "  - name: g\n"
             "    rules:\n"
             "      - alert: A\n"
             "        for: 5m\n"
             "        expr: rate(vllm:num_preemptions_total[5m]) > 0.1\n",
    },
    {.id = "R065", .severity = DIAG_WARNING,
     .title = "a metric that is called otherwise by now",
     .why = "The exporter has renamed it. Before the upgrade the alert works, after it it never fires again. "
            "Who needs both asks for both: new or old.",
     .bad = "groups:\n"
            "  - name: g\n"
            "    rules:\n"
            "      - alert: A\n"
            "        for: 5m\n"
            "        expr: vllm:gpu_cache_usage_perc > 0.9\n",
     .good = "groups:\n"
             "  - name: g\n"
             "    rules:\n"
             "      - alert: A\n"
             "        for: 5m\n"
             "        expr: vllm:kv_cache_usage_perc > 0.9 or vllm:gpu_cache_usage_perc > 0.9\n",
    },
    {.id = "R066", .severity = DIAG_WARNING,
     .title = "a bound that the histogram has not",
     .why = "A bucket is selected by its bound, and the exporter has none with this one. There is no such "
            "series, and an objective over it reads as if nothing was wrong.",
     .bad = "groups:\n"
            "  - name: g\n"
            "    rules:\n"
            "      - alert: A\n"
            "        for: 5m\n"
            "        expr: sum(rate(vllm:time_to_first_token_seconds_bucket{le=\"2\"}[5m])) / sum(rate(vllm:time_to_first_token_seconds_count[5m])) < 0.9\n",
     .good = "groups:\n"
             "  - name: g\n"
             "    rules:\n"
             "      - alert: A\n"
             "        for: 5m\n"
             "        expr: sum(rate(vllm:time_to_first_token_seconds_bucket{le=\"2.5\"}[5m])) / sum(rate(vllm:time_to_first_token_seconds_count[5m])) < 0.9\n",
    },
    {.id = "R067", .severity = DIAG_INFO,
     .title = "a metric that is off by default",
     .why = "The exporter exports it only when it is told to. Until then the alert never fires.",
     .bad = "groups:\n"
            "  - name: g\n"
            "    rules:\n"
            "      - alert: A\n"
            "        for: 5m\n"
            "        expr: DCGM_FI_DEV_FB_USED / DCGM_FI_DEV_FB_TOTAL > 0.95\n",
     .good = "groups:\n"
             "  - name: g\n"
             "    rules:\n"
             "      - alert: A\n"
             "        for: 5m\n"
             "        expr: DCGM_FI_DEV_FB_USED / (DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE) > 0.95\n",
    },
    {.id = "R068", .severity = DIAG_WARNING,
     .title = "a label that the metric has not",
     .why = "It is nearly one that the metric has. A matcher of it selects nothing, and an aggregation by it "
            "puts all series into one.",
     .bad = "groups:\n"
            "  - name: g\n"
            "    rules:\n"
            "      - alert: A\n"
            "        for: 5m\n"
            "        expr: max by (uuid) (DCGM_FI_DEV_GPU_TEMP) > 85\n",
     .good = "groups:\n"
             "  - name: g\n"
             "    rules:\n"
             "      - alert: A\n"
             "        for: 5m\n"
             "        expr: max by (UUID) (DCGM_FI_DEV_GPU_TEMP) > 85\n",
    },
    {.id = "R069", .severity = DIAG_WARNING,
     .title = "a threshold in another unit",
     .why = "Seconds are compared with milliseconds, a share of 1 with percent, MiB with bytes: the alert "
            "never fires, or always does.",
     .bad = "groups:\n"
            "  - name: g\n"
            "    rules:\n"
            "      - alert: A\n"
            "        for: 5m\n"
            "        expr: histogram_quantile(0.99, sum by (le) (rate(vllm:e2e_request_latency_seconds_bucket[5m]))) > 2000\n",
     .good = "groups:\n"
             "  - name: g\n"
             "    rules:\n"
             "      - alert: A\n"
             "        for: 5m\n"
             "        expr: histogram_quantile(0.99, sum by (le) (rate(vllm:e2e_request_latency_seconds_bucket[5m]))) > 2\n",
    },
    {.id = "R070", .severity = DIAG_WARNING,
     .title = "a function or modifier that Prometheus must be told to allow",
     .why = "It needs a feature flag or a newer version there, and its meaning may change.",
     .bad = "groups: [{name: g, rules: [{record: a, expr: 'mad_over_time(x[5m])'}]}]\n",
     .good = "groups: [{name: g, rules: [{record: a, expr: 'max_over_time(x[5m])'}]}]\n",
     .pint = "promql/features",
    },
    {.id = "R071", .severity = DIAG_WARNING,
     .title = "MetricsQL in a rule",
     .why = "The source understands it; Prometheus does not. The rule cannot be moved.",
     .pint = "promql/features",
    },
    {.id = "R072", .severity = DIAG_WARNING,
     .title = "a reason of failed notifications that is finer here",
     .why = "tocsin tells apart what Alertmanager counts under one reason, so that an equality with that one "
            "misses the others.",
     .bad = "groups: [{name: g, rules: [{record: a, expr: 'alertmanager_notifications_failed_total{reason=\"clientError\"}'}]}]\n",
     .good = "groups: [{name: g, rules: [{record: a, expr: 'alertmanager_notifications_failed_total{reason=~\"clientError|authError|rateLimited\"}'}]}]\n",
    },
    {.id = "R073", .severity = DIAG_WARNING,
     .title = "used divided by free",
     .why = "That is no share of the whole: at 49 % used it is 0.95 already, at 50 % it is 1, and there is no "
            "end to it.",
     .bad = "groups:\n"
            "  - name: g\n"
            "    rules:\n"
            "      - alert: A\n"
            "        for: 5m\n"
            "        expr: DCGM_FI_DEV_FB_USED / DCGM_FI_DEV_FB_FREE > 0.95\n",
     .good = "groups:\n"
             "  - name: g\n"
             "    rules:\n"
             "      - alert: A\n"
             "        for: 5m\n"
             "        expr: DCGM_FI_DEV_FB_USED / (DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE) > 0.95\n",
    },
    {.id = "R074", .severity = DIAG_WARNING,
     .title = "buckets of a histogram that are added up",
     .why = "A bucket holds all events up to its bound, so that those of the buckets below it are in it, too: "
            "the sum over all buckets counts each event several times. How many there were is _count.",
     .bad = "groups:\n"
            "  - name: g\n"
            "    rules:\n"
            "      - alert: A\n"
            "        for: 5m\n"
            "        expr: sum by (job) (rate(http_request_duration_seconds_bucket[5m])) > 100\n",
     .good = "groups:\n"
             "  - name: g\n"
             "    rules:\n"
             "      - alert: A\n"
             "        for: 5m\n"
             "        expr: sum by (job) (rate(http_request_duration_seconds_count[5m])) > 100\n",
    },
    {.id = "R075", .severity = DIAG_WARNING,
     .title = "a job that no scrape config has",
     .why = "The label job is the name of the scrape config. An alert on up of a job that is not there never "
            "fires. The jobs are known when the configuration that scrapes is linted with the rules.",
    },
    {.id = "R076", .severity = DIAG_INFO,
     .title = "an increase that misses the first event",
     .why = "A series of this counter comes into being with its first event, with the value 1. There was no 0 "
            "before it, so that increase() and rate() see nothing of it.",
     .bad = "groups:\n"
            "  - name: g\n"
            "    rules:\n"
            "      - alert: A\n"
            "        for: 5m\n"
            "        expr: increase(nvidia_smi_xid_errors_total[5m]) > 0\n",
     .good = "groups:\n"
             "  - name: g\n"
             "    rules:\n"
             "      - alert: A\n"
             "        for: 5m\n"
             "        expr: time() - nvidia_smi_xid_last_timestamp_seconds < 300\n",
    },
    {.id = "R077", .severity = DIAG_INFO,
     .title = "an alert on few that does not fire on none",
     .why = "count() of nothing is no result, and not 0: when the last one is gone, the alert ends.",
     .bad = "groups:\n"
            "  - name: g\n"
            "    rules:\n"
            "      - alert: A\n"
            "        for: 5m\n"
            "        expr: count(up{job=\"vllm\"} == 1) < 4\n",
     .good = "groups:\n"
             "  - name: g\n"
             "    rules:\n"
             "      - alert: A\n"
             "        for: 5m\n"
             "        expr: (count(up{job=\"vllm\"} == 1) or vector(0)) < 4\n",
    },
    {.id = "R080", .severity = DIAG_WARNING,
     .title = "a metric that is not there",
     .why = "The rule selects a metric that is not among those that were read (--metrics). If nobody else "
            "exports it, the alert never fires.",
     .is_online = true,
    },
    {.id = "R081", .severity = DIAG_WARNING,
     .title = "a label that is not there",
     .why = "The metric is there, and none of its series has the label. Unless the scrape adds it, nothing is "
            "selected.",
     .is_online = true,
    },
    {.id = "R082", .severity = DIAG_WARNING,
     .title = "a value of a label that is not there",
     .why = "The metric and the label are there, and no series has a value that the matcher takes. A value "
            "may come with the first such event, as of an error; a misspelt one never does.",
     .is_online = true,
    },
    {.id = "R083", .severity = DIAG_INFO,
     .title = "an alert that would fire now",
     .why = "Over the metrics that were read the expression has a result. Is that meant?",
     .is_online = true,
    },
    {.id = "R084", .severity = DIAG_WARNING,
     .title = "a template of a rule that fails when it is filled in",
     .why = "It can be read, and fails over any sample, or printf is given a float where it wants something "
            "else: the alert then carries the error in place of the text.",
     .bad = "groups:\n"
            "  - name: g\n"
            "    rules:\n"
            "      - alert: Busy\n"
            "        expr: load > 5\n"
            "        annotations: {summary: 'load is {{ printf \"%d\" $value }}, {{ $value.Max }}'}\n",
     .good = "groups:\n"
             "  - name: g\n"
             "    rules:\n"
             "      - alert: Busy\n"
             "        expr: load > 5\n"
             "        annotations: {summary: 'load is {{ printf \"%.1f\" $value }}'}\n",
    },
    {.id = "R085", .severity = DIAG_INFO,
     .title = "a selector of very many series",
     .why = "More than 10,000 series are read each time that the rule is evaluated.",
     .pint = "rule/cost",
     .is_online = true,
    },
    {.id = "R086", .severity = DIAG_INFO,
     .title = "a threshold far from all values",
     .why = "It is a hundred times what the left side is now (of a Prometheus: was within 6 hours), or more. Is it of "
            "another unit, or has it three zeros too many?",
     .is_online = true,
    },
    {.id = "R087", .severity = DIAG_INFO,
     .title = "series that come and go",
     .why = "A selector selects nothing now, and had series within the last day, as a Prometheus says (--metrics). "
            "While they are away, what is compared with them has no result: an alert on them ends, and none begins.",
     .pint = "promql/series",
     .is_online = true,
    },
    {.id = "R100", .severity = DIAG_WARNING,
     .title = "a comment that switches nothing off",
     .why = "It names no check, has ended, or stands above nothing: what it was to hide is shown, or will be one "
            "day. Take it away, or say what is meant.",
     .bad = "# tocsin: ignore R04\n"
            "groups: [{name: g, rules: [{record: a, expr: up}]}]\n",
     .good = "# tocsin: ignore R046\n"
             "groups: [{name: g, rules: [{record: a, expr: 'up{a=~\"b\"}'}]}]\n",
     .pint = "pint/comment",
    },
    {.id = "T001", .severity = DIAG_ERROR,
     .title = "a test of rules that cannot run",
     .why = "A series, its values or an expression cannot be read, or a group stands twice in the order of evaluation.",
     .bad = "tests:\n"
            "  - input_series: [{series: 'up{a=', values: '1x5'}]\n"
            "    promql_expr_test: [{expr: up >}]\n",
     .good = "tests:\n"
             "  - input_series: [{series: 'up{a=\"b\"}', values: '1x5'}]\n"
             "    promql_expr_test: [{expr: up > 0, exp_samples: [{labels: 'up{a=\"b\"}', value: 1}]}]\n",
    },
    {.id = "Y001", .severity = DIAG_ERROR,
     .title = "YAML that cannot be read",
     .why = "Nothing of the file is used. A line that is indented wrong, a tab, a quote that is not closed.",
     .bad = "route: {receiver: r\n"
            "receivers: []\n",
     .good = "route: {receiver: r}\n"
             "receivers: [{name: r}]\n",
     .pint = "yaml/parse",
    },
    {.id = "Y002", .severity = DIAG_ERROR,
     .title = "a key twice",
     .why = "One of the two would be lost without a word.",
     .bad = "route: {receiver: r}\n"
            "route: {receiver: r}\n"
            "receivers: [{name: r}]\n",
     .good = "route: {receiver: r}\n"
             "receivers: [{name: r}]\n",
     .pint = "yaml/parse",
    },
    {.id = "Y003", .severity = DIAG_ERROR,
     .title = "a document that grows beyond all bounds",
     .why = "Aliases that repeat others, or nesting deeper than 256 levels.",
     .bad = "route: &a {routes: [*a]}\n",
     .good = "route: {receiver: &a r}\n"
             "receivers: [{name: *a}]\n",
     .pint = "yaml/parse",
    },
    {.id = "Y004", .severity = DIAG_ERROR,
     .title = "a tag that is not known",
     .why = "It would be read as something else than what was meant.",
     .bad = "route: {receiver: !r r}\n"
            "receivers: [{name: r}]\n",
     .good = "route: {receiver: !!str r}\n"
             "receivers: [{name: r}]\n",
     .pint = "yaml/parse",
    },
    {.id = "Y005", .severity = DIAG_ERROR,
     .title = "text that is not UTF-8",
     .why = "Labels and messages are UTF-8; other bytes would be shown as something else. Save the file as "
            "UTF-8.",
     .pint = "yaml/parse",
    },
    {.id = NULL},
};
/* clang-format on */

static int check_order(const void *id, const void *row)
{
    return str_cmp(*(const str *)id, str_of(((const struct check_row *)row)->id));
}

const struct check_row *check_of(str id)
{
    return bsearch(&id, check_rows, ARRAY_LEN(check_rows) - 1, sizeof(check_rows[0]), check_order);
}
