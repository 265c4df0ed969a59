/* log.h - one line an event, logfmt or JSON, to one sink.
 *
 *     log_info("Listening on", LOG_STR("address", addr));
 *     log_warn("scrape failed", LOG_STR("target", url), LOG_ERR(&e));
 *
 * Only layers 4 and up log; below, functions return err, diags or decisions. The sink is the one piece of global state.
 * The same message from the same line is written at most 10 times in 10 s, then counted; a line of its own sums up:
 *
 *     level=WARN source=scraper.c:238 msg="scrape failed: more lines like this were left out" left_out=30 seconds=10
 *
 * Shapes   time=2026-11-23T03:27:46.123Z level=INFO source=serve.c:88 msg="Listening on" address=127.0.0.1:9093
 * Owns     values are borrowed for the call.
 * Cost     below the level: one comparison. Thread-safe: one write(2) a line.
 * Source   Alertmanager's line "Listening on ... address=host:port" is how test harnesses find the port.
 */
#ifndef OS_LOG_H
#define OS_LOG_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

struct log_field {
    const char *key; /* NULL ends the list */
    enum { LOG_F_STR, LOG_F_I64, LOG_F_F64, LOG_F_BOOL } type;
    str s;
    int64_t i;
    double f;
};

#define LOG_STR(k, v)  ((struct log_field){.key = (k), .type = LOG_F_STR, .s = (v)})
#define LOG_Z(k, v)    ((struct log_field){.key = (k), .type = LOG_F_STR, .s = str_of(v)})
#define LOG_I64(k, v)  ((struct log_field){.key = (k), .type = LOG_F_I64, .i = (int64_t)(v)})
#define LOG_F64(k, v)  ((struct log_field){.key = (k), .type = LOG_F_F64, .f = (v)})
#define LOG_BOOL(k, v) ((struct log_field){.key = (k), .type = LOG_F_BOOL, .i = (v)})
#define LOG_ERR(e)     LOG_Z("err", (e)->msg)

void log_setup(enum log_level level, enum log_format format, int fd); /* before any thread starts */
bool log_level_parse(str s, enum log_level *out);
bool log_format_parse(str s, enum log_format *out);

void log_line(enum log_level level, const char *file, int line, const char *msg,
              const struct log_field *fields);
/* The same without counting: what somebody did, and bounds, is written whole. */
void log_line_each(enum log_level level, const char *file, int line, const char *msg,
                   const struct log_field *fields);
/* Writes the sums of windows that are over, of all at the end: for who has a clock, every second or so. */
void log_close_windows(bool all);
extern enum log_level log_threshold;

/* The list starts with a field that is not looked at, so that it may be empty. */
#define log_by(write, lvl, msg, ...)                                                               \
    do {                                                                                           \
        if ((lvl) >= log_threshold)                                                                \
            write(lvl, __FILE__, __LINE__, msg,                                                    \
                  &((const struct log_field[]){{.key = ""}, ##__VA_ARGS__, {.key = NULL}})[1]);    \
    } while (0)
#define log_at(lvl, msg, ...)   log_by(log_line, lvl, msg, ##__VA_ARGS__)
#define log_warn_each(msg, ...) log_by(log_line_each, LOG_WARN, msg, ##__VA_ARGS__)
#define log_debug(msg, ...)     log_at(LOG_DEBUG, msg, ##__VA_ARGS__)
#define log_info(msg, ...)      log_at(LOG_INFO, msg, ##__VA_ARGS__)
#define log_warn(msg, ...)      log_at(LOG_WARN, msg, ##__VA_ARGS__)
#define log_error(msg, ...)     log_at(LOG_ERROR, msg, ##__VA_ARGS__)

#endif
