#include "promql/label_sets.h"

MAP_DEFINE(label_sets, struct labels, uint32_t, labels_hash, labels_eq);

int label_sets_order(struct labels a, struct labels b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        int c = str_cmp(a.v[i].name, b.v[i].name);

        if (c == 0)
            c = str_cmp(a.v[i].value, b.v[i].value);
        if (c != 0)
            return c;
    }
    return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}
