/* time.h - one spelling for src/, where the types are public because receivers use them too; and slots. */
#ifndef BASE_TIME_H
#define BASE_TIME_H
#include "tocsin/time.h"

/* What happens each interval: the first of place % interval + k x interval that is later than t. */
static inline ts_ns ts_slot_after(ts_ns t, dur_ns interval, uint64_t place)
{
    dur_ns offset = (dur_ns)(place % (uint64_t)interval), in = (t - offset) % interval;

    return ts_add(t - (in < 0 ? in + interval : in), interval);
}

#endif
