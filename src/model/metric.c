#include "model/metric.h"

#include "base/mem.h"

const double metric_seconds_bounds[11] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

void histogram_init(struct histogram *h, const double *bounds, size_t n)
{
    *h = (struct histogram){.bounds = bounds, .n = n, .counts = mem_array(n + 1, sizeof(uint64_t))};
}

void histogram_release(struct histogram *h)
{
    mem_free(h->counts);
    *h = (struct histogram){NULL, 0, NULL, 0, 0};
}

void histogram_observe(struct histogram *h, double v)
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

void metric_histogram(struct expo *x, const struct expo_label *labels, size_t n,
                      const struct histogram *h)
{
    expo_histogram(x, labels, n, h->bounds, h->counts, h->n, h->sum);
}
