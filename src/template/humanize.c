#include "template/humanize.h"

#include <math.h>
#include "codec/float.h"

static void put_g4(struct buf *out, double v)
{
    if (isnan(v))
        buf_adds(out, "NaN");
    else if (isinf(v))
        buf_add(out, v > 0 ? S("+Inf") : S("-Inf"));
    else
        buf_addf(out, "%.4g", v);
}

bool tmpl_number(const struct tmpl_value *v, double *out, struct err *e)
{
    switch (v->kind) {
    case TV_FLOAT: *out = v->f; return true;
    case TV_INT: *out = (double)v->i; return true;
    case TV_UINT: *out = (double)v->u; return true;
    case TV_DURATION: *out = (double)v->i / 1e9; return true;
    case TV_STRING:
        if (float_parse(v->s, out, NULL))
            return true;
        return err_set(e, ERR_INVALID, "strconv.ParseFloat: parsing \"%.*s\": invalid syntax",
                       STR(v->s));
    default: return err_set(e, ERR_INVALID, "can't convert %s to float", tv_type_name(v));
    }
}

static double scale_down(double v, const char *suffixes, const char **suffix)
{
    *suffix = "";
    for (; *suffixes != '\0' && fabs(v) < 1; suffixes++) {
        v *= 1000;
        *suffix = suffixes;
    }
    return v;
}

void humanize(struct buf *out, double v)
{
    const char *up = "kMGTPEZY", *suffix = "";

    if (v == 0 || !isfinite(v)) {
        put_g4(out, v);
        return;
    }
    if (fabs(v) >= 1) {
        for (; *up != '\0' && fabs(v) >= 1000; up++) {
            v /= 1000;
            suffix = up;
        }
    } else {
        v = scale_down(v, "munpfazy", &suffix);
    }
    put_g4(out, v);
    if (*suffix != '\0')
        buf_addc(out, *suffix);
}

void humanize_1024(struct buf *out, double v)
{
    const char *up = "kMGTPEZY", *suffix = "";

    if (fabs(v) <= 1 || !isfinite(v)) {
        put_g4(out, v);
        return;
    }
    for (; *up != '\0' && fabs(v) >= 1024; up++) {
        v /= 1024;
        suffix = up;
    }
    put_g4(out, v);
    if (*suffix != '\0')
        buf_addf(out, "%ci", *suffix);
}

void humanize_duration(struct buf *out, double seconds)
{
    const char *suffix = "", *sign = seconds < 0 ? "-" : "";

    if (!isfinite(seconds)) {
        put_g4(out, seconds);
        return;
    }
    if (seconds == 0) {
        buf_adds(out, "0s");
        return;
    }
    if (fabs(seconds) >= 1) {
        double whole = fabs(seconds);
        int64_t s = whole < 9e18 ? (int64_t)whole : INT64_MAX;
        long long days = s / 86400, hours = s / 3600 % 24, minutes = s / 60 % 60, rest = s % 60;

        if (days != 0)
            buf_addf(out, "%s%lldd %lldh %lldm %llds", sign, days, hours, minutes, rest);
        else if (hours != 0)
            buf_addf(out, "%s%lldh %lldm %llds", sign, hours, minutes, rest);
        else if (minutes != 0)
            buf_addf(out, "%s%lldm %llds", sign, minutes, rest);
        else
            buf_addf(out, "%.4gs", seconds);
        return;
    }
    seconds = scale_down(seconds, "munpfazy", &suffix);
    put_g4(out, seconds);
    if (*suffix != '\0')
        buf_addc(out, *suffix);
    buf_addc(out, 's');
}

void humanize_percentage(struct buf *out, double ratio)
{
    put_g4(out, ratio * 100);
    buf_addc(out, '%');
}
