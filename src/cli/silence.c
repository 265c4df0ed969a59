#include "cli/silence.h"

#include <pwd.h>
#include <unistd.h>
#include "cli/say.h"
#include "cli/table.h"
#include "codec/duration.h"
#include "codec/escape.h"
#include "codec/json.h"
#include "codec/timefmt.h"
#include "model/matcher.h"
#include "model/silence.h"

#define F struct silence_flags
const struct flag silence_add_flags[] = {
    CLIENT_FLAG_ROWS(F),
    FLAG(F, author, "author", FLAG_TEXT, "", "NAME", "who silences; default: the user",
         .letter = 'a'),
    FLAG(F, comment, "comment", FLAG_TEXT, "", "TEXT", "why", .letter = 'c'),
    FLAG(F, require_comment, "require-comment", FLAG_BOOL, "true", NULL,
         "refuse a silence without a comment"),
    FLAG(F, duration, "duration", FLAG_TEXT, "1h", "D", "how long: 90m, 2h, 1d", .letter = 'd'),
    FLAG(F, start, "start", FLAG_TEXT, "", "TIME", "RFC 3339; default: now"),
    FLAG(F, end, "end", FLAG_TEXT, "", "TIME", "RFC 3339; wins over --duration"),
    FLAGS_END,
};
const struct flag silence_list_flags[] = {
    CLIENT_FLAG_ROWS(F),
    FLAG(F, expired, "expired", FLAG_BOOL, NULL, NULL, "show ended ones instead"),
    FLAG(F, quiet, "quiet", FLAG_BOOL, NULL, NULL, "ids only", .letter = 'q'),
    FLAGS_END,
};
const struct flag silence_expire_flags[] = {
    CLIENT_FLAG_ROWS(F),
    FLAGS_END,
};
#undef F

static bool read_when(const struct silence_flags *f, ts_ns *start, ts_ns *end)
{
    struct err e = ERR_INIT;
    dur_ns d;

    *start = client_now();
    if (f->start[0] != '\0' && !rfc3339_parse(str_of(f->start), start, &e)) {
        say(stderr, "tocsin: --start: %s\n", e.msg);
        return false;
    }
    if (f->end[0] != '\0') {
        if (rfc3339_parse(str_of(f->end), end, &e))
            return true;
        say(stderr, "tocsin: --end: %s\n", e.msg);
        return false;
    }
    if (!duration_parse(str_of(f->duration), &d, &e)) {
        say(stderr, "tocsin: --duration: %s\n", e.msg);
        return false;
    }
    *end = ts_add(*start, d);
    return true;
}

static bool put_matchers(struct json_writer *w, char **args, int n)
{
    struct arena a;
    bool ok = true;

    arena_init(&a, 0);
    json_key(w, S("matchers"));
    json_open(w, '[');
    for (int i = 0; i < n && ok; i++) {
        struct matcher m;

        ok = client_matcher(args[i], i == 0, &a, &m);
        if (!ok)
            break;
        json_open(w, '{');
        json_key(w, S("name"));
        json_put_str(w, m.name);
        json_key(w, S("value"));
        json_put_str(w, m.value);
        json_key(w, S("isRegex"));
        json_put_bool(w, m.op == MATCH_RE || m.op == MATCH_NRE);
        json_key(w, S("isEqual"));
        json_put_bool(w, !matcher_is_negative(&m));
        json_close(w, '}');
        matchers_release(&(struct matchers){&m, 1});
    }
    json_close(w, ']');
    arena_release(&a);
    return ok;
}

static const char *author_of(const struct silence_flags *f)
{
    struct passwd *pw;

    if (f->author[0] != '\0')
        return f->author;
    pw = getpwuid(getuid());
    return pw != NULL ? pw->pw_name : "unknown";
}

int silence_add_run(const void *flags, char **args, int n_args)
{
    const struct silence_flags *f = flags;
    struct buf body = BUF_INIT, answer = BUF_INIT;
    struct json_writer w;
    ts_ns start, end;
    int code = EXIT_USAGE;

    if (n_args == 0) {
        say(stderr, "tocsin: silence add needs matchers: tocsin silence add alertname=Slow "
                    "gpu=~\"[01]\" -c why\n");
        return EXIT_USAGE;
    }
    if (f->comment[0] == '\0' && f->require_comment) {
        say(stderr, "tocsin: say why with --comment (or give --no-require-comment)\n");
        return EXIT_USAGE;
    }
    if (!read_when(f, &start, &end))
        return EXIT_USAGE;
    json_writer_init(&w, &body, false);
    json_open(&w, '{');
    if (put_matchers(&w, args, n_args)) {
        json_key(&w, S("startsAt"));
        json_put_rfc3339_ms(&w, start);
        json_key(&w, S("endsAt"));
        json_put_rfc3339_ms(&w, end);
        json_key(&w, S("createdBy"));
        json_put_str(&w, str_of(author_of(f)));
        json_key(&w, S("comment"));
        json_put_str(&w, str_of(f->comment));
        json_close(&w, '}');
        code = client_call(&f->client, "POST", "/api/v2/silences", buf_str(&body), &answer);
    }
    if (code == EXIT_OK && strcmp(f->client.output, "json") == 0) {
        say(stdout, "%.*s", STR(buf_str(&answer)));
    } else if (code == EXIT_OK) {
        ptrdiff_t at = str_find_str(buf_str(&answer), S("silenceID\":\""));

        if (at >= 0)
            say(stdout, "%.*s\n", STR(str_sub(buf_str(&answer), (size_t)at + 12, (size_t)at + 48)));
    }
    buf_release(&body);
    buf_release(&answer);
    return code;
}

