#include "model/decision.h"

const char *decision_kind_text(enum decision_kind k)
{
    static const char *const texts[] = {
        "grouped", "inhibited",   "silenced",        "muted",   "outside active time",
        "notify",  "nothing new", "replaced",        "dropped", "delivered",
        "retry",   "failed",      "resolved unsent",
    };

    return texts[k];
}
