/* messages.h - the templates of messages: the built-in ones, then the user's, which replace by name.
 *
 * Shapes   some 150 built-in definitions (default.tmpl, readable.tmpl, receivers/NAME/NAME.tmpl), parsed once a configuration: a
 *          few ms. Chinese ones are those with the words of default.zh.tmpl and NAME.zh.tmpl in place of the English ones;
 *          readable ones of Alertmanager's kinds of receivers, those of NAME.readable.tmpl.
 * Units    times of the data are shown in the zone: UTC, or for Chinese messages Asia/Shanghai, when none was chosen.
 * Owns     messages_new() gives an owned object.
 * Errors   messages_load(): every file that cannot be read or parsed, as diags C010 with file, line and column.
 * Cost     read only afterwards; attempts share it.
 * Source   alertmanager.md 5.1, 5.3, 5.4; ecosystem.md 2 (the names and functions of DingTalk templates).
 */
#ifndef NOTIFY_MESSAGES_H
#define NOTIFY_MESSAGES_H

#include "os/file_set.h"
#include "base/diags.h"
#include "template/template.h"
#include "tocsin/conf.h"
#include "tocsin/notification.h"

struct messages {
    struct template_set *set;
    struct tz *zone; /* NULL: UTC */
    bool is_chinese;
    struct tz *local; /* of Time.Local: the zone, or that of the process when none was chosen */
};

/* language: "en" or "zh". timezone: a name of the zone database; empty: the language's. readable: Alertmanager's kinds of
 * receivers have readable texts too, not only ours. NULL: there is no such zone. */
struct messages *messages_new(str language, str timezone, bool readable, struct err *e) must_check;
void messages_free(struct messages *m); /* NULL is fine */
/* patterns: globs; one without a match is fine. False when d got an error. */
bool messages_load(struct messages *m, const struct files *files, const str *patterns, size_t n,
                   struct diags *d) must_check;

/* Whether text is a template that can be read, with functions that there are. */
bool messages_reads(str text, struct err *e) must_check;

struct messages_context {
    const struct messages *messages;
    const struct notification *n;
    str external_url;
    ts_ns now;
    const struct conf_strings *at_mobiles; /* delivery.h */
    /* As template_run has them: what may end a rendering early. */
    bool (*expired)(const void *arg);
    const void *expired_arg;
};

/* Expands text over a notification, as Alertmanager does. The result lives in a. */
bool messages_render(const struct messages_context *c, str text, bool html, struct arena *a,
                     str *out, struct err *e) must_check;

/* A route's labels, expanded over a notification that has none yet. They may ask for one another by routeLabels "name"; one
 * that cannot be expanded is left out. A label has 100,000 steps. */
struct labels messages_route_labels(const struct messages_context *c, struct labels templates,
                                    struct arena *a);

#endif
