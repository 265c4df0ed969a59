/* receivers_test.c - steps of receivers, driven by hand: what they send byte for byte, what they make of answers. */
#include "unit.h"
#include "base/buf.h"
#include "base/diags.h"
#include "codec/yaml.h"
#include "schema/schema.h"
#include "tocsin/receiver.h"

struct bench {
    struct arena a;
    struct global_conf global;
    struct notified_alert alert;
    struct notification n;
    struct delivery d;
    struct http_answer answer;
    struct http_header header;
    const struct receiver_type *type;
    size_t errors;
};

/* Texts with a template come back marked, a few with what the real data would give. */
static bool render(struct delivery *d, str text, bool html, str *out)
{
    static const struct {
        const char *text, *out;
    } known[] = {
        {"{{ .Alerts.Firing | toJson }}", "[{\"status\":\"firing\",\"n\":[1,true,\"x\"]}]"},
        {"{{ .Alerts.Resolved | toJson }}", "[]"},
        {"{{ .Alerts.Firing | len }}", "1"},
        {"{{ .Alerts.Resolved | len }}", "0"},
        {"{{ oncall }}", "u1, u2"},
        {"{{ empty }}", ""},
    };

    assert_false(html);
    if (str_find_str(text, S("{{ fail }}")) >= 0)
        return err_set(&d->err, ERR_INVALID, "the template failed");
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (str_is(text, known[i].text)) {
            *out = str_of(known[i].out);
            return true;
        }
    }
    *out = arena_printf(d->arena, "[%.*s]", STR(text));
    return true;
}

static bool secret(struct delivery *d, struct secret s, str *out)
{
    (void)d;
    *out = s.hidden;
    return s.file.n == 0;
}

static const struct receiver_type *find(const char *name)
{
    for (size_t i = 0; receiver_types[i] != NULL; i++)
        if (strcmp(receiver_types[i]->name, name) == 0)
            return receiver_types[i];
    fail_msg("no receiver %s", name);
    return NULL;
}

static void set_up(struct bench *b, const char *name, const char *yaml)
{
    static const struct label labels[] = {{S_INIT("alertname"), S_INIT("Slow")}};
    struct diags faults;
    struct conf_run run = {.a = &b->a, .d = &faults};
    struct conf_part part;
    struct yaml_doc doc;
    const struct receiver_view view = {.global = &b->global};
    const struct conf_in in = {.run = &run, .doc = &doc, .index = -1};
    struct conf_check c;
    void *conf;

    *b = (struct bench){.type = find(name)};
    arena_init(&b->a, 0);
    diags_init(&faults);
    b->global.slack_app_url = S("https://slack.com/api/chat.postMessage");
    b->global.pagerduty_url = S("https://events.pagerduty.com/v2/enqueue");
    assert_true(yaml_parse(str_of(yaml), S("t.yml"), &b->a, &doc, &faults));
    part = (struct conf_part){&doc, doc.root};
    conf = arena_zalloc(&b->a, b->type->conf->size);
    assert_true(conf_decode(&run, &part, 1, (struct conf_layer){b->type->conf, conf, &b->global}));
    c = conf_check_of(&in, &part, 1);
    b->type->check(conf, &view, &c);
    b->errors = faults.errors;
    diags_release(&faults);
    b->alert = (struct notified_alert){.labels = {labels, 1}, .ends_at = TS_NONE};
    b->n = (struct notification){.receiver = S("r"),
                                 .group_key = S("{}:{alertname=\"Slow\"}"),
                                 .alerts = &b->alert,
                                 .n_alerts = 1,
                                 .n_firing = 1};
    b->d = (struct delivery){.n = &b->n,
                             .conf = conf,
                             .now = 1700000000123 * NS_PER_MS,
                             .arena = &b->a,
                             .secret = secret,
                             .render = render};
}

static void tear_down(struct bench *b)
{
    arena_release(&b->a);
}

