/* A TZif file holds a version 1 block with 32-bit times, which is skipped, then a version 2 block with 64-bit times and
 * a footer such as "CET-1CEST,M3.5.0,M10.5.0/3": standard time CET, one hour east (the sign is reversed there), summer
 * time from the last Sunday of March at 02:00 to the last Sunday of October at 03:00. */
#include "codec/tz.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "codec/timefmt.h"

enum { ABBREVIATION_MAX = 16 };

struct kind {
    int32_t offset;
    bool is_dst;
    char name[ABBREVIATION_MAX];
};

struct switch_rule { /* of the footer */
    char form;       /* 'M' month.week.day, 'J' day 1-365 without leap day, '0' day 0-365 */
    int month, week, day;
    int64_t at; /* seconds of the local day */
};

struct tz {
    str name; /* owned */
    bool is_local;
    int64_t *times;
    uint8_t *kind_at;
    size_t n_times;
    struct kind *kinds;
    size_t n_kinds;
    str rule; /* the footer, owned */
    bool has_footer, has_dst;
    struct kind standard, summer;
    struct switch_rule start, end;
};

struct cursor {
    const unsigned char *p, *end;
    bool failed;
};

static uint64_t tz_take(struct cursor *c, size_t n)
{
    uint64_t v = 0;

    if ((size_t)(c->end - c->p) < n) {
        c->failed = true;
        return 0;
    }
    while (n-- != 0)
        v = v << 8 | *c->p++;
    return v;
}

struct counts {
    uint32_t isut, isstd, leap, times, types, chars;
};

static bool header(struct cursor *c, struct counts *n, int *version)
{
    if (tz_take(c, 4) != 0x545a6966) /* "TZif" */
        return false;
    *version = (int)tz_take(c, 1);
    tz_take(c, 8);
    tz_take(c, 7);
    n->isut = (uint32_t)tz_take(c, 4);
    n->isstd = (uint32_t)tz_take(c, 4);
    n->leap = (uint32_t)tz_take(c, 4);
    n->times = (uint32_t)tz_take(c, 4);
    n->types = (uint32_t)tz_take(c, 4);
    n->chars = (uint32_t)tz_take(c, 4);
    return !c->failed && n->times < 10000 && n->types != 0 && n->types < 256 && n->chars < 4096 &&
           n->leap < 1000 && n->isut <= n->types && n->isstd <= n->types;
}

static void set_name(struct kind *k, const char *from, size_t n)
{
    snprintf(k->name, sizeof(k->name), "%.*s", (int)n, from);
}

static bool block(struct cursor *c, const struct counts *n, struct tz *z)
{
    const char *chars;
    uint8_t *at_char = mem_array(n->types, 1);
    bool ok = true;

    z->n_times = n->times;
    z->times = mem_array(n->times, sizeof(*z->times));
    z->kind_at = mem_array(n->times, 1);
    z->n_kinds = n->types;
    z->kinds = mem_array(n->types, sizeof(*z->kinds));
    for (size_t i = 0; i < n->times; i++)
        z->times[i] = (int64_t)tz_take(c, 8);
    for (size_t i = 0; i < n->times; i++) {
        z->kind_at[i] = (uint8_t)tz_take(c, 1);
        ok = ok && z->kind_at[i] < n->types && (i == 0 || z->times[i - 1] < z->times[i]);
    }
    for (size_t i = 0; i < n->types; i++) {
        z->kinds[i].offset = (int32_t)(uint32_t)tz_take(c, 4);
        z->kinds[i].is_dst = tz_take(c, 1) != 0;
        at_char[i] = (uint8_t)tz_take(c, 1);
        ok = ok && at_char[i] < n->chars && abs(z->kinds[i].offset) < 26 * 3600;
    }
    chars = (const char *)c->p;
    if ((size_t)(c->end - c->p) < n->chars)
        c->failed = true;
    for (size_t i = 0; ok && !c->failed && i < n->types; i++)
        set_name(&z->kinds[i], chars + at_char[i], n->chars - at_char[i]);
    mem_free(at_char);
    if (!c->failed)
        c->p += n->chars;
    for (size_t i = 0; i < n->leap; i++)
        tz_take(c, 12);
    for (size_t i = 0; i < n->isstd + n->isut; i++)
        tz_take(c, 1);
    return ok && !c->failed;
}

/* -- the footer -- */

static bool tz_number(str *s, int64_t *out)
{
    int64_t v = 0;
    size_t i = 0;

    while (i < s->n && s->p[i] >= '0' && s->p[i] <= '9' && v < 100000)
        v = v * 10 + (s->p[i++] - '0');
    *out = v;
    *s = str_sub(*s, i, s->n);
    return i != 0;
}

