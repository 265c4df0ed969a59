/* route_conf.h - the routing half of a configuration, decoded and checked: routes, inhibit rules,
 * time intervals.
 *
 * Routes stand here with everything inherited filled in.
 *
 * Shapes   lists are a pointer and its count. Matchers are sorted by name, value, operator; match and match_re are among
 *          them.
 * Owns     text and arrays live in the arena of the configuration; the matchers' regexes are given back by config_unref().
 * Source   alertmanager.md 2.4, 2.5, 2.6.
 */
#ifndef ROUTE_ROUTE_CONF_H
#define ROUTE_ROUTE_CONF_H

#include "base/diags.h"
#include "base/time.h"
#include "model/matcher.h"
#include "tocsin/conf.h"

struct route_conf {
    str receiver;
    struct conf_strings group_by; /* as written */
    bool group_by_all;            /* ['...'] */
    dur_ns group_wait, group_interval, repeat_interval;
    struct matchers matchers;
    str *mute_intervals;
    size_t n_mute_intervals;
    str *active_intervals;
    size_t n_active_intervals;
    struct route_digest {
        str at;        /* "window_start"; empty: none */
        dur_ns jitter; /* the window begins up to so much later, by receiver */
    } digest;
    bool goes_on;           /* `continue` */
    struct conf_map labels; /* templates, the parents' merged in; own win */
    struct route_conf *routes;
    size_t n_routes;
    struct diag_place place;
    /* as written, for the status page */
    struct conf_map match, match_re;
    struct conf_given given;
};

/* How a pattern p of match_re prints as a matcher: arena_printf(a, MATCH_RE_ANCHORED, STR(p)). */
#define MATCH_RE_ANCHORED "^(?:%.*s)$"

struct inhibit_conf {
    str name;
    struct matchers source, target;
    str *equal;
    size_t n_equal;
    struct diag_place place;
    struct conf_map source_match, source_match_re, target_match, target_match_re; /* as written */
};

/* -- time intervals -- */

struct interval_range {
    int begin, end; /* both belong to it; minutes of day: end does not */
};

struct interval_field {
    bool given; /* false: always; true without ranges: never */
    struct interval_range *v;
    size_t n;
};

struct time_interval_spec {
    struct interval_field times;         /* minutes of the day, 0..1440, end excluded */
    struct interval_field weekdays;      /* 0 = Sunday */
    struct interval_field days_of_month; /* 1..31, or -31..-1 counted from the end */
    struct interval_field months;        /* 1 = January; larger than 12 never matches */
    struct interval_field years;
    str location;          /* name of the time zone database; empty = UTC, "Local" = the host's */
    const struct tz *zone; /* of that name; NULL = UTC */
};

struct time_interval_conf {
    str name;
    struct time_interval_spec *intervals; /* any of them */
    size_t n_intervals;
    struct diag_place place;
};

/* Labels of a route, as templates over what is told. In a; empty when one stands twice. */
struct labels route_conf_templates(const struct conf_map *labels, struct arena *a);
/* Gives the regexes back. */
void route_conf_release(struct route_conf *r);
void inhibit_conf_release(struct inhibit_conf *r);

extern const struct conf_type route_conf_type, inhibit_conf_type, time_interval_conf_type;

#endif
