/* What changes takes the next revision (changes.h). What time alone changes is noted when somebody asks: the next instant at
 * which it does is known, so that a question before it costs one comparison, and nobody who does not ask pays for it. */
#include "core/engine_priv.h"

void changed_alert(struct engine *e, struct alert *a)
{
    a->revision = changes_note(&e->changes, CHANGED_ALERT, alert_fingerprint(a), 0);
    if (a->expires_mono > e->seen_ends && a->expires_mono < e->next_end)
        e->next_end = a->expires_mono;
}

void changed_sources(struct engine *e)
{
    e->audience_changed = e->sources_changed = e->changes.revision;
}

static uint64_t stamp(struct engine *e, const struct silence *s)
{
    uint64_t revision =
        changes_note(&e->changes, CHANGED_SILENCE, silence_key(s->id).high, silence_key(s->id).low);

    silencer_stamp(e->silencer, uuid_str(&s->id), revision);
    return revision;
}

void changed_silence(struct engine *e, const struct silence *s)
{
    e->audience_changed = stamp(e, s);
    e->next_silence = TS_NONE;
}

void changed_group(struct engine *e, struct group *g)
{
    g->revision = changes_note(&e->changes, CHANGED_GROUP, g->fingerprint, g->route->index);
}

void changed_row(struct engine *e, struct outbox_row *r)
{
    r->revision = changes_note(&e->changes, CHANGED_ROW, hash_str(r->key), 0);
}

void changed_all(struct engine *e, enum change_kind kind)
{
    e->audience_changed = e->sources_changed = changes_note(&e->changes, kind, 0, 0);
    e->next_silence = e->next_end = TS_NONE;
}

/* -- what time changes -- */

static void sooner(ts_ns *next, ts_ns at, ts_ns now)
{
    if (at > now && at < *next)
        *next = at;
}

static void look_at_silences(struct engine *e, ts_ns now)
{
    struct silence_list all = {0};
    ts_ns seen = e->seen_silences;

    e->next_silence = TS_MAX;
    e->seen_silences = now;
    silencer_all(e->silencer, &all);
    for (size_t i = 0; i < all.n; i++) {
        const struct silence *s = all.v[i];

        if (silence_state(s, now) != silence_state(s, seen))
            stamp(e, s);
        sooner(&e->next_silence, s->starts_at, now);
        sooner(&e->next_silence, ts_add(s->ends_at, 1), now);
    }
    vec_release(&all);
}

static void revision_look_at_alerts(struct engine *e, struct now now)
{
    ts_ns seen = e->seen_ends;

    e->next_end = TS_MAX;
    e->seen_ends = now.mono;
    ALERT_TABLE_EACH (a, &e->alerts) {
        if (a->expires_mono > seen && a->expires_mono <= now.mono)
            changed_alert(e, a);
        sooner(&e->next_end, a->expires_mono, now.mono);
    }
}

uint64_t engine_revision(struct engine *e, unsigned kinds, struct now now)
{
    if ((kinds & CHANGES_OF(CHANGED_SILENCE)) != 0 && now.wall >= e->next_silence)
        look_at_silences(e, now.wall);
    if ((kinds & CHANGES_OF(CHANGED_ALERT)) != 0 && now.mono >= e->next_end)
        revision_look_at_alerts(e, now);
    return changes_last(&e->changes, kinds);
}