static bool clock_time(str *s, int64_t *out)
{
    int64_t sign = 1, h, m = 0, sec = 0;

    if (s->n != 0 && (s->p[0] == '+' || s->p[0] == '-')) {
        sign = s->p[0] == '-' ? -1 : 1;
        *s = str_sub(*s, 1, s->n);
    }
    if (!tz_number(s, &h))
        return false;
    if (s->n != 0 && s->p[0] == ':') {
        *s = str_sub(*s, 1, s->n);
        if (!tz_number(s, &m))
            return false;
        if (s->n != 0 && s->p[0] == ':') {
            *s = str_sub(*s, 1, s->n);
            if (!tz_number(s, &sec))
                return false;
        }
    }
    *out = sign * (h * 3600 + m * 60 + sec);
    return h <= 168 && m < 60 && sec < 60;
}

static bool tz_zone_name(str *s, struct kind *k)
{
    size_t i = 0;
    bool quoted = s->n != 0 && s->p[0] == '<';

    if (quoted)
        *s = str_sub(*s, 1, s->n);
    while (i < s->n &&
           (quoted ? s->p[i] != '>'
                   : (s->p[i] >= 'A' && s->p[i] <= 'Z') || (s->p[i] >= 'a' && s->p[i] <= 'z')))
        i++;
    if (i < 3 || (quoted && i == s->n))
        return false;
    set_name(k, s->p, i);
    *s = str_sub(*s, i + quoted, s->n);
    return true;
}

static bool switch_rule(str *s, struct switch_rule *r)
{
    int64_t v;

    if (s->n == 0 || s->p[0] != ',')
        return false;
    *s = str_sub(*s, 1, s->n);
    r->at = 2 * 3600;
    r->form = '0';
    if (s->n != 0 && (s->p[0] == 'M' || s->p[0] == 'J')) {
        r->form = s->p[0];
        *s = str_sub(*s, 1, s->n);
    }
    if (!tz_number(s, &v))
        return false;
    r->day = (int)v;
    if (r->form == 'M') {
        r->month = (int)v;
        if (s->n == 0 || s->p[0] != '.')
            return false;
        *s = str_sub(*s, 1, s->n);
        if (!tz_number(s, &v) || s->n == 0 || s->p[0] != '.')
            return false;
        r->week = (int)v;
        *s = str_sub(*s, 1, s->n);
        if (!tz_number(s, &v))
            return false;
        r->day = (int)v;
        if (r->month < 1 || r->month > 12 || r->week < 1 || r->week > 5 || r->day > 6)
            return false;
    } else if (r->day > 365 || (r->form == 'J' && r->day < 1)) {
        return false;
    }
    if (s->n != 0 && s->p[0] == '/') {
        *s = str_sub(*s, 1, s->n);
        return clock_time(s, &r->at);
    }
    return true;
}

static bool footer(str s, struct tz *z)
{
    int64_t off;

    z->rule = mem_str_dup(s);
    if (!tz_zone_name(&s, &z->standard) || !clock_time(&s, &off))
        return false;
    z->standard.offset = (int32_t)-off;
    z->has_footer = true;
    if (s.n == 0)
        return true;
    if (!tz_zone_name(&s, &z->summer))
        return false;
    z->summer.offset = z->standard.offset + 3600;
    z->summer.is_dst = true;
    if (s.n != 0 && s.p[0] != ',') {
        if (!clock_time(&s, &off))
            return false;
        z->summer.offset = (int32_t)-off;
    }
    z->has_dst = true;
    return switch_rule(&s, &z->start) && switch_rule(&s, &z->end) && s.n == 0;
}

