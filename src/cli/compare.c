/* Each server's groups, alerts and silences become lines "what -> how"; lines that are not the same on both sides are
 * told. Ids of silences differ between servers that were given them separately: a silence goes by its matchers. */
#include "cli/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/map.h"
#include "base/vec.h"
#include "cli/say.h"
#include "codec/json.h"
#include "model/labels.h"

#define F struct compare_flags
const struct flag compare_flag_table[] = {
    CLIENT_ASK_ROWS(F),
    FLAG(F, alertmanager, "alertmanager", FLAG_TEXT, "", "URL", "the Alertmanager beside it"),
    FLAGS_END,
};
#undef F

struct fact {
    str what, how;
};

struct facts {
    struct arena arena;
    VEC(struct fact) v;
};

static void add_fact(struct facts *f, const struct buf *what, str how)
{
    vec_push(&f->v, (struct fact){arena_str(&f->arena, buf_str(what)), arena_str(&f->arena, how)});
}

static int by_what(const void *a, const void *b)
{
    return str_cmp(((const struct fact *)a)->what, ((const struct fact *)b)->what);
}

/* -- reading the two answers -- */

static void compare_read_labels(struct json_reader *r, struct buf *out)
{
    VEC(struct label) v = VEC_INIT;
    str key, value = STR_NONE, dup;
    size_t n;

    for (json_object_begin(r); json_object_next(r, &key);) {
        json_string(r, &value);
        vec_push(&v, (struct label){key, value});
    }
    n = labels_sort(v.v, labels_sort_last(v.v, v.n), &dup);
    buf_clear(out);
    labels_print(out, (struct labels){v.v, n});
    vec_release(&v);
}

static void read_one_text(struct json_reader *r, const char *member, str *out)
{
    str key;

    for (json_object_begin(r); json_object_next(r, &key);) {
        if (str_is(key, member))
            json_string(r, out);
        else
            json_skip(r);
    }
}

struct seen_alert {
    str labels, state;
};

static void compare_read_group(struct json_reader *r, struct facts *f)
{
    struct buf text = BUF_INIT, group = BUF_INIT;
    VEC(struct seen_alert) alerts = VEC_INIT;
    str key, receiver = STR_NONE;

    for (json_object_begin(r); json_object_next(r, &key);) {
        if (str_is(key, "labels")) {
            compare_read_labels(r, &group);
        } else if (str_is(key, "receiver")) {
            read_one_text(r, "name", &receiver);
        } else if (str_is(key, "alerts")) {
            for (json_array_begin(r); json_array_next(r);) {
                struct seen_alert a = {STR_NONE, STR_NONE};

                for (json_object_begin(r); json_object_next(r, &key);) {
                    if (str_is(key, "labels")) {
                        compare_read_labels(r, &text);
                        a.labels = arena_str(&f->arena, buf_str(&text));
                    } else if (str_is(key, "status")) {
                        read_one_text(r, "state", &a.state);
                    } else {
                        json_skip(r);
                    }
                }
                vec_push(&alerts, a);
            }
        } else {
            json_skip(r);
        }
    }
    VEC_EACH (const struct seen_alert *, a, &alerts) {
        buf_clear(&text);
        buf_addf(&text, "alert %.*s for %.*s in group %.*s", STR(a->labels), STR(receiver),
                 STR(buf_str(&group)));
        add_fact(f, &text, a->state);
    }
    vec_release(&alerts);
    buf_release(&text);
    buf_release(&group);
}

