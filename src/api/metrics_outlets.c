/* Metrics of what goes out beside our own notifications: messages that another Alertmanager has us pass on, events, and
 * what pages are told. */
#include "api/metrics.h"
#include "board/board.h"
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
    M_STREAMS,
    M_STREAMS_REFUSED,
    M_STREAM_FRAMES,
    M_STREAM_BYTES,
    M_WINDOWS,
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
    [M_STREAMS] = {"tocsin_board_streams", EXPO_GAUGE, "Pages that follow the board."},
    [M_STREAMS_REFUSED] = {"tocsin_board_streams_refused_total", EXPO_COUNTER,
                           "Streams that were refused because too many are followed."},
    [M_STREAM_FRAMES] = {"tocsin_board_frames_total", EXPO_COUNTER,
                         "Frames that streams were given, by kind: a whole page, or what changed."},
    [M_STREAM_BYTES] = {"tocsin_board_bytes_total", EXPO_COUNTER, "Their size, as sent."},
    [M_WINDOWS] = {"tocsin_board_windows", EXPO_GAUGE,
                   "Different questions that are asked of the board."},
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

static void put_board_metrics(const struct board *b, struct expo *x)
{
    struct board_stats st = board_stats(b);

    metric_put(x, &rows[M_STREAMS], (double)st.streams);
    metric_put(x, &rows[M_STREAMS_REFUSED], (double)st.refused);
    metric_begin(x, &rows[M_STREAM_FRAMES]);
    expo_u64(x, &L("kind", S("page")), 1, st.pages);
    expo_u64(x, &L("kind", S("change")), 1, st.frames - st.pages);
    metric_put(x, &rows[M_STREAM_BYTES], (double)st.bytes);
    metric_put(x, &rows[M_WINDOWS], (double)st.windows);
}

void api_put_outlet_metrics(struct api *a, struct expo *x)
{
    const struct engine_stats *st = &a->engine->stats;
    struct relay_load l;

    put_event_metrics(a->conf.recorder, x);
    put_board_metrics(a->board, x);
    if (a->bridge == NULL && st->relayed == 0)
        return;
    l = relay_load(a->engine);
    metric_put(x, &rows[M_RELAYED], (double)st->relayed);
    metric_put(x, &rows[M_RELAYED_JOINED], (double)st->relayed_joined);
    metric_put(x, &rows[M_RELAYED_AGAIN], (double)st->relayed_again);
    metric_put(x, &rows[M_RELAY_WAITING], (double)l.rows);
    metric_put(x, &rows[M_RELAY_BYTES], (double)l.bytes);
}
