/* receiver.h - a kind of integration: what it is called, what it may say in the configuration, how
 * it delivers.
 *
 * One const row a kind. The row stands in receivers/NAME/NAME.c; receivers/CMakeLists.txt lists the
 * names.
 *
 * Owns     rows are static. Decoded entries live in the arena of the configuration.
 * Source   alertmanager.md 2.7 (keys and checks), 6 (delivery).
 */
#ifndef TOCSIN_RECEIVER_H
#define TOCSIN_RECEIVER_H

#include "tocsin/conf.h"
#include "tocsin/delivery.h"
#include "tocsin/global.h"

/* What surrounds an entry when it is checked. */
struct receiver_view {
    const struct global_conf *global;
    bool has_http_config;        /* the entry has one of its own */
    bool has_http_authorization; /* its own or the inherited one names credentials */
};

struct receiver_type {
    const char *name;       /* "webhook", also in metrics and the notification log */
    const char *config_key; /* "webhook_configs" */
    const char *doc;
    const struct conf_type *conf; /* without send_resolved and http_config, which every kind gets */
    bool send_resolved_default;
    /* Alertmanager has no such kind: not printed on the status page, which its clients read */
    bool is_ours;
    bool uses_http;      /* an entry may have an http_config */
    bool inherits_proxy; /* and that takes proxy_url from the global one when it has none */
    /* Checks, with everything inherited and every default in place; complains with conf_error(). NULL = nothing to do. */
    void (*check)(void *conf, const struct receiver_view *view, struct conf_check *c);
    /* One step of a delivery. */
    enum delivery_verdict (*step)(struct delivery *d);
};

extern const struct receiver_type *const receiver_types[]; /* ends with NULL */

#endif
