#include "slo/slo_rules.h"

#include <stdio.h>
#include "codec/duration.h"

struct burn {
    const char *window, *short_window;
    int hours;    /* of window */
    double share; /* of the budget that burns in it */
    const char *severity, *level;
};

static const struct burn burns[] = {
    {"1h", "5m", 1, 0.02, "critical", "P1"},
    {"6h", "30m", 6, 0.05, "critical", "P1"},
    {"1d", "2h", 24, 0.1, "warning", "P2"},
    {"3d", "6h", 72, 0.1, "warning", "P2"},
};

static const char *const long_windows[] = {"30m", "1h", "2h", "6h", "1d", "3d"};

/* -- YAML -- */

static void put_quoted(struct buf *b, str text)
{
    buf_addc(b, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\'')
            buf_addc(b, '\'');
        buf_addc(b, text.p[i] == '\n' ? ' ' : text.p[i]);
    }
    buf_addc(b, '\'');
}

static void put_annotation(struct buf *b, const char *key, const struct buf *text)
{
    buf_addf(b, "          %s: ", key);
    put_quoted(b, buf_str(text));
    buf_addc(b, '\n');
}

/* -- records -- */

static void begin_record(struct buf *b, const char *name)
{
    buf_addf(b, "      - record: slo:%s\n        expr: |\n", name);
}

static void end_record(struct buf *b, const struct slo *s)
{
    buf_adds(b, "        labels: {slo: ");
    put_quoted(b, s->name);
    buf_adds(b, ", service: ");
    put_quoted(b, s->service);
    for (size_t i = 0; i < s->labels.n; i++) {
        buf_addf(b, ", %.*s: ", STR(s->labels.v[i].name));
        put_quoted(b, s->labels.v[i].value);
    }
    buf_adds(b, "}\n\n");
}

/* What never happened has no series: it is 0 then. */
static void put_or_zero(struct buf *b, const struct slo *s)
{
    buf_addf(b, "(%.*s or 0 * %.*s)", STR(s->good_or_error), STR(s->total_rate));
}

static void put_event_records(struct buf *b, const struct slo *s)
{
    begin_record(b, "events:rate5m");
    buf_addf(b, "          %.*s\n", STR(s->total_rate));
    end_record(b, s);
    begin_record(b, "errors:rate5m");
    buf_adds(b, "          ");
    if (s->error.n != 0) {
        put_or_zero(b, s);
    } else { /* a scrape between the two counters must not make less than none */
        buf_addf(b, "clamp_min(%.*s - ", STR(s->total_rate));
        put_or_zero(b, s);
        buf_adds(b, ", 0)");
    }
    buf_addc(b, '\n');
    end_record(b, s);
}

static void put_ratio(struct buf *b, const struct slo *s, const char *window)
{
    buf_addf(b,
             "          avg_over_time(slo:errors:rate5m{slo=\"%.*s\"}[%s])\n"
             "            / (avg_over_time(slo:events:rate5m{slo=\"%.*s\"}[%s]) > 0)\n",
             STR(s->name), window, STR(s->name), window);
}

static double slo_budget(const struct slo *s)
{
    return (100 - s->objective) / 100;
}

static void put_records(struct buf *b, const struct slo *s)
{
    struct buf window = BUF_INIT;

    put_event_records(b, s);
    begin_record(b, "error_ratio:rate5m");
    buf_addf(b,
             "          slo:errors:rate5m{slo=\"%.*s\"} / (slo:events:rate5m{slo=\"%.*s\"} > 0)\n",
             STR(s->name), STR(s->name));
    end_record(b, s);
    for (size_t i = 0; i < ARRAY_LEN(long_windows); i++) {
        char name[32];

        snprintf(name, sizeof(name), "error_ratio:rate%s", long_windows[i]);
        begin_record(b, name);
        put_ratio(b, s, long_windows[i]);
        end_record(b, s);
    }
    duration_print(&window, s->window);
    begin_record(b, "error_budget:remaining");
    buf_adds(b, "          1 - (\n");
    put_ratio(b, s, buf_z(&window));
    buf_addf(b, "          ) / %.10g\n", slo_budget(s));
    end_record(b, s);
    buf_release(&window);
}

/* -- alerts -- */

struct burn_alert {
    const struct slo *s;
    const struct burn *burn;
    double factor;
    char budget[32], objective[32], gone[32]; /* 0.5, 99.5; when all of it is burnt: 2d2h */
};

static struct burn_alert burn_alert_of(const struct slo *s, const struct burn *burn)
{
    double hours = (double)s->window / (double)NS_PER_H;
    struct burn_alert x = {.s = s, .burn = burn, .factor = burn->share * hours / burn->hours};
    struct buf gone = BUF_INIT;

    snprintf(x.budget, sizeof(x.budget), "%.10g", slo_budget(s) * 100);
    snprintf(x.objective, sizeof(x.objective), "%.10g", s->objective);
    duration_print(&gone, (dur_ns)(hours / x.factor) * NS_PER_H);
    snprintf(x.gone, sizeof(x.gone), "%.*s", STR(buf_str(&gone)));
    buf_release(&gone);
    return x;
}

static void put_condition(struct buf *b, const struct burn_alert *x)
{
    const struct burn *w = x->burn;

    buf_addf(b,
             "          slo:error_ratio:rate%s{slo=\"%.*s\"} > %.10g * %.10g\n"
             "            and slo:error_ratio:rate%s{slo=\"%.*s\"} > %.10g * %.10g\n",
             w->window, STR(x->s->name), x->factor, slo_budget(x->s), w->short_window,
             STR(x->s->name), x->factor, slo_budget(x->s));
    if (x->s->min_events > 0) /* rates over 5 minutes, 5 minutes apart: each event counts once */
        buf_addf(b,
                 "            and sum_over_time(slo:events:rate5m{slo=\"%.*s\"}[%s:5m]) * 300 >= "
                 "%lld\n",
                 STR(x->s->name), w->window, (long long)x->s->min_events);
}

