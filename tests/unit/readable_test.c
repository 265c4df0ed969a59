/* The readable texts: what stands first, how many, what changed, when, where to look, in two languages; nothing that a label says is
 * more than text, and a link silences what the alert is, not what a chat shows of it. */
#include "unit.h"

#include "model/labels.h"
#include "notify/compose.h"
#include "notify/markup.h"
#include "notify/messages.h"
#include "notify/words.h"
#include "tocsin/delivery.h"

#define NOW (1767225600 * NS_PER_S) /* 2026-01-01T00:00:00Z */
enum { MANY = 37 };

struct bench {
    struct arena a;
    struct notified_alert alerts[MANY];
    struct notification n;
    struct messages *messages;
    struct delivery d;
};

/* Alert i of the group, of a GPU of its own. */
static void make_alert(struct bench *b, size_t i, const char *severity, bool is_resolved)
{
    struct label *l = arena_array(&b->a, 3, sizeof(*l));
    struct label *t = arena_array(&b->a, 2, sizeof(*t));

    l[0] = (struct label){S("alertname"), S("GpuDown")};
    l[1] = (struct label){S("gpu"), arena_printf(&b->a, "%zu", i)};
    l[2] = (struct label){S("severity"), str_of(severity)};
    t[0] = (struct label){S("summary"), arena_printf(&b->a, "gpu %zu is gone", i)};
    t[1] = (struct label){S("summary_zh"), arena_printf(&b->a, "第 %zu 卡掉线", i)};
    b->alerts[i] = (struct notified_alert){.labels = {l, 3},
                                           .annotations = {t, 2},
                                           .starts_at = NOW - (dur_ns)(i + 1) * NS_PER_M,
                                           .ends_at = is_resolved ? NOW : TS_NONE,
                                           .generator_url = S("http://p/graph?a=(1)&b=2"),
                                           .fingerprint = 0xab00 + i,
                                           .is_resolved = is_resolved};
}

static void set_up(struct bench *b, const char *language, bool readable, size_t n)
{
    struct err e = ERR_INIT;

    *b = (struct bench){.messages =
                            messages_new(str_of(language), S("Asia/Shanghai"), readable, &e)};
    assert_non_null(b->messages);
    arena_init(&b->a, 0);
    for (size_t i = 0; i < n; i++)
        make_alert(b, i, "warning", false);
    b->n = (struct notification){.receiver = S("r"),
                                 .group_labels = {b->alerts[0].labels.v, 1},
                                 .reason = REASON_NEW_ALERTS,
                                 .alerts = b->alerts,
                                 .n_alerts = n,
                                 .n_firing = n};
    b->d = (struct delivery){.n = &b->n, .arena = &b->a};
}

static void tear_down(struct bench *b)
{
    messages_free(b->messages);
    arena_release(&b->a);
}

static str fill_in(struct bench *b, const char *text, bool html)
{
    const struct messages_context c = {
        .messages = b->messages, .n = b->d.n, .external_url = S("http://am"), .now = NOW};
    struct err e = ERR_INIT;
    str out = STR_NONE;

    if (!messages_render(&c, str_of(text), html, &b->a, &out, &e))
        fail_msg("%s: %s", text, e.msg);
    return out;
}

static str dingtalk(struct bench *b)
{
    return fill_in(b, "{{ template \"dingtalk.default.text\" . }}", false);
}

static bool has(str text, const char *part)
{
    return str_find_str(text, str_of(part)) >= 0;
}

static bool comes_before(str text, const char *one, const char *other)
{
    ptrdiff_t a = str_find_str(text, str_of(one)), b = str_find_str(text, str_of(other));

    return a >= 0 && b >= 0 && a < b;
}

