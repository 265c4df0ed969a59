#include "model/silence.h"

#include <stdio.h>
#include "base/mem.h"
#include "base/utf8.h"
#include "codec/pack.h"
#include "model/alert.h"

enum { SILENCE_VERSION = 1 };

struct uuid_bits silence_key(struct uuid id)
{
    struct uuid_bits bits = {0, 0};

    for (const char *p = id.text; *p != '\0'; p++) {
        uint64_t digit = (uint64_t)(*p <= '9' ? *p - '0' : *p - 'a' + 10);

        if (*p == '-')
            continue;
        bits.high = bits.high << 4 | bits.low >> 60;
        bits.low = bits.low << 4 | digit;
    }
    return bits;
}

struct uuid uuid_of(uint64_t high, uint64_t low)
{
    unsigned char b[16];
    struct uuid u;

    for (size_t i = 0; i < 8; i++) {
        b[i] = (unsigned char)(high >> (56 - 8 * i));
        b[8 + i] = (unsigned char)(low >> (56 - 8 * i));
    }
    b[6] = (unsigned char)(0x40 | (b[6] & 0x0f));
    b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
    snprintf(u.text, sizeof(u.text),
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
    return u;
}

bool uuid_parse(str s, struct uuid *out)
{
    if (s.n != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        char c = s.p[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (c >= 'A' && c <= 'F')
            c = (char)(c + 32);
        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        out->text[i] = c;
    }
    out->text[36] = '\0';
    return true;
}

struct silence *silence_new(void)
{
    struct silence *s = mem_new(struct silence);

    arena_init_small(&s->arena, 0);
    return s;
}

void silence_free(struct silence *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->n_sets; i++)
        matchers_release(&s->sets[i]);
    arena_release(&s->arena);
    mem_free(s);
}

enum silence_state silence_state(const struct silence *s, ts_ns now)
{
    if (now < s->starts_at)
        return SILENCE_PENDING;
    return now > s->ends_at ? SILENCE_EXPIRED : SILENCE_ACTIVE;
}

const char *silence_state_text(enum silence_state state)
{
    static const char *const texts[] = {
        [SILENCE_PENDING] = "pending", [SILENCE_ACTIVE] = "active", [SILENCE_EXPIRED] = "expired"};

    return texts[state];
}

bool silence_matches(const struct silence *s, struct labels ls)
{
    for (size_t i = 0; i < s->n_sets; i++)
        if (matchers_match(&s->sets[i], ls))
            return true;
    return false;
}

bool silence_matches_set(const struct silence *s, const struct label_set *set)
{
    for (size_t i = 0; i < s->n_sets; i++)
        if (matchers_match_set(&s->sets[i], set))
            return true;
    return false;
}

static bool matcher_eq(const struct matcher *a, const struct matcher *b)
{
    return a->op == b->op && str_eq(a->name, b->name) && str_eq(a->value, b->value);
}

bool silence_sets_equal(const struct silence *a, const struct silence *b)
{
    if (a->n_sets != b->n_sets)
        return false;
    for (size_t i = 0; i < a->n_sets; i++) {
        if (a->sets[i].n != b->sets[i].n)
            return false;
        for (size_t j = 0; j < a->sets[i].n; j++)
            if (!matcher_eq(&a->sets[i].v[j], &b->sets[i].v[j]))
                return false;
    }
    return true;
}

static bool validate_set(const struct matchers *ms, size_t set, enum matcher_mode mode,
                         struct err *e)
{
    bool selective = false;

