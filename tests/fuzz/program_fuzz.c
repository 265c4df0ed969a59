/* program_fuzz.c - the whole program: it serves on a thread of this process, rules run every 50 ms over what is pushed, and
 * the input is what clients ask. Each byte chooses an alternative of a grammar, so that most of it is meant:
 *
 *     R -> "POST /api/v2/alerts\n[$A]"     A -> {"labels":{$P}}     P -> "$n":"$s" ...
 *
 * Nothing may end the program; each request has an answer, none is a 500, and what says that it is JSON is JSON. */
#include "tests_fuzz.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/mem.h"
#include "cli/command.h"
#include "codec/json.h"

enum { REQUESTS_MAX = 8, DEPTH_MAX = 12, EXPANDED_MAX = 64 << 10, WAIT_MS = 20000 };

/* -- the grammar -- */

/* $x: an alternative of x. %x: the same, as part of a URL. $$: a few bytes of the input. The first alternative ends. */
static const char *const grammar[128][40] = {
    ['R'] = {"GET /-/healthy",
             "POST /api/v2/alerts\n[$A]",
             "POST /api/v2/alerts\n[$A,$A,$A]",
             "POST /api/v2/alerts\n$J",
             "GET /api/v2/alerts?filter=%M&$B",
             "GET /api/v2/alerts?$B&$B&receiver=%x",
             "GET /api/v2/alerts/groups?filter=%M&$B",
             "POST /api/v2/silences\n$S",
             "POST /api/v2/silences\n$J",
             "GET /api/v2/silences?filter=%M",
             "GET /api/v2/silence/%i",
             "DELETE /api/v2/silence/%i",
             "GET /api/v2/explain?filter=%M",
             "GET /api/v2/explain?%n=%s&$B",
             "GET /api/v2/notifications?receiver=%n&limit=%d",
             "GET /api/v2/status",
             "GET /api/v2/receivers",
             "POST /api/v2/templates/render\n{\"template\":\"$T\"}",
             "POST /api/v2/templates/render\n{\"template\":\"$T\",\"alerts\":[$A]}",
             "GET /api/v1/query?query=%Q&timeout=1s&time=%t",
             "POST /api/v1/query\nquery=%Q&timeout=1s&limit=%d",
             "GET /api/v1/query_range?query=%Q&timeout=1s&start=%t&end=%t&step=%d",
             "GET /api/v1/format_query?query=%Q",
             "GET /api/v1/parse_query?query=%Q",
             "GET /api/v1/series?match[]=%V&start=%t&limit=%d",
             "GET /api/v1/labels?match[]=%V",
             "GET /api/v1/label/%n/values?match[]=%V",
             "GET /api/v1/rules?type=alert&rule_name[]=%n&match[]=%V",
             "GET /api/v1/alerts",
             "GET /api/v1/targets?state=%n",
             "GET /api/tocsin/overview",
             "POST /metrics/job/%n/%n/%s\n$E",
             "PUT /metrics/job/%n\n$E",
             "DELETE /metrics/job/%n",
             "GET /metrics",
             "POST /-/reload",
             "GET /federate?match[]=%V",
             "$$",
             "OPTIONS /api/v2/alerts"},
    ['A'] = {"{\"labels\":{\"alertname\":\"A\"}}", "{\"labels\":{$P}}",
             "{\"labels\":{\"alertname\":\"$n\",$P}}",
             "{\"labels\":{$P},\"annotations\":{$P},\"startsAt\":\"$Z\",\"endsAt\":\"$Z\"}",
             "{\"labels\":{\"alertname\":\"B\",$P},\"endsAt\":\"$Z\",\"generatorURL\":\"$s\"}",
             "$J"},
    ['P'] = {"\"a\":\"b\"", "\"$n\":\"$s\"", "\"$n\":\"$s\",$P", "\"$s\":$J"},
    ['S'] = {"{\"matchers\":[$N],\"startsAt\":\"2020-01-01T00:00:00Z\",\"endsAt\":\"2100-01-01T00:"
             "00:00Z\",\"createdBy\":\"$s\",\"comment\":\"$s\"}",
             "{\"id\":\"$i\",\"matchers\":[$N,$N],\"startsAt\":\"$Z\",\"endsAt\":\"$Z\","
             "\"createdBy\":\"me\",\"comment\":\"c\"}"},
    ['N'] = {"{\"name\":\"a\",\"value\":\"b\",\"isRegex\":false}",
             "{\"name\":\"$n\",\"value\":\"$g\",\"isRegex\":true,\"isEqual\":false}",
             "{\"name\":\"$n\",\"value\":\"$s\",\"isRegex\":false}", "$J"},
    ['J'] = {"null", "{}", "[]", "\"$s\"", "$d", "{\"$n\":$J}", "[$J,$J]", "{\"labels\":$J}",
             "true", "$$"},
    ['M'] = {"a=b", "$n=\"$s\"", "$n=~\"$g\"", "$n!~\"$g\"", "{$n!=\"$s\",$n=$s}", "$$"},
    ['B'] = {"active=false", "silenced=false", "inhibited=false", "active=%s", "unprocessed=true",
             "muted=false"},
    ['V'] = {"m", "{$L}", "m{$L}", "{$L,$L}", "ALERTS{$L}", "{__name__=~\"$g\"}"},
    ['L'] = {"a=\"b\"", "$n=\"$s\"", "$n=~\"$g\"", "$n!~\"$g\""},
    ['Q'] = {"m",
             "$V",
             "$d",
             "$Q $o $Q",
             "sum by ($n) ($Q)",
             "$f($Q)",
             "$w($V[5m])",
             "$w($Q[5m:10s])",
             "topk($d, $Q)",
             "count_values(\"$n\", $Q)",
             "label_replace($Q, \"$n\", \"$s\", \"$n\", \"$g\")",
             "$Q $o on ($n) group_left () $Q",
             "$V offset $ds",
             "$V @ $d",
             "($Q)",
             "-$Q",
             "\"$s\"",
             "histogram_quantile(0.9, $Q)",
             "quantile($d, $Q)",
             "$Q > bool $Q",
             "$$"},
    ['o'] = {"+", "-", "*", "/", "%", "^", "and", "or", "unless", "==", ">", "!="},
    ['f'] = {"abs", "sum", "count", "max", "sort", "absent", "scalar", "vector", "timestamp", "exp",
             "group", "info"},
    ['w'] = {"rate", "sum_over_time", "increase", "last_over_time", "delta", "deriv", "changes",
             "quantile_over_time", "absent_over_time", "stddev_over_time"},
    ['T'] = {"x", "{{ .Status }}", "{{ range .Alerts }}$T{{ end }}", "{{ $F }}", "$T$T",
             "{{ if $F }}$T{{ else }}$T{{ end }}",
             "{{ define \\\"$n\\\" }}$T{{ end }}{{ template \\\"$n\\\" . }}",
             "{{ with $F }}$T{{ end }}", "$$"},
    ['F'] = {".", ".CommonLabels", ".Alerts", "len $F", "toUpper \\\"$s\\\"",
             "reReplaceAll \\\"$g\\\" \\\"$s\\\" \\\"$s\\\"", "printf \\\"%$d$n\\\" $d",
             "join \\\",\\\" .CommonLabels.Values", "index .Alerts 0", "toJson .", "($F)",
             "eq $F $F", "now"},
    ['E'] = {"m 1\n", "m{$n=\"$s\"} $d\n$E", "# TYPE m counter\nm{a=\"$s\"} $d\n", "$n $d $t\n",
             "m{a=\"b\",a=\"c\"} 1\n", "$$"},
    ['n'] = {"a", "alertname", "b", "__name__", "job", "instance", "le", "severity", "m",
             "\xc3\xa9", "$$"},
    ['s'] = {"b", "", "x y", "\xc3\xa9\xe2\x82\xac", "<b>", "{{ .X }}", "http://h/p?q", "1", "$$"},
    ['g'] = {".*", "a|b", "(a+)+b", "[^x]?", "^$", "\\\\d+", "$$"},
    ['d'] = {"1", "0", "-1", "5m", "1e9", "NaN", "0.5", "99999999999", "10s", "+Inf"},
    ['t'] = {"0", "1e10", "2024-01-01T00:00:00Z", "-1", "4000000000", "$d"},
    ['Z'] = {"2100-01-01T00:00:00Z", "2020-01-01T00:00:00Z", "0001-01-01T00:00:00Z",
             "1970-01-01T00:00:00.000+01:00", "$s"},
    ['i'] = {"00000000-0000-0000-0000-000000000000", "", "x", "$s"},
    ['x'] = {"hook", ".*", "$g"},
};

