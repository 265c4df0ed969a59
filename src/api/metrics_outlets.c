/* Metrics of what goes out beside our own notifications: messages that another Alertmanager has us pass on, and events. */
#include "api/metrics.h"
#include "core/relay.h"

enum m {
    M_RELAYED,
    M_RELAYED_JOINED,
    M_RELAYED_AGAIN,
    M_RELAY_WAITING,
    M_RELAY_BYTES,
    M_EVENTS,
    M_EVENT_BYTES,
    M_EVENTS_DROPPED,
    M_EVENT_DROPS,
    M_EVENTS_WAITING,
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
    [M_EVENTS] = {"alertmanager_events_recorded_total", EXPO_COUNTER, "Events, by type."},
    [M_EVENT_BYTES] = {"alertmanager_event_recorder_bytes_written_total", EXPO_COUNTER,
                       "Bytes of events that were written, or that services took."},
    [M_EVENTS_DROPPED] = {"alertmanager_events_dropped_total", EXPO_COUNTER,
                          "Events that a file or standard output could not take."},
    [M_EVENT_DROPS] = {"alertmanager_event_output_drops_total", EXPO_COUNTER,
                       "Events that an output did not get."},
    [M_EVENTS_WAITING] = {"alertmanager_event_recorder_queue_length", EXPO_GAUGE,
                          "Events that wait for their outputs."},
};

const struct metric *api_outlet_metric_rows(size_t *n)
{
    *n = ARRAY_LEN(rows);
    return rows;
}

static void put_event_metrics(const struct recorder *r, struct expo *x)
{
    struct recorder_stats st = {0};
    uint64_t drops;
    str name;

    if (r != NULL)
        st = recorder_stats(r);
    metric_begin(x, &rows[M_EVENTS]);
    for (size_t i = 0; r != NULL && i < RECORDER_TYPES; i++)
        expo_u64(x, &L("event_type", str_of(recorder_types[i])), 1, st.recorded[i]);
    metric_put(x, &rows[M_EVENT_BYTES], (double)st.bytes);
    metric_put(x, &rows[M_EVENTS_DROPPED], (double)st.dropped);
    metric_begin(x, &rows[M_EVENT_DROPS]);
    for (size_t i = 0; r != NULL && recorder_output(r, i, &name, &drops); i++)
        expo_u64(x, &L("output", name), 1, drops);
    metric_put(x, &rows[M_EVENTS_WAITING], (double)st.waiting);
}

void api_put_outlet_metrics(struct api *a, struct expo *x)
{
    const struct engine_stats *st = &a->engine->stats;
    struct relay_load l;

    put_event_metrics(a->conf.recorder, x);
    if (a->bridge == NULL && st->relayed == 0)
        return;
    l = relay_load(a->engine);
    metric_put(x, &rows[M_RELAYED], (double)st->relayed);
    metric_put(x, &rows[M_RELAYED_JOINED], (double)st->relayed_joined);
    metric_put(x, &rows[M_RELAYED_AGAIN], (double)st->relayed_again);
    metric_put(x, &rows[M_RELAY_WAITING], (double)l.rows);
    metric_put(x, &rows[M_RELAY_BYTES], (double)l.bytes);
}
