/* tocsin receiver test NAME: sends a made-up alert through each integration of a receiver, and says what came back: by a running
 * server, or, with --config.file, as serve would. --to-file writes down what would be sent, and sends nothing. tocsin drill
 * ALERTNAME has a running server try the whole way of a rule's alert. Nothing is stored, nobody else is told; what costs money or
 * rings is asked before. */
#include "cli/receiver.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <unistd.h>
#include "cli/config_paths.h"
#include "cli/dry_transport.h"
#include "cli/say.h"
#include "cli/web_url.h"
#include "codec/escape.h"
#include "codec/quote.h"
#include "lint/render.h"
#include "live/trial.h"
#include "net/secret.h"
#include "notify/advice.h"
#include "os/descriptors.h"
#include "os/file.h"
#include "os/log.h"
#include "os/loop.h"

#define F struct receiver_flags
#define YES_ROW                                                                                    \
    FLAG(F, is_confirmed, "yes", FLAG_BOOL, NULL, NULL,                                            \
         "send what costs money or rings without asking", .letter = 'y')
const struct flag receiver_test_flags[] = {
    CLIENT_FLAG_ROWS(F),
    FLAG(F, config_files, "config.file", FLAG_LIST, NULL, "FILE",
         "configuration to send by, repeated; without one the server sends"),
    FLAG(F, external_url, "web.external-url", FLAG_TEXT, "http://localhost:9093", "URL",
         "what links in messages point to, with --config.file"),
    FLAG(F, resolved, "resolved", FLAG_BOOL, NULL, NULL, "send the alert as resolved"),
    FLAG(F, to_file, "to-file", FLAG_TEXT, "", "FILE",
         "write what would be sent there, \"-\" is standard output, and send nothing"),
    YES_ROW,
    FLAGS_END,
};
const struct flag drill_flag_table[] = {
    CLIENT_FLAG_ROWS(F),
    FLAG(F, labels, "label", FLAG_LIST, NULL, "NAME=VALUE",
         "a label of the alert, repeated; without one it is the rule's alert of now"),
    YES_ROW,
    FLAGS_END,
};
#undef F

/* -- what came back -- */

struct trial_said {
    str receiver, integration, verdict, error;
    bool closes;
    uint64_t index;
    int64_t status;
    double seconds;
};

static void say_result(const struct trial_said *s, bool names_receiver)
{
    struct advice ad =
        advice_of(str_is(s->verdict, "delivered") ? STR_NONE : s->error, (int)s->status);

    if (names_receiver)
        say(stdout, "%.*s/", STR(s->receiver));
    say(stdout, "%.*s[%llu]%s: ", STR(s->integration), (unsigned long long)s->index,
        s->closes ? " (closed again)" : "");
    if (str_is(s->verdict, "delivered"))
        say(stdout, "delivered%s%.*s", s->error.n != 0 ? "; " : "", STR(s->error));
    else
        say(stdout, "%s: %.*s",
            str_is(s->verdict, "refused") ? "refused for good" : "failed, would be tried again",
            STR(s->error));
    if (s->status != 0)
        say(stdout, " (status %lld, %.0f ms)", (long long)s->status, s->seconds * 1000);
    say(stdout, "\n");
    if (ad.en != NULL)
        say(stdout, "    what to do: %s\n    怎么办：%s\n", ad.en, ad.zh);
}

/* -- by the server -- */

static void read_result(struct json_reader *r, struct trial_said *s)
{
    str key;

    for (json_object_begin(r); json_object_next(r, &key);) {
        if (str_is(key, "receiver"))
            json_string(r, &s->receiver);
        else if (str_is(key, "integration"))
            json_string(r, &s->integration);
        else if (str_is(key, "closes"))
            json_bool(r, &s->closes);
        else if (str_is(key, "verdict"))
            json_string(r, &s->verdict);
        else if (str_is(key, "error"))
            json_string(r, &s->error);
        else if (str_is(key, "status"))
            json_i64(r, &s->status);
        else if (str_is(key, "seconds"))
            json_double(r, &s->seconds);
        else if (str_is(key, "index")) {
            int64_t i = 0;

            json_i64(r, &i);
            s->index = (uint64_t)i;
        } else {
            json_skip(r);
        }
    }
}

/* Returns EXIT_FAILED when one was not delivered. */
static int say_results(struct json_reader *r, bool names_receiver)
{
    int code = EXIT_OK;
    size_t n = 0;

    for (json_array_begin(r); json_array_next(r); n++) {
        struct trial_said s = {.index = 0};

        read_result(r, &s);
        if (r->failed)
            break;
        say_result(&s, names_receiver);
        if (!str_is(s.verdict, "delivered"))
            code = EXIT_FAILED;
    }
    if (n == 0)
        say(stdout, "nothing is sent: there are no integrations\n");
    return code;
}

