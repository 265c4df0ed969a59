/* What of a configuration the core reads. */
#include "config/config_priv.h"

#include <openssl/crypto.h>
#include "base/buf.h"
#include "base/hash.h"

static void core_add(struct buf *b, const struct conf_key *k, str value)
{
    if (value.n != 0)
        buf_addf(b, "%s=%zu:%.*s", k->name, value.n, STR(value));
}

/* The token in a robot's address. */
static str core_token_in(str url)
{
    static const str name = S_INIT("access_token=");
    ptrdiff_t query = str_find(url, '?');
    str rest = str_sub(url, query >= 0 ? (size_t)query + 1 : url.n, url.n);

    while (rest.n != 0) {
        str pair = str_cut(&rest, '&');

        if (str_starts_with(pair, name))
            return str_sub(pair, name.n, pair.n);
    }
    return STR_NONE;
}

/* What tells one account, robot or server of a kind from another: its addresses and secrets, of a robot with a token that alone,
 * wherever it stands. Two receivers that have them in common are one to whoever is on the other side; one that has none is
 * by itself. */
static uint64_t core_destination_of(const struct receiver_conf *r,
                                    const struct integration_conf *ic)
{
    const struct conf_key *keys = ic->type->conf->keys;
    struct buf b = BUF_INIT;
    bool is_told = ic->type->destination != NULL && ic->type->destination(ic->conf, &b);
    uint64_t h;
    str token = STR_NONE;

    for (const struct conf_key *k = keys; !is_told && k->name != NULL; k++) {
        const char *member = (const char *)ic->conf + k->offset;

        if (k->kind == CONF_SECRET || k->kind == CONF_SECRET_URL) {
            const struct secret *s = (const void *)member;
            str found = k->kind == CONF_SECRET_URL             ? core_token_in(s->hidden)
                        : strcmp(k->name, "access_token") == 0 ? s->hidden
                                                               : STR_NONE;

            token = found.n != 0 ? found : token;
            core_add(&b, k, s->hidden);
            core_add(&b, k, s->file);
        } else if (k->kind == CONF_STRINGS && (k->flags & CONF_ADDRESS) != 0) {
            const struct conf_strings *list = (const void *)member;

            for (size_t n = 0; n < list->n; n++) /* called numbers */
                core_add(&b, k, list->v[n]);
        } else if ((k->kind == CONF_URL && (k->flags & CONF_NOT_ADDRESS) == 0) ||
                   (k->flags & CONF_ADDRESS) != 0) {
            core_add(&b, k, *(const str *)(const void *)member);
        }
    }
    if (token.n != 0) {
        OPENSSL_cleanse(b.p, b.n);
        buf_clear(&b);
        buf_addf(&b, "access_token=%.*s", STR(token));
    }
    if (b.n == 0)
        buf_addf(&b, "%.*s/%u", STR(r->name), ic->index);
    buf_addf(&b, "%s", ic->type->name);
    h = hash_xxh64(buf_str(&b));
    OPENSSL_cleanse(b.p, b.n);
    buf_release(&b);
    return h;
}

static const struct core_integration *integrations_of(const struct receiver_conf *r,
                                                      struct arena *a)
{
    struct core_integration *v = arena_array(a, r->n_integrations, sizeof(*v));

    for (size_t i = 0; i < r->n_integrations; i++)
        v[i] = (struct core_integration){str_of(r->integrations[i].type->name),
                                         r->integrations[i].index,
                                         r->integrations[i].send_resolved,
                                         core_destination_of(r, &r->integrations[i]),
                                         r->integrations[i].pace,
                                         r->integrations[i].digests};
    return v;
}

static void fill_receivers(struct config *c)
{
    struct core_receiver *v = arena_array(&c->arena, c->n_receivers, sizeof(*v));

    for (size_t i = 0; i < c->n_receivers; i++)
        v[i] = (struct core_receiver){c->receivers[i].name,
                                      integrations_of(&c->receivers[i], &c->arena),
                                      c->receivers[i].n_integrations,
                                      c->receivers[i].fallback,
                                      (uint64_t)c->receivers[i].budget.per_day,
                                      c->receivers[i].budget.then};
    for (size_t i = 0; i < c->n_receivers; i++) {
        str_map_put(&c->core.receiver_by_name, v[i].name, (void *)(uintptr_t)&v[i]);
        c->core.any_stands_in |= v[i].fallback.n != 0 || v[i].budget_per_day != 0;
    }
    c->core.receivers = v;
    c->core.n_receivers = c->n_receivers;
}

static void fill_kinds(struct config *c)
{
    size_t n = 0;
    str *v;

    while (receiver_types[n] != NULL)
        n++;
    v = arena_array(&c->arena, n, sizeof(*v));
    for (size_t i = 0; i < n; i++)
        v[i] = str_of(receiver_types[i]->name);
    c->core.kinds = v;
    c->core.n_kinds = n;
}

void config_fill_core(struct config *c)
{
    struct core_conf *core = &c->core;

    core->resolve_timeout = c->resolve_timeout;
    core->route = c->route;
    core->inhibit_rules = c->inhibit_rules;
    core->n_inhibit_rules = c->n_inhibit_rules;
    core->time_intervals = c->time_intervals;
    core->n_time_intervals = c->n_time_intervals;
    core->external_labels = c->external_labels;
    core->alert_relabel_configs = c->alerting.alert_relabel_configs;
    core->forwards = c->alerting.alertmanagers.n != 0;
    core->records_events = c->recorder != NULL;
    core->journal_age = c->storage.journal_age;
    core->journal_size = c->storage.journal_size;
    fill_receivers(c);
    fill_kinds(c);
}