struct input {
    const unsigned char *p;
    size_t n;
};

static unsigned next(struct input *in)
{
    if (in->n == 0)
        return 0;
    in->n--;
    return *in->p++;
}

static void add_for_url(struct buf *out, str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '.' || c == '_')
            buf_addc(out, (char)c);
        else
            buf_addf(out, "%%%02X", c);
    }
}

static void expand(struct input *in, struct buf *out, int what, unsigned depth)
{
    const char *const *alternatives = grammar[what];
    unsigned n = 0;
    const char *t;

    while (alternatives[n] != NULL)
        n++;
    t = alternatives[depth < DEPTH_MAX && out->n < EXPANDED_MAX ? next(in) % n : 0];
    for (; *t != '\0'; t++) {
        struct buf part = BUF_INIT;

        if (t[0] == '$' && t[1] == '$') {
            for (unsigned k = next(in) % 24; k != 0 && in->n != 0; k--)
                buf_addc(out, (char)next(in));
            t++;
        } else if (t[0] == '$' && t[1] > 0 && grammar[(int)t[1]][0] != NULL) {
            expand(in, out, *++t, depth + 1);
        } else if (t[0] == '%' && t[1] > 0 && grammar[(int)t[1]][0] != NULL && what == 'R') {
            expand(in, &part, *++t, depth + 1);
            add_for_url(out, buf_str(&part));
        } else {
            buf_addc(out, *t);
        }
        buf_release(&part);
    }
}