static void assert_sends(struct bench *b, const char *url, const char *body)
{
    assert_int_equal(b->errors, 0);
    assert_int_equal(b->type->step(&b->d), DELIVERY_SEND_HTTP);
    assert_str(b->d.request.method, "POST");
    assert_str(b->d.request.url, url);
    assert_str(http_header_get(&b->d.request.headers, S("Content-Type")), "application/json");
    if (body != NULL)
        assert_str(b->d.request.body, body);
}

static enum delivery_verdict answer(struct bench *b, int status, const char *name,
                                    const char *value, const char *body)
{
    str copy = arena_str(&b->a, str_of(body)); /* gone when the step returns, as in life */
    enum delivery_verdict v;

    b->header = (struct http_header){str_of(name), str_of(value)};
    b->answer = (struct http_answer){status, {&b->header, name != NULL}, copy};
    b->d.err = (struct err)ERR_INIT;
    b->d.failure = FAILURE_OTHER;
    b->d.answer = &b->answer;
    v = b->type->step(&b->d);
    b->d.answer = NULL;
    memset((char *)(uintptr_t)copy.p, '#', copy.n);
    return v;
}

static enum delivery_verdict answer_json(struct bench *b, const char *body)
{
    return answer(b, 200, "Content-Type", "application/json; charset=utf-8", body);
}