static void compare_read_silence(struct json_reader *r, struct facts *f)
{
    struct buf what = BUF_INIT, how = BUF_INIT;
    str key, state = STR_NONE, ends = STR_NONE;

    buf_adds(&what, "silence ");
    for (json_object_begin(r); json_object_next(r, &key);) {
        if (str_is(key, "matchers"))
            client_read_matchers(r, &what);
        else if (str_is(key, "status"))
            read_one_text(r, "state", &state);
        else if (str_is(key, "endsAt"))
            json_string(r, &ends);
        else
            json_skip(r);
    }
    buf_addf(&how, "%.*s until %.*s", STR(state), STR(str_sub(ends, 0, 19)));
    if (!str_is(state, "expired"))
        add_fact(f, &what, buf_str(&how));
    buf_release(&what);
    buf_release(&how);
}

static int compare_read_list(const struct client_flags *c, const char *path,
                             void (*one)(struct json_reader *r, struct facts *f), struct facts *f)
{
    struct buf answer = BUF_INIT;
    struct json_reader r;
    int code = client_call(c, "GET", path, STR_NONE, &answer);

    if (code == EXIT_OK) {
        json_reader_init(&r, arena_str(&f->arena, buf_str(&answer)), &f->arena, 16);
        for (json_array_begin(&r); json_array_next(&r);)
            one(&r, f);
        if (!json_end(&r)) {
            say(stderr, "tocsin: the answer of %s cannot be read: %s\n", c->url, r.err.msg);
            code = EXIT_FAILED;
        }
    }
    buf_release(&answer);
    return code;
}

static int read_server(const struct client_flags *c, struct facts *f)
{
    int code = compare_read_list(c, "/api/v2/alerts/groups", compare_read_group, f);

    if (code == EXIT_OK)
        code = compare_read_list(c, "/api/v2/silences", compare_read_silence, f);
    if (f->v.n > 1)
        qsort(f->v.v, f->v.n, sizeof(f->v.v[0]), by_what);
    return code;
}

/* -- telling -- */

static size_t compare_tell(const struct facts *there, const struct facts *here)
{
    size_t i = 0, j = 0, differences = 0;

    while (i < there->v.n || j < here->v.n) {
        const struct fact *a = i < there->v.n ? &there->v.v[i] : NULL;
        const struct fact *b = j < here->v.n ? &here->v.v[j] : NULL;
        int c = a == NULL ? 1 : b == NULL ? -1 : str_cmp(a->what, b->what);

        assume((a != NULL || c > 0) && (b != NULL || c < 0));
        if (c < 0)
            say(stdout, "%.*s: %.*s at Alertmanager, not here\n", STR(a->what), STR(a->how));
        else if (c > 0)
            say(stdout, "%.*s: %.*s here, not at Alertmanager\n", STR(b->what), STR(b->how));
        else if (!str_eq(a->how, b->how))
            say(stdout, "%.*s: %.*s at Alertmanager, %.*s here\n", STR(a->what), STR(a->how),
                STR(b->how));
        differences += c != 0 || !str_eq(a->how, b->how);
        i += c <= 0;
        j += c >= 0;
    }
    return differences;
}

int compare_run(const void *flags, char **args, int n_args)
{
    const struct compare_flags *f = flags;
    struct client_flags other = f->client;
    struct facts here = {.v = VEC_INIT}, there = {.v = VEC_INIT};
    size_t differences = 0;
    int code;

    (void)args;
    if (n_args != 0 || f->alertmanager[0] == '\0') {
        say(stderr, "tocsin: compare needs --alertmanager URL\n");
        return EXIT_USAGE;
    }
    arena_init(&here.arena, 0);
    arena_init(&there.arena, 0);
    other.url = f->alertmanager;
    code = read_server(&f->client, &here);
    if (code == EXIT_OK)
        code = read_server(&other, &there);
    if (code == EXIT_OK) {
        differences = compare_tell(&there, &here);
        say(stdout, "%zu alerts and silences at Alertmanager, %zu here, %zu differences\n",
            there.v.n, here.v.n, differences);
    }
    vec_release(&here.v);
    vec_release(&there.v);
    arena_release(&here.arena);
    arena_release(&there.arena);
    return code == EXIT_OK && differences != 0 ? EXIT_FAILED : code;
}