/* -- the program -- */

static char folder[64];
static pthread_t thread;

static const char config[] =
    "global: {evaluation_interval: 50ms, scrape_interval: 200ms, resolve_timeout: 2s}\n"
    "storage: {keep: all}\n"
    "push: {}\n"
    "rule_files: [rules.yml]\n"
    "scrape_configs: [{job_name: none, static_configs: [{targets: ['127.0.0.1:1']}]}]\n"
    "route:\n"
    "  receiver: hook\n"
    "  group_by: [alertname]\n"
    "  group_wait: 10ms\n"
    "  group_interval: 50ms\n"
    "  repeat_interval: 1s\n"
    "  routes: [{matchers: ['a=~\"b.*\"'], receiver: other, continue: true, group_by: [...]}]\n"
    "receivers:\n"
    "  - {name: hook, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}\n"
    "  - {name: other, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}\n"
    "inhibit_rules: [{source_matchers: [severity=b], target_matchers: [a=b], equal: [job]}]\n";

static const char rules[] = "groups:\n"
                            "  - name: g\n"
                            "    rules:\n"
                            "      - {record: 'r:m', expr: 'sum by (a, job) (m)'}\n"
                            "      - {alert: Ruled, expr: 'm > 0', annotations: {s: '{{ $labels.a "
                            "}} {{ $value | humanize }}'}}\n"
                            "      - {alert: Rate, expr: 'rate(m[1m]) != 0 or r:m < 0', for: "
                            "200ms, keep_firing_for: 300ms}\n"
                            "      - {alert: Gone, expr: 'absent(m)', labels: {severity: b}}\n";

static void put_file(const char *name, const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "w");
    BUG_ON(f == NULL || fputs(text, f) < 0 || fclose(f) != 0);
}

static void *serve(void *arg)
{
    static char file[128], storage[128], listen[128];
    static char *args[] = {"tocsin",
                           file,
                           storage,
                           listen,
                           "--sandbox=off",
                           "--log.level=error",
                           "--silences.max-silences=200",
                           "--alerts.max=2000",
                           NULL};

    (void)arg;
    snprintf(file, sizeof(file), "--config.file=%s/tocsin.yml", folder);
    snprintf(storage, sizeof(storage), "--storage.path=%s/data", folder);
    snprintf(listen, sizeof(listen), "--web.listen-address=unix:%s/socket", folder);
    BUG_ON(command_main((int)ARRAY_LEN(args) - 1, args) != EXIT_OK);
    return NULL;
}

