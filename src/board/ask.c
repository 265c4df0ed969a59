#include "board/ask.h"

#include "base/strcase.h"
#include "net/http_server.h"

enum {
    LIMIT = 50,
    LIMIT_MAX = 500,
    ALERTS = 10,
    ALERTS_MAX = 500,
    RANK_UNKNOWN = 3,
    RANK_LAST = 4
};

const char *board_state_text(enum board_state s)
{
    static const char *const texts[] = {
        [BOARD_FIRING] = "firing", [BOARD_SILENCED] = "silenced", [BOARD_INHIBITED] = "inhibited"};

    return texts[s];
}

/* -- severity -- */

str board_severity(struct labels ls)
{
    str s = labels_get(ls, S("severity"));

    return s.n != 0 ? s : labels_get(ls, S("priority"));
}

static unsigned rank_usual(str severity)
{
    static const struct {
        const char *name;
        unsigned rank;
    } names[] = {
        {"critical", 0}, {"page", 0},        {"p0", 0},    {"p1", 0},    {"emergency", 0},
        {"fatal", 0},    {"disaster", 0},    {"error", 1}, {"high", 1},  {"major", 1},
        {"warning", 2},  {"warn", 2},        {"p2", 2},    {"minor", 2}, {"average", 2},
        {"info", 3},     {"information", 3}, {"p3", 3},    {"low", 3},   {"none", 4},
        {"debug", 4},    {"p4", 4},
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(severity, str_of(names[i].name)))
            return names[i].rank;
    return RANK_UNKNOWN;
}

unsigned board_rank(const struct board_ask *q, str severity)
{
    size_t i = 0;

    if (q->n_order == 0)
        return rank_usual(severity);
    while (i < q->n_order && !str_eq_nocase(severity, q->order[i]))
        i++;
    return i < RANK_LAST ? (unsigned)i : RANK_LAST;
}

/* -- reading -- */

static bool ask_number(str value, size_t most, size_t *out, str name, struct err *e)
{
    uint64_t n;

    if (!str_to_u64(value, &n))
        return err_set(e, ERR_INVALID, "%.*s: \"%.*s\" is no number", STR(name), STR(value));
    *out = n < most ? (size_t)n : most;
    return true;
}

static bool ask_states(struct board_ask *q, str value, struct err *e)
{
    for (int i = 0; i < BOARD_STATES; i++)
        q->states[i] = false;
    while (value.n != 0) {
        str one = str_trim(str_cut(&value, ','));
        bool found = false;

        for (int i = 0; i < BOARD_STATES; i++)
            if (str_is(one, board_state_text((enum board_state)i)))
                q->states[i] = found = true;
        if (!found)
            return err_set(e, ERR_INVALID, "state: \"%.*s\" is none of firing, silenced, inhibited",
                           STR(one));
    }
    return true;
}

static size_t ask_list(struct board_ask *q, str value, const str **out)
{
    str *v = arena_array(&q->arena, value.n / 2 + 1, sizeof(*v));
    size_t n = 0;

    *out = v;
    for (bool more = true; more;) {
        size_t before = value.n;
        str one = str_cut(&value, ',');

        more = before != one.n;
        v[n++] = str_trim(one);
    }
    return n;
}

static bool board_ask_one(struct board_ask *q, str name, str value, enum matcher_mode mode,
                          struct err *e)
{
    struct buf lower = BUF_INIT;
    str warning;

    if (str_is(name, "filter")) {
        if (!matcher_parse(value, mode, &q->arena, &q->filter.v[q->filter.n], &warning, e))
            return false;
        q->filter.n++;
    } else if (str_is(name, "q")) {
        str_lower(&lower, value);
        q->search = arena_str(&q->arena, buf_str(&lower));
        buf_release(&lower);
    } else if (str_is(name, "receiver")) {
        q->receiver = value;
    } else if (str_is(name, "group")) {
        q->group = value;
    } else if (str_is(name, "by")) {
        q->by = value;
    } else if (str_is(name, "state")) {
        return ask_states(q, value, e);
    } else if (str_is(name, "severity")) {
        q->n_severities = ask_list(q, value, &q->severities);
    } else if (str_is(name, "order")) {
        q->n_order = value.n != 0 ? ask_list(q, value, &q->order) : 0;
    } else if (str_is(name, "offset")) {
        return ask_number(value, SIZE_MAX / 2, &q->offset, name, e);
    } else if (str_is(name, "limit")) {
        return ask_number(value, LIMIT_MAX, &q->limit, name, e);
    } else if (str_is(name, "alerts")) {
        return ask_number(value, ALERTS_MAX, &q->alerts, name, e);
    }
    return true;
}

bool board_ask_init(struct board_ask *q, str query, enum matcher_mode mode, struct err *e)
{
    const struct http_param *v;
    size_t n;

    *q = (struct board_ask){.limit = LIMIT, .alerts = ALERTS, .states = {true, true, true}};
    arena_init_small(&q->arena, 0);
    q->text = arena_str(&q->arena, query);
    n = http_params(&q->arena, q->text, &v);
    q->filter.v = arena_array(&q->arena, n, sizeof(*q->filter.v));
    for (size_t i = 0; i < n; i++) {
        if (board_ask_one(q, v[i].name, v[i].value, mode, e))
            continue;
        board_ask_release(q);
        return false;
    }
    return true;
}

void board_ask_release(struct board_ask *q)
{
    matchers_release(&q->filter);
    arena_release(&q->arena);
}

/* -- asking -- */

static bool text_has(str text, str search, struct buf *scratch)
{
    buf_clear(scratch);
    str_lower(scratch, text);
    return str_find_str(buf_str(scratch), search) >= 0;
}

static bool labels_have(struct labels ls, str search, struct buf *scratch)
{
    for (size_t i = 0; i < ls.n; i++)
        if (text_has(ls.v[i].value, search, scratch))
            return true;
    return false;
}

bool board_ask_takes(const struct board_ask *q, struct labels labels, struct labels annotations)
{
    struct buf scratch = BUF_INIT;
    bool has;

    if (!matchers_match(&q->filter, labels))
        return false;
    if (q->search.n == 0)
        return true;
    has = labels_have(labels, q->search, &scratch) || labels_have(annotations, q->search, &scratch);
    buf_release(&scratch);
    return has;
}
