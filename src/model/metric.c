#include "model/metric.h"

#include "base/mem.h"

const double metric_seconds_bounds[11] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

void metric_histogram_init(struct metric_histogram *h, const double *bounds, size_t n)
{
    *h = (struct metric_histogram){
        .bounds = bounds, .n = n, .counts = mem_array(n + 1, sizeof(uint64_t))};
}

void metric_histogram_release(struct metric_histogram *h)
{
    mem_free(h->counts);
    *h = (struct metric_histogram){NULL, 0, NULL, 0, 0};
}

void metric_histogram_observe(struct metric_histogram *h, double v)
{
    size_t i = 0;

    while (i < h->n &&
           !(v <= h->bounds[i])) /* NaN falls through to +Inf, as in Prometheus' client */
        i++;
    h->counts[i]++;
    h->count++;
    h->sum += v;
}

void metric_begin(struct expo *x, const struct metric *m)
{
    expo_family(x, str_of(m->name), m->type, str_of(m->help));
}

void metric_put(struct expo *x, const struct metric *m, double v)
{
    metric_begin(x, m);
    expo_value(x, NULL, 0, v);
}

void metric_put_histogram(struct expo *x, const struct expo_label *labels, size_t n,
                          const struct metric_histogram *h)
{
    expo_histogram(x, labels, n, h->bounds, h->counts, h->n, h->sum);
}
