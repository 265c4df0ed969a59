/* Silences first, then the notification log: each is read message by message into our nouns, and written with the
 * fields of old and new versions. Fields are numbered as in alertmanager.md 9.1. */
#include "bridge/am_snapshot.h"

#include "base/mem.h"
#include "base/vec.h"
#include "codec/pack.h"
#include "codec/protobuf.h"
#include "codec/float.h"

/* Alertmanager's matcher types, in the order of its enum. */
static const enum match_op ops[] = {MATCH_EQ, MATCH_RE, MATCH_NE, MATCH_NRE};

/* The next message of a file. False at its end; e is set when the file is damaged. */
static bool next_message(struct pb_reader *file, str *message, struct err *e)
{
    size_t at = file->at;
    uint64_t n;

    if (file->at >= file->in.n)
        return false;
    n = pb_varint(file);
    if (file->failed || n > file->in.n - file->at) {
        file->failed = true;
        err_set(e, ERR_CORRUPT, "damaged at byte %zu: the file ends inside of a record", at);
        return false;
    }
    *message = str_sub(file->in, file->at, file->at + (size_t)n);
    file->at += (size_t)n;
    return true;
}

/* -- silences -- */

static bool am_snapshot_read_matcher(str message, struct silence *s, struct matchers *set,
                                     struct err *e)
{
    struct pb_reader r = pb_reader_of(message);
    uint64_t type = 0;
    str name = STR_NONE, pattern = STR_NONE;

    while (pb_next(&r)) {
        if (r.field == 1)
            type = r.value;
        else if (r.field == 2)
            name = r.bytes;
        else if (r.field == 3)
            pattern = r.bytes;
    }
    if (r.failed || type >= ARRAY_LEN(ops))
        return err_set(e, ERR_CORRUPT, "malformed matcher");
    if (!matcher_init(&set->v[set->n], ops[type], arena_str(&s->arena, name),
                      arena_str(&s->arena, pattern), e))
        return false;
    set->n++;
    return true;
}

static size_t count_fields(str message, unsigned field)
{
    struct pb_reader r = pb_reader_of(message);
    size_t n = 0;

    while (pb_next(&r))
        n += r.field == field && r.is_bytes;
    return n;
}

/* The matchers that stand in message under the given field, as one set. */
static bool read_set(str message, unsigned field, struct silence *s, struct err *e)
{
    struct pb_reader r = pb_reader_of(message);
    struct matchers *set = &s->sets[s->n_sets++];

    *set = (struct matchers){
        arena_array(&s->arena, count_fields(message, field), sizeof(struct matcher)), 0};
    while (pb_next(&r))
        if (r.field == field && r.is_bytes && !am_snapshot_read_matcher(r.bytes, s, set, e))
            return false;
    return !r.failed || err_set(e, ERR_CORRUPT, "malformed matchers");
}

static bool read_sets(str message, struct silence *s, struct err *e)
{
    struct pb_reader r = pb_reader_of(message);
    size_t n = count_fields(message, 11);

    s->sets = arena_array(&s->arena, n + 1, sizeof(*s->sets));
    if (n == 0) /* up to 0.31 there was one set, in the silence itself */
        return read_set(message, 2, s, e);
    while (pb_next(&r))
        if (r.field == 11 && r.is_bytes && !read_set(r.bytes, 1, s, e))
            return false;
    return true;
}

static void am_snapshot_read_annotations(str message, struct silence *s)
{
    struct pb_reader r = pb_reader_of(message);
    size_t n = 0;
    struct label *v = arena_array(&s->arena, count_fields(message, 10), sizeof(*v));
    str dup;

    while (pb_next(&r)) {
        struct pb_reader pair = pb_reader_of(r.bytes);

        if (r.field != 10 || !r.is_bytes)
            continue;
        while (pb_next(&pair)) {
            if (pair.field == 1)
                v[n].name = arena_str(&s->arena, pair.bytes);
            else if (pair.field == 2)
                v[n].value = arena_str(&s->arena, pair.bytes);
        }
        n++;
    }
    n = labels_sort_keep(v, n, &dup);
    s->annotations = (struct labels){v, n == SIZE_MAX ? 0 : n};
}