/* Seconds since 1970 of the switch in the given year, in local time counted as if it were UTC. */
static int64_t switch_at(const struct switch_rule *r, int64_t year)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t day;

    if (r->form == 'J') {
        day = days_from_civil(year, 1, 1) + r->day - 1 + (year_is_leap(year) && r->day >= 60);
    } else if (r->form == '0') {
        day = days_from_civil(year, 1, 1) + r->day;
    } else {
        int64_t first = days_from_civil(year, r->month, 1);
        int weekday = (int)(((first + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
        int length = month_days[r->month - 1] + (r->month == 2 && year_is_leap(year));
        int d = (r->day - weekday + 7) % 7 + (r->week - 1) * 7;

        if (d >= length)
            d -= 7;
        day = first + d;
    }
    return day * 86400 + r->at;
}

static const struct kind *by_footer(const struct tz *z, int64_t t)
{
    struct civil c;
    int64_t start, end;
    bool summer;

    if (!z->has_dst)
        return &z->standard;
    c = civil_of_seconds(t, z->standard.offset);
    start = switch_at(&z->start, c.year) - z->standard.offset;
    end = switch_at(&z->end, c.year) - z->summer.offset;
    summer = start < end ? t >= start && t < end : !(t >= end && t < start);
    return summer ? &z->summer : &z->standard;
}

static const struct kind *kind_at(const struct tz *z, int64_t t)
{
    size_t lo = 0, hi = z->n_times;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (z->times[mid] <= t)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == z->n_times && z->has_footer)
        return by_footer(z, t);
    return lo == 0 ? &z->kinds[0] : &z->kinds[z->kind_at[lo - 1]];
}

int64_t tz_offset_at(const struct tz *z, int64_t s, const char **abbreviation)
{
    const struct kind *k = kind_at(z, s);

    if (abbreviation != NULL)
        *abbreviation = k->name;
    return k->offset;
}

int64_t tz_offset(const struct tz *z, ts_ns ns, const char **abbreviation)
{
    return tz_offset_at(z, ns / NS_PER_S - (ns % NS_PER_S < 0), abbreviation);
}

bool tz_is_dst_at(const struct tz *z, int64_t s)
{
    return kind_at(z, s)->is_dst;
}

bool tz_is_local(const struct tz *z)
{
    return z->is_local;
}

str tz_name(const struct tz *z)
{
    return z->name;
}

void tz_rename(struct tz *z, str name, bool is_local)
{
    str copy = mem_str_dup(name);

    mem_str_free(z->name);
    z->name = copy;
    z->is_local = is_local;
}

void tz_free(struct tz *z)
{
    if (z == NULL)
        return;
    mem_str_free(z->name);
    mem_str_free(z->rule);
    mem_free(z->times);
    mem_free(z->kind_at);
    mem_free(z->kinds);
    mem_free(z);
}

struct tz *tz_utc(void)
{
    struct tz *z = mem_new(struct tz);

    z->kinds = mem_new(struct kind);
    z->n_kinds = 1;
    set_name(z->kinds, "UTC", 3);
    z->name = mem_str_dup(S("UTC"));
    z->rule = mem_str_dup(S("UTC0"));
    return z;
}

str tz_rule(const struct tz *z)
{
    return z->rule;
}

struct tz *tz_of_rule(str rule)
{
    struct tz *z = tz_utc();

    mem_str_free(z->rule);
    if (footer(rule, z))
        return z;
    tz_free(z);
    return NULL;
}

void tz_print(struct buf *out, const struct tz *z, ts_ns t)
{
    int64_t offset = z != NULL ? tz_offset(z, t, NULL) : 0,
            minutes = (offset < 0 ? -offset : offset) / 60;
    struct civil c = civil_of(t, offset);

    buf_addf(out, "%04lld-%02d-%02dT%02d:%02d:%02d", (long long)c.year, c.month, c.day, c.hour,
             c.minute, c.second);
    if (z == NULL)
        buf_addc(out, 'Z');
    else
        buf_addf(out, "%c%02lld:%02lld", offset < 0 ? '-' : '+', (long long)minutes / 60,
                 (long long)minutes % 60);
}

struct tz *tz_parse(str bytes, struct err *e)
{
    struct cursor c = {(const unsigned char *)bytes.p, (const unsigned char *)bytes.p + bytes.n,
                       false};
    struct counts n;
    struct tz *z = mem_new(struct tz);
    int version;
    size_t skip;
    str rest;

    if (!header(&c, &n, &version) || version < '2')
        goto damaged;
    skip =
        (size_t)n.times * 5 + (size_t)n.types * 6 + n.chars + (size_t)n.leap * 8 + n.isstd + n.isut;
    if ((size_t)(c.end - c.p) < skip)
        goto damaged;
    c.p += skip;
    if (!header(&c, &n, &version) || !block(&c, &n, z))
        goto damaged;
    rest = (str){(const char *)c.p, (size_t)(c.end - c.p)};
    if (rest.n > 2 && rest.p[0] == '\n') {
        rest = str_sub(rest, 1, rest.n);
        if (!footer(str_cut(&rest, '\n'), z))
            goto damaged;
    }
    return z;
damaged:
    tz_free(z);
    err_set(e, ERR_CORRUPT, "not a time zone file");
    return NULL;
}
