#include "push/push_conf.h"

#include "schema/schema.h"

#define P struct push_conf

static const struct conf_key keys[] = {
    CONF_KEY(P, max_age, CONF_DURATION,
             "a group that was not pushed for so long ends; 0 = it stays until it is deleted",
             .text = "0s"),
    CONF_KEY(P, max_groups, CONF_INT, "limit for groups", .text = "10000", .min = 1,
             .max = 1000000),
    CONF_KEY(P, max_series, CONF_INT, "limit for the series of all groups together",
             .text = "100000", .min = 1, .max = 10000000),
    CONF_KEY(P, body_size_limit, CONF_SIZE, "limit for a push, inflated; 16MiB at most",
             .text = "4MiB", .min = 1, .max = PUSH_BODY_MAX),
    CONF_KEY(P, label_limit, CONF_INT, "limit for the labels of a series, 0 = none", .text = "64"),
    CONF_KEY(P, label_name_length_limit, CONF_INT, "limit for a label's name, in bytes, 0 = none",
             .text = "256"),
    CONF_KEY(P, label_value_length_limit, CONF_INT, "limit for a label's value, in bytes, 0 = none",
             .text = "4096"),
    CONF_KEYS_END,
};
#undef P

const struct conf_type push_conf_type = {
    .name = "push",
    .doc = "Takes metrics as a Pushgateway does, at /metrics/job/... Off without this key.",
    .keys = keys,
    .size = sizeof(struct push_conf),
    .place = CONF_AT(struct push_conf, place),
};