static struct silence *am_snapshot_read_silence(str message, struct err *e)
{
    struct silence *s = silence_new();
    struct pb_reader r = pb_reader_of(message);
    bool failed = false, ok = read_sets(message, s, e);

    while (ok && pb_next(&r)) {
        switch (r.field) {
        case 1:
            if (!uuid_parse(r.bytes, &s->id))
                ok = err_set(e, ERR_CORRUPT, "\"%.*s\" is not a silence id", STR(r.bytes));
            break;
        case 3: s->starts_at = pb_time(r.bytes, &failed); break;
        case 4: s->ends_at = pb_time(r.bytes, &failed); break;
        case 5: s->updated_at = pb_time(r.bytes, &failed); break;
        case 8: s->created_by = arena_str(&s->arena, r.bytes); break;
        case 9: s->comment = arena_str(&s->arena, r.bytes); break;
        }
    }
    if (ok && (r.failed || failed))
        ok = err_set(e, ERR_CORRUPT, "malformed silence");
    if (ok && s->id.text[0] == '\0')
        ok = err_set(e, ERR_CORRUPT, "a silence without an id");
    am_snapshot_read_annotations(message, s);
    if (ok && silence_validate(s, MATCHER_FALLBACK, e))
        return s;
    silence_free(s);
    return NULL;
}

bool am_silences_read(str bytes, am_silence_cb *got, void *arg, struct err *e)
{
    struct pb_reader file = pb_reader_of(bytes);
    VEC(struct silence *) all = VEC_INIT;
    bool ok = true;
    str message;

    while (ok && next_message(&file, &message, e)) {
        struct pb_reader mesh = pb_reader_of(message);
        struct silence *s = NULL;

        while (ok && pb_next(&mesh))
            if (mesh.field == 1 && mesh.is_bytes && s == NULL) {
                s = am_snapshot_read_silence(mesh.bytes, e);
                ok = s != NULL;
            }
        if (ok && mesh.failed)
            ok = err_set(e, ERR_CORRUPT, "malformed record");
        if (!ok)
            err_wrap(e, "record before byte %zu", file.at);
        if (s != NULL)
            vec_push(&all, s);
    }
    ok = ok && !file.failed;
    VEC_EACH (struct silence **, s, &all) {
        if (ok)
            got(arg, *s);
        else
            silence_free(*s);
    }
    vec_release(&all);
    return ok;
}

static void put_matcher(struct buf *out, unsigned field, const struct matcher *m)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < ARRAY_LEN(ops); i++)
        if (ops[i] == m->op)
            pb_put_u64(&b, 1, i);
    pb_put_bytes(&b, 2, m->name);
    pb_put_bytes(&b, 3, m->value);
    pb_put_message(out, field, &b);
    buf_release(&b);
}

void am_silence_write(struct buf *out, const struct silence *s, ts_ns expires_at)
{
    struct buf silence = BUF_INIT, part = BUF_INIT, mesh = BUF_INIT;

    pb_put_bytes(&silence, 1, uuid_str(&s->id));
    for (size_t i = 0; s->n_sets != 0 && i < s->sets[0].n; i++)
        put_matcher(&silence, 2, &s->sets[0].v[i]);
    pb_put_time(&silence, 3, s->starts_at);
    pb_put_time(&silence, 4, s->ends_at);
    pb_put_time(&silence, 5, s->updated_at);
    pb_put_bytes(&silence, 8, s->created_by);
    pb_put_bytes(&silence, 9, s->comment);
    LABELS_EACH (l, s->annotations) {
        pb_put_bytes(&part, 1, l->name);
        pb_put_bytes(&part, 2, l->value);
        pb_put_message(&silence, 10, &part);
    }
    for (size_t i = 0; i < s->n_sets; i++) {
        for (size_t j = 0; j < s->sets[i].n; j++)
            put_matcher(&part, 1, &s->sets[i].v[j]);
        pb_put_message(&silence, 11, &part);
    }
    pb_put_message(&mesh, 1, &silence);
    pb_put_time(&mesh, 2, expires_at);
    pack_u64(out, mesh.n);
    buf_add(out, buf_str(&mesh));
    buf_release(&silence);
    buf_release(&part);
    buf_release(&mesh);
}

