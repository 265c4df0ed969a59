/* sample.h - one value of a series at an instant, as queries return it.
 *
 * Units    t in milliseconds since 1970.
 * Owns     borrowed from the arena of the answer or evaluation.
 */
#ifndef MODEL_SAMPLE_H
#define MODEL_SAMPLE_H

#include "base/time.h"
#include "tocsin/labels.h"

struct sample {
    struct labels labels; /* with __name__ */
    ts_ms t;
    double value; /* of a histogram: its sum */
    bool is_histogram;
};

struct samples {
    struct sample *v;
    size_t n;
};

#endif