static void assert_says(struct bench *b, const char *part)
{
    if (strstr(b->d.err.msg, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, b->d.err.msg);
}

/* -- slack -- */

#define SLACK_PLAIN                                                                                \
    "title: t\ntitle_link: ''\npretext: ''\ntext: a<b\nfallback: f\ncallback_id: ''\n"             \
    "footer: ''\ncolor: ''\nusername: ''\nicon_emoji: ''\nicon_url: ''\n"

static void slack_smallest(void **state)
{
    struct bench b;

    (void)state;
    set_up(&b, "slack", "api_url: https://hooks.slack.com/x\n" SLACK_PLAIN);
    assert_sends(&b, "https://hooks.slack.com/x",
                 "{\"attachments\":[{\"title\":\"t\",\"text\":\"a\\u003cb\",\"fallback\":\"f\","
                 "\"callback_id\":\"\",\"footer\":\"\",\"mrkdwn_in\":[\"fallback\",\"pretext\","
                 "\"text\"]}]}\n");
    assert_int_equal(b.d.request.headers.n, 1);
    tear_down(&b);
}

static void slack_everything(void **state)
{
    struct bench b;

    (void)state;
    set_up(&b, "slack",
           "app_token: xoxb\nchannel: '#c{{ x }}'\nusername: u\nicon_emoji: ':x:'\n"
           "icon_url: http://i\nlink_names: true\nmessage_text: m\ntitle: t\ntitle_link: l\n"
           "pretext: p\ntext: x\nfallback: f\ncallback_id: c\nfooter: o\ncolor: good\n"
           "image_url: im\nthumb_url: th\nmrkdwn_in: [text]\nshort_fields: true\n"
           "fields: [{title: a, value: b}, {title: c, value: d, short: false}]\n"
           "actions: [{type: button, text: T, url: http://u, style: danger}, {type: button, "
           "text: T, name: n, value: v, confirm: {text: q, title: w, ok_text: y, "
           "dismiss_text: z}}]\n");
    assert_sends(
        &b, "https://slack.com/api/chat.postMessage",
        "{\"channel\":\"[#c{{ x }}]\",\"username\":\"u\",\"icon_emoji\":\":x:\","
        "\"icon_url\":\"http://i\",\"link_names\":true,\"text\":\"m\",\"attachments\":[{"
        "\"title\":\"t\",\"title_link\":\"l\",\"pretext\":\"p\",\"text\":\"x\",\"fallback\":\"f\","
        "\"callback_id\":\"c\",\"fields\":[{\"title\":\"a\",\"value\":\"b\",\"short\":true},"
        "{\"title\":\"c\",\"value\":\"d\",\"short\":false}],\"actions\":[{\"type\":\"button\","
        "\"text\":\"T\",\"url\":\"http://u\",\"style\":\"danger\"},{\"type\":\"button\","
        "\"text\":\"T\",\"name\":\"n\",\"value\":\"v\",\"confirm\":{\"text\":\"q\","
        "\"title\":\"w\",\"ok_text\":\"y\",\"dismiss_text\":\"z\"}}],\"image_url\":\"im\","
        "\"thumb_url\":\"th\",\"footer\":\"o\",\"color\":\"good\",\"mrkdwn_in\":[\"text\"]}]}\n");
    assert_str(http_header_get(&b.d.request.headers, S("Authorization")), "Bearer xoxb");
    tear_down(&b);
}

static void slack_answers(void **state)
{
    struct bench b;

    (void)state;
    set_up(&b, "slack", "api_url: https://hooks.slack.com/x\n" SLACK_PLAIN);
    assert_sends(&b, "https://hooks.slack.com/x", NULL);
    assert_int_equal(answer(&b, 200, NULL, NULL, "ok"), DELIVERY_OK);
    assert_int_equal(answer(&b, 200, NULL, NULL, "ok\n"), DELIVERY_FAILED);
    assert_int_equal(answer(&b, 200, NULL, NULL, "no_text"), DELIVERY_FAILED);
    assert_says(&b, "no_text");
    assert_int_equal(answer_json(&b, "{\"ok\":true}"), DELIVERY_OK);
    assert_int_equal(b.d.n_kept, 0);
    assert_int_equal(answer_json(&b, "{\"ok\":false,\"error\":\"not_in_channel\"}"),
                     DELIVERY_FAILED);
    assert_says(&b, "not_in_channel");
    assert_int_equal(answer_json(&b, "{}"), DELIVERY_FAILED);
    assert_int_equal(answer_json(&b, "{\"ok\":tr"), DELIVERY_RETRY);
    assert_int_equal(answer(&b, 500, NULL, NULL, ""), DELIVERY_RETRY);
    assert_int_equal(answer(&b, 404, NULL, NULL, "no_service"), DELIVERY_FAILED);
    assert_says(&b, "404: no_service");
    assert_int_equal(answer(&b, 429, "Retry-After", "7", ""), DELIVERY_RETRY_AFTER);
    assert_int_equal(b.d.retry_after, 7 * NS_PER_S);
    assert_int_equal(b.d.failure, FAILURE_RATE_LIMITED);
    b.d.lost = true;
    assert_int_equal(answer(&b, 0, NULL, NULL, ""), DELIVERY_RETRY);
    assert_int_equal(answer(&b, 200, NULL, NULL, ""), DELIVERY_RETRY); /* its body says it */
    tear_down(&b);
}

/* An answer whose body did not come whole: the status has said it. */
static void a_status_suffices(void **state)
{
    struct bench b;

    (void)state;
    set_up(&b, "webhook", "url: http://a\n");
    assert_sends(&b, "[http://a]", NULL);
    b.d.lost = true;
    assert_int_equal(answer(&b, 200, NULL, NULL, ""), DELIVERY_OK);
    assert_int_equal(answer(&b, 204, NULL, NULL, ""), DELIVERY_OK);
    assert_int_equal(answer(&b, 404, NULL, NULL, ""), DELIVERY_FAILED);
    assert_int_equal(answer(&b, 500, NULL, NULL, ""), DELIVERY_RETRY);
    assert_int_equal(answer(&b, 429, "Retry-After", "7", ""), DELIVERY_RETRY_AFTER);
    assert_int_equal(answer(&b, 0, NULL, NULL, ""), DELIVERY_RETRY);
    tear_down(&b);
}

static void waits_are_capped(void **state)
{
    static const char *const asked[] = {"299", "300", "301", "86400", "9999999999"};
    struct bench b;

    (void)state;
    set_up(&b, "webhook", "url: http://a\n");
    assert_sends(&b, "[http://a]", NULL);
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        assert_int_equal(answer(&b, i % 2 != 0 ? 503 : 429, "Retry-After", asked[i], "busy"),
                         DELIVERY_RETRY_AFTER);
        assert_int_equal(b.d.retry_after, (i == 0 ? 299 : 300) * NS_PER_S);
        assert_says(&b, "busy");
        if (i > 1)
            assert_says(&b, arena_printf(&b.a, "a wait of %s s and gets 300", asked[i]).p);
        else
            assert_null(strstr(b.d.err.msg, "wait"));
    }
    tear_down(&b);
}

