/* Each subcommand makes a draft of flags and arguments, or reads one, and posts it; an update posts what the server
 * has with what the flags change. */
#include "cli/silence.h"

#include <pwd.h>
#include <unistd.h>
#include "cli/say.h"
#include "cli/table.h"
#include "cli/when.h"
#include "os/file.h"
#include "codec/duration.h"
#include "codec/escape.h"
#include "codec/json.h"
#include "codec/timefmt.h"
#include "model/matcher.h"
#include "model/silence.h"

#define F struct silence_flags
#define WHEN_ROWS(duration_)                                                                       \
    FLAG(F, duration, "duration", FLAG_TEXT, duration_, "D", "how long: 90m, 2h, 1d",              \
         .letter = 'd'),                                                                           \
        FLAG(F, start, "start", FLAG_TEXT, "", "TIME",                                             \
             "RFC 3339, local time or \"+2h\"; default: now"),                                     \
        FLAG(F, end, "end", FLAG_TEXT, "", "TIME", "as --start; wins over --duration")
#define WHO_ROWS                                                                                   \
    FLAG(F, author, "author", FLAG_TEXT, "", "NAME", "who silences; default: the user",            \
         .letter = 'a'),                                                                           \
        FLAG(F, comment, "comment", FLAG_TEXT, "", "TEXT", "why", .letter = 'c')

const struct flag silence_add_flags[] = {
    CLIENT_FLAG_ROWS(F),
    WHO_ROWS,
    FLAG(F, require_comment, "require-comment", FLAG_BOOL, "true", NULL,
         "refuse a silence without a comment"),
    WHEN_ROWS("1h"),
    FLAG(F, dry_run, "dry-run", FLAG_BOOL, NULL, NULL,
         "only say which alerts it would silence now"),
    FLAGS_END,
};
const struct flag silence_update_flags[] = {
    CLIENT_FLAG_ROWS(F),
    WHO_ROWS,
    WHEN_ROWS(""),
    FLAGS_END,
};
const struct flag silence_list_flags[] = {
    CLIENT_FLAG_ROWS(F),
    FLAG(F, expired, "expired", FLAG_BOOL, NULL, NULL, "show ended ones instead"),
    FLAG(F, quiet, "quiet", FLAG_BOOL, NULL, NULL, "ids only", .letter = 'q'),
    FLAGS_END,
};
const struct flag silence_expire_flags[] = {
    CLIENT_ASK_ROWS(F),
    FLAGS_END,
};
const struct flag silence_import_flags[] = {
    CLIENT_ASK_ROWS(F),
    FLAGS_END,
};
#undef F

/* What is posted: raw JSON as it stands elsewhere, or text of ours. */
struct silence_draft {
    str id, matchers, annotations; /* the latter two as JSON */
    str author, comment;
    ts_ns starts, ends;
};

static void put_draft(struct buf *out, const struct silence_draft *d)
{
    struct json_writer w;

    json_writer_init(&w, out, false);
    json_open(&w, '{');
    if (d->id.n != 0) {
        json_key(&w, S("id"));
        json_put_str(&w, d->id);
    }
    json_key(&w, S("startsAt"));
    json_put_rfc3339_ms(&w, d->starts);
    json_key(&w, S("endsAt"));
    json_put_rfc3339_ms(&w, d->ends);
    json_key(&w, S("createdBy"));
    json_put_str(&w, d->author);
    json_key(&w, S("comment"));
    json_put_str(&w, d->comment);
    buf_addf(out, ",\"matchers\":%.*s", STR(d->matchers));
    if (d->annotations.n != 0)
        buf_addf(out, ",\"annotations\":%.*s", STR(d->annotations));
    json_close(&w, '}');
}

static ts_ns silence_read_time(struct json_reader *r)
{
    struct err e = ERR_INIT;
    ts_ns t = TS_NONE;
    str text;

    if (json_string(r, &text) && !api_time_parse(text, &t, &e))
        json_fail(r, "%s", e.msg);
    return t;
}

