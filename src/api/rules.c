/* Our own rules and their alerts, pending ones too: what the router does not know. */
#include "api/api_priv.h"

#include "codec/duration.h"
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
    json_put_rfc3339_ms(w, a->active_at);
    json_key(w, S("for"));
    json_put_double(w, (double)r->hold_for / NS_PER_S);
    json_key(w, S("labels"));
    labels_put_json(w, a->labels);
    json_key(w, S("annotations"));
    labels_put_json(w, a->annotations);
    json_close(w, '}');
    buf_release(&value);
}

void api_put_rule_alerts(struct api *a, struct json_writer *w, const struct api_filter *f)
{
    buf_adds(w->out, "\"rules\":");
    json_open(w, '[');
    for (size_t i = 0; i < a->engine->rules.n; i++) {
        const struct rule_group_view *g = a->engine->rules.v[i]->shown;

        for (size_t j = 0; j < g->n_rules; j++)
            for (size_t k = 0; k < g->rules[j].n_alerts; k++)
                if (api_filter_labels(f, g->rules[j].alerts[k].labels))
                    put_one(w, g, &g->rules[j], &g->rules[j].alerts[k]);
    }
    json_close(w, ']');
}

static str rules_state_of(const struct rule_view *r)
{
    return r->is_alert ? str_of(rule_alert_state_text(r->state)) : S("recording");
}

static void rules_put_rule(struct json_writer *w, const struct rule_view *r)
{
    json_open(w, '{');
    json_key(w, S("name"));
    json_put_str(w, r->name);
    json_key(w, S("state"));
    json_put_str(w, rules_state_of(r));
    json_key(w, S("health"));
    json_put_str(w, str_of(rule_health_text(r->health)));
    json_key(w, S("query"));
    json_put_str(w, r->query);
    json_key(w, S("lastError"));
    json_put_str(w, r->last_error);
    api_put_rule_notes(w, r->notes);
    json_close(w, '}');
}

void api_put_rule_groups(struct api *a, struct json_writer *w)
{
    buf_adds(w->out, "\"ruleGroups\":");
    json_open(w, '[');
    for (size_t i = 0; i < a->engine->rules.n; i++) {
        const struct rule_group_view *g = a->engine->rules.v[i]->shown;
        struct buf interval = BUF_INIT;

        duration_print(&interval, g->interval);
        json_open(w, '{');
        json_key(w, S("name"));
        json_put_str(w, g->name);
        json_key(w, S("file"));
        json_put_str(w, g->file);
        json_key(w, S("interval"));
        json_put_str(w, buf_str(&interval));
        json_key(w, S("lastEvaluation"));
        if (g->last_eval == TS_NONE || g->last_eval == 0)
            json_put_null(w);
        else
            json_put_rfc3339_ms(w, g->last_eval);
        json_key(w, S("rules"));
        json_open(w, '[');
        for (size_t j = 0; j < g->n_rules; j++)
            rules_put_rule(w, &g->rules[j]);
        json_close(w, ']');
        json_close(w, '}');
        buf_release(&interval);
    }
    json_close(w, ']');
}