/* -- the notification log -- */

struct hashes {
    uint64_t *v;
    size_t n, cap;
};

/* Packed or one by one. */
static void am_snapshot_add_hashes(struct hashes *h, const struct pb_reader *r, bool *failed)
{
    struct pb_reader packed = pb_reader_of(r->bytes);

    if (!r->is_bytes) {
        vec_push(h, r->value);
        return;
    }
    while (packed.at < packed.in.n && !packed.failed) {
        uint64_t v = pb_varint(&packed);

        if (!packed.failed)
            vec_push(h, v);
    }
    *failed |= packed.failed;
}

struct entry {
    str group_key, receiver, integration;
    uint64_t index;
    ts_ns timestamp, expires_at;
    struct hashes firing, resolved;
    struct {
        struct delivery_pair *v;
        size_t n, cap;
    } kept;
    struct arena arena;
    bool failed;
};

static void read_receiver(str message, struct entry *x)
{
    struct pb_reader r = pb_reader_of(message);

    while (pb_next(&r)) {
        if (r.field == 1)
            x->receiver = r.bytes;
        else if (r.field == 2)
            x->integration = r.bytes;
        else if (r.field == 3)
            x->index = r.value;
    }
    x->failed |= r.failed;
}

/* A map entry: key, and a value that is a text, an integer or a double. */
static void read_kept(str message, struct entry *x)
{
    struct pb_reader r = pb_reader_of(message), value;
    struct delivery_pair pair = {STR_NONE, STR_NONE};
    double number;

    while (pb_next(&r)) {
        if (r.field == 1)
            pair.key = r.bytes;
        if (r.field != 2)
            continue;
        value = pb_reader_of(r.bytes);
        while (pb_next(&value)) {
            struct buf text = BUF_INIT;

            if (value.field == 1)
                buf_add(&text, value.bytes);
            else if (value.field == 2)
                buf_addf(&text, "%lld", (long long)value.value);
            else if (value.field == 3) {
                memcpy(&number, &value.value, sizeof(number));
                float_print_g(&text, number);
            }
            pair.value = arena_str(&x->arena, buf_str(&text));
            buf_release(&text);
        }
        x->failed |= value.failed;
    }
    x->failed |= r.failed;
    vec_push(&x->kept, pair);
}

static void read_entry(str message, struct entry *x)
{
    struct pb_reader r = pb_reader_of(message);

    while (pb_next(&r)) {
        switch (r.field) {
        case 1: x->group_key = r.bytes; break;
        case 2: read_receiver(r.bytes, x); break;
        case 5: x->timestamp = pb_time(r.bytes, &x->failed); break;
        case 6: am_snapshot_add_hashes(&x->firing, &r, &x->failed); break;
        case 7: am_snapshot_add_hashes(&x->resolved, &r, &x->failed); break;
        case 8: read_kept(r.bytes, x); break;
        }
    }
    x->failed |= r.failed;
}

/* A foreign file may say any time. What lies before 1970 is as good as 1970: long ago. */
static dur_ns from_to(ts_ns from, ts_ns to)
{
    return (to > 0 ? to : 0) - (from > 0 ? from : 0);
}

static struct nflog_entry *entry_done(struct entry *x, struct now now, struct buf *key)
{
    struct hash_list firing = {x->firing.v, x->firing.n}, resolved = {x->resolved.v, x->resolved.n};
    dur_ns age = from_to(x->timestamp, now.wall);

