/* notify_conf.h - receivers as configured: a name and the integrations that a notification for it
 * goes to.
 *
 * Owns     everything lives in the arena of the configuration.
 * Source   alertmanager.md 2.7.
 */
#ifndef NOTIFY_NOTIFY_CONF_H
#define NOTIFY_NOTIFY_CONF_H

#include "base/diags.h"
#include "net/http_conf.h"
#include "tocsin/receiver.h"

struct messages;

struct integration_conf {
    const struct receiver_type *type;
    void *conf; /* the type's struct, inheritance done */
    bool send_resolved;
    struct http_conf *http; /* its own or the global one; never NULL */
    bool has_own_http;
    struct receiver_pace pace;       /* the entry's, or the type's */
    bool digests;                    /* a message may be of several groups */
    bool splits;                     /* what is too long goes in parts */
    const struct messages *messages; /* its own templates; NULL: those of the configuration */
    unsigned index; /* within its kind in this receiver; part of the notification log's key */
    struct diag_place place;
};

struct receiver_budget {
    int64_t per_day; /* 0 = any */
    str then;        /* a receiver */
};

struct receiver_conf {
    str name;
    struct conf_map labels;
    struct integration_conf *integrations; /* in the order of receiver_types[], then of the file */
    size_t n_integrations;
    str fallback;
    struct receiver_budget budget;
    bool is_used; /* some route, or another receiver, names it */
    struct diag_place place;
};

#endif
