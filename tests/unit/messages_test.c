/* Built-in messages in two languages and zones, the names of the DingTalk bridge, labels of routes. */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "model/labels.h"
#include "notify/messages.h"
#include "tocsin/delivery.h"

#define START (1767225600 * NS_PER_S) /* 2026-01-01T00:00:00Z */

struct bench {
    struct arena a;
    struct notified_alert alert;
    struct notification n;
    struct messages *messages;
    struct messages_context c;
    struct err e;
};

static void set_up(struct bench *b, const char *language, const char *timezone)
{
    static const struct label labels[] = {{S_INIT("alertname"), S_INIT("Slow")},
                                          {S_INIT("severity"), S_INIT("page")},
                                          {S_INIT("x"), S_INIT("a\r\n# b](http://x)")}};
    static const struct label annotations[] = {{S_INIT("summary"), S_INIT("*big*")}};

    *b = (struct bench){.messages = messages_new(str_of(language), str_of(timezone), false, &b->e)};
    assert_non_null(b->messages);
    arena_init(&b->a, 0);
    b->alert = (struct notified_alert){.labels = {labels, 3},
                                       .annotations = {annotations, 1},
                                       .starts_at = START,
                                       .ends_at = TS_NONE};
    b->n = (struct notification){.receiver = S("r"),
                                 .group_labels = {labels, 1},
                                 .alerts = &b->alert,
                                 .n_alerts = 1,
                                 .n_firing = 1};
    b->c = (struct messages_context){
        .messages = b->messages, .n = &b->n, .external_url = S("http://am"), .now = START};
}

static void tear_down(struct bench *b)
{
    messages_free(b->messages);
    arena_release(&b->a);
}

static str render(struct bench *b, const char *text)
{
    str out = STR_NONE;

    if (!messages_render(&b->c, str_of(text), false, &b->a, &out, &b->e))
        fail_msg("%s: %s", text, b->e.msg);
    return out;
}

static bool has(str text, const char *part)
{
    return str_find_str(text, str_of(part)) >= 0;
}

static void languages(void **state)
{
    struct bench b;

    (void)state;
    set_up(&b, "en", "");
    assert_str(render(&b, "{{ (index .Alerts 0).StartsAt }} {{ (index .Alerts 0).EndsAt }}"),
               "2026-01-01 00:00:00 +0000 UTC 0001-01-01 00:00:00 +0000 UTC");
    assert_true(has(render(&b, "{{ template \"__subject\" . }}"), "[FIRING:1] Slow"));
    tear_down(&b);

    set_up(&b, "zh", "");
    assert_true(has(render(&b, "{{ template \"__subject\" . }}"), "[告警:1] Slow"));
    assert_true(has(render(&b, "{{ template \"pagerduty.default.instances\" .Alerts }}"),
                    "标签:\n - alertname = Slow"));
    assert_true(has(render(&b, "{{ template \"email.default.html\" . }}"), "1 条告警："));
    assert_str(render(&b, "{{ now }}"), "2026-01-01 08:00:00 +0800 CST");
    tear_down(&b);

    set_up(&b, "zh", "America/New_York");
    assert_true(
        has(render(&b, "{{ template \"dingtalk.default.text\" . }}"), "2025-12-31 19:00:00 EST"));
    tear_down(&b);
    assert_null(messages_new(S("en"), S("No/Where"), false, &b.e));
}

