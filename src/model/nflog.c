#include "model/nflog.h"

#include <stdlib.h>
#include "base/mem.h"
#include "codec/pack.h"

/* What was added stands at the end, where earlier versions stop reading: 2 opened_as, 3 is_unsure. */
enum { NFLOG_VERSION = 3 };

const char *notify_reason_text(enum notify_reason r)
{
    static const char *const texts[] = {[REASON_NONE] = "none",
                                        [REASON_FIRST] = "first notification",
                                        [REASON_NEW_ALERTS] = "new alerts added",
                                        [REASON_ALL_RESOLVED] = "all alerts resolved",
                                        [REASON_SOME_RESOLVED] = "some alerts resolved",
                                        [REASON_REPEAT] = "repeat interval elapsed",
                                        [REASON_UNKNOWN] = "unknown"};

    return texts[r];
}

const char *notify_act_text(enum notify_act a)
{
    static const char *const texts[] = {
        [ACT_FIRING] = "firing", [ACT_RESOLVED] = "resolved", [ACT_ACKED] = "acked",
        [ACT_UPDATE] = "update", [ACT_DIGEST] = "digest",     [ACT_TEST] = "test",
        [ACT_DRILL] = "drill"};

    return texts[a];
}

bool notification_is_alarm(const struct notification *n)
{
    return n->n_firing != 0 && n->act != ACT_ACKED && n->act != ACT_UPDATE &&
           n->reason != REASON_SOME_RESOLVED;
}

const char *notification_why(const struct notification *n)
{
    return n->act == ACT_TEST    ? "test notification"
           : n->act == ACT_DRILL ? "drill"
                                 : notify_reason_text(n->reason);
}

const char *alert_change_text(enum alert_change c)
{
    static const char *const texts[] = {
        [CHANGE_NONE] = "unchanged", [CHANGE_ADDED] = "added", [CHANGE_RESOLVED] = "resolved"};

    return texts[c];
}

struct hash_list hash_list_dup(struct hash_list h)
{
    struct hash_list copy = {NULL, h.n};

    if (h.n == 0)
        return copy;
    copy.v = mem_alloc(h.n * sizeof(*h.v));
    memcpy(copy.v, h.v, h.n * sizeof(*h.v));
    return copy;
}

struct nflog_entry *nflog_entry_new(ts_ns timestamp, ts_ns sent_mono, ts_ns expires_mono,
                                    struct hash_list firing, struct hash_list resolved,
                                    const struct delivery_pair *kept, size_t n_kept)
{
    struct nflog_entry *e = mem_new(struct nflog_entry);

    e->timestamp = timestamp;
    e->sent_mono = sent_mono;
    e->expires_mono = expires_mono;
    e->firing = hash_list_dup(firing);
    e->resolved = hash_list_dup(resolved);
    if (n_kept != 0)
        e->kept = mem_array(n_kept, sizeof(*e->kept));
    e->n_kept = n_kept;
    for (size_t i = 0; i < n_kept; i++)
        e->kept[i] = (struct delivery_pair){mem_str_dup(kept[i].key), mem_str_dup(kept[i].value)};
    return e;
}

void nflog_entry_free(struct nflog_entry *e)
{
    if (e == NULL)
        return;
    for (size_t i = 0; i < e->n_kept; i++) {
        mem_str_free(e->kept[i].key);
        mem_str_free(e->kept[i].value);
    }
    mem_free(e->kept);
    mem_str_free(e->opened_as);
    mem_free(e->firing.v);
    mem_free(e->resolved.v);
    mem_free(e);
}

void hash_list_pack(struct buf *out, struct hash_list h)
{
    pack_u64(out, h.n);
    for (size_t i = 0; i < h.n; i++)
        pack_fixed64(out, h.v[i]);
}

struct hash_list hash_list_unpack(struct unpack *u)
{
    struct hash_list h = {.n = unpack_count(u, 8)};

    h.v = mem_array(h.n, sizeof(*h.v));
    for (size_t i = 0; i < h.n; i++)
        h.v[i] = unpack_fixed64(u);
    return h;
}

void nflog_pack(struct buf *out, const struct nflog_entry *e, struct now now)
{
    pack_u64(out, NFLOG_VERSION);
    pack_i64(out, e->timestamp);
    pack_i64(out, ts_add(now.wall, e->expires_mono - now.mono));
    hash_list_pack(out, e->firing);
    hash_list_pack(out, e->resolved);
    pack_u64(out, e->n_kept);
    for (size_t i = 0; i < e->n_kept; i++) {
        pack_str(out, e->kept[i].key);
        pack_str(out, e->kept[i].value);
    }
    pack_str(out, e->opened_as);
    pack_u64(out, e->is_unsure);
}