/* What fires before what is over, the critical one first, ten of them; the rest is counted. */
static void order_and_number(void **state)
{
    struct bench b;
    str text;

    (void)state;
    set_up(&b, "en", false, MANY);
    make_alert(&b, 36, "critical", false);
    make_alert(&b, 0, "critical", true);
    b.n.n_firing = MANY - 1;
    text = dingtalk(&b);
    assert_true(has(text, "### 🔴 **Critical: gpu 36 is gone (+35)**"));
    assert_true(has(text, "36 firing, 1 resolved"));
    assert_true(comes_before(text, "🔴 **Critical** gpu 36", "🟡 **Warning** gpu 1 is gone"));
    assert_true(has(text, "gpu 9 is gone") && !has(text, "gpu 10 is gone") &&
                !has(text, "Resolved"));
    assert_true(has(text, "and 27 more"));
    tear_down(&b);

    set_up(&b, "en", false, 3);
    make_alert(&b, 0, "critical", true);
    text = dingtalk(&b);
    assert_true(comes_before(text, "gpu 2 is gone", "✅ **Resolved** gpu 0"));
    tear_down(&b);

    set_up(&b, "zh", false, 12);
    assert_true(has(dingtalk(&b), "还有 2 条"));
    tear_down(&b);
}

/* Against the last message; of a first one nothing is new. */
static void what_changed(void **state)
{
    struct bench b;
    str text;

    (void)state;
    set_up(&b, "en", false, 3);
    b.alerts[1].change = CHANGE_ADDED;
    make_alert(&b, 2, "warning", true);
    b.alerts[2].change = CHANGE_RESOLVED;
    text = dingtalk(&b);
    assert_true(has(text, "2 firing (1 new), 1 resolved"));
    assert_true(has(text, "gpu 1 is gone (new)") && has(text, "gpu 2 is gone (just resolved)"));
    assert_false(has(text, "gpu 0 is gone (new)"));
    b.n.reason = REASON_FIRST;
    assert_false(has(dingtalk(&b), "1 new") || has(dingtalk(&b), "(new)"));
    b.n.reason = REASON_REPEAT;
    b.alerts[1].change = b.alerts[2].change = CHANGE_NONE;
    assert_true(has(dingtalk(&b), "2 firing, 1 resolved, as before"));
    tear_down(&b);
}

static void when(void **state)
{
    static const struct {
        dur_ns d;
        const char *en, *zh;
    } cases[] = {{0, "1s", "1 秒"},
                 {59 * NS_PER_S, "59s", "59 秒"},
                 {61 * NS_PER_S, "1m", "1 分钟"},
                 {NS_PER_H + 5 * NS_PER_M, "1h 5m", "1 小时 5 分钟"},
                 {2 * NS_PER_H, "2h", "2 小时"},
                 {51 * NS_PER_H, "2d 3h", "2 天 3 小时"}};
    struct bench b;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf en = BUF_INIT, zh = BUF_INIT;

        words_duration(&en, cases[i].d, false);
        words_duration(&zh, cases[i].d, true);
        assert_str(buf_str(&en), cases[i].en);
        assert_str(buf_str(&zh), cases[i].zh);
        buf_release(&en);
        buf_release(&zh);
    }
    set_up(&b, "en", false, 5); /* its zone is that of the configuration */
    assert_true(has(dingtalk(&b), "Since 2026-01-01 07:55:00 CST (for 5m)"));
    make_alert(&b, 4, "warning", true);
    assert_true(has(dingtalk(&b), "Ended 2026-01-01 08:00:00 CST (lasted 5m)"));
    tear_down(&b);
}

/* In Chinese what is in Chinese is preferred, and what is not is there. */
static void languages(void **state)
{
    struct bench b;

    (void)state;
    set_up(&b, "zh", false, 1);
    assert_true(has(dingtalk(&b), "**警告：第 0 卡掉线**"));
    b.alerts[0].annotations.n = 1; /* without summary_zh */
    assert_true(has(dingtalk(&b), "**警告：gpu 0 is gone**"));
    tear_down(&b);
    set_up(&b, "en", false, 1);
    assert_true(has(dingtalk(&b), "**Warning: gpu 0 is gone**"));
    b.alerts[0].annotations.n = 0;
    assert_true(has(dingtalk(&b), "**Warning: GpuDown**"));
    tear_down(&b);
}

