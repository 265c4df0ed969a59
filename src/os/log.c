#include "os/log.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/utf8.h"

enum { BURST = 10, WINDOW_S = 10, SITES = 256 };

/* A fixed table of (source line, message) counters; where it is full the newest takes the place of the oldest. */
struct site {
    const char *file, *msg;
    int line;
    enum log_level level;
    time_t since;
    unsigned written, held;
};

enum log_level log_threshold = LOG_INFO;
static enum log_format log_format;
static int log_fd = STDERR_FILENO;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static struct site sites[SITES];

static const char *const level_names[] = {
    [LOG_DEBUG] = "DEBUG", [LOG_INFO] = "INFO", [LOG_WARN] = "WARN", [LOG_ERROR] = "ERROR"};

void log_setup(enum log_level level, enum log_format format, int fd)
{
    log_threshold = level;
    log_format = format;
    log_fd = fd;
}

bool log_level_parse(str s, enum log_level *out)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++)
        if (str_eq_nocase(s, str_of(level_names[i]))) {
            *out = (enum log_level)i;
            return true;
        }
    return false;
}

bool log_format_parse(str s, enum log_format *out)
{
    if (str_is(s, "logfmt"))
        *out = LOG_LOGFMT;
    else if (str_is(s, "json"))
        *out = LOG_JSON;
    else
        return false;
    return true;
}

/* A quoted string that is valid JSON and keeps one event on one line: controls and bad UTF-8 are escaped. */
static void log_add_quoted(struct buf *b, str s)
{
    buf_addc(b, '"');
    while (s.n != 0) {
        uint32_t rune;
        size_t k = utf8_decode(s, &rune);
        unsigned char c = (unsigned char)s.p[0];

        if (c == '"' || c == '\\')
            buf_addf(b, "\\%c", c);
        else if (c == '\n')
            buf_adds(b, "\\n");
        else if (k == 1 && c >= 0x80)
            buf_adds(b, "\\ufffd");
        else if (utf8_is_control(rune))
            buf_addf(b, "\\u%04x", rune);
        else
            buf_add(b, str_sub(s, 0, k));
        s = str_sub(s, k, s.n);
    }
    buf_addc(b, '"');
}

static bool log_is_plain(str s)
{
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f)
            return false;
    }
    return true;
}

static void log_add_text(struct buf *b, str s)
{
    if (log_format == LOG_LOGFMT && log_is_plain(s))
        buf_add(b, s);
    else
        log_add_quoted(b, s);
}

static void log_add_key(struct buf *b, const char *key)
{
    if (log_format == LOG_JSON)
        buf_addf(b, "%s\"%s\":", b->n > 1 ? "," : "", key);
    else
        buf_addf(b, "%s%s=", b->n != 0 ? " " : "", key);
}

static void log_add_field(struct buf *b, const struct log_field *f)
{
    log_add_key(b, f->key);
    switch (f->type) {
    case LOG_F_STR: log_add_text(b, f->s); break;
    case LOG_F_I64: buf_add_i64(b, f->i); break;
    case LOG_F_F64: buf_addf(b, isfinite(f->f) ? "%.6g" : "\"%g\"", f->f); break;
    case LOG_F_BOOL: buf_add(b, f->i ? S("true") : S("false")); break;
    }
}

static void write_line(enum log_level level, const char *file, int line, const char *msg,
                       const struct log_field *fields, struct timespec now)
{
    const char *slash = strrchr(file, '/');
    struct buf b = BUF_INIT;
    struct tm tm;
    char when[48], place[96];
    size_t n;

    gmtime_r(&now.tv_sec, &tm);
    n = strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(when + n, sizeof(when) - n, ".%03ldZ", now.tv_nsec / 1000000);
    snprintf(place, sizeof(place), "%s:%d", slash != NULL ? slash + 1 : file, line);

    if (log_format == LOG_JSON)
        buf_addc(&b, '{');
    log_add_key(&b, "time");
    log_add_text(&b, str_of(when));
    log_add_key(&b, "level");
    log_add_text(&b, str_of(level_names[level]));
    log_add_key(&b, "source");
    log_add_text(&b, str_of(place));
    log_add_key(&b, "msg");
    log_add_text(&b, str_of(msg));
    for (; fields->key != NULL; fields++)
        log_add_field(&b, fields);
    if (log_format == LOG_JSON)
        buf_addc(&b, '}');
    buf_addc(&b, '\n');
    for (size_t at = 0; at < b.n;) {
        ssize_t k = write(log_fd, b.p + at, b.n - at);

        if (k <= 0)
            break; /* nobody reads the log; there is nowhere to say so */
        at += (size_t)k;
    }
    buf_release(&b);
}

static bool log_is_over(const struct site *s, struct timespec now)
{
    return now.tv_sec - s->since >= WINDOW_S || now.tv_sec < s->since;
}

/* A window ends: what was left out is counted, at the level and from the place of what was written. */
static void close_window(struct site *s, struct timespec now)
{
    char msg[256];

    if (s->held != 0) {
        const struct log_field fields[] = {
            LOG_I64("left_out", s->held), LOG_I64("seconds", now.tv_sec - s->since), {.key = NULL}};

        snprintf(msg, sizeof(msg), "%s: more lines like this were left out", s->msg);
        write_line(s->level, s->file, s->line, msg, fields, now);
    }
    *s = (struct site){.file = NULL};
}

void log_close_windows(bool all)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    pthread_mutex_lock(&log_lock);
    for (size_t i = 0; i < SITES; i++)
        if (sites[i].held != 0 && (all || log_is_over(&sites[i], now)))
            close_window(&sites[i], now);
    pthread_mutex_unlock(&log_lock);
}

void log_line_each(enum log_level level, const char *file, int line, const char *msg,
                   const struct log_field *fields)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    pthread_mutex_lock(&log_lock);
    write_line(level, file, line, msg, fields, now);
    pthread_mutex_unlock(&log_lock);
}

/* Of this place and message, else one that is free, else the oldest: two that alternate never end each other's window. */
static struct site *log_site(const char *file, int line, const char *msg)
{
    struct site *out = &sites[0];

    for (struct site *s = sites; s < sites + SITES; s++) {
        if (s->file == file && s->line == line && s->msg == msg)
            return s;
        if (out->file != NULL && (s->file == NULL || s->since < out->since))
            out = s;
    }
    return out;
}

void log_line(enum log_level level, const char *file, int line, const char *msg,
              const struct log_field *fields)
{
    struct timespec now;
    struct site *s;

    clock_gettime(CLOCK_REALTIME, &now);
    pthread_mutex_lock(&log_lock);
    s = log_site(file, line, msg);
    if (s->file != file || s->line != line || s->msg != msg || log_is_over(s, now)) {
        close_window(s, now);
        *s = (struct site){
            .file = file, .msg = msg, .line = line, .level = level, .since = now.tv_sec};
    }
    if (s->written == BURST) {
        s->held++;
    } else {
        s->written++;
        write_line(level, file, line, msg, fields, now);
    }
    pthread_mutex_unlock(&log_lock);
}
