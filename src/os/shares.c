#include "os/shares.h"

const char *const work_class_names[WORK_CLASSES] = {
    [WORK_PAGE] = "page",     [WORK_SOURCE] = "source", [WORK_RULE] = "rule",
    [WORK_SCRAPE] = "scrape", [WORK_QUERY] = "query",   [WORK_SLOW] = "slow",
    [WORK_NAME] = "name",     [WORK_WRITE] = "write"};

/* Those below mostly wait for something: they neither fill the whole nor make use of more of it. */
static bool is_lent_to(enum work_class c)
{
    return c <= WORK_QUERY;
}

static unsigned sum(const unsigned *v, enum work_class last)
{
    unsigned n = 0;

    for (unsigned c = 0; c <= last; c++)
        n += v[c];
    return n;
}

bool shares_may_start(const struct shares *s, enum work_class c)
{
    if (s->running[c] < s->share[c])
        return true;
    return is_lent_to(c) && sum(s->running, WORK_QUERY) < s->whole &&
           sum(s->running, c) < sum(s->share, c);
}

unsigned shares_most(const struct shares *s, enum work_class c)
{
    unsigned all = is_lent_to(c) ? sum(s->share, c) : 0;
    unsigned lent = all < s->whole ? all : s->whole;

    return s->share[c] > lent ? s->share[c] : lent;
}
