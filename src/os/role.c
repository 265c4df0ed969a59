#include "os/role.h"

static _Thread_local enum role current;

enum role role_set(enum role r)
{
    enum role was = current;

    current = r;
    return was;
}

enum role role_get(void)
{
    return current;
}
