#include "cli/explain.h"

#include <stdio.h>
#include "cli/say.h"
#include "cli/when.h"
#include "codec/escape.h"
#include "codec/timefmt.h"

#define F struct explain_flags
#define LIMIT_ROW(default_)                                                                        \
    FLAG(F, limit, "limit", FLAG_INT, default_, "N", "entries of the history at most")
const struct flag explain_flag_table[] = {
    CLIENT_FLAG_ROWS(F),
    LIMIT_ROW("20"),
    FLAGS_END,
};
const struct flag explain_rule_flags[] = {
    CLIENT_FLAG_ROWS(F),
    LIMIT_ROW("20"),
    FLAG(F, at, "at", FLAG_TEXT, "", "TIME",
         "as it was then, where history or the source has it: RFC 3339, local time or \"2h ago\""),
    FLAGS_END,
};
const struct flag notification_list_flags[] = {
    CLIENT_FLAG_ROWS(F),
    LIMIT_ROW("100"),
    FLAG(F, receiver, "receiver", FLAG_TEXT, "", "NAME", "only those of this receiver"),
    FLAG(F, since, "since", FLAG_TEXT, "", "TIME",
         "only those decided after: RFC 3339, local time or \"2h ago\""),
    FLAGS_END,
};
#undef F
#define F struct rule_list_flags
const struct flag rule_list_flag_table[] = {
    CLIENT_FLAG_ROWS(F),
    FLAG(F, condition, "condition", FLAG_TEXT, "", "A,B",
         "only those: ok, unknown, never_matched, empty, dead, always_firing, slow, failing"),
    FLAGS_END,
};
#undef F

static void add_param(struct buf *path, const char *name, str value)
{
    buf_addf(path, "&%s=", name);
    escape_percent(path, value);
}

static void add_time(struct buf *path, const char *name, ts_ns t)
{
    struct buf time = BUF_INIT;

    rfc3339_nano(&time, t);
    add_param(path, name, buf_str(&time));
    buf_release(&time);
}

/* Takes the query's parameters, which begin with '&'. */
static int explain_ask(const struct explain_flags *f, const char *endpoint, struct buf *params)
{
    struct buf path = BUF_INIT, answer = BUF_INIT;
    bool is_json = strcmp(f->client.output, "json") == 0;
    int code;

    buf_addf(&path, "%s?limit=%lld%s%.*s", endpoint, (long long)f->limit,
             is_json ? "" : "&format=text", STR(buf_str(params)));
    if (!is_json)
        add_param(&path, "zone", when_zone());
    code = client_call(&f->client, "GET", buf_z(&path), STR_NONE, &answer);
    if (code == EXIT_OK)
        say(stdout, "%.*s", STR(buf_str(&answer)));
    buf_release(&path);
    buf_release(&answer);
    buf_release(params);
    return code;
}

static bool is_fingerprint(const char *s)
{
    return strlen(s) == 16 && strspn(s, "0123456789abcdef") == 16;
}

/* Those that take one name. */
static int ask_one(const void *flags, char **args, int n_args, const char *what, const char *param)
{
    struct buf params = BUF_INIT;

    if (n_args != 1) {
        say(stderr, "tocsin: explain %s needs one %s\n", what,
            strcmp(what, "silence") == 0 ? "id" : "name");
        return EXIT_USAGE;
    }
    add_param(&params, param, str_of(args[0]));
    return explain_ask(flags, "/api/v2/explain", &params);
}

