/* push_conf.h - whether metrics may be pushed, and how much of them. The key `push`.
 *
 * Source   ecosystem.md 5; design.md 2.10.
 */
#ifndef PUSH_PUSH_CONF_H
#define PUSH_PUSH_CONF_H

#include "tocsin/conf.h"

enum { PUSH_BODY_MAX = 16 << 20 };

struct push_conf {
    dur_ns max_age; /* 0: a group stays until it is deleted */
    int64_t max_groups, max_series, body_size_limit;
    int64_t label_limit, label_name_length_limit, label_value_length_limit; /* 0: none */
    dur_ns interval; /* the scrape interval */
    struct diag_place place;
};

extern const struct conf_type push_conf_type;

#endif
