/* core_conf.h - all that the core knows of a configuration. config fills it; the config that it is part of is held by
 * whoever puts it in force, and given up when the core names it among what is retired.
 *
 * Owns     everything is borrowed from the configuration, which outlives it.
 */
#ifndef CORE_CORE_CONF_H
#define CORE_CORE_CONF_H

#include "base/map.h"
#include "model/labels.h"
#include "model/relabel.h"
#include "route/route_conf.h"
#include "tocsin/receiver.h"

/* One of a receiver's ways to tell. */
struct core_integration {
    str kind;       /* "webhook" */
    unsigned index; /* within its kind in this receiver; part of the notification log's key */
    bool send_resolved;
    /* where it goes, whoever names it: those that are alike share places and rates */
    uint64_t destination;
    struct receiver_pace pace; /* what it takes: the configuration's word, or the vendor's */
    bool digests;              /* a message may be of several groups */
};

struct core_receiver {
    str name;
    const struct core_integration *integrations;
    size_t n_integrations;
    str fallback;            /* the receiver that is told when this one cannot be; empty */
    uint64_t budget_per_day; /* messages; 0 = any */
    str budget_then;         /* who is told what is more */
};

/* What a silence must be like to be taken. */
struct silence_policy {
    struct conf_strings required_matchers; /* labels of which each silence must name a value */
    dur_ns max_duration;                   /* 0 = any */
};

/* What Alertmanager leaves unsaid, or says late. */
struct notifications_conf {
    bool resolve_suppressed;  /* the end of an alert is told although it is suppressed */
    bool flush_at_window_end; /* not at the tick after it */
    bool value_at_resolve;    /* alerts of our rules end with the annotation of that name */
    dur_ns max_age;           /* what has waited for longer goes as one message marked late */
};

struct core_conf {
    dur_ns resolve_timeout;
    const struct route_conf *route; /* NULL: alerts are evaluated and shown, none is delivered */
    const struct inhibit_conf *inhibit_rules;
    size_t n_inhibit_rules;
    const struct core_receiver *receivers;
    size_t n_receivers;
    struct str_map receiver_by_name; /* -> const struct core_receiver * */
    bool any_stands_in;              /* one has a fallback or a budget */
    const struct time_interval_conf *time_intervals;
    size_t n_time_intervals;
    struct labels external_labels;
    struct relabel_rules alert_relabel_configs; /* of all that our rules send */
    bool forwards; /* what our rules send goes to other Alertmanagers, too */
    struct silence_policy silences;
    struct notifications_conf notifications;
    bool records_events; /* for the event recorder: happenings.h */
    dur_ns journal_age;
    int64_t journal_size; /* bytes */
    const str *kinds;     /* of integrations: each that there is */
    size_t n_kinds;
};

#endif