/* One of GET /silences, or of a file of them. */
static bool read_draft(struct json_reader *r, struct silence_draft *d)
{
    str key;

    *d = (struct silence_draft){.starts = TS_NONE, .ends = TS_NONE};
    for (json_object_begin(r); json_object_next(r, &key);) {
        if (str_is(key, "id"))
            json_string(r, &d->id);
        else if (str_is(key, "matchers"))
            json_raw(r, &d->matchers);
        else if (str_is(key, "annotations"))
            json_raw(r, &d->annotations);
        else if (str_is(key, "createdBy"))
            json_string(r, &d->author);
        else if (str_is(key, "comment"))
            json_string(r, &d->comment);
        else if (str_is(key, "startsAt"))
            d->starts = silence_read_time(r);
        else if (str_is(key, "endsAt"))
            d->ends = silence_read_time(r);
        else
            json_skip(r);
    }
    if (r->err.code == ERR_NONE && (d->matchers.n == 0 || d->ends == TS_NONE))
        json_fail(r, "a silence without \"matchers\" or \"endsAt\"");
    return r->err.code == ERR_NONE;
}

static bool silence_read_when(const struct silence_flags *f, struct silence_draft *d)
{
    ts_ns now = client_now();
    struct err e = ERR_INIT;
    dur_ns duration;

    if (f->start[0] != '\0' && !when_flag("start", f->start, now, WHEN_AHEAD, &d->starts))
        return false;
    if (f->end[0] != '\0')
        return when_flag("end", f->end, now, WHEN_AHEAD, &d->ends);
    if (f->duration[0] == '\0')
        return true;
    if (!duration_parse(str_of(f->duration), &duration, &e)) {
        say(stderr, "tocsin: --duration: %s\n", e.msg);
        return false;
    }
    d->ends = ts_add(d->starts > now ? d->starts : now, duration);
    return true;
}

/* The matchers as JSON and, as text, as the filters of the alerts that they match. */
static bool make_matchers(char **args, int n, struct arena *a, str *json, struct buf *filters)
{
    struct buf b = BUF_INIT, text = BUF_INIT;
    struct json_writer w;
    bool ok = true;

    json_writer_init(&w, &b, false);
    json_open(&w, '[');
    for (int i = 0; i < n && ok; i++) {
        struct matcher m;

        ok = client_matcher(args[i], i == 0, a, &m);
        if (!ok)
            break;
        matcher_put_json(&w, &m);
        buf_clear(&text);
        matcher_print(&text, &m);
        buf_addf(filters, "%cfilter=", i == 0 ? '?' : '&');
        escape_percent(filters, buf_str(&text));
        matchers_release(&(struct matchers){&m, 1});
    }
    json_close(&w, ']');
    *json = arena_str(a, buf_str(&b));
    buf_release(&b);
    buf_release(&text);
    return ok;
}

static str author_of(const struct silence_flags *f)
{
    struct passwd *pw;

    if (f->author[0] != '\0')
        return str_of(f->author);
    pw = getpwuid(getuid());
    return pw != NULL ? str_of(pw->pw_name) : S("unknown");
}

/* -- what it silences -- */

static size_t count_alerts(struct json_reader *r, bool shows)
{
    size_t n = 0;
    str key;

    for (json_array_begin(r); json_array_next(r); n++)
        for (json_object_begin(r); json_object_next(r, &key);) {
            str labels;

            if (!str_is(key, "labels")) {
                json_skip(r);
                continue;
            }
            json_raw(r, &labels);
            if (shows)
                say(stdout, "  %.*s\n", STR(labels));
        }
    return n;
}

/* A silence of nothing is a typing error more often than not. */
static int tell_silenced(const struct silence_flags *f, const struct silence_draft *d,
                         const struct buf *filters)
{
    struct buf path = BUF_INIT, answer = BUF_INIT;
    struct json_reader r;
    struct arena a;
    FILE *out = f->dry_run ? stdout : stderr;
    const char *verb = d->starts > client_now() ? "would silence, if it began now,"
                       : f->dry_run             ? "would silence"
                                                : "silences";
    size_t n;
    int code;

    arena_init(&a, 0);
    buf_addf(&path, "/api/v2/alerts%.*s", STR(buf_str(filters)));
    code = client_call(&f->client, "GET", buf_z(&path), STR_NONE, &answer);
    json_reader_init(&r, buf_str(&answer), &a, 16);
    n = code == EXIT_OK ? count_alerts(&r, f->dry_run) : 0;
    if (code == EXIT_OK && json_end(&r)) {
        if (n == 0)
            say(out, "it %s no alert that is there now\n", verb);
        else
            say(out, "it %s %zu alert%s\n", verb, n, n == 1 ? "" : "s");
    }
    buf_release(&path);
    buf_release(&answer);
    arena_release(&a);
    return code;
}