/* Of which of several: the labels that part the events. */
static void put_whose(struct buf *t, const struct slo *s)
{
    for (size_t i = 0; i < s->by.n; i++)
        buf_addf(t, "%s%.*s={{ $labels.%.*s }}%s", i == 0 ? " (" : ", ", STR(s->by.v[i]),
                 STR(s->by.v[i]), i + 1 == s->by.n ? ")" : "");
}

static void put_left(struct buf *t, const struct slo *s, const char *before, const char *after)
{
    if (s->by.n == 0)
        buf_addf(t,
                 "{{ with query \"slo:error_budget:remaining{slo=\\\"%.*s\\\"}\" }}%s{{ . | first "
                 "| value | humanizePercentage }}%s{{ end }}",
                 STR(s->name), before, after);
}

static void put_english(struct buf *b, const struct burn_alert *x)
{
    struct buf t = BUF_INIT;

    buf_addf(&t, "%.*s: the error budget of %.*s burns over %.3g times as fast as it may",
             STR(x->s->service), STR(x->s->name), x->factor);
    put_whose(&t, x->s);
    put_annotation(b, "summary", &t);
    buf_clear(&t);
    if (x->s->description.n != 0)
        buf_addf(&t, "%.*s: ", STR(x->s->description));
    buf_addf(
        &t,
        "{{ $value | humanizePercentage }} of the events of %s were bad; %s %% may be. At %.3g "
        "times that the whole budget is gone in %s.",
        x->burn->window, x->budget, x->factor, x->gone);
    put_left(&t, x->s, " Left of it: ", ".");
    put_annotation(b, "description", &t);
    buf_clear(&t);
    buf_addf(&t, "%s",
             x->burn->hours <= 6 ? "Stop what was changed last, then look for the cause."
                                 : "Look within the day: it goes on, slowly.");
    put_annotation(b, "action", &t);
    buf_clear(&t);
    buf_addf(&t,
             "Compare slo:error_ratio:rate5m{slo=\"%.*s\"} with deployments and with the alerts of "
             "the service: since when, and which part of it. The objective is %s %%.",
             STR(x->s->name), x->objective);
    put_annotation(b, "runbook", &t);
    buf_release(&t);
}

static void put_chinese(struct buf *b, const struct burn_alert *x)
{
    struct buf t = BUF_INIT;

    buf_addf(&t, "%.*s：%.*s 的错误预算消耗过快，超过允许速度的 %.3g 倍", STR(x->s->service),
             STR(x->s->name), x->factor);
    put_whose(&t, x->s);
    put_annotation(b, "summary_zh", &t);
    buf_clear(&t);
    buf_addf(&t,
             "%s 内 {{ $value | humanizePercentage }} 的事件不达标，允许 %s%%。按 %.3g "
             "倍的速度，全部预算将在 %s 内耗尽。",
             x->burn->window, x->budget, x->factor, x->gone);
    put_left(&t, x->s, "剩余预算 ", "。");
    put_annotation(b, "description_zh", &t);
    buf_clear(&t);
    buf_addf(&t, "%s",
             x->burn->hours <= 6 ? "先撤回最近的变更，再查原因。" : "当天内处理：问题持续但缓慢。");
    put_annotation(b, "action_zh", &t);
    buf_clear(&t);
    buf_addf(&t,
             "对照 slo:error_ratio:rate5m{slo=\"%.*s\"} "
             "与发布时间和该服务的告警：从何时开始、是哪一部分。目标为 %s%%。",
             STR(x->s->name), x->objective);
    put_annotation(b, "runbook_zh", &t);
    buf_release(&t);
}

static void put_alert(struct buf *b, const struct burn_alert *x)
{
    buf_addf(b, "      - alert: Slo%.*sBurn%s\n        expr: |\n", STR(x->s->camel),
             x->burn->window);
    put_condition(b, x);
    buf_addf(b, "        labels: {severity: %s, level: %s}\n        annotations:\n",
             x->burn->severity, x->burn->level);
    put_english(b, x);
    put_chinese(b, x);
    buf_addc(b, '\n');
}

static void put_burn_alerts(struct buf *b, const struct slo *s)
{
    for (size_t i = 0; i < ARRAY_LEN(burns); i++) {
        struct burn_alert x = burn_alert_of(s, &burns[i]);

        if (x.factor < 1)
            buf_addf(
                b,
                "      # None for %s: what burns within a window of %lldd is no more than may.\n\n",
                burns[i].window, (long long)(s->window / (24 * NS_PER_H)));
        else if (x.factor * slo_budget(s) >= 1)
            buf_addf(
                b, "      # None for %s: %.3g times a budget of %s %% is more than all events.\n\n",
                burns[i].window, x.factor, x.budget);
        else
            put_alert(b, &x);
    }
}

void slo_rules_print(struct buf *out, const struct slo_file *f, str from)
{
    buf_addf(out, "# Written by \"tocsin slo %.*s\": change that file, not this one.\ngroups:\n",
             STR(from));
    for (size_t i = 0; i < f->slos.n; i++) {
        const struct slo *s = &f->slos.v[i];

        buf_addf(out, "  - name: slo-%.*s\n    rules:\n", STR(s->name));
        put_records(out, s);
        put_burn_alerts(out, s);
    }
    while (out->n > 1 && out->p[out->n - 1] == '\n' && out->p[out->n - 2] == '\n')
        out->n--;
}