static void say_ways(struct json_reader *r)
{
    for (json_array_begin(r); json_array_next(r);) {
        str key, receiver = STR_NONE, group = STR_NONE, held = STR_NONE;

        for (json_object_begin(r); json_object_next(r, &key);) {
            if (str_is(key, "receiver"))
                json_string(r, &receiver);
            else if (str_is(key, "groupKey"))
                json_string(r, &group);
            else if (str_is(key, "heldBy"))
                json_string(r, &held);
            else
                json_skip(r);
        }
        say(stdout, "route to %.*s, group %.*s%s%.*s\n", STR(receiver), STR(group),
            held.n != 0 ? "; the real one would be kept back now by " : "", STR(held));
    }
}

static void say_labels(struct json_reader *r)
{
    str name, value;
    const char *comma = "";

    say(stdout, "alert {");
    for (json_object_begin(r); json_object_next(r, &name); comma = ", ") {
        if (!json_string(r, &value))
            return;
        say(stdout, "%s%.*s=\"%.*s\"", comma, STR(name), STR(value));
    }
    say(stdout, "}\n");
}

static int say_answer(str answer, struct arena *a, bool is_drill)
{
    struct json_reader r;
    int code = EXIT_OK;
    str key, text;
    bool made_up;

    json_reader_init(&r, answer, a, 16);
    for (json_object_begin(&r); json_object_next(&r, &key);) {
        if (str_is(key, "results")) {
            code = say_results(&r, is_drill);
        } else if (str_is(key, "labels")) {
            say_labels(&r);
        } else if (str_is(key, "routes")) {
            say_ways(&r);
        } else if (str_is(key, "madeUp") && json_bool(&r, &made_up)) {
            say(stdout, made_up ? "the rule has no alert now: one is made up\n"
                                : "the rule's alert of now\n");
        } else if (str_is(key, "dropped") && json_bool(&r, &made_up)) {
            if (made_up)
                say(stdout, "alert_relabel_configs drop it\n");
        } else if (str_is(key, "file") && json_string(&r, &text)) {
            say(stdout, "rule of %.*s\n", STR(text));
        } else if (str_is(key, "ruleError") && json_string(&r, &text)) {
            if (text.n != 0)
                say(stdout, "its last evaluation failed: %.*s\n", STR(text));
        } else if (!r.failed) {
            json_skip(&r);
        }
    }
    if (json_end(&r))
        return code;
    say(stderr, "tocsin: the server's answer cannot be read: %s\n", r.err.msg);
    return EXIT_FAILED;
}

/* What would cost, a name a line; empty: nothing. */
static void read_costs(str answer, struct arena *a, struct buf *out)
{
    struct json_reader r;
    str key, name;

    json_reader_init(&r, answer, a, 8);
    for (json_object_begin(&r); json_object_next(&r, &key);) {
        if (!str_is(key, "costs")) {
            json_skip(&r);
            continue;
        }
        for (json_array_begin(&r); json_array_next(&r);)
            if (json_string(&r, &name))
                buf_addf(out, "  %.*s\n", STR(name));
    }
}

/* Whether what costs may be sent. */
static bool ask_user(str costs)
{
    char line[16];

    say(stderr, "these cost money, or ring:\n%.*s", STR(costs));
    if (!isatty(STDIN_FILENO)) {
        say(stderr, "tocsin: --yes sends them\n");
        return false;
    }
    say(stderr, "send? [y/N] ");
    return fgets(line, sizeof(line), stdin) != NULL && (line[0] == 'y' || line[0] == 'Y');
}

/* members: of the request, with a comma in front, if any. */
static int ask_server(const struct receiver_flags *f, const char *path, str members, bool is_drill)
{
    struct buf body = BUF_INIT, answer = BUF_INIT, costs = BUF_INIT;
    struct arena a;
    int code = EXIT_OK;

    arena_init(&a, 0);
    if (!f->is_confirmed) {
        buf_addf(&body, "{\"ask\":true%.*s}", STR(members));
        code = client_call(&f->client, "POST", path, buf_str(&body), &answer);
        if (code == EXIT_OK)
            read_costs(arena_str(&a, buf_str(&answer)), &a, &costs);
        if (code == EXIT_OK && costs.n != 0 && !ask_user(buf_str(&costs)))
            code = EXIT_FAILED;
    }
    buf_clear(&body);
    buf_clear(&answer);
    buf_addf(&body, "{\"confirm\":true%.*s}", STR(members));
    if (code == EXIT_OK)
        code = client_call(&f->client, "POST", path, buf_str(&body), &answer);
    if (code == EXIT_OK && strcmp(f->client.output, "json") == 0)
        say(stdout, "%.*s", STR(buf_str(&answer)));
    else if (code == EXIT_OK)
        code = say_answer(arena_str(&a, buf_str(&answer)), &a, is_drill);
    buf_release(&body);
    buf_release(&answer);
    buf_release(&costs);
    arena_release(&a);
    return code;
}