    if (ms->n == 0)
        return err_set(e, ERR_INVALID, "at least one matcher required");
    for (size_t i = 0; i < ms->n; i++) {
        const struct matcher *m = &ms->v[i];

        if (!label_name_is_valid(m->name, mode))
            return err_set(e, ERR_INVALID,
                           "invalid label matcher %zu in set %zu: invalid label name \"%.*s\"", i,
                           set, STR(m->name));
        if (!utf8_is_valid(m->value))
            return err_set(e, ERR_INVALID,
                           "invalid label matcher %zu in set %zu: value is not valid UTF-8", i,
                           set);
        selective |= matcher_is_negative(m) || !matcher_matches_empty(m);
    }
    if (!selective)
        return err_set(e, ERR_INVALID,
                       "matcher set %zu: at least one matcher must not match the empty string",
                       set);
    return true;
}

bool silence_validate(const struct silence *s, enum matcher_mode mode, struct err *e)
{
    if (s->n_sets == 0)
        return err_set(e, ERR_INVALID, "at least one matcher required");
    for (size_t i = 0; i < s->n_sets; i++)
        if (!validate_set(&s->sets[i], i, mode, e))
            return false;
    if (s->starts_at == TS_NONE)
        return err_set(e, ERR_INVALID, "invalid zero start timestamp");
    if (s->ends_at == TS_NONE)
        return err_set(e, ERR_INVALID, "invalid zero end timestamp");
    if (s->ends_at < s->starts_at)
        return err_set(e, ERR_INVALID, "end time must not be before start time");
    return true;
}

void silence_pack(struct buf *out, const struct silence *s)
{
    pack_u64(out, SILENCE_VERSION);
    pack_str(out, uuid_str(&s->id));
    pack_u64(out, s->n_sets);
    for (size_t i = 0; i < s->n_sets; i++) {
        pack_u64(out, s->sets[i].n);
        for (size_t j = 0; j < s->sets[i].n; j++) {
            pack_u64(out, s->sets[i].v[j].op);
            pack_str(out, s->sets[i].v[j].name);
            pack_str(out, s->sets[i].v[j].value);
        }
    }
    pack_i64(out, s->starts_at);
    pack_i64(out, s->ends_at);
    pack_i64(out, s->updated_at);
    pack_str(out, s->created_by);
    pack_str(out, s->comment);
    labels_pack(out, s->annotations);
}

static bool unpack_set(struct unpack *u, struct silence *s, struct matchers *out, struct err *e)
{
    size_t n = unpack_count(u, 3);

    out->v = arena_array(&s->arena, n, sizeof(*out->v));
    for (size_t j = 0; j < n; j++) {
        uint64_t op = unpack_u64(u);
        str name = unpack_str(u), value = unpack_str(u);

        if (u->failed || op > MATCH_NRE)
            return err_set(e, ERR_CORRUPT, "malformed matcher");
        if (!matcher_init(&out->v[j], (enum match_op)op, name, value, e))
            return false;
        out->n++;
    }
    return true;
}

/* What a silence of one set, which nearly all have, takes in its arena. */
static size_t silence_room(str bytes)
{
    struct unpack u = unpack_of(bytes);
    size_t sets, matchers;

    unpack_u64(&u);
    unpack_str(&u);
    sets = unpack_count(&u, 1);
    matchers = sets != 0 ? unpack_count(&u, 3) : 0;
    return (bytes.n + 16) / 16 * 16 + sets * sizeof(struct matchers) +
           matchers * sizeof(struct matcher);
}

struct silence *silence_unpack(str bytes, struct err *e)
{
    struct silence *s = silence_new();
    struct unpack u;
    uint64_t version;
    size_t n;
    bool ok;

    arena_init_for(&s->arena, silence_room(bytes));
    u = unpack_of(arena_str(&s->arena, bytes)); /* all text of it is a slice of this */
    version = unpack_u64(&u);
    ok = uuid_parse(unpack_str(&u), &s->id);
    n = unpack_count(&u, 1);
    s->sets = arena_array(&s->arena, n, sizeof(*s->sets));
    for (size_t i = 0; i < n && ok; i++) {
        s->n_sets = i + 1;
        ok = unpack_set(&u, s, &s->sets[i], e);
    }
    s->starts_at = unpack_i64(&u);
    s->ends_at = unpack_i64(&u);
    s->updated_at = unpack_i64(&u);
    s->created_by = unpack_str(&u);
    s->comment = unpack_str(&u);
    s->annotations = labels_unpack(&u, &s->arena);
    if (ok && !u.failed && version != 0)
        return s;
    if (ok)
        err_set(e, ERR_CORRUPT, "malformed silence");
    silence_free(s);
    return NULL;
}

struct silence *silence_compact(struct silence *s)
{
    struct buf packed = BUF_INIT;
    struct err e = ERR_INIT;
    struct silence *out;

    silence_pack(&packed, s);
    out = silence_unpack(buf_str(&packed), &e);
    buf_release(&packed);
    if (out == NULL)
        return s;
    silence_free(s);
    return out;
}
