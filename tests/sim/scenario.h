/* scenario.h - a scenario file, read: who does what when, and what is expected to arrive.
 *
 *     config            YAML of the configuration, indented; @rules@ stands for the rule file below
 *     rules [NAME]      YAML of a rule file, indented; those without a name, or the first, are in force from the start
 *     start delay D                --dispatch.start-delay
 *     arrivals first               what happens at an instant has arrived before what is due then is looked at; else behind it
 *     at T post {l="v"}            posted now and every minute until it is resolved, as Prometheus does
 *     at T post once {l="v"}       one request
 *                                  both: [from T] [to T] its startsAt (now) and endsAt (none), [with {annotations}]
 *     at T resolve {l="v"}         posted as ended now; no more posts
 *     at T silence {matchers} [from T] for D as NAME
 *     at T expire NAME
 *     at T crash and restart       what was not committed is lost
 *     at T restart                 in good order
 *     at T reload [NAME] [aside]   with those rules from now on; aside: made ready on a worker, as a running program does
 *     at T wall +D | -D            the wall clock steps
 *     at T suspend D               both clocks go on, nothing runs
 *     at T sink [/PATH] answers STATUS [retry D] [after D]   or: nothing; with a PATH only http://sink/PATH;
 *                                  it arrives at RECEIVER/PATH, or at RECEIVER when that is the path
 *     at T sink [/PATH] cuts       takes what comes, and the answer is lost
 *     at T store fails | store works | store fails late   late: what it says is not written is written
 *     at T jobs take D | commits take D | answers take D     at most; each time is drawn, 0s at first
 *     at T source {l="v"} = X      what the source answers to every query from now on; several lines add up
 *     at T source `QUERY` {l="v"} = X   the same for one query: the others' samples are not its answer
 *     at T source [`QUERY`] {l="v"} gone
 *     at T source empty | source down | source up | source takes D
 *     at T alert {l="v"} is active     what the judge says of it, or: is [silenced by NAME] [inhibited by {l="v"}]
 *                                      [muted by INTERVALS]; then [next T | next never]: when its first route tells it next, to the millisecond
 *     expect T RECEIVER {group labels} ["reason"] [route {labels}] firing l=v ... , resolved l=v ...
 *     expect nothing until T
 *
 * Everything that arrives must be expected, at that millisecond (T is one; T..T a span), with exactly those alerts, and
 * the other way round. An alert is named by labels and annotations that tell it apart, joined by '+': gpu=0+job=x; what
 * it says of its times may follow: gpu=0@1s, gpu=0@1s..4s. A time may be negative: before the scenario's start.
 */
#ifndef TESTS_SIM_SCENARIO_H
#define TESTS_SIM_SCENARIO_H

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "base/vec.h"
#include "tocsin/labels.h"

enum action_kind {
    ACT_POST,
    ACT_POST_ONCE,
    ACT_RESOLVE,
    ACT_SILENCE,
    ACT_EXPIRE,
    ACT_CRASH,
    ACT_RESTART,
    ACT_RELOAD,
    ACT_WALL,
    ACT_SUSPEND,
    ACT_SINK,
    ACT_STORE,
    ACT_IS,
    ACT_SAMPLE,
    ACT_SOURCE,
    ACT_PACE,
    ACT_END
};

struct action {
    enum action_kind kind;
    int line;
    ts_ns at;
    struct labels labels, annotations, by; /* by: who inhibits */
    str text,
        name; /* matchers of a silence, its name; "empty", "down", "up"; query of a sample; path of a sink; rules */
    bool has_start, has_end;
    ts_ns starts_at, ends_at; /* since the start */
    ts_ns ends_latest;        /* of ACT_IS: it is told next between these two */
    dur_ns d, takes;
    int status; /* of the sink; 0 = nothing */
    double value;
    bool on; /* the store works; a sample is there; a reload goes aside */
    bool is_lost, is_late;
};

struct expected_alert {
    struct labels names;      /* labels or annotations */
    ts_ns starts_at, ends_at; /* TS_NONE: whatever it says */
    bool resolved;
};

struct expected {
    int line;
    ts_ns at, at_latest;
    str receiver, reason; /* reason: empty = any */
    struct labels group, route;
    bool checks_route;
    bool checks_shape; /* that it came in a digest of so many, 0 for by itself, and late or not */
    size_t in_digest;
    bool is_late;
    VEC(struct expected_alert) alerts;
};

struct named_rules {
    str name, text;
};

struct scenario {
    struct arena arena;
    str config;
    VEC(struct named_rules) rules;
    VEC(struct action) actions; /* in the order of time */
    VEC(struct expected) expected;
    ts_ns end;
    dur_ns begins; /* after SIM_WALL */
    dur_ns start_delay;
    bool arrivals_first;
};

bool scenario_read(const char *path, struct scenario *s, struct err *e) must_check;
void scenario_release(struct scenario *s);

#endif
