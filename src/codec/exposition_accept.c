/* What of the exposition the client's Accept decides: the format, and how names are spelled that it could not read. */
#include "base/utf8.h"
#include "codec/exposition.h"
#include "codec/float.h"

static const char *const escapings[] = {[EXPO_UNDERSCORES] = "underscores",
                                        [EXPO_DOTS] = "dots",
                                        [EXPO_VALUES] = "values",
                                        [EXPO_UTF8] = "allow-utf-8"};

static const char *const media_types[] = {
    [EXPO_TEXT] = "text/plain", [EXPO_OPENMETRICS] = "application/openmetrics-text"};

void expo_escape_name(struct buf *out, str name, bool with_colon, enum expo_escaping how)
{
    if (how == EXPO_UTF8 || expo_is_bare(name, with_colon)) {
        buf_add(out, name);
        return;
    }
    if (how == EXPO_VALUES)
        buf_adds(out, "U__");
    for (size_t i = 0, n; i < name.n; i += n) {
        str one = str_sub(name, i, i + 1);
        uint32_t rune;

        n = utf8_decode(str_sub(name, i, name.n), &rune);
        if (how != EXPO_UNDERSCORES && rune == '_')
            buf_adds(out, "__");
        else if (how == EXPO_DOTS && rune == '.')
            buf_adds(out, "_dot_");
        else if (expo_is_bare(one, with_colon) || (i != 0 && rune >= '0' && rune <= '9'))
            buf_add(out, one);
        else if (how == EXPO_VALUES)
            buf_addf(out, "_%x_", rune);
        else
            buf_add(out, how == EXPO_DOTS ? S("__") : S("_"));
    }
}

/* One range of an Accept: what it is, and how much it is wanted. */
struct exposition_accept_range {
    str type, version, escaping;
    double q;
};

static struct exposition_accept_range exposition_accept_range_of(str text)
{
    struct exposition_accept_range r = {.type = str_trim(str_cut(&text, ';')), .q = 1};
    struct err e = ERR_INIT;

    while (text.n != 0) {
        str value = str_cut(&text, ';'), key = str_trim(str_cut(&value, '='));

        value = str_trim(value);
        if (str_is(key, "version"))
            r.version = value;
        else if (str_is(key, "escaping"))
            r.escaping = value;
        else if (str_is(key, "q") && !float_parse(value, &r.q, &e))
            r.q = 1;
    }
    return r;
}

static bool offers(const struct exposition_accept_range *r, bool with_openmetrics,
                   struct expo_wish *w)
{
    static const struct {
        enum expo_format format;
        const char *version;
    } offered[] = {{EXPO_TEXT, "0.0.4"},
                   {EXPO_TEXT, "1.0.0"},
                   {EXPO_OPENMETRICS, "0.0.1"},
                   {EXPO_OPENMETRICS, "1.0.0"}};

    for (size_t i = 0; i < ARRAY_LEN(offered); i++) {
        if ((offered[i].format == EXPO_OPENMETRICS && !with_openmetrics) ||
            !str_eq_nocase(r->type, str_of(media_types[offered[i].format])) ||
            (r->version.n != 0 && !str_is(r->version, offered[i].version)))
            continue;
        w->format = offered[i].format;
        w->version = offered[i].version;
        return true;
    }
    return false;
}

/* The next range in the order of preference; ranges that are wanted alike come as they stand. */
static bool take_next(str accept, double *q, size_t *at, struct exposition_accept_range *out)
{
    bool found = false;
    size_t best = 0;

    for (size_t i = 0; accept.n != 0; i++) {
        struct exposition_accept_range r = exposition_accept_range_of(str_cut(&accept, ','));
        bool is_later = r.q < *q || (r.q <= *q && i >= *at);

        if (is_later && (!found || r.q > out->q)) {
            *out = r;
            best = i;
            found = true;
        }
    }
    *q = found ? out->q : 0;
    *at = best + 1;
    return found;
}

/* Every range down to the one that is taken may say how names are spelled, the last that does counts. */
struct expo_wish expo_negotiate(str accept, bool with_openmetrics)
{
    struct expo_wish w = {EXPO_TEXT, EXPO_UNDERSCORES, "0.0.4"};
    double q = __builtin_inf();
    struct exposition_accept_range r = {.q = 0};
    size_t at = 0;

    for (size_t n = 0; n < 32 && take_next(accept, &q, &at, &r); n++) {
        for (size_t i = 0; i < ARRAY_LEN(escapings); i++)
            if (str_is(r.escaping, escapings[i]))
                w.escaping = (enum expo_escaping)i;
        if (offers(&r, with_openmetrics, &w))
            break;
    }
    return w;
}

void expo_put_content_type(struct buf *out, const struct expo_wish *w)
{
    buf_addf(out, "%s; version=%s; charset=utf-8; escaping=%s", media_types[w->format], w->version,
             escapings[w->escaping]);
}