/* To the group, the alert's page, a silence and the source; a chat that shows labels otherwise silences what they are. */
static void links(void **state)
{
    struct label at[] = {{S_INIT("alertname"), S_INIT("GpuDown")},
                         {S_INIT("gpu"), S_INIT("@here")}};
    struct bench b;
    str text;

    (void)state;
    set_up(&b, "en", true, 1);
    b.alerts[0].labels = (struct labels){at, 2};
    text = dingtalk(&b);
    assert_true(has(text, "(http://am/#/alerts?alert=000000000000ab00)"));
    assert_true(has(
        text, "(http://am/#/silences/"
              "new?filter=%7Balertname%3D%22GpuDown%22%2C%20gpu%3D%22%40here%22%7D&from=alert)"));
    assert_true(has(text, "(http://p/graph?a=%281%29&b=2)"));
    assert_true(
        has(text, "(http://am/#/alerts?filter=%7Balertname%3D%22GpuDown%22%7D&receiver=r)"));
    delivery_call_nobody(&b.d);
    text = fill_in(&b, "{{ template \"slack.default.text\" . }}", false);
    assert_true(has(text, "gpu: @\u200bhere"));
    assert_true(has(text, "gpu%3D%22%40here%22%7D&amp;from=alert|Silence>"));

    b.n.is_relayed = true; /* the other Alertmanager has no such page */
    b.d.n = &b.n;
    assert_false(has(dingtalk(&b), "alert=000"));
    b.n.is_relayed = false;
    b.alerts[0].generator_url = S("javascript:alert(1)");
    assert_false(has(dingtalk(&b), "javascript"));
    at[1].value = arena_printf(&b.a, "%02000d", 1); /* a silence of fewer labels would hide more */
    text = dingtalk(&b);
    assert_false(has(text, "silences/new"));
    assert_true(has(text, "…") && has(text, "alert=000000000000ab00"));
    tear_down(&b);
}

/* A digest names each of its groups. */
static void digests(void **state)
{
    struct bench b;
    struct notification each[2], d;
    str text;

    (void)state;
    set_up(&b, "en", false, 3);
    make_alert(&b, 2, "critical", false);
    each[0] = each[1] = b.n;
    each[0].n_alerts = each[0].n_firing = 2;
    each[1].alerts = b.alerts + 2;
    each[1].n_alerts = each[1].n_firing = 1;
    each[1].group_labels = b.alerts[2].labels;
    d = digest_compose(&b.a, each, 2);
    b.d.n = &d;
    text = dingtalk(&b);
    assert_true(has(text, "### [DIGEST:2] 🔴 **Critical: gpu 2 is gone (+2)**"));
    assert_true(has(text, "🟡 **Warning** GpuDown: gpu 0 is gone (2 firing)"));
    assert_true(has(text, "🔴 **Critical** GpuDown 2 critical: gpu 2 is gone  \n"));
    assert_true(
        has(text,
            "[All alerts](http://am/#/alerts?filter=%7Balertname%3D%22GpuDown%22%7D&receiver=r)"));
    assert_false(has(text, "silences/new")); /* of all that the groups have in common */
    assert_str(fill_in(&b, "{{ template \"voice.default.text\" . }}", false),
               "Alert, 3 firing. GpuDown. GpuDown 2 critical. ");
    assert_str(fill_in(&b, "{{ template \"sms.default.text\" . }}", false),
               "[DIGEST:2] Critical: gpu 2 is gone (+2)\nGpuDown\nGpuDown 2 critical");
    tear_down(&b);

    set_up(&b, "en", true, 2);
    each[0] = b.n;
    d = digest_compose(&b.a, each, 1);
    b.d.n = &d;
    text = fill_in(&b, "{{ template \"email.default.html\" . }}", true);
    assert_true(has(text, ">All alerts</a>") && has(text, ">GpuDown</a>") &&
                !has(text, "silences/new"));
    tear_down(&b);
}

