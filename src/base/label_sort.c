/* Few labels are sorted in place, and mostly are in order already. */
#include "tocsin/labels.h"

#include <stdlib.h>

static void sort_few(struct label *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct label l = v[i];
        size_t at = i;

        for (; at != 0 && label_name_cmp(v[at - 1].name, l.name) > 0; at--)
            v[at] = v[at - 1];
        v[at] = l;
    }
}

void label_sort(struct label *v, size_t n)
{
    bool sorted = true;

    if (n <= LABELS_FEW) {
        sort_few(v, n);
        return;
    }
    for (size_t i = 1; i < n && sorted; i++)
        sorted = label_name_cmp(v[i - 1].name, v[i].name) <= 0;
    if (!sorted)
        qsort(v, n, sizeof(*v), label_order);
}