static void dingtalk_names(void **state)
{
    static const char *const names[] = {"default.title",  "default.content",  "legacy.title",
                                        "legacy.content", "ding.link.title",  "ding.link.content",
                                        "__subject",      "__alertmanagerURL"};
    struct bench b;
    str text;

    (void)state;
    set_up(&b, "en", "");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char call[64];

        snprintf(call, sizeof(call), "{{ template \"%s\" . }}", names[i]);
        assert_true(render(&b, call).n != 0);
    }
    (void)render(&b, "{{ template \"__text_alert_list\" .Alerts }}");
    text = render(&b, "{{ template \"default.__text_alert_list\" .Alerts }}");
    assert_true(has(text, "#### \\[PAGE\\] \\*big\\*"));
    assert_true(has(text, "> - x: a  # b\\](http://x)\n")); /* neither heading nor link */
    text = render(&b, "{{ template \"dingtalk.default.text\" . }}");
    assert_true(has(text, "a  \\# b\\](http://x)") && !has(text, "\n# b"));
    assert_str(render(&b,
                      "{{ .Status | upper }} {{ dateInZone \"15:04\" (index .Alerts 0).StartsAt "
                      "\"Asia/Shanghai\" }}"),
               "FIRING 08:00");
    tear_down(&b);
}

/* What is told, by whom and in how many messages is there for templates, and not in what they print of the data. */
static void acts(void **state)
{
    static const char text[] = "{{ .Act }} {{ join \",\" .Actors }} {{ .Part }}/{{ .Parts }}";
    static const str actors[] = {S_INIT("alice"), S_INIT("bob")};
    struct bench b;

    (void)state;
    set_up(&b, "en", "");
    assert_str(render(&b, text), "firing  1/1");
    b.n.act = ACT_ACKED;
    b.n.actors = actors;
    b.n.n_actors = 2;
    b.n.part = 2;
    b.n.n_parts = 3;
    assert_str(render(&b, text), "acked alice,bob 2/3");
    assert_false(has(render(&b, "{{ . | toJson }}{{ printf \"%v\" . }}"), "alice"));
    b.n.act = ACT_TEST;
    assert_str(render(&b, "{{ .Act }}: {{ .NotificationReason }}"), "test: test notification");
    tear_down(&b);
}

/* Time.Local is the zone that was chosen, else that of the process. */
static void local_times(void **state)
{
    static const char text[] = "{{ range .Alerts }}{{ .StartsAt.Local.Format \"15:04 MST\" }} {{ "
                               ".StartsAt.Local.Location }}{{ end }}";
    struct bench b;

    (void)state;
    setenv("TZ", "Europe/Berlin", 1);
    set_up(&b, "en", "");
    assert_str(render(&b, text), "01:00 CET Europe/Berlin");
    tear_down(&b);
    set_up(&b, "en", "America/New_York");
    assert_str(render(&b, text), "19:00 EST America/New_York");
    tear_down(&b);
    setenv("TZ", "No/Where", 1);
    set_up(&b, "en", "");
    assert_str(render(&b, text), "00:00 UTC UTC");
    tear_down(&b);
    unsetenv("TZ");
}

static void labels_of_routes(void **state)
{
    static const struct label v[] = {
        {S_INIT("team"), S_INIT("{{ .GroupLabels.alertname }}-{{ .NotificationReason }}")},
        {S_INIT("channel"), S_INIT("#{{ routeLabels \"team\" }}{{ routeLabels \"nope\" }}")},
        {S_INIT("a"), S_INIT("{{ routeLabels \"b\" }}")},
        {S_INIT("b"), S_INIT("{{ routeLabels \"a\" }}")},
        {S_INIT("plain"), S_INIT("p")},
    };
    const struct labels templates = {v, ARRAY_LEN(v)};
    struct labels ls;
    struct bench b;

    (void)state;
    set_up(&b, "en", "");
    ls = messages_route_labels(&b.c, templates, &b.a);
    assert_int_equal(ls.n, 3); /* a and b need each other */
    assert_str(labels_get(ls, S("team")), "Slow-unknown");
    assert_str(labels_get(ls, S("channel")), "#Slow-unknown");
    assert_str(labels_get(ls, S("plain")), "p");
    b.n.route_labels = ls;
    assert_str(render(&b, "{{ .RouteLabels.channel }}"), "#Slow-unknown");
    assert_str(render(&b, "{{ routeLabels \"team\" }}{{ routeLabels \"nope\" }}"), "Slow-unknown");
    tear_down(&b);
}