struct nflog_entry *nflog_unpack(str bytes, struct now now)
{
    struct unpack u = unpack_of(bytes);
    struct nflog_entry *e = mem_new(struct nflog_entry);
    uint64_t version = unpack_u64(&u);
    ts_ns expires_at;

    e->timestamp = unpack_i64(&u);
    expires_at = unpack_i64(&u);
    e->sent_mono = ts_add(now.mono, e->timestamp < now.wall ? ts_sub(e->timestamp, now.wall) : 0);
    e->expires_mono = ts_add(now.mono, ts_sub(expires_at, now.wall));
    e->firing = hash_list_unpack(&u);
    e->resolved = hash_list_unpack(&u);
    e->n_kept = unpack_count(&u, 2);
    e->kept = mem_array(e->n_kept, sizeof(*e->kept));
    for (size_t i = 0; i < e->n_kept; i++) {
        e->kept[i].key = mem_str_dup(unpack_str(&u));
        e->kept[i].value = mem_str_dup(unpack_str(&u));
    }
    if (version > 1)
        e->opened_as = mem_str_dup(unpack_str(&u));
    e->is_unsure = version > 2 && unpack_u64(&u) != 0;
    if (u.failed || version == 0) {
        nflog_entry_free(e);
        return NULL;
    }
    return e;
}

void nflog_key(struct buf *out, str group_key, str receiver, str integration, unsigned index)
{
    buf_add(out, group_key);
    buf_addc(out, ':');
    buf_add(out, receiver);
    buf_addc(out, '/');
    buf_add(out, integration);
    buf_addc(out, '/');
    buf_add_u64(out, index);
}

/* "groupkey:receiver/integration/idx": a group key ends with a brace. */
bool nflog_key_split(str key, str *group_key, str *receiver, str *integration, uint64_t *index)
{
    ptrdiff_t brace = -1, slash[2] = {-1, -1};

    for (size_t i = 0; i + 1 < key.n; i++)
        if (key.p[i] == '}' && key.p[i + 1] == ':')
            brace = (ptrdiff_t)i;
    for (size_t i = 0; i < key.n; i++)
        if (key.p[i] == '/') {
            slash[0] = slash[1];
            slash[1] = (ptrdiff_t)i;
        }
    if (brace < 0 || slash[0] < brace + 2)
        return false;
    *group_key = str_sub(key, 0, (size_t)brace + 1);
    *receiver = str_sub(key, (size_t)brace + 2, (size_t)slash[0]);
    *integration = str_sub(key, (size_t)slash[0] + 1, (size_t)slash[1]);
    return str_to_u64(str_sub(key, (size_t)slash[1] + 1, key.n), index);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

void hash_list_sort(struct hash_list *h)
{
    if (h->n > 1)
        qsort(h->v, h->n, sizeof(h->v[0]), by_value);
}

bool hash_list_has(struct hash_list h, uint64_t v)
{
    return h.n != 0 && bsearch(&v, h.v, h.n, sizeof(v), by_value) != NULL;
}

bool hash_list_is_subset(struct hash_list sub, struct hash_list of)
{
    size_t j = 0;

    for (size_t i = 0; i < sub.n; i++) {
        while (j < of.n && of.v[j] < sub.v[i])
            j++;
        if (j == of.n || of.v[j] != sub.v[i])
            return false;
    }
    return true;
}

enum notify_reason nflog_decide(const struct nflog_entry *e, struct hash_list firing,
                                struct hash_list resolved, bool send_resolved,
                                dur_ns repeat_interval, struct now now)
{
    if (e == NULL)
        return firing.n != 0 ? REASON_FIRST : REASON_NONE;
    if (!hash_list_is_subset(firing, e->firing))
        return e->firing.n == 0 ? REASON_FIRST : REASON_NEW_ALERTS;
    if (firing.n == 0)
        return e->firing.n != 0 ? REASON_ALL_RESOLVED : REASON_NONE;
    if (e->is_unsure)
        return REASON_NEW_ALERTS;
    if (send_resolved && !hash_list_is_subset(resolved, e->resolved))
        return REASON_SOME_RESOLVED;
    if (e->sent_mono < now.mono - repeat_interval)
        return REASON_REPEAT;
    return REASON_NONE;
}
