/* template_data.h - a notification as the data of templates: the fields and methods that Alertmanager's templates know.
 *
 * Shapes   one root object a notification; sub-lists and maps are built when a template asks.
 * Owns     struct template_data is the caller's and borrows everything; it must outlive the execution.
 * Errors   template_data_from_json(): ERR_INVALID with the place.
 * Source   alertmanager.md 5.2.
 */
#ifndef NOTIFY_TEMPLATE_DATA_H
#define NOTIFY_TEMPLATE_DATA_H

#include "template/value.h"
#include "tocsin/notification.h"

struct template_data {
    str receiver, status, external_url, reason;
    const struct notified_alert *alerts;
    size_t n_alerts;
    const struct notification *n; /* NULL: the data are from elsewhere */
    struct labels group_labels, common_labels, common_annotations, route_labels;
    const struct conf_strings *at_mobiles; /* NULL: the data have no such field */
    bool is_chinese;                       /* what the readable texts say (readable.h) */
    bool is_plain; /* messages name the type as amtool does, without the pointer */
};

/* The receiver's name is quoted for patterns here, the common labels are worked out; all in a. */
void template_data_of(struct arena *a, const struct notification *n, str external_url,
                      struct template_data *out);

/* The JSON form of the same data, as `amtool template render --template.data` reads it. */
bool template_data_from_json(struct arena *a, str text, struct template_data *out,
                             struct err *e) must_check;

/* A made-up notification, for those who only want to see what a template does. */
struct template_data template_data_example(struct arena *a);

struct tmpl_value template_data_value(const struct template_data *d);
/* Of a digest, each group as data of its own; of anything else it is the only one. */
struct tmpl_value template_data_groups(struct tmpl_env *env, const struct template_data *d);
/* none when v is other data */
struct labels template_data_route_labels(const struct tmpl_value *v);

#endif
