/* state_folder.c - a folder that version 0.1.0 left by kill -9, opened half a minute later on a stepped clock: what is told
 * is what 0.1.0 would have told, and nothing is told again. Its README.md says what lies in it.
 *
 * state_0_1.py opens the same folder with the program, at the time that it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "codec/json.h"
#include "codec/timefmt.h"
#include "live/turn.h"
#include "net/scripted.h"
#include "tsdb/log.h"

#define FOLDER  TOCSIN_SHARED "/conformance/state-0.1"
#define STARTED S("2026-11-28T18:22:31Z") /* it was killed a second before */

struct night {
    struct clock clock;
    struct pool *pool;
    struct scripted *scripted;
    struct tsdb *db;
    struct shell *shell;
    struct state_backend *backend;
    struct buf told; /* a line a message since the last look */
    bool is_down;
    unsigned wrong;
};

static void check(struct night *n, bool ok, const char *what)
{
    if (!ok) {
        printf("wrong: %s\n", what);
        n->wrong++;
    }
}

/* -- what arrives -- */

static str member(struct arena *a, str body, const char *name)
{
    struct json_reader r;
    str key, value = STR_NONE;

    json_reader_init(&r, body, a, 64);
    for (json_object_begin(&r); json_object_next(&r, &key);)
        if (str_is(key, name))
            json_string(&r, &value);
        else
            json_skip(&r);
    return value;
}

static struct scripted_answer handle(void *arg, const struct scripted_request *rq)
{
    struct night *n = arg;
    struct arena a;
    str body = rq->http.body;

    if (n->is_down && str_ends_with(rq->http.url, S("/down")))
        return (struct scripted_answer){.failure = TRANSPORT_CONNECT, .error = S("refused")};
    arena_init(&a, 0);
    buf_addf(&n->told, "%.*s %.*s %.*s\n", STR(member(&a, body, "receiver")),
             STR(member(&a, body, "status")), STR(member(&a, body, "groupKey")));
    arena_release(&a);
    return (struct scripted_answer){.status = 200};
}

static void told(struct night *n, const char *when, const char *want)
{
    if (!str_is(buf_str(&n->told), want)) {
        printf("wrong: told %s:\n%s--- wanted:\n%s", when, buf_z(&n->told), want);
        n->wrong++;
    }
    buf_clear(&n->told);
}

/* -- the machine -- */

static struct config *load(void)
{
    static const str paths[] = {S_INIT("alertmanager.yml"), S_INIT("tocsin.yml")};
    struct config_options o = {.paths = paths, .n_paths = ARRAY_LEN(paths)};
    struct diags d;
    struct config *c;

    diags_init(&d);
    c = config_load(&o, &d);
    for (size_t i = 0; c == NULL && i < d.n; i++)
        printf("%.*s: %.*s\n", STR(d.v[i].place.file), STR(d.v[i].message));
    diags_release(&d);
    return c;
}

static void start(struct night *n)
{
    struct shell_parts parts = {.clock = &n->clock,
                                .pool = n->pool = pool_new_inline(),
                                .conf = load(),
                                .retention = 120 * NS_PER_H,
                                .external_url = S("http://tocsin")};
    struct tsdb_options o = {0};
    struct tsdb_replay replay;
    struct state_shell callbacks;
    struct err e = ERR_INIT;
    struct buf notice = BUF_INIT;
    size_t unreadable = 0;

    n->scripted = scripted_new(&n->clock, handle, n);
    parts.transport = scripted_transport(n->scripted);
    parts.db = n->db = tsdb_new(&o);
    n->shell = shell_new(&parts);
    check(n, tsdb_log_open(n->db, S("state/samples"), &replay, &e) && replay.samples != 0,
          "the samples are read");
    check(n, replay.damaged == 0, "no sample is damaged");
    callbacks = shell_state_callbacks(n->shell);
    n->backend = state_sqlite_open(S("state"), &callbacks, &n->clock, &notice, &e);
    if (n->backend == NULL || !shell_start(n->shell, n->backend, &unreadable, &e)) {
        printf("the state is not read: %s\n", e.msg);
        exit(1);
    }
    engine_hold_rules(shell_engine(n->shell), RULES_RUN);
    check(n, notice.n == 0 && unreadable == 0, "all of it is read, and nothing is said of damage");
    buf_release(&notice);
}

static void stop(struct night *n)
{
    shell_free(n->shell);
    tsdb_free(n->db);
    scripted_free(n->scripted);
    pool_free(n->pool);
}

/* -- turns -- */

struct arrival {
    struct night *n;
    bool posts;
    dur_ns ends; /* of the alert that is posted, from now */
};

