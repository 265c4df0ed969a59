#include "route/mute.h"

#include "base/hash.h"
#include "base/mem.h"
#include "codec/timefmt.h"
#include "codec/tz.h"

struct interval_set {
    const struct time_interval_conf *v;
    size_t n;
};

struct interval_set *interval_set_new(const struct time_interval_conf *v, size_t n)
{
    struct interval_set *s = mem_new(struct interval_set);

    s->v = v;
    s->n = n;
    return s;
}

void interval_set_free(struct interval_set *s)
{
    mem_free(s);
}

static bool in_ranges(const struct interval_field *f, int64_t x)
{
    if (!f->given)
        return true;
    for (size_t i = 0; i < f->n; i++)
        if (x >= f->v[i].begin && x <= f->v[i].end)
            return true;
    return false;
}

static bool in_times(const struct interval_field *f, int minute)
{
    if (!f->given)
        return true;
    for (size_t i = 0; i < f->n; i++)
        if (minute >= f->v[i].begin && minute < f->v[i].end)
            return true;
    return false;
}

static int month_length(int64_t year, int month)
{
    int64_t first = days_from_civil(year, month, 1);
    int64_t next =
        month == 12 ? days_from_civil(year + 1, 1, 1) : days_from_civil(year, month + 1, 1);

    return (int)(next - first);
}

/* Negative days count from the end. A range that begins behind the month's end is skipped, its end is clamped. */
static bool in_days(const struct interval_field *f, const struct civil *c)
{
    int length = month_length(c->year, c->month);

    if (!f->given)
        return true;
    for (size_t i = 0; i < f->n; i++) {
        int begin = f->v[i].begin, end = f->v[i].end;

        if (begin < 0)
            begin += length + 1;
        if (end < 0)
            end += length + 1;
        if (begin > length)
            continue;
        if (begin < 1)
            begin = 1;
        if (end > length)
            end = length;
        if (c->day >= begin && c->day <= end)
            return true;
    }
    return false;
}

static bool spec_holds(const struct time_interval_spec *sp, ts_ns now)
{
    struct civil c = civil_of(now, sp->zone != NULL ? tz_offset(sp->zone, now, NULL) : 0);

    return in_times(&sp->times, c.hour * 60 + c.minute) && in_days(&sp->days_of_month, &c) &&
           in_ranges(&sp->months, c.month) && in_ranges(&sp->weekdays, c.weekday) &&
           in_ranges(&sp->years, c.year);
}

bool interval_set_holds(const struct interval_set *s, str name, ts_ns now)
{
    for (size_t i = 0; i < s->n; i++) {
        if (!str_eq(s->v[i].name, name))
            continue;
        for (size_t j = 0; j < s->v[i].n_intervals; j++)
            if (spec_holds(&s->v[i].intervals[j], now))
                return true;
    }
    return false;
}

static void add_name(struct buf *by, str name)
{
    if (by == NULL)
        return;
    if (by->n != 0)
        buf_addc(by, ',');
    buf_add(by, name);
}

static bool mute_active_at(const struct interval_set *s, const struct route *r, ts_ns now)
{
    for (size_t i = 0; i < r->n_active_intervals; i++)
        if (interval_set_holds(s, r->active_intervals[i], now))
            return true;
    return r->n_active_intervals == 0;
}

/* A digest's route speaks so much later: not all receivers of a house at one instant. */
static dur_ns mute_late(const struct route *r)
{
    uint64_t minutes = (uint64_t)(r->conf->digest.jitter / NS_PER_M);

    return r->conf->digest.at.n != 0 && minutes != 0
               ? (dur_ns)(hash_xxh64(r->receiver) % (minutes + 1)) * NS_PER_M
               : 0;
}

bool mute_is_active_time(const struct interval_set *s, const struct route *r, ts_ns now,
                         struct buf *by)
{
    if (mute_active_at(s, r, now) &&
        (mute_late(r) == 0 || mute_active_at(s, r, ts_add(now, -mute_late(r)))))
        return true;
    for (size_t i = 0; i < r->n_active_intervals; i++)
        add_name(by, r->active_intervals[i]);
    return false;
}

bool mute_is_mute_time(const struct interval_set *s, const struct route *r, ts_ns now,
                       struct buf *by)
{
    bool any = false;

    for (size_t i = 0; i < r->n_mute_intervals; i++) {
        if (!interval_set_holds(s, r->mute_intervals[i], now) &&
            (mute_late(r) == 0 ||
             !interval_set_holds(s, r->mute_intervals[i], ts_add(now, -mute_late(r)))))
            continue;
        any = true;
        add_name(by, r->mute_intervals[i]);
    }
    return any;
}

/* Intervals begin and end on full minutes of their zone, and no zone in use today is off by less. */
ts_ns mute_ends(const struct interval_set *s, const struct route *r, ts_ns now, ts_ns before)
{
    ts_ns at = (now / NS_PER_M + 1) * NS_PER_M, found = TS_MAX;

    for (; at < before && found == TS_MAX; at += NS_PER_M)
        if (mute_is_active_time(s, r, at, NULL) && !mute_is_mute_time(s, r, at, NULL))
            found = at;
    return found;
}