/* A file for the DingTalk bridge: what it defines anew is what the robot says, its data and functions are there. */
static void bridge_files(void **state)
{
    static const struct {
        const char *file, *text, *title;
    } cases[] = {
        {"{{ define \"ding.link.content\" }}C {{ range .AtMobiles }}@{{ . }}{{ end }}{{ end }}"
         "{{ define \"ding.link.title\" }}T {{ .Status | upper }}{{ end }}",
         "C @138", "T FIRING"},
        {"{{ define \"default.content\" }}D{{ end }}{{ define \"default.title\" }}DT{{ end }}", "D",
         "DT"},
        {"{{ define \"dingtalk.default.text\" }}own{{ end }}"
         "{{ define \"ding.link.content\" }}C{{ end }}",
         "own", "Page: *big*"},
    };
    str mobile = S("138");
    const struct conf_strings mobiles = {&mobile, 1};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char path[] = "/tmp/tocsin-messages-XXXXXX";
        int fd = mkstemp(path);
        str pattern = str_of(path);
        struct diags d;
        struct bench b;

        assert_true(fd >= 0);
        assert_int_equal(write(fd, cases[i].file, strlen(cases[i].file)), strlen(cases[i].file));
        close(fd);
        set_up(&b, "en", "");
        diags_init(&d);
        assert_true(messages_load(b.messages, NULL, &pattern, 1, &d));
        b.c.at_mobiles = &mobiles;
        assert_str(render(&b, "{{ template \"dingtalk.default.text\" . }}"), cases[i].text);
        assert_str(render(&b, "{{ template \"dingtalk.default.title\" . }}"), cases[i].title);
        diags_release(&d);
        tear_down(&b);
        unlink(path);
    }
}

static bool json_has(const struct bench *b, const char *text)
{
    struct buf out = BUF_INIT;
    bool has;

    notification_json(&out, &b->n, S("http://x/<y>"));
    has = str_find_str(buf_str(&out), str_of(text)) >= 0;
    buf_release(&out);
    return has;
}

/* Of one alert all is common, of two what both say; however long it is, and of nobody nothing. */
static void common_labels(void **state)
{
    static char text[3000];
    struct label labels[] = {{S("alertname"), S("Slow")}, {S("n"), S("1")}, {S("z"), STR_NONE}};
    struct label others[] = {{S("alertname"), S("Slow")}, {S("n"), S("2")}};
    struct notified_alert two[2];
    struct bench b;

    (void)state;
    memset(text, 'l', sizeof(text) - 1);
    set_up(&b, "en", "");
    assert_true(json_has(&b, "\"commonLabels\":{\"alertname\":\"Slow\",\"severity\":\"page\","
                             "\"x\":\"a\\r\\n# b](http://x)\"},"
                             "\"commonAnnotations\":{\"summary\":\"*big*\"},\"routeLabels\":{}"));
    labels[2].value = str_of(text);
    b.alert.labels = (struct labels){labels, 3};
    assert_true(json_has(&b, "l\"},\"commonAnnotations\":{\"summary\":\"*big*\"}"));
    two[0] = two[1] = b.alert;
    two[1].labels = (struct labels){others, 2};
    two[1].annotations = LABELS_NONE;
    b.n.alerts = two;
    b.n.n_alerts = 2;
    assert_true(json_has(
        &b, "\"commonLabels\":{\"alertname\":\"Slow\"},\"commonAnnotations\":{},\"routeLabels\""));
    b.n.n_alerts = 0;
    assert_true(json_has(&b, "\"commonLabels\":{},\"commonAnnotations\":{}"));
    tear_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(languages),    cmocka_unit_test(dingtalk_names),
        cmocka_unit_test(bridge_files), cmocka_unit_test(acts),
        cmocka_unit_test(local_times),  cmocka_unit_test(labels_of_routes),
        cmocka_unit_test(common_labels)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
