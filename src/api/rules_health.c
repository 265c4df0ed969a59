/* GET /api/tocsin/rules_health: each rule and what is the matter with it (live/rule_watch.h). condition=a,b: only those. format=text: a
 * line a rule. */
#include "api/api_priv.h"

#include "codec/duration.h"
#include "live/rule_watch.h"

struct rules_health {
    struct buf b;
    struct json_writer w;
    struct local_now now;
    str wanted; /* conditions; empty: all */
    size_t shown, of;
    bool is_text;
};

static bool rules_health_is_wanted(const struct rules_health *h, enum rule_condition c)
{
    str rest = h->wanted;

    while (rest.n != 0)
        if (str_is(str_cut(&rest, ','), rule_condition_text(c)))
            return true;
    return h->wanted.n == 0;
}

static void say_health(struct rules_health *h, const struct rule_watch_entry *e)
{
    buf_addf(&h->b, "%-14s %-9s %.*s  (%.*s, %.*s)", rule_condition_text(e->condition),
             e->rule->is_alert ? rule_alert_state_text(e->rule->state) : "recording",
             STR(e->rule->name), STR(e->group->name), STR(e->group->file));
    if (e->since != TS_NONE) {
        buf_adds(&h->b, "  since ");
        explain_say_time(&h->b, e->since, &h->now);
    }
    if (e->condition == RULE_CONDITION_FAILING)
        buf_addf(&h->b, "  %.*s", STR(e->rule->last_error));
    buf_addc(&h->b, '\n');
}

static void put_health(struct rules_health *h, const struct rule_watch_entry *e)
{
    struct json_writer *w = &h->w;

    json_open(w, '{');
    json_put_text(w, "name", e->rule->name);
    json_put_text(w, "type", e->rule->is_alert ? S("alerting") : S("recording"));
    json_put_text(w, "group", e->group->name);
    json_put_text(w, "file", e->group->file);
    json_put_text(w, "condition", str_of(rule_condition_text(e->condition)));
    if (e->rule->is_alert)
        json_put_text(w, "state", str_of(rule_alert_state_text(e->rule->state)));
    json_key(w, S("since"));
    if (e->since == TS_NONE)
        json_put_null(w);
    else
        json_put_rfc3339_ms(w, e->since);
    json_key(w, S("series"));
    json_put_u64(w, e->rule->samples);
    api_put_seconds(w, "evaluationTime", e->rule->took);
    api_put_seconds(w, "groupTime", e->group->took);
    api_put_seconds(w, "interval", e->group->interval);
    json_put_text(w, "lastError", e->rule->last_error);
    json_close(w, '}');
}

static void add_health(void *arg, const struct rule_watch_entry *e)
{
    struct rules_health *h = arg;

    h->of++;
    if (!rules_health_is_wanted(h, e->condition))
        return;
    h->shown++;
    if (h->is_text)
        say_health(h, e);
    else
        put_health(h, e);
}

void api_get_rules_health(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct rules_health h = {.wanted = api_param(rq, S("condition")),
                             .is_text = str_is(api_param(rq, S("format")), "text")};
    struct tz *zone = h.is_text ? tz_of_rule(api_param(rq, S("zone"))) : NULL;
    struct buf shown = BUF_INIT;

    h.now = (struct local_now){shell_clock(a->conf.shell)->now, zone};
    if (!h.is_text) {
        json_writer_init(&h.w, &h.b, true);
        json_open(&h.w, '{');
        json_key(&h.w, S("rules"));
        json_open(&h.w, '[');
    }
    if (a->conf.rule_watch != NULL)
        rule_watch_each(a->conf.rule_watch, add_health, &h);
    if (h.is_text) {
        buf_addf(&h.b, "%zu of %zu rules\n", h.shown, h.of);
        buf_add_shown(&shown, buf_str(&h.b));
    } else {
        json_close(&h.w, ']');
        json_close(&h.w, '}');
        buf_addc(&h.b, '\n');
    }
    api_headers(rq);
    http_reply(rq, 200, h.is_text ? S("text/plain; charset=utf-8") : S("application/json"),
               buf_str(h.is_text ? &shown : &h.b));
    buf_release(&h.b);
    buf_release(&shown);
    tz_free(zone);
}
