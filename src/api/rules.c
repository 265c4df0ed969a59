/* Alerts of our own rules, pending ones too: what the router does not know. */
#include "api/api_priv.h"

#include "codec/float.h"

static void put_one(struct json_writer *w, const struct rule_group_view *g,
                    const struct rule_view *r, const struct rule_alert_view *a)
{
    struct buf value = BUF_INIT;

    float_print_g(&value, a->value);
    json_open(w, '{');
    json_key(w, S("state"));
    json_put_str(w, a->state == RULE_ALERT_FIRING ? S("firing") : S("pending"));
    json_key(w, S("rule"));
    json_put_str(w, r->name);
    json_key(w, S("group"));
    json_put_str(w, g->name);
    json_key(w, S("value"));
    json_put_str(w, buf_str(&value));
    json_key(w, S("activeAt"));
    api_put_time(w, a->active_at);
    json_key(w, S("for"));
    json_put_double(w, (double)r->hold_for / NS_PER_S);
    json_key(w, S("labels"));
    api_put_labels(w, a->labels);
    json_key(w, S("annotations"));
    api_put_labels(w, a->annotations);
    json_close(w, '}');
    buf_release(&value);
}

void api_put_rule_alerts(struct api *a, struct json_writer *w, struct now now)
{
    (void)now;
    for (size_t i = 0; i < a->engine->rules.n; i++) {
        const struct rule_group_view *g = a->engine->rules.v[i]->shown;

        for (size_t j = 0; j < g->n_rules; j++)
            for (size_t k = 0; k < g->rules[j].n_alerts; k++)
                put_one(w, g, &g->rules[j], &g->rules[j].alerts[k]);
    }
}