    if (x->failed || x->group_key.n == 0 || x->receiver.n == 0 || x->integration.n == 0 ||
        x->index > UINT32_MAX)
        return NULL;
    hash_list_sort(&firing);
    hash_list_sort(&resolved);
    buf_clear(key);
    nflog_key(key, x->group_key, x->receiver, x->integration, (unsigned)x->index);
    return nflog_entry_new(x->timestamp, ts_add(now.mono, age > 0 ? -age : 0),
                           ts_add(now.mono, from_to(now.wall, x->expires_at)), firing, resolved,
                           x->kept.v, x->kept.n);
}

static struct nflog_entry *read_mesh_entry(str message, struct now now, struct buf *key)
{
    struct entry x = {.timestamp = 0, .expires_at = 0};
    struct pb_reader r = pb_reader_of(message);
    struct nflog_entry *e;

    arena_init(&x.arena, 0);
    while (pb_next(&r)) {
        if (r.field == 1 && r.is_bytes)
            read_entry(r.bytes, &x);
        else if (r.field == 2)
            x.expires_at = pb_time(r.bytes, &x.failed);
    }
    x.failed |= r.failed;
    e = entry_done(&x, now, key);
    vec_release(&x.firing);
    vec_release(&x.resolved);
    vec_release(&x.kept);
    arena_release(&x.arena);
    return e;
}

bool am_nflog_read(str bytes, struct now now, am_nflog_cb *got, void *arg, struct err *e)
{
    struct pb_reader file = pb_reader_of(bytes);
    struct buf key = BUF_INIT;
    bool ok = true;
    str message;

    for (int pass = 0; pass < 2 && ok; pass++) { /* the first only looks whether all can be read */
        file = pb_reader_of(bytes);
        while (ok && next_message(&file, &message, e)) {
            struct nflog_entry *entry = read_mesh_entry(message, now, &key);

            if (entry == NULL)
                ok = err_set(e, ERR_CORRUPT, "malformed entry before byte %zu", file.at);
            else if (pass == 0)
                nflog_entry_free(entry);
            else
                got(arg, buf_str(&key), entry);
        }
        ok = ok && !file.failed;
    }
    buf_release(&key);
    return ok;
}

static void put_hashes(struct buf *out, unsigned field, struct hash_list h)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < h.n; i++)
        pack_u64(&b, h.v[i]);
    pb_put_bytes(out, field, buf_str(&b));
    buf_release(&b);
}

bool am_nflog_write(struct buf *out, str key, const struct nflog_entry *entry, struct now now)
{
    str group_key, receiver, integration;
    struct buf x = BUF_INIT, part = BUF_INIT, mesh = BUF_INIT, value = BUF_INIT;
    uint64_t index;

    if (!nflog_key_split(key, &group_key, &receiver, &integration, &index))
        return false;
    pb_put_bytes(&x, 1, group_key);
    pb_put_bytes(&part, 1, receiver);
    pb_put_bytes(&part, 2, integration);
    pb_put_u64(&part, 3, index);
    pb_put_message(&x, 2, &part);
    pb_put_u64(&x, 4, entry->firing.n == 0);
    pb_put_time(&x, 5, entry->timestamp);
    put_hashes(&x, 6, entry->firing);
    put_hashes(&x, 7, entry->resolved);
    for (size_t i = 0; i < entry->n_kept; i++) {
        pb_put_bytes(&value, 1, entry->kept[i].value);
        pb_put_bytes(&part, 1, entry->kept[i].key);
        pb_put_message(&part, 2, &value);
        pb_put_message(&x, 8, &part);
    }
    pb_put_message(&mesh, 1, &x);
    pb_put_time(&mesh, 2, ts_add(now.wall, entry->expires_mono - now.mono));
    pack_u64(out, mesh.n);
    buf_add(out, buf_str(&mesh));
    buf_release(&x);
    buf_release(&part);
    buf_release(&mesh);
    buf_release(&value);
    return true;
}