int silence_expire_run(const void *flags, char **args, int n_args)
{
    const struct silence_flags *f = flags;
    int code = n_args != 0 ? EXIT_OK : EXIT_USAGE;

    if (n_args == 0)
        say(stderr, "tocsin: silence expire needs ids\n");
    for (int i = 0; i < n_args; i++) {
        struct buf answer = BUF_INIT;
        struct uuid id;
        char path[80];
        int rc;

        if (!uuid_parse(str_of(args[i]), &id)) {
            say(stderr, "tocsin: '%s' is not a silence id\n", args[i]);
            return EXIT_USAGE;
        }
        snprintf(path, sizeof(path), "/api/v2/silence/%s", id.text);
        rc = client_call(&f->client, "DELETE", path, STR_NONE, &answer);
        buf_release(&answer);
        code = rc != EXIT_OK ? rc : code;
    }
    return code;
}

/* -- list -- */

struct row {
    str id, state, comment, by, given, ends; /* given: who else the body named */
    struct buf matchers;
};

static void read_given(struct json_reader *r, str *out)
{
    str key;

    for (json_object_begin(r); json_object_next(r, &key);)
        if (str_is(key, "createdBy"))
            json_string(r, out);
        else
            json_skip(r);
}

static void read_row(struct json_reader *r, struct row *row)
{
    str key;

    for (json_object_begin(r); json_object_next(r, &key);) {
        if (str_is(key, "id"))
            json_string(r, &row->id);
        else if (str_is(key, "comment"))
            json_string(r, &row->comment);
        else if (str_is(key, "createdBy"))
            json_string(r, &row->by);
        else if (str_is(key, "annotations"))
            read_given(r, &row->given);
        else if (str_is(key, "endsAt"))
            json_string(r, &row->ends);
        else if (str_is(key, "matchers"))
            client_read_matchers(r, &row->matchers);
        else if (str_is(key, "status"))
            for (json_object_begin(r); json_object_next(r, &key);)
                json_string(r, &row->state);
        else
            json_skip(r);
    }
}

static int print_silences(const struct silence_flags *f, str body)
{
    static const char *const titles[] = {"ID",      "STATE",      "MATCHERS",
                                         "ENDS AT", "CREATED BY", "COMMENT"};
    struct arena a;
    struct json_reader r;
    struct table t;

    arena_init(&a, 0);
    table_init(&t, f->quiet ? 1 : ARRAY_LEN(titles));
    for (size_t i = 0; !f->quiet && i < ARRAY_LEN(titles); i++)
        table_add(&t, str_of(titles[i]));
    json_reader_init(&r, body, &a, 16);
    for (json_array_begin(&r); json_array_next(&r);) {
        struct row row = {.matchers = BUF_INIT};

        read_row(&r, &row);
        if (str_is(row.state, "expired") == f->expired) {
            table_add(&t, row.id);
            if (!f->quiet) {
                table_add(&t, row.state);
                table_add(&t, buf_str(&row.matchers));
                table_add(&t, row.ends);
                table_add(&t, row.given.n == 0 ? row.by
                                               : arena_printf(&a, "%.*s (given as %.*s)",
                                                              STR(row.by), STR(row.given)));
                table_add(&t, row.comment);
            }
        }
        buf_release(&row.matchers);
    }
    table_print(&t, stdout);
    if (!json_end(&r)) {
        say(stderr, "tocsin: the server's answer cannot be read: %s\n", r.err.msg);
        arena_release(&a);
        return EXIT_FAILED;
    }
    arena_release(&a);
    return EXIT_OK;
}

int silence_list_run(const void *flags, char **args, int n_args)
{
    const struct silence_flags *f = flags;
    struct buf answer = BUF_INIT, path = BUF_INIT;
    int code;

    buf_addf(&path, "/api/v2/silences");
    for (int i = 0; i < n_args; i++) {
        buf_addf(&path, "%cfilter=", i == 0 ? '?' : '&');
        escape_percent(&path, str_of(args[i]));
    }
    code = client_call(&f->client, "GET", buf_z(&path), STR_NONE, &answer);
    if (code == EXIT_OK && strcmp(f->client.output, "json") == 0)
        say(stdout, "%.*s", STR(buf_str(&answer)));
    else if (code == EXIT_OK)
        code = print_silences(f, buf_str(&answer));
    buf_release(&path);
    buf_release(&answer);
    return code;
}