/* Alertmanager's kinds say what they say there, unless it is asked for; ours are readable. */
static void styles(void **state)
{
    struct bench b;

    (void)state;
    set_up(&b, "en", false, 1);
    assert_str(fill_in(&b, "{{ template \"slack.default.text\" . }}", false), "");
    assert_str(fill_in(&b, "{{ template \"email.default.text\" . }}", false), "");
    assert_true(has(fill_in(&b, "{{ template \"slack.default.title\" . }}", false), "[FIRING:1]"));
    tear_down(&b);
    set_up(&b, "en", true, 1);
    assert_str(fill_in(&b, "{{ template \"slack.default.title\" . }}", false),
               "Warning: gpu 0 is gone");
    assert_true(has(fill_in(&b, "{{ template \"email.default.html\" . }}", true), "Since 2026"));
    assert_true(has(fill_in(&b, "{{ template \"email.default.text\" . }}", false), "Since 2026"));
    assert_true(has(fill_in(&b, "{{ template \"telegram.default.message\" . }}", true),
                    "<b>Warning: gpu 0"));
    tear_down(&b);
}

/* One text in each kind of markup: none of it is any. */
static void escapes(void **state)
{
    static const char text[] = "a <中 <b>&\u202e @x *s* [l](http://e) `c`\n# h";
    static const struct {
        const char *markup, *shown;
    } cases[] = {
        {"text", "a <中 <b>&  @x *s* [l](http://e) `c` # h"},
        {"quiet", "a <中 <b>&  @\u200bx *s* [l](http://e) `c` # h"},
        {"dingtalk", "a <中 ＜b>&  @x \\*s\\* \\[l\\](http://e) \\`c\\` \\# h"},
        {"feishu", "a &#60;中 &#60;b&#62;&#38;  @x &#42;s&#42; &#91;l&#93;&#40;http://e&#41; "
                   "&#96;c&#96; &#35; h"},
        {"wecom", "a ＜中 ＜b＞&  @x ＊s＊ ［l］(http://e) ｀c｀ ＃ h"},
        {"googlechat", "a ＜中 ＜b＞&  @x ＊s＊ [l](http://e) ｀c｀ # h"},
        {"slack", "a &lt;中 &lt;b&gt;&amp;  @\u200bx *s* [l](http://e) `c` # h"},
        {"rocketchat", "a ＜中 ＜b＞&  @\u200bx ＊s＊ ［l］(http://e) ｀c｀ # h"},
        {"telegram", "a &lt;中 &lt;b&gt;&amp;  @\u200bx *s* [l](http://e) `c` # h"},
        {"markdown", "a \\<中 \\<b\\>&  @\u200bx \\*s\\* \\[l\\](http://e) \\`c\\` \\# h"},
        {"webex", "a &lt;中 &lt;b&gt;&amp;  @\u200bx \\*s\\* \\[l\\](http://e) \\`c\\` # h"},
        {"teams", "a &lt;中 &lt;b&gt;&amp;  @x \\*s\\* \\[l\\](http://e) \\`c\\` # h"},
        {"jira", "a <中 <b>&  @x *s* ［l］(http://e) `c` # h"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b = BUF_INIT;

        markup_text(&b, markup_find(str_of(cases[i].markup)), str_of(text));
        assert_str(buf_str(&b), cases[i].shown);
        buf_release(&b);
    }
}

static void mistakes(void **state)
{
    static const char *const texts[] = {"{{ .In \"fax\" }}", "{{ (.In \"text\").Word \"fax\" }}"};
    struct messages_context c = {.external_url = S("http://am"), .now = NOW};
    struct bench b;
    str out;

    (void)state;
    set_up(&b, "en", false, 1);
    c.messages = b.messages;
    c.n = &b.n;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct err e = ERR_INIT;

        assert_false(messages_render(&c, str_of(texts[i]), false, &b.a, &out, &e));
        assert_true(has(str_of(e.msg), "\"fax\""));
    }
    tear_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(order_and_number),
                                       cmocka_unit_test(what_changed),
                                       cmocka_unit_test(when),
                                       cmocka_unit_test(languages),
                                       cmocka_unit_test(links),
                                       cmocka_unit_test(digests),
                                       cmocka_unit_test(styles),
                                       cmocka_unit_test(escapes),
                                       cmocka_unit_test(mistakes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
