/* scripted.h - a transport that follows a script: for tests and simulation.
 *
 * Every request is recorded and gets the first answer that waits in the queue, else what the handler says, else 200.
 * The answer comes after its delay on the clock, or TRANSPORT_TIMEOUT at the request's deadline.
 *
 * Owns     the script owns copies of everything recorded; answers are borrowed until they were given, so they are
 *          static text or live as long as the script.
 */
#ifndef NET_SCRIPTED_H
#define NET_SCRIPTED_H

#include "os/clock.h"
#include "net/transport.h"

struct scripted;

struct scripted_request {
    struct http_request http; /* method filled in */
    const struct http_conf *conf;
    struct now at;
    ts_ns deadline;
};

struct scripted_answer {
    enum transport_failure failure;
    int status; /* 0 = 200 when not failed; failed: with headers, those of a head that came */
    struct http_headers headers;
    str body;
    str error; /* text of the failure */
    bool sent; /* failed: after the request had gone out; so it is when it came too late */
    dur_ns delay;
    bool never; /* only the deadline ends it */
};

typedef struct scripted_answer scripted_handler(void *arg, const struct scripted_request *rq);

struct scripted *scripted_new(struct clock *clock, scripted_handler *handler,
                              void *arg); /* handler: may be NULL */
void scripted_free(struct scripted *s);   /* or transport_free() */
struct transport *scripted_transport(struct scripted *s);
/* From now on answers are timers of this clock: they arrive, while deadlines are the program's own. Borrowed. */
void scripted_arrive_by(struct scripted *s, struct clock *outside);
void scripted_push(struct scripted *s, struct scripted_answer answer);
size_t scripted_count(const struct scripted *s); /* requests so far */
const struct scripted_request *scripted_at(const struct scripted *s, size_t i);
size_t scripted_in_flight(const struct scripted *s);

#endif
