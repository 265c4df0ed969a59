/* client.h - asks a running server over HTTP, from the command line.
 *
 * Errors   EXIT_UNREACHABLE when there is no answer, EXIT_FAILED when the server refuses; the reason is printed.
 * Owns     the answer's body is the caller's (buf_release).
 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "base/buf.h"
#include "cli/command.h"
#include "codec/json.h"
#include "model/matcher.h"

struct client_flags {
    const char *url, *output;
    const char *http_config, *user, *password_file, *token_file, *ca_file;
    dur_ns timeout;
};

#define CLIENT_FLAG_ROWS(type)                                                                     \
    FLAG(type, client.url, "url", FLAG_TEXT, "http://127.0.0.1:9093", "URL", "the server"),        \
        FLAG(type, client.output, "output", FLAG_TEXT, "text", "FORMAT", "text or json",           \
             .letter = 'o'),                                                                       \
        FLAG(type, client.timeout, "timeout", FLAG_DURATION, "30s", "D",                           \
             "limit for the whole call"),                                                          \
        CLIENT_AUTH_ROWS(type)

/* Who asks, and whom he trusts. */
#define CLIENT_AUTH_ROWS(type)                                                                     \
    FLAG(type, client.http_config, "http.config.file", FLAG_TEXT, "", "FILE",                      \
         "http_config for the call: users, tokens, TLS, proxy"),                                   \
        FLAG(type, client.user, "user", FLAG_TEXT, "", "NAME", "user at the server"),              \
        FLAG(type, client.password_file, "password-file", FLAG_TEXT, "", "FILE", "its password"),  \
        FLAG(type, client.token_file, "token-file", FLAG_TEXT, "", "FILE",                         \
             "bearer token for the server"),                                                       \
        FLAG(type, client.ca_file, "tls-ca-file", FLAG_TEXT, "", "FILE",                           \
             "authorities of the server's certificate, PEM")

ts_ns client_now(void); /* wall clock */
/* A matcher argument; the first may be a bare alert name. False: it has complained. */
bool client_matcher(const char *arg, bool first, struct arena *a, struct matcher *out);

/* The matchers of a silence in an answer, appended as text with a space between two. */
void client_read_matchers(struct json_reader *r, struct buf *out);

/* Returns an exit code; EXIT_OK when the status is 2xx. body: NULL for a GET without one. */
int client_call(const struct client_flags *f, const char *method, const char *path, str body,
                struct buf *answer);
/* The same for an answer of any length, which sink gets in pieces; false from it ends the call, and it has said why. --timeout is
 * how long nothing may come. */
int client_stream(const struct client_flags *f, const char *method, const char *path,
                  bool (*sink)(void *arg, str bytes), void *arg);

#endif
