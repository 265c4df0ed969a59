/* kahan.h - sums that do not forget the small terms (Neumaier's variant of Kahan's).
 *
 *     struct kahan k = {0};
 *     kahan_add(&k, x);
 *     kahan_sum(&k);
 *
 * Shapes   sum + c is the value: c collects what each addition rounded away. An infinite sum has no compensation.
 * Source   promql.md 15. Only right without contraction and reassociation (cmake/warnings.cmake).
 */
#ifndef BASE_KAHAN_H
#define BASE_KAHAN_H

#include <math.h>

struct kahan {
    double sum, c;
};

static inline void kahan_add(struct kahan *k, double x)
{
    double t = k->sum + x;

    if (isinf(t))
        k->c = 0;
    else if (fabs(k->sum) >= fabs(x))
        k->c += (k->sum - t) + x;
    else
        k->c += (x - t) + k->sum;
    k->sum = t;
}

static inline double kahan_sum(const struct kahan *k)
{
    return k->sum + k->c;
}

#endif