static int connected(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(to.sun_path, sizeof(to.sun_path), "%s/socket", folder);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void end(void)
{
    char command[128];

    raise(SIGTERM);
    pthread_join(thread, NULL);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    (void)!system(command);
}

static void begin(void)
{
    int fd = -1;

    snprintf(folder, sizeof(folder), "/tmp/tocsin-fuzz-XXXXXX");
    BUG_ON(mkdtemp(folder) == NULL);
    put_file("tocsin.yml", config);
    put_file("rules.yml", rules);
    signal(SIGPIPE, SIG_IGN);
    hash_seed(1);
    BUG_ON(pthread_create(&thread, NULL, serve, NULL) != 0);
    for (int i = 0; fd < 0 && i < 2000; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        fd = connected();
    }
    BUG_ON(fd < 0);
    close(fd);
    atexit(end);
}

/* -- a request and its answer -- */

static void put_request(struct buf *out, str text)
{
    str head = str_cut(&text, '\n'), method = str_cut(&head, ' ');
    const char *type = str_starts_with(head, S("/metrics"))  ? "text/plain; version=0.0.4"
                       : str_starts_with(head, S("/api/v1")) ? "application/x-www-form-urlencoded"
                                                             : "application/json";

    buf_addf(out, "%.*s %.*s HTTP/1.0\r\nHost: x\r\n", STR(method), STR(head));
    if (text.n != 0)
        buf_addf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n", type, text.n);
    buf_adds(out, "\r\n");
    buf_add(out, text);
}

/* is_raw: it may be no whole request, so it is ended; who waits for a query must not look as if it had gone. */
static void exchange(str request, bool is_raw, struct buf *answer)
{
    struct pollfd p = {.fd = connected(), .events = POLLIN};
    char piece[8192];
    ssize_t n;

    BUG_ON(p.fd < 0);
    while (request.n != 0 && (n = send(p.fd, request.p, request.n, MSG_NOSIGNAL)) > 0)
        request = str_sub(request, (size_t)n, request.n);
    if (is_raw)
        shutdown(p.fd, SHUT_WR);
    do {
        BUG_ON(poll(&p, 1, WAIT_MS) != 1); /* no answer */
        n = read(p.fd, piece, sizeof(piece));
        if (n > 0)
            buf_add(answer, (str){piece, (size_t)n});
    } while (n > 0);
    close(p.fd);
}

static void must(bool ok, const char *what, str request, str answer)
{
    if (ok)
        return;
    fprintf(stderr, "program_fuzz: %s\n---- request\n%.*s\n---- answer\n%.*s\n----\n", what,
            STR(request), STR(str_sub(answer, 0, 4000)));
    abort();
}

static void check(str request, str answer, bool was_whole)
{
    ptrdiff_t body = str_find_str(answer, S("\r\n\r\n"));
    str head = str_sub(answer, 0, body < 0 ? 0 : (size_t)body);
    struct json_reader r;
    struct arena a;
    str json;

    if (answer.n == 0 && !was_whole)
        return; /* bytes that are no request */
    must(body >= 12 && str_starts_with(answer, S("HTTP/1.")), "no answer", request, answer);
    must(answer.p[9] != '5' || answer.p[11] == '3', "a failure", request, answer);
    json = str_sub(answer, (size_t)body + 4, answer.n);
    if (json.n == 0 || str_find_str(head, S("application/json")) < 0 ||
        str_find_str(head, S("\r\nTransfer-Encoding")) >= 0)
        return;
    arena_init(&a, 0);
    json_reader_init(&r, json, &a, 200);
    json_skip(&r);
    must(json_end(&r), "no JSON", request, answer);
    arena_release(&a);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct input in = {data, size};
    struct buf text = BUF_INIT, wire = BUF_INIT, answer = BUF_INIT;

    if (folder[0] == '\0')
        begin();
    for (int i = 0; i < REQUESTS_MAX && in.n != 0; i++) {
        bool is_raw;

        buf_clear(&text);
        buf_clear(&wire);
        buf_clear(&answer);
        expand(&in, &text, 'R', 0);
        is_raw = str_find_str(buf_str(&text), S(" /")) < 0;
        if (is_raw)
            buf_add(&wire, buf_str(&text));
        else
            put_request(&wire, buf_str(&text));
        exchange(buf_str(&wire), is_raw, &answer);
        check(buf_str(&wire), buf_str(&answer), !is_raw);
    }
    buf_release(&text);
    buf_release(&wire);
    buf_release(&answer);
    return 0;
}