int explain_alert_run(const void *flags, char **args, int n_args)
{
    const struct explain_flags *f = flags;
    struct buf params = BUF_INIT;
    int code;

    if (n_args == 0) {
        say(stderr, "tocsin: explain alert needs matchers, a name or a fingerprint\n");
        return EXIT_USAGE;
    }
    for (int i = 0; i < n_args; i++) {
        bool is_name = i == 0 && strpbrk(args[i], "=~!") == NULL;
        struct buf filter = BUF_INIT;

        if (is_name && n_args == 1 && is_fingerprint(args[i])) {
            add_param(&params, "fingerprint", str_of(args[i]));
            continue;
        }
        buf_addf(&filter, "%s%s%s", is_name ? "alertname=\"" : "", args[i], is_name ? "\"" : "");
        add_param(&params, "filter", buf_str(&filter));
        buf_release(&filter);
    }
    code = explain_ask(flags, "/api/v2/explain", &params);
    if (code == EXIT_OK && n_args == 1 && strpbrk(args[0], "=~!") == NULL &&
        !is_fingerprint(args[0]) && client_lacks_alert(&f->client, args[0]))
        return ask_one(flags, args, n_args, "rule", "rule");
    return code;
}

int explain_route_run(const void *flags, char **args, int n_args)
{
    struct buf params = BUF_INIT;

    if (n_args == 0) {
        say(stderr, "tocsin: explain route needs labels: alertname=Slow severity=critical\n");
        return EXIT_USAGE;
    }
    for (int i = 0; i < n_args; i++)
        add_param(&params, "label", str_of(args[i]));
    return explain_ask(flags, "/api/v2/explain", &params);
}

int explain_rule_run(const void *flags, char **args, int n_args)
{
    const struct explain_flags *f = flags;
    struct buf params = BUF_INIT;
    ts_ns at;

    if (f->at[0] == '\0' || n_args != 1)
        return ask_one(flags, args, n_args, "rule", "rule");
    if (!when_flag("at", f->at, client_now(), WHEN_BACK, &at))
        return EXIT_USAGE;
    add_param(&params, "rule", str_of(args[0]));
    add_time(&params, "at", at);
    return explain_ask(f, "/api/v2/explain", &params);
}

int explain_silence_run(const void *flags, char **args, int n_args)
{
    return ask_one(flags, args, n_args, "silence", "silence");
}

int explain_receiver_run(const void *flags, char **args, int n_args)
{
    const struct explain_flags *f = flags;
    int code = ask_one(flags, args, n_args, "receiver", "of_receiver");

    if (code == EXIT_FAILED)
        (void)client_lacks_receiver(&f->client, args[0]);
    return code;
}

int rule_list_run(const void *flags, char **args, int n_args)
{
    const struct rule_list_flags *f = flags;
    struct explain_flags as = {.client = f->client};
    struct buf params = BUF_INIT;

    (void)args;
    if (n_args != 0) {
        say(stderr, "tocsin: rule list takes no argument\n");
        return EXIT_USAGE;
    }
    if (f->condition[0] != '\0')
        add_param(&params, "condition", str_of(f->condition));
    return explain_ask(&as, "/api/tocsin/rules_health", &params);
}

int trial_report_run(const void *flags, char **args, int n_args)
{
    struct buf params = BUF_INIT;

    (void)args;
    if (n_args != 0) {
        say(stderr, "tocsin: trial report takes no argument\n");
        return EXIT_USAGE;
    }
    return explain_ask(flags, "/api/tocsin/trial_rules", &params);
}

int notification_list_run(const void *flags, char **args, int n_args)
{
    const struct explain_flags *f = flags;
    struct buf params = BUF_INIT;
    ts_ns since;
    int code;

    (void)args;
    if (n_args != 0) {
        say(stderr, "tocsin: notification list takes no argument\n");
        return EXIT_USAGE;
    }
    if (f->since[0] != '\0') {
        if (!when_flag("since", f->since, client_now(), WHEN_BACK, &since))
            return EXIT_USAGE;
        add_time(&params, "since", since);
    }
    if (f->receiver[0] != '\0')
        add_param(&params, "receiver", str_of(f->receiver));
    code = explain_ask(flags, "/api/v2/notifications", &params);
    if (code == EXIT_OK && f->receiver[0] != '\0' && client_lacks_receiver(&f->client, f->receiver))
        code = EXIT_FAILED;
    return code;
}