static void slack_updates(void **state)
{
    struct bench b;

    (void)state;
    set_up(&b, "slack", "app_token: x\nchannel: '#c'\nupdate_message: true\n" SLACK_PLAIN);
    assert_sends(&b, "https://slack.com/api/chat.postMessage", NULL);
    assert_int_equal(answer_json(&b, "{\"ok\":true,\"channel\":\"C1\",\"ts\":\"1.2\"}"),
                     DELIVERY_OK);
    assert_int_equal(b.d.n_kept, 2);
    assert_str(b.d.kept[0].key, "threadTs");
    assert_str(b.d.kept[0].value, "1.2");
    assert_str(b.d.kept[1].key, "channelId");
    assert_str(b.d.kept[1].value, "C1");
    assert_sends(&b, "https://slack.com/api/chat.update", NULL);
    assert_true(str_starts_with(b.d.request.body, S("{\"channel\":\"C1\",\"attachments\":")));
    assert_true(str_ends_with(b.d.request.body, S("}],\"ts\":\"1.2\"}\n")));
    /* deleted by somebody: a new one in its place */
    assert_int_equal(answer_json(&b, "{\"ok\":false,\"error\":\"message_not_found\"}"),
                     DELIVERY_SEND_HTTP);
    assert_str(b.d.request.url, "https://slack.com/api/chat.postMessage");
    assert_true(str_starts_with(b.d.request.body, S("{\"channel\":\"#c\",")));
    assert_int_equal(answer_json(&b, "{\"ok\":true,\"channel\":\"C1\",\"ts\":\"3.4\"}"),
                     DELIVERY_OK);
    assert_str(b.d.kept[0].value, "3.4");
    tear_down(&b);
}

/* A page must come: a text whose template fails becomes a plain line, what is no text is left out. What says where to is
 * final, as nobody knows where the message would go. */