static void post_disk(struct night *n, dur_ns ends)
{
    struct label l[] = {{S("alertname"), S("Disk")}, {S("team"), S("db")}};
    struct alert_input in = {.labels = {l, 2},
                             .starts_at = n->clock.now.wall - NS_PER_S,
                             .ends_at = ts_add(n->clock.now.wall, ends)};
    struct event ev = {.kind = EVENT_ALERTS, .alerts = {.v = &in, .n = 1}};
    struct event_result r = {0};

    shell_event(n->shell, &ev, &r);
    check(n, r.ok, "the alert is taken");
}

static void arrive(void *arg)
{
    struct arrival *a = arg;

    if (a->posts)
        post_disk(a->n, a->ends);
    a->posts = false;
    pool_drain(a->n->pool);
    a->n->backend->ops->sync(a->n->backend->self);
}

static void run_after(struct night *n, struct arrival a, dur_ns d)
{
    for (ts_ns end = ts_add(n->clock.now.mono, d); n->clock.now.mono < end;) {
        for (int i = 0; i < 2; i++) /* the second one hears of the first one's commit */
            do
                turn(n->shell, arrive, &a);
            while (pool_queued(n->pool) != 0 || clock_next(&n->clock) <= n->clock.now.mono);
        clock_move_to(&n->clock, ts_add(n->clock.now.mono, NS_PER_S / 10));
    }
}

static void run(struct night *n, dur_ns d)
{
    run_after(n, (struct arrival){.n = n}, d);
}

/* -- what is there -- */

static size_t rule_alerts(const struct night *n, enum rule_alert_state state)
{
    size_t found = 0;

    VEC_EACH (struct rule_slot **, s, &shell_engine(n->shell)->rules)
        for (size_t i = 0; i < (*s)->shown->n_rules; i++)
            for (size_t k = 0; k < (*s)->shown->rules[i].n_alerts; k++)
                found += (*s)->shown->rules[i].alerts[k].state == state;
    return found;
}

/* But for what is told of the receiver that is down. */
static size_t alerts_of_others(const struct night *n)
{
    size_t found = 0;

    ALERT_TABLE_EACH (a, &shell_engine(n->shell)->alerts)
        found += !str_is(label_set_get(a->labels, S("alertname")), "TocsinReceiverFailing");
    return found;
}

static void look(struct night *n)
{
    struct silence_list all = {0};

    silencer_all(shell_engine(n->shell)->silencer, &all);
    check(n, all.n == 2, "two silences are there");
    vec_release(&all);
    check(n, alerts_of_others(n) == 8, "four posted alerts and four of rules");
    check(n, rule_alerts(n, RULE_ALERT_FIRING) == 4, "two series fire, one is kept, one is pushed");
    check(n, rule_alerts(n, RULE_ALERT_PENDING) == 2, "two wait for an hour");
}

#define OLD_KEY  "{}/{team=~\"db|storage\"}:{alertname=\"Disk\"}"
#define KEY      "{}/{team=~\"^(?:db|storage)$\"}:{alertname=\"Disk\"}"
#define FAILING  "good firing {}:{alertname=\"TocsinReceiverFailing\"}\n"
#define WELL     "good resolved {}:{alertname=\"TocsinReceiverFailing\"}\n"
#define CRITICAL "down firing {}/{severity=\"critical\"}:{alertname=\"CannotBeTold\"}\n"

static void go_on(struct night *n)
{
    n->is_down = true;
    start(n);
    look(n);
    run(n, 60 * NS_PER_S);
    look(n);
    told(n, "in the first minute", FAILING);
    n->is_down = false;
    run(n, 120 * NS_PER_S);
    told(n, "when the receiver answers", CRITICAL WELL);
    stop(n);
    start(n); /* and once more, from what this version left */
    look(n);
    run_after(n, (struct arrival){n, true, 0}, 15 * NS_PER_S);
    told(n, "of the end", "good resolved " OLD_KEY "\n"); /* the key that opened it */
    run_after(n, (struct arrival){n, true, NS_PER_H}, 15 * NS_PER_S);
    told(n, "of the next", "good firing " KEY "\n");
    stop(n);
}

int main(void)
{
    struct night n = {0};
    struct now now = {.mono = 1000 * NS_PER_S};
    char dir[] = "/tmp/tocsin-state-0.1-XXXXXX", command[256];
    struct err e = ERR_INIT;

    if (access(FOLDER "/README.md", R_OK) != 0) {
        printf("no conformance data in %s\n", TOCSIN_SHARED);
        return getenv("CI") != NULL && strcmp(getenv("CI"), "true") == 0 ? 1 : 77;
    }
    if (mkdtemp(dir) == NULL || chdir(dir) != 0 || system("cp -r '" FOLDER "'/* .") != 0 ||
        !rfc3339_parse(STARTED, &now.wall, &e))
        return 1;
    clock_init_stepped(&n.clock, now);
    go_on(&n);
    clock_release(&n.clock);
    buf_release(&n.told);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    if (system(command) != 0)
        return 1;
    printf("%u wrong\n", n.wrong);
    return n.wrong != 0;
}