static int test_by_server(const struct receiver_flags *f, const char *name)
{
    struct buf path = BUF_INIT;
    int code;

    buf_adds(&path, "/api/v2/receivers/");
    escape_percent(&path, str_of(name));
    buf_adds(&path, "/test");
    code = ask_server(f, buf_z(&path), f->resolved ? S(",\"resolved\":true") : S(""), false);
    if (code == EXIT_FAILED)
        (void)client_lacks_receiver(&f->client, name);
    buf_release(&path);
    return code;
}

int drill_run(const void *flags, char **args, int n_args)
{
    const struct receiver_flags *f = flags;
    struct buf members = BUF_INIT;
    int code = EXIT_USAGE;

    if (n_args != 1) {
        say(stderr, "tocsin: drill needs the name of one alert\n");
        return EXIT_USAGE;
    }
    buf_adds(&members, ",\"alertname\":");
    quote_json(&members, str_of(args[0]), false);
    buf_adds(&members, ",\"labels\":{");
    for (size_t i = 0; i < f->labels.n; i++) {
        str value = str_of(f->labels.v[i]), name = str_cut(&value, '=');

        if (name.n == 0 || strchr(f->labels.v[i], '=') == NULL) {
            say(stderr, "tocsin: --label: NAME=VALUE expected, not '%s'\n", f->labels.v[i]);
            buf_release(&members);
            return EXIT_USAGE;
        }
        if (i != 0)
            buf_addc(&members, ',');
        quote_json(&members, name, false);
        buf_addc(&members, ':');
        quote_json(&members, value, false);
    }
    buf_addc(&members, '}');
    code = ask_server(f, "/api/v2/drill", buf_str(&members), true);
    buf_release(&members);
    return code;
}

/* -- from files -- */

struct testing {
    struct config *conf;
    struct loop *loop;
    int code;
    bool is_dry, is_json;
};

static void testing_done(void *arg, struct trial *t)
{
    struct testing *x = arg;

    VEC_EACH (const struct trial_answer *, r, &t->answers) {
        struct trial_said s = {.receiver = r->receiver,
                               .integration = r->integration,
                               .closes = r->closes,
                               .verdict = r->verdict == DELIVERY_OK       ? S("delivered")
                                          : r->verdict == DELIVERY_FAILED ? S("refused")
                                                                          : S("failed"),
                               .error = r->error,
                               .index = r->index,
                               .status = r->status,
                               .seconds = (double)r->took / NS_PER_S};

        if (x->is_dry)
            continue;
        say_result(&s, false);
        if (r->verdict != DELIVERY_OK)
            x->code = EXIT_FAILED;
    }
    fflush(stdout);
    loop_stop(x->loop);
}

/* The texts that a request must not show: secrets of the receiver, the longest first where one begins with another. */
static str *secrets_of(const struct receiver_conf *rc, struct arena *a, size_t *n)
{
    str *v;
    size_t room = 0;

    for (size_t i = 0; i < rc->n_integrations; i++)
        for (const struct conf_key *k = rc->integrations[i].type->conf->keys; k->name != NULL; k++)
            room++;
    v = arena_array(a, room, sizeof(*v));
    *n = 0;
    for (size_t i = 0; i < rc->n_integrations; i++)
        for (const struct conf_key *k = rc->integrations[i].type->conf->keys; k->name != NULL;
             k++) {
            const void *member = (const char *)rc->integrations[i].conf + k->offset;

            if (k->kind == CONF_SECRET || k->kind == CONF_SECRET_URL)
                if (secret_is_set(*(const struct secret *)member) &&
                    secret_read(*(const struct secret *)member, a, &v[*n], NULL) && v[*n].n > 3)
                    (*n)++;
        }
    return v;
}

static bool write_down(const char *path, str text)
{
    struct err e = ERR_INIT;

    if (strcmp(path, "-") == 0) {
        fwrite(text.p, 1, text.n, stdout);
        return fflush(stdout) == 0;
    }
    if (file_replace(str_of(path), text, &e))
        return true;
    say(stderr, "tocsin: %s\n", e.msg);
    return false;
}

