/* funcs_sprig_time.c - sprig's other functions for times. */
#include "codec/duration.h"
#include "template/funcs_priv.h"
#include "template/template.h"
#include "template/time.h"
#include "template/time_methods.h"

/* later by text that is no duration is as it was; must...: an error. */
static bool modify(const struct tmpl_value *args, struct tmpl_value *out, struct err *e)
{
    struct tmpl_value call[2] = {args[1]};
    dur_ns d;

    *out = args[1];
    if (!go_duration_parse(args[0].s, &d, e))
        return err_wrap(e, "time");
    call[1] = tv_duration(d);
    return tmpl_func_find(tmpl_time_methods, S("Add"))->fn(NULL, call, 2, out, e);
}

FUNC(f_date_modify)
{
    return modify(args, out, NULL) || true;
}

FUNC(f_must_date_modify)
{
    return modify(args, out, e);
}

/* The greatest unit of it alone. */
FUNC(f_duration_round)
{
    static const struct {
        uint64_t seconds;
        const char *name;
    } units[] = {{365 * 86400, "y"}, {30 * 86400, "mo"}, {86400, "d"},
                 {3600, "h"},        {60, "m"},          {1, "s"}};
    struct buf b = BUF_INIT;
    dur_ns d = 0;
    uint64_t u;

    if (args[0].kind == TV_STRING)
        d = go_duration_parse(args[0].s, &d, NULL) ? d : 0;
    else if (args[0].kind == TV_TIME)
        d = tmpl_time_sub(tmpl_time_at(env->now, NULL), args[0].time);
    else if (args[0].kind == TV_INT || args[0].kind == TV_DURATION)
        d = args[0].i;
    u = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;
    for (size_t i = 0; i < ARRAY_LEN(units) && b.n == 0; i++)
        if (u > units[i].seconds * NS_PER_S)
            buf_addf(&b, "%s%llu%s", d < 0 ? "-" : "",
                     (unsigned long long)(u / NS_PER_S / units[i].seconds), units[i].name);
    if (b.n == 0)
        buf_adds(&b, "0s");
    return func_text(env, &b, out);
}

FUNC(f_html_date)
{
    struct tmpl_value call[2] = {tv_str(S("2006-01-02")), args[0]};

    return func_date_any(env, call, 2, out, e);
}

FUNC(f_html_date_in_zone)
{
    struct tmpl_value call[3] = {tv_str(S("2006-01-02")), args[0], args[1]};

    return func_date_in_zone(env, call, 3, out, e);
}

FUNC(f_unix_epoch)
{
    *out = tv_str(arena_printf(env->a, "%lld", (long long)func_time_of(env, &args[0]).s));
    return true;
}

const struct tmpl_func tmpl_sprig_time_funcs[] = {
    FUNC_BOTH("dateModify", "date_modify", "st", f_date_modify, "a time moved by a duration"),
    FUNC_BOTH("mustDateModify", "must_date_modify", "st", f_must_date_modify,
              "a time moved by a duration"),
    {"durationRound", "a", f_duration_round, "the greatest unit of a duration"},
    {"htmlDate", "a", f_html_date, "a time as 2006-01-02"},
    {"htmlDateInZone", "as", f_html_date_in_zone, "a time as 2006-01-02 in a zone"},
    {"unixEpoch", "a", f_unix_epoch, "seconds since 1970"},
    {NULL, NULL, NULL, NULL},
};
