/* Metrics of what goes out beside our own notifications: messages that another Alertmanager has us pass on. */
#include "api/metrics.h"
#include "core/relay.h"

enum m {
    M_RELAYED,
    M_RELAYED_JOINED,
    M_RELAYED_AGAIN,
    M_RELAY_WAITING,
    M_RELAY_BYTES,
};

static const struct metric rows[] = {
    [M_RELAYED] = {"tocsin_bridge_messages_total", EXPO_COUNTER,
                   "Messages for DingTalk that were taken from other Alertmanagers and kept."},
    [M_RELAYED_JOINED] = {"tocsin_bridge_messages_joined_total", EXPO_COUNTER,
                          "Of these, those that took the place of an older one of their group that "
                          "waited, and tell what it said as well."},
    [M_RELAYED_AGAIN] = {"tocsin_bridge_messages_repeated_total", EXPO_COUNTER,
                         "Messages that had been kept before: their sender missed his answer."},
    [M_RELAY_WAITING] = {"tocsin_bridge_waiting_messages", EXPO_GAUGE,
                         "Messages that wait or are under way."},
    [M_RELAY_BYTES] = {"tocsin_bridge_waiting_bytes", EXPO_GAUGE, "Their size."},
};

void api_put_outlet_metrics(struct api *a, struct expo *x)
{
    const struct engine_stats *st = &a->engine->stats;
    struct relay_load l;

    if (a->bridge == NULL && st->relayed == 0)
        return;
    l = relay_load(a->engine);
    metric_put(x, &rows[M_RELAYED], (double)st->relayed);
    metric_put(x, &rows[M_RELAYED_JOINED], (double)st->relayed_joined);
    metric_put(x, &rows[M_RELAYED_AGAIN], (double)st->relayed_again);
    metric_put(x, &rows[M_RELAY_WAITING], (double)l.rows);
    metric_put(x, &rows[M_RELAY_BYTES], (double)l.bytes);
}