static void receiver_deliver(struct testing *x, const struct receiver_conf *rc, str external_url,
                             const struct receiver_flags *f)
{
    struct clock clock;
    struct descriptors descriptors;
    struct notified_alert alert;
    struct notification n;
    struct trial_parts p = {.clock = &clock,
                            .external_url = external_url,
                            .colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL};
    struct buf written = BUF_INIT;
    struct arena a;
    struct trial *t;
    str *secrets;
    size_t n_secrets;

    arena_init(&a, 0);
    clock_init(&clock);
    clock_update(&clock);
    x->loop = loop_new(&clock);
    descriptors_share(&descriptors);
    secrets = secrets_of(rc, &a, &n_secrets);
    p.transport = x->is_dry ? dry_transport_new(&clock, secrets, n_secrets, &written)
                            : transport_new_curl(loop_base(x->loop), &clock, descriptors.transfers);
    t = trial_new(&p, x->conf);
    n = trial_test_message(&a, x->conf, rc->name, (struct labels){NULL, 0},
                           (struct labels){NULL, 0}, f->resolved, clock.now.wall, &alert);
    for (size_t i = 0; i < rc->n_integrations; i++)
        trial_add(t, &rc->integrations[i], &n);
    trial_go(t, testing_done, x);
    loop_run(x->loop);
    trial_free(t);
    if (x->is_dry && !write_down(f->to_file, buf_str(&written)))
        x->code = EXIT_FAILED;
    buf_release(&written);
    transport_free(p.transport);
    loop_free(x->loop);
    clock_release(&clock);
    arena_release(&a);
}

static void say_no_receiver(const struct config *c, str name)
{
    str *names = mem_array(c->n_receivers, sizeof(*names));
    const str *near;

    for (size_t i = 0; i < c->n_receivers; i++)
        names[i] = c->receivers[i].name;
    near = str_nearest(name, names, c->n_receivers);
    say(stderr, "tocsin: there is no receiver '%.*s'", STR(name));
    if (near != NULL)
        say(stderr, ", did you mean '%.*s'?", STR(*near));
    say(stderr, "\n");
    mem_free(names);
}

static bool may_cost(const struct receiver_flags *f, const struct receiver_conf *rc)
{
    struct buf costs = BUF_INIT;
    bool ok;

    for (size_t i = 0; i < rc->n_integrations; i++)
        if (trial_costs(&rc->integrations[i]))
            buf_addf(&costs, "  %.*s/%s[%u]\n", STR(rc->name), rc->integrations[i].type->name,
                     rc->integrations[i].index);
    ok = costs.n == 0 || f->is_confirmed || f->to_file[0] != '\0' || ask_user(buf_str(&costs));
    buf_release(&costs);
    return ok;
}

static int test_from_files(const struct receiver_flags *f, const char *name)
{
    static const char *usual[] = {"alertmanager.yml"};
    const struct flag_list files =
        f->config_files.n != 0 ? f->config_files : (struct flag_list){usual, 1, 1};
    struct config_options o = {.without_rules = true};
    str *paths = config_paths(files, &o.n_paths);
    struct testing t = {.code = EXIT_OK, .is_dry = f->to_file[0] != '\0'};
    const struct receiver_conf *rc;
    struct err e = ERR_INIT;
    struct arena a;
    struct diags d;
    str url, path;

    log_setup(LOG_ERROR, LOG_LOGFMT, STDERR_FILENO);
    diags_init(&d);
    o.paths = paths;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    t.conf = config_load(&o, &d);
    if (t.conf == NULL)
        diags_print(stderr, &d);
    rc = t.conf != NULL ? config_receiver(t.conf, str_of(name)) : NULL;
    arena_init(&a, 0);
    if (rc != NULL && !web_url_parse(str_of(f->external_url), &a, &url, &path, &e)) {
        say(stderr, "tocsin: --web.external-url: %s\n", e.msg);
        t.code = EXIT_USAGE;
    } else if (rc != NULL && !may_cost(f, rc)) {
        t.code = EXIT_FAILED;
    } else if (rc != NULL) {
        receiver_deliver(&t, rc, url, f);
    } else {
        t.code = EXIT_FAILED;
        if (t.conf != NULL)
            say_no_receiver(t.conf, str_of(name));
    }
    if (rc != NULL && rc->n_integrations == 0)
        say(stdout, "receiver '%s' has no integrations: nothing is sent\n", name);
    arena_release(&a);
    config_unref(t.conf);
    diags_release(&d);
    mem_free(paths);
    curl_global_cleanup();
    return t.code;
}

int receiver_test_run(const void *flags, char **args, int n_args)
{
    const struct receiver_flags *f = flags;

    if (n_args != 1) {
        say(stderr, "tocsin: receiver test needs one name\n");
        return EXIT_USAGE;
    }
    if (f->config_files.n != 0 || f->to_file[0] != '\0')
        return test_from_files(f, args[0]);
    return test_by_server(f, args[0]);
}