static void failing_templates(void **state)
{
    static const struct {
        const char *type, *conf, *part; /* part: of the body; NULL: FAILED */
    } cases[] = {
        {"slack", "api_url: http://x\ntext: '{{ fail }}'\n",
         "\"text\":\"[FIRING:1] Slow: the template failed\""},
        {"slack", "api_url: http://x\ncolor: '{{ fail }}'\n",
         "slack.default.footer\\\" . }}]\",\"mrkdwn_in\""},
        {"slack", "api_url: http://x\nchannel: '{{ fail }}'\n", "{\"username\":"},
        {"slack", "api_url: http://x\nfields: [{title: a, value: '{{ fail }}'}]\n",
         "{\"title\":\"a\",\"value\":\"[FIRING:1] Slow: the template failed\""},
        {"pagerduty", "routing_key: k\ndetails: {a: [{b: '{{ fail }}'}]}\n",
         "{\"b\":\"[FIRING:1] Slow: the template failed\"}"},
        {"pagerduty", "routing_key: k\nseverity: '{{ fail }}'\n", "\"severity\":\"error\""},
        {"pagerduty", "routing_key: k\nlinks: [{href: '{{ fail }}'}]\n", "\"summary\":"},
        {"pagerduty", "service_key: '{{ fail }}'\n", NULL},
        {"dingtalk", "url: http://x\ntext: '{{ fail }}'\n",
         "\"text\":\"[FIRING:1] Slow: the template failed\""},
        {"dingtalk", "url: http://x\nmention: {user_ids: ['{{ fail }}']}\n", "\"atUserIds\":[]"},
        {"webhook", "url: http://x\npayload: {a: '{{ fail }}'}\n",
         "{\"a\":\"[FIRING:1] Slow: the template failed\"}"},
        {"webhook", "url: 'http://x/{{ fail }}'\n", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b;

        set_up(&b, cases[i].type, cases[i].conf);
        assert_int_equal(b.type->step(&b.d),
                         cases[i].part != NULL ? DELIVERY_SEND_HTTP : DELIVERY_FAILED);
        assert_says(&b, "the template failed");
        if (cases[i].part != NULL && str_find_str(b.d.request.body, str_of(cases[i].part)) < 0)
            fail_msg("%s: %.*s", cases[i].conf, STR(b.d.request.body));
        tear_down(&b);
    }
}

/* -- pagerduty -- */

#define ALWAYS                                                                                     \
    "\"firing\":[{\"n\":[1,true,\"x\"],\"status\":\"firing\"}],\"num_firing\":1,"                  \
    "\"num_resolved\":0,\"resolved\":[]"

static void pagerduty_v2(void **state)
{
    struct bench b;
    str want;

    (void)state;
    set_up(&b, "pagerduty",
           "routing_key: k\nclient: c\nclient_url: u\ndescription: d\nclass: cl\ncomponent: co\n"
           "group: g\ndetails: {zone: 'a b', num_resolved: 5, deep: {b: [no, 1.5, '07x'], "
           "a: null}}\nimages: [{src: s, alt: a, href: h}, {src: '{{ empty }}', alt: x}]\n"
           "links: [{href: '{{ empty }}', text: x}, {href: l, text: t}]\n");
    want = arena_printf(
        &b.a,
        "{\"routing_key\":\"k\",\"dedup_key\":\"%.*s\",\"event_action\":\"trigger\",\"payload\":{"
        "\"summary\":\"d\",\"source\":\"c\",\"severity\":\"error\",\"class\":\"cl\","
        "\"component\":\"co\",\"group\":\"g\",\"custom_details\":{\"deep\":{\"a\":null,\"b\":["
        "false,1.5,\"07x\"]},\"firing\":[{\"n\":[1,true,\"x\"],\"status\":\"firing\"}],"
        "\"num_firing\":1,\"num_resolved\":5,\"resolved\":[],\"zone\":\"a b\"}},\"client\":\"c\","
        "\"client_url\":\"u\",\"images\":[{\"src\":\"s\",\"alt\":\"a\",\"href\":\"h\"}],"
        "\"links\":[{\"href\":\"l\",\"text\":\"t\"}]}\n",
        STR(delivery_group_hash(&b.d)));
    assert_sends(&b, "https://events.pagerduty.com/v2/enqueue", want.p);
    tear_down(&b);
}

static void pagerduty_v1(void **state)
{
    static const char url[] = "https://events.pagerduty.com/generic/2010-04-15/create_event.json";
    struct bench b;
    str hash, want;

    (void)state;
    set_up(&b, "pagerduty", "service_key: k\nclient: c\nclient_url: u\ndescription: d\n");
    hash = delivery_group_hash(&b.d);
    want = arena_printf(&b.a,
                        "{\"service_key\":\"k\",\"incident_key\":\"%.*s\",\"event_type\":"
                        "\"trigger\",\"description\":\"d\",\"event_action\":\"\",\"payload\":null,"
                        "\"client\":\"c\",\"client_url\":\"u\",\"details\":{" ALWAYS "}}\n",
                        STR(hash));
    assert_sends(&b, url, want.p);
    b.n.n_firing = 0;
    want = arena_printf(&b.a,
                        "{\"service_key\":\"k\",\"incident_key\":\"%.*s\",\"event_type\":"
                        "\"resolve\",\"description\":\"d\",\"event_action\":\"\",\"payload\":null,"
                        "\"details\":{" ALWAYS "}}\n",
                        STR(hash));
    assert_sends(&b, url, want.p);
    assert_int_equal(answer(&b, 403, NULL, NULL, ""), DELIVERY_RETRY);
    assert_int_equal(answer(&b, 200, NULL, NULL, ""), DELIVERY_OK);
    assert_int_equal(answer(&b, 502, NULL, NULL, ""), DELIVERY_RETRY);
    tear_down(&b);
}

static void pagerduty_limits(void **state)
{
    struct bench b;
    struct buf y = BUF_INIT;

    (void)state;
    buf_adds(&y, "routing_key: k\ndescription: ");
    buf_pad(&y, 'd', 2000);
    buf_adds(&y, "\ndetails: {big: ");
    buf_pad(&y, 'x', 512000);
    buf_adds(&y, "}\n");
    set_up(&b, "pagerduty", buf_z(&y));
    assert_sends(&b, "https://events.pagerduty.com/v2/enqueue", NULL);
    assert_true(b.d.request.body.n < 3000);
    assert_true(str_find_str(b.d.request.body, S("ddd…\",\"source\"")) > 0);
    assert_true(str_find_str(b.d.request.body,
                             S("\"custom_details\":{\"error\":\"Custom details have been removed "
                               "because the original event exceeds the maximum size of "
                               "512KB\"}")) > 0);
    tear_down(&b);
    buf_release(&y);
    set_up(&b, "pagerduty", "routing_key: '{{ empty }}'\n");
    assert_int_equal(b.type->step(&b.d), DELIVERY_FAILED);
    assert_says(&b, "routing key is empty");
    tear_down(&b);
}

static void pagerduty_answers(void **state)
{
    struct bench b;

    (void)state;
    set_up(&b, "pagerduty", "routing_key: k\n");
    assert_sends(&b, "https://events.pagerduty.com/v2/enqueue", NULL);
    assert_int_equal(answer(&b, 202, NULL, NULL, "{}"), DELIVERY_OK);
    assert_int_equal(answer(&b, 429, NULL, NULL, ""), DELIVERY_RETRY);
    assert_int_equal(answer(&b, 500, NULL, NULL, ""), DELIVERY_RETRY);
    assert_int_equal(answer(&b, 403, NULL, NULL, ""), DELIVERY_FAILED);
    assert_int_equal(answer(&b, 400, NULL, NULL,
                            "{\"status\":\"invalid event\",\"message\":\"Event object is "
                            "invalid\",\"errors\":[\"no summary\",\"no source\"]}"),
                     DELIVERY_FAILED);
    assert_says(&b, "400: Event object is invalid: no summary,no source");
    assert_int_equal(b.d.failure, FAILURE_CLIENT);
    assert_int_equal(answer(&b, 400, NULL, NULL, "oops"), DELIVERY_FAILED);
    assert_says(&b, "400: oops");
    tear_down(&b);
}

/* -- dingtalk -- */

static void dingtalk_bodies(void **state)
{
    struct bench b;

    (void)state;
    set_up(&b, "dingtalk",
           "access_token: a+b\ntitle: T\ntext: hello @u1\nkeywords: [alarm, pager]\n"
           "mention: {mobiles: ['+86-1'], user_ids: ['{{ oncall }}', '{{ empty }}']}\n");
    assert_sends(&b, "https://oapi.dingtalk.com/robot/send?access_token=a%2Bb",
                 "{\"msgtype\":\"markdown\",\"markdown\":{\"title\":\"T\",\"text\":\"hello @u1\\n"
                 "@+86-1 @u2\\n\\nalarm\"},\"at\":{\"atMobiles\":[\"+86-1\"],\"atUserIds\":[\"u1\","
                 "\"u2\"],\"isAtAll\":false}}");
    tear_down(&b);
    set_up(&b, "dingtalk",
           "url: https://x/send?access_token=a\nmessage_type: text\ntext: the pager & all\n"
           "keywords: [alarm, pager]\nmention: {all: true}\n");
    assert_sends(&b, "https://x/send?access_token=a",
                 "{\"msgtype\":\"text\",\"text\":{\"content\":\"the pager & all\"},\"at\":{"
                 "\"atMobiles\":[],\"atUserIds\":[],\"isAtAll\":true}}");
    tear_down(&b);
    set_up(&b, "dingtalk",
           "url: http://x\nmessage_type: actionCard\ntitle: T\ntext: t\nsingle_title: s\n"
           "single_url: u\n");
    assert_sends(&b, "http://x",
                 "{\"msgtype\":\"actionCard\",\"actionCard\":{\"title\":\"T\",\"text\":\"t\","
                 "\"singleTitle\":\"s\",\"singleURL\":\"u\"}}");
    tear_down(&b);
    set_up(&b, "dingtalk",
           "url: http://x\nmessage_type: actionCard\ntitle: T\ntext: t\nbuttons: [{title: a, "
           "url: b}, {title: c, url: d}]\n");
    assert_sends(&b, "http://x",
                 "{\"msgtype\":\"actionCard\",\"actionCard\":{\"title\":\"T\",\"text\":\"t\","
                 "\"btns\":[{\"title\":\"a\",\"actionURL\":\"b\"},{\"title\":\"c\",\"actionURL\":"
                 "\"d\"}]}}");
    tear_down(&b);
}

static void dingtalk_signs(void **state)
{
    struct bench b;

    (void)state;
    set_up(&b, "dingtalk", "url: http://x/send?access_token=a\nsecret: SECabc\ntext: t\n");
    assert_sends(&b,
                 "http://x/"
                 "send?access_token=a&timestamp=1700000000123&sign=IqXBU%2FaLfwMA3S%"
                 "2FtDcfRmHx5vWHw9Y1aOgFLBr1Ti9w%3D",
                 NULL);
    tear_down(&b);
}

static void dingtalk_cuts(void **state)
{
    struct bench b;
    struct buf y = BUF_INIT;

    (void)state;
    buf_adds(&y, "url: http://x\ntitle: T\nkeywords: [alarm]\ntext: ");
    for (size_t i = 0; i < 9000; i++)
        buf_adds(&y, "警");
    buf_adds(&y, "\n");
    set_up(&b, "dingtalk", buf_z(&y));
    assert_sends(&b, "http://x", NULL);
    assert_true(b.d.request.body.n <= 20000 && b.d.request.body.n > 19990);
    assert_true(str_find_str(b.d.request.body, S("警…\\n\\nalarm\"}")) > 0);
    tear_down(&b);
    buf_release(&y);
}

static void dingtalk_answers(void **state)
{
    static const struct {
        const char *body;
        enum delivery_verdict verdict;
        const char *says;
    } rows[] = {
        {"{\"errcode\":0,\"errmsg\":\"ok\"}", DELIVERY_OK, ""},
        {"{\"errcode\":310000,\"errmsg\":\"keywords not in content\"}", DELIVERY_FAILED,
         "set \"keywords\""},
        {"{\"errcode\":310000,\"errmsg\":\"sign not match\"}", DELIVERY_FAILED, "set \"secret\""},
        {"{\"errcode\":310000,\"errmsg\":\"ip 1.2.3.4 not in whitelist\"}", DELIVERY_FAILED,
         "IP address"},
        {"{\"errcode\":310000,\"errmsg\":\"invalid timestamp\"}", DELIVERY_FAILED, "clock"},
        {"{\"errcode\":310000,\"errmsg\":\"机器人发送签名过期\"}", DELIVERY_FAILED, "clock"},
        {"{\"errcode\":130101,\"errmsg\":\"send too fast\"}", DELIVERY_RETRY_AFTER, "too fast"},
        {"{\"errcode\":410100,\"errmsg\":\"\"}", DELIVERY_RETRY_AFTER, "410100"},
        {"{\"status\":1111,\"wait\":5,\"punish\":\"deny\"}", DELIVERY_RETRY_AFTER, "20 messages"},
        {"{\"errcode\":-1,\"errmsg\":\"busy\"}", DELIVERY_RETRY, "busy"},
        {"{\"errcode\":460101,\"errmsg\":\"too long\"}", DELIVERY_FAILED, "bytes is too long"},
        {"{\"errcode\":101002,\"errmsg\":\"too long\"}", DELIVERY_FAILED, "bytes is too long"},
        {"{\"errcode\":400102,\"errmsg\":\"stopped\"}", DELIVERY_FAILED, "robot is stopped"},
        {"{\"errcode\":40035,\"errmsg\":\"bad\"}", DELIVERY_FAILED, "40035: bad"},
        {"<html>", DELIVERY_RETRY, "not an answer of DingTalk"},
    };
    struct bench b;

    (void)state;
    set_up(&b, "dingtalk", "url: http://x\ntext: t\n");
    assert_sends(&b, "http://x", NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(answer(&b, 200, NULL, NULL, rows[i].body), rows[i].verdict);
        assert_says(&b, rows[i].says);
        if (rows[i].verdict == DELIVERY_RETRY_AFTER)
            assert_int_equal(b.d.retry_after, NS_PER_M);
    }
    assert_int_equal(answer(&b, 502, NULL, NULL, ""), DELIVERY_RETRY);
    tear_down(&b);
}

static void dingtalk_checks(void **state)
{
    static const char *const wrong[] = {
        "text: t\n",
        "url: http://x\naccess_token: a\n",
        "url: http://x\nmessage_type: actionCard\n",
        "url: http://x\nsingle_title: a\n",
        "url: http://x\nsingle_title: a\nsingle_url: b\nbuttons: [{title: a, url: b}]\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct bench b;

        set_up(&b, "dingtalk", wrong[i]);
        assert_int_equal(b.errors, 1);
        tear_down(&b);
    }
}

/* -- to whom -- */

static void a_person_stands_for_those_configured(void **state)
{
    str to = S("{{ oncall }}");
    const struct conf_strings configured = {&to, 1};
    struct conf_strings out;
    struct bench b;

    (void)state;
    set_up(&b, "ntfy", "topic: t\n");
    delivery_addresses(&b.d, &configured, &out);
    assert_int_equal(out.n, 2);
    assert_str(out.v[1], "u2");
    assert_str(delivery_address(&b.d, to), "{{ oncall }}");
    b.d.address = S("+49 1, +49 2");
    delivery_addresses(&b.d, &configured, &out);
    assert_int_equal(out.n, 2);
    assert_str(out.v[1], "+49 2");
    assert_str(delivery_address(&b.d, to), "+49 1, +49 2");
    tear_down(&b);
}

/* Who had the second of three parts is to have the third. */
static void parts_are_had_one_by_one(void **state)
{
    static const str who[] = {S_INIT("alice"), S_INIT("bob")};
    struct bench b;

    (void)state;
    set_up(&b, "ntfy", "topic: t\n");
    delivery_note_had(&b.d, who, 1);
    assert_true(delivery_had(&b.d, who[0]));
    assert_false(delivery_had(&b.d, who[1]));
    b.d.had = STR_NONE;
    b.n.n_parts = 3;
    b.n.part = 2;
    delivery_note_had(&b.d, who, 2);
    assert_str(b.d.had, "2/3 alice\n2/3 bob\n");
    assert_true(delivery_had(&b.d, who[1]));
    b.n.part = 3;
    assert_false(delivery_had(&b.d, who[1]));
    tear_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slack_smallest),
        cmocka_unit_test(slack_everything),
        cmocka_unit_test(slack_answers),
        cmocka_unit_test(a_status_suffices),
        cmocka_unit_test(waits_are_capped),
        cmocka_unit_test(slack_updates),
        cmocka_unit_test(failing_templates),
        cmocka_unit_test(pagerduty_v2),
        cmocka_unit_test(pagerduty_v1),
        cmocka_unit_test(pagerduty_limits),
        cmocka_unit_test(pagerduty_answers),
        cmocka_unit_test(dingtalk_bodies),
        cmocka_unit_test(dingtalk_signs),
        cmocka_unit_test(dingtalk_cuts),
        cmocka_unit_test(dingtalk_answers),
        cmocka_unit_test(dingtalk_checks),
        cmocka_unit_test(a_person_stands_for_those_configured),
        cmocka_unit_test(parts_are_had_one_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
