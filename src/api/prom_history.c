/* /api/tocsin/rule_history: when the alerts of our rules went pending, fired and ended, and at which values. */
#include "api/prom.h"

#include "codec/float.h"
#include "codec/timefmt.h"

static void put_event(struct json_writer *w, const struct rule_event *ev)
{
    struct buf b = BUF_INIT;

    json_open(w, '{');
    json_key(w, S("at"));
    rfc3339_nano(&b, ev->at);
    json_put_str(w, buf_str(&b));
    json_key(w, S("state"));
    json_put_str(w, str_of(rule_alert_state_text(ev->state)));
    json_key(w, S("value"));
    buf_clear(&b);
    float_print_exponent(&b, ev->value);
    json_put_str(w, buf_str(&b));
    json_close(w, '}');
    buf_release(&b);
}

static void prom_history_put_history(struct json_writer *w, const struct alert_history *h)
{
    json_open(w, '{');
    json_key(w, S("labels"));
    label_set_put_json(w, h->labels);
    json_key(w, S("group"));
    json_put_str(w, shared_text_str(h->group));
    json_key(w, S("file"));
    json_put_str(w, shared_text_str(h->file));
    json_key(w, S("changes"));
    json_open(w, '[');
    VEC_EACH (const struct rule_event *, ev, &h->events)
        put_event(w, ev);
    json_close(w, ']');
    json_close(w, '}');
}

/* rule, group, file: exact; filter: matchers as in the API v2. */
void prom_rule_history(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    str rule = api_param(rq, S("rule")), group = api_param(rq, S("group")),
        file = api_param(rq, S("file"));
    struct api_filter f;
    struct buf b = BUF_INIT;
    struct json_writer w;

    if (!api_filter_init(a, rq, &f))
        return;
    json_writer_init(&w, &b, false);
    json_open(&w, '[');
    MAP_EACH (struct u64_map_entry, it, &a->engine->rule_history.alerts) {
        const struct alert_history *h = it->value;

        if ((rule.n == 0 || str_eq(label_set_get(h->labels, S("alertname")), rule)) &&
            (group.n == 0 || str_eq(shared_text_str(h->group), group)) &&
            (file.n == 0 || str_eq(shared_text_str(h->file), file)) &&
            api_filter_set(&f, h->labels))
            prom_history_put_history(&w, h);
    }
    json_close(&w, ']');
    prom_answer(rq, buf_str(&b));
    buf_release(&b);
    api_filter_release(&f);
}