static int silence_post(const struct client_flags *c, const struct silence_draft *d,
                        struct buf *answer)
{
    struct buf body = BUF_INIT;
    int code;

    put_draft(&body, d);
    code = client_call(c, "POST", "/api/v2/silences", buf_str(&body), answer);
    buf_release(&body);
    return code;
}

static void print_id(const struct silence_flags *f, str answer)
{
    ptrdiff_t at = str_find_str(answer, S("silenceID\":\""));

    if (f->client.output != NULL && strcmp(f->client.output, "json") == 0)
        say(stdout, "%.*s", STR(answer));
    else if (at >= 0)
        say(stdout, "%.*s\n", STR(str_sub(answer, (size_t)at + 12, (size_t)at + 48)));
}

static int silence_add(const struct silence_flags *f, char **args, int n_args, struct arena *a)
{
    struct silence_draft d = {
        .starts = client_now(), .author = author_of(f), .comment = str_of(f->comment)};
    struct buf answer = BUF_INIT, filters = BUF_INIT;
    int code = EXIT_USAGE;

    if (silence_read_when(f, &d) && make_matchers(args, n_args, a, &d.matchers, &filters))
        code = f->dry_run ? EXIT_OK : silence_post(&f->client, &d, &answer);
    if (code == EXIT_OK) {
        print_id(f, buf_str(&answer));
        code = tell_silenced(f, &d, &filters);
    }
    buf_release(&answer);
    buf_release(&filters);
    return code;
}

int silence_add_run(const void *flags, char **args, int n_args)
{
    const struct silence_flags *f = flags;
    struct arena a;
    int code;

    if (n_args == 0) {
        say(stderr, "tocsin: silence add needs matchers: tocsin silence add alertname=Slow "
                    "gpu=~\"[01]\" -c why\n");
        return EXIT_USAGE;
    }
    if (f->comment[0] == '\0' && f->require_comment && !f->dry_run) {
        say(stderr, "tocsin: say why with --comment (or give --no-require-comment)\n");
        return EXIT_USAGE;
    }
    arena_init(&a, 0);
    code = silence_add(f, args, n_args, &a);
    arena_release(&a);
    return code;
}

/* -- update -- */

/* false: it has complained. */
static bool path_of_id(const char *id, char *path, size_t room)
{
    struct uuid u;

    if (!uuid_parse(str_of(id), &u)) {
        say(stderr, "tocsin: '%s' is not a silence id\n", id);
        return false;
    }
    snprintf(path, room, "/api/v2/silence/%s", u.text);
    return true;
}

static int update_one(const struct silence_flags *f, const char *id)
{
    struct buf old = BUF_INIT, answer = BUF_INIT;
    struct json_reader r;
    struct silence_draft d;
    struct arena a;
    char path[80];
    int code;

    if (!path_of_id(id, path, sizeof(path)))
        return EXIT_USAGE;
    arena_init(&a, 0);
    code = client_call(&f->client, "GET", path, STR_NONE, &old);
    json_reader_init(&r, buf_str(&old), &a, 16);
    if (code == EXIT_OK && !(read_draft(&r, &d) && json_end(&r))) {
        say(stderr, "tocsin: the server's answer cannot be read: %s\n", r.err.msg);
        code = EXIT_FAILED;
    }
    if (code == EXIT_OK && !silence_read_when(f, &d))
        code = EXIT_USAGE;
    if (code == EXIT_OK) {
        d.author = f->author[0] != '\0' ? str_of(f->author) : d.author;
        d.comment = f->comment[0] != '\0' ? str_of(f->comment) : d.comment;
        code = silence_post(&f->client, &d, &answer);
    }
    if (code == EXIT_OK)
        print_id(f, buf_str(&answer));
    buf_release(&old);
    buf_release(&answer);
    arena_release(&a);
    return code;
}

