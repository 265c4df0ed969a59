/* Metrics of Alertmanager that stand still here: gossip is not spoken, snapshots are not taken (state is written at once),
 * events are not exported. They are there, at zero or as a single instance has them, so that the mixin's alerts and
 * users' dashboards find their series. One row a metric; its series are the values of one label, or one without. Of what
 * has a series a peer, an output or an error there is none, and only its type is told. */
#include "api/metrics.h"

struct idle {
    struct metric metric;
    const char *label;  /* NULL = one series without labels */
    const char *values; /* space-separated; "" = no series yet */
    double value;
};

#define ROW(name, type, help, label, values, v)                                                    \
    {                                                                                              \
        {"alertmanager_" name, type, help}, label, values, v                                       \
    }
#define BY(name, label, values, help)        ROW(name "_total", EXPO_COUNTER, help, label, values, 0)
#define COUNTER(name, help)                  BY(name, NULL, NULL, help)
#define GAUGE(name, help, v)                 ROW(name, EXPO_GAUGE, help, NULL, NULL, v)
#define SUMMARY(name, help)                  ROW(name, EXPO_SUMMARY, help, NULL, NULL, 0)
#define HISTOGRAM(name, label, values, help) ROW(name, EXPO_HISTOGRAM, help, label, values, 0)

static const struct idle rows[] = {
    BY("alerts_subscriber_channel_writes", "subscriber", "dispatcher inhibitor",
       "There are no channels."),
    SUMMARY("dispatcher_alert_processing_duration_seconds", "Alerts are routed as they come."),
    COUNTER("dispatcher_aggregation_group_creation_retries", "Groups are made at once."),
    COUNTER("dispatcher_aggregation_group_creation_given_up", "Groups are made at once."),
    SUMMARY("nflog_gc_duration_seconds", "Ended entries are removed one by one."),
    SUMMARY("nflog_snapshot_duration_seconds", "There are no snapshots."),
    GAUGE("nflog_snapshot_size_bytes", "There are no snapshots.", 0),
    COUNTER("nflog_maintenance", "There is none."),
    COUNTER("nflog_maintenance_errors", "There is none."),
    HISTOGRAM("nflog_query_duration_seconds", NULL, NULL, "The log is a table in memory."),
    COUNTER("nflog_gossip_messages_propagated", "Gossip is not spoken."),
    SUMMARY("silences_gc_duration_seconds", "Ended silences are removed one by one."),
    SUMMARY("silences_snapshot_duration_seconds", "There are no snapshots."),
    GAUGE("silences_snapshot_size_bytes", "There are no snapshots.", 0),
    COUNTER("silences_gc_errors", "There are none."),
    COUNTER("silences_maintenance", "There is none."),
    COUNTER("silences_maintenance_errors", "There is none."),
    COUNTER("silences_query_errors", "Silences are looked up by index."),
    COUNTER("silences_query_silences_skipped", "Silences are looked up by index."),
    HISTOGRAM("silences_query_duration_seconds", NULL, NULL, "Silences are looked up by index."),
    BY("silences_matcher_compile_errors", "stage", "", "What does not compile is refused."),
    COUNTER("silences_gossip_messages_propagated", "Gossip is not spoken."),
    GAUGE("cluster_enabled", "Gossip is not spoken.", 0),
    GAUGE("cluster_members", "This one.", 1),
    GAUGE("cluster_failed_peers", "There are no peers.", 0),
    GAUGE("cluster_health_score", "There are no peers.", 0),
    GAUGE("cluster_messages_queued", "There are no peers.", 0),
    GAUGE("peer_position", "There are no peers.", 0),
    ROW("cluster_peer_info", EXPO_GAUGE, "There are no peers.", "peer", "", 0),
    BY("cluster_alive_messages", "peer", "", "There are no peers."),
    HISTOGRAM("cluster_pings_seconds", "peer", "", "There are no peers."),
    COUNTER("cluster_reconnections", "There are no peers."),
    COUNTER("cluster_reconnections_failed", "There are no peers."),
    COUNTER("cluster_refresh_join", "There are no peers."),
    COUNTER("cluster_refresh_join_failed", "There are no peers."),
    COUNTER("cluster_peers_joined", "There are no peers."),
    COUNTER("cluster_peers_left", "There are no peers."),
    COUNTER("cluster_peers_update", "There are no peers."),
    COUNTER("cluster_messages_pruned", "There are no peers."),
    COUNTER("cluster_peer_name_conflicts", "There are no peers."),
    BY("cluster_messages_received", "msg_type", "full_state update", "There are no peers."),
    BY("cluster_messages_received_size", "msg_type", "full_state update", "There are no peers."),
    BY("cluster_messages_sent", "msg_type", "full_state update", "There are no peers."),
    BY("cluster_messages_sent_size", "msg_type", "full_state update", "There are no peers."),
    BY("oversized_gossip_message_failure", "key", "nfl sil", "Gossip is not spoken."),
    BY("oversized_gossip_message_sent", "key", "nfl sil", "Gossip is not spoken."),
    BY("oversized_gossip_message_dropped", "key", "nfl sil", "Gossip is not spoken."),
    HISTOGRAM("oversize_gossip_message_duration_seconds", "key", "nfl sil",
              "Gossip is not spoken."),
    COUNTER("tls_transport_packet_bytes_sent", "Gossip is not spoken."),
    COUNTER("tls_transport_packet_bytes_received", "Gossip is not spoken."),
    COUNTER("tls_transport_stream_connections_sent", "Gossip is not spoken."),
    COUNTER("tls_transport_stream_connections_received", "Gossip is not spoken."),
    COUNTER("tls_transport_read_errors", "Gossip is not spoken."),
    COUNTER("tls_transport_write_errors", "Gossip is not spoken."),
    BY("event_kafka_produce_errors", "output", "", "Events do not go to Kafka."),
    COUNTER("event_serialize_errors", "Events are always texts."),
};

const struct metric *api_idle_metric(size_t i)
{
    return i < ARRAY_LEN(rows) ? &rows[i].metric : NULL;
}

static void metrics_idle_put(struct expo *x, const struct idle *r, const struct expo_label *label,
                             size_t n)
{
    static uint64_t none[ARRAY_LEN(metric_seconds_bounds) + 1];
    const struct metric_histogram zero = {metric_seconds_bounds, ARRAY_LEN(metric_seconds_bounds),
                                          none, 0, 0};

    if (r->metric.type == EXPO_SUMMARY)
        expo_summary(x, label, n, 0, 0);
    else if (r->metric.type == EXPO_HISTOGRAM)
        metric_put_histogram(x, label, n, &zero);
    else
        expo_value(x, label, n, r->value);
}

void api_put_idle_metrics(struct expo *x)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct idle *r = &rows[i];
        str rest = str_of(r->values);

        metric_begin(x, &r->metric);
        if (r->label == NULL)
            metrics_idle_put(x, r, NULL, 0);
        while (rest.n != 0)
            metrics_idle_put(x, r, &(struct expo_label){str_of(r->label), str_cut(&rest, ' ')}, 1);
    }
}
