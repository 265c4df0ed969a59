/* kernel_sums.h - running sums and moments that aggregations and *_over_time share.
 *
 * Source   promql.md 10, 15.
 */
#ifndef PROMQL_KERNEL_SUMS_H
#define PROMQL_KERNEL_SUMS_H

#include "base/kahan.h"
#include "base/str.h"

/* A mean as sum / n for as long as the sum is finite, then by increments. */
struct promql_mean {
    struct kahan k;
    double n;
    bool is_incremental;
};

static inline void promql_mean_add(struct promql_mean *m, double v)
{
    double q;

    m->n++;
    if (m->n == 1) {
        m->k.sum = v;
        return;
    }
    if (!m->is_incremental) {
        struct kahan next = m->k;

        kahan_add(&next, v);
        if (!isinf(next.sum)) {
            m->k = next;
            return;
        }
        m->is_incremental = true;
        m->k.sum /= m->n - 1;
        m->k.c /= m->n - 1;
    }
    q = (m->n - 1) / m->n;
    m->k = (struct kahan){q * m->k.sum, q * m->k.c};
    kahan_add(&m->k, v / m->n);
}

static inline double promql_mean_result(const struct promql_mean *m)
{
    return m->is_incremental ? m->k.sum + m->k.c : m->k.sum / m->n + m->k.c / m->n;
}

#endif