int silence_update_run(const void *flags, char **args, int n_args)
{
    const struct silence_flags *f = flags;
    int code = EXIT_OK;

    if (n_args == 0 || (f->author[0] == '\0' && f->comment[0] == '\0' && f->duration[0] == '\0' &&
                        f->start[0] == '\0' && f->end[0] == '\0')) {
        say(stderr, "tocsin: silence update needs ids, and what changes: --duration, --end, "
                    "--start, --comment or --author\n");
        return EXIT_USAGE;
    }
    for (int i = 0; i < n_args; i++) {
        int rc = update_one(f, args[i]);

        code = rc != EXIT_OK ? rc : code;
    }
    return code;
}

/* -- import -- */

/* Ids are another server's. What has ended would be refused, and silences nothing. */
static int import_all(const struct silence_flags *f, struct json_reader *r)
{
    size_t taken = 0, ended = 0, failed = 0;
    int code = EXIT_OK;
    struct silence_draft d;

    for (json_array_begin(r); json_array_next(r) && read_draft(r, &d);) {
        struct buf answer = BUF_INIT;
        int rc;

        d.id = STR_NONE;
        if (d.ends <= client_now()) {
            ended++;
            continue;
        }
        rc = silence_post(&f->client, &d, &answer);
        if (rc == EXIT_OK)
            print_id(f, buf_str(&answer));
        taken += rc == EXIT_OK;
        failed += rc != EXIT_OK;
        code = rc != EXIT_OK ? rc : code;
        buf_release(&answer);
        if (rc == EXIT_UNREACHABLE)
            return rc;
    }
    say(stderr, "%zu silences were taken, %zu refused, %zu had ended\n", taken, failed, ended);
    if (json_end(r))
        return code;
    say(stderr, "tocsin: not a JSON list of silences: %s\n", r->err.msg);
    return EXIT_FAILED;
}

int silence_import_run(const void *flags, char **args, int n_args)
{
    enum { IMPORT_MAX = 64 << 20 };
    const char *path = n_args == 0 || strcmp(args[0], "-") == 0 ? "/dev/stdin" : args[0];
    struct buf text = BUF_INIT;
    struct err e = ERR_INIT;
    struct json_reader r;
    struct arena a;
    int code = EXIT_FAILED;

    if (n_args > 1) {
        say(stderr, "tocsin: silence import takes one file, or standard input\n");
        return EXIT_USAGE;
    }
    arena_init(&a, 0);
    if (file_read(str_of(path), FILE_OR_PIPE, IMPORT_MAX, &text, &e)) {
        json_reader_init(&r, buf_str(&text), &a, 16);
        code = import_all(flags, &r);
    } else {
        say(stderr, "tocsin: %s\n", e.msg);
    }
    buf_release(&text);
    arena_release(&a);
    return code;
}

/* -- expire -- */

int silence_expire_run(const void *flags, char **args, int n_args)
{
    const struct silence_flags *f = flags;
    int code = n_args != 0 ? EXIT_OK : EXIT_USAGE;

    if (n_args == 0)
        say(stderr, "tocsin: silence expire needs ids\n");
    for (int i = 0; i < n_args; i++) {
        struct buf answer = BUF_INIT;
        char path[80];
        int rc;

        if (!path_of_id(args[i], path, sizeof(path)))
            return EXIT_USAGE;
        rc = client_call(&f->client, "DELETE", path, STR_NONE, &answer);
        buf_release(&answer);
        code = rc != EXIT_OK ? rc : code;
    }
    return code;
}

/* -- list -- */

struct silence_row {
    ts_ns ends;
    str id, state, comment, by, given; /* given: who else the body named */
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

static void silence_read_row(struct json_reader *r, struct silence_row *row)
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
            row->ends = silence_read_time(r);
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
        struct silence_row row = {.matchers = BUF_INIT};

        silence_read_row(&r, &row);
        if (str_is(row.state, "expired") == f->expired) {
            table_add(&t, row.id);
            if (!f->quiet) {
                table_add(&t, row.state);
                table_add(&t, buf_str(&row.matchers));
                table_add(&t, when_text(&a, row.ends));
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
