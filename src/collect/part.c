#include "collect/part.h"

#include <time.h>

const char *part_reason(enum err_code code)
{
    switch (code) {
    case ERR_TIMEOUT: return "timeout";
    case ERR_NOT_FOUND: return "absent";
    case ERR_LIMIT: return "too_large";
    case ERR_INVALID: return "malformed";
    case ERR_CONFLICT: return "stuck";
    case ERR_NONE:
    case ERR_IO:
    case ERR_CORRUPT:
    case ERR_UNSUPPORTED: break;
    }
    return "failed";
}

static ts_ns read_clock(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

ts_ns part_mono(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

ts_ns part_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

int part_left_ms(ts_ns deadline)
{
    dur_ns left = ts_sub(deadline, part_mono());

    return left <= 0 ? 0 : (int)(left / NS_PER_MS < 3600000 ? left / NS_PER_MS + 1 : 3600000);
}
