"""Every metric that Alertmanager 0.34 has, by name, type and labels; those of Prometheus' rules and notifier; our own for
each source and each Alertmanager that gets our alerts."""
from harness import *

# name -> its type and labels; a type alone where there is no series before a peer, an output or an error is there.
ALERTMANAGER = """
alerts gauge state=active,suppressed,unprocessed
alerts_received_total counter status=firing,resolved version=v2
alerts_invalid_total counter version=v2
alerts_per_alert_limit gauge
alerts_limited_total counter
alerts_subscriber_channel_writes_total counter subscriber
notifications_total counter integration
notifications_failed_total counter integration reason=other,clientError,serverError,authError,rateLimited,contextCanceled,contextDeadlineExceeded
notification_requests_total counter integration
notification_requests_failed_total counter integration
notification_latency_seconds histogram integration
notifications_suppressed_total counter reason=silence,inhibition,mute_time_interval,active_time_interval
dispatcher_aggregation_groups gauge
dispatcher_alert_processing_duration_seconds summary
dispatcher_aggregation_group_limit_reached_total counter
dispatcher_aggregation_group_creation_retries_total counter
dispatcher_aggregation_group_creation_given_up_total counter
config_hash gauge
config_last_reload_successful gauge
config_last_reload_success_timestamp_seconds gauge
receivers gauge
integrations gauge
inhibition_rules gauge
http_request_duration_seconds histogram handler method code
http_response_size_bytes histogram handler method
http_requests_in_flight gauge method=get
http_concurrency_limit_exceeded_total counter method=get
nflog_gc_duration_seconds summary
nflog_snapshot_duration_seconds summary
nflog_snapshot_size_bytes gauge
nflog_maintenance_total counter
nflog_maintenance_errors_total counter
nflog_queries_total counter
nflog_query_errors_total counter
nflog_gossip_messages_propagated_total counter
nflog_query_duration_seconds histogram
silences gauge state=active,pending,expired
silences_gc_duration_seconds summary
silences_snapshot_duration_seconds summary
silences_snapshot_size_bytes gauge
silences_state_size gauge
silences_matcher_index_size gauge
silences_version_index_size gauge
silences_gc_errors_total counter
silences_maintenance_total counter
silences_maintenance_errors_total counter
silences_queries_total counter
silences_query_errors_total counter
silences_query_silences_scanned_total counter
silences_query_silences_skipped_total counter
silences_gossip_messages_propagated_total counter
silences_matcher_compile_errors_total counter -
silences_query_duration_seconds histogram
cluster_enabled gauge
cluster_members gauge
cluster_failed_peers gauge
cluster_health_score gauge
cluster_messages_queued gauge
cluster_peer_info gauge -
cluster_reconnections_total counter
cluster_reconnections_failed_total counter
cluster_refresh_join_total counter
cluster_refresh_join_failed_total counter
cluster_peers_joined_total counter
cluster_peers_left_total counter
cluster_peers_update_total counter
cluster_messages_pruned_total counter
cluster_peer_name_conflicts_total counter
peer_position gauge
cluster_messages_received_total counter msg_type=full_state,update
cluster_messages_received_size_total counter msg_type=full_state,update
cluster_messages_sent_total counter msg_type=full_state,update
cluster_messages_sent_size_total counter msg_type=full_state,update
cluster_alive_messages_total counter -
cluster_pings_seconds histogram -
oversized_gossip_message_failure_total counter key=nfl,sil
oversized_gossip_message_sent_total counter key=nfl,sil
oversized_gossip_message_dropped_total counter key=nfl,sil
oversize_gossip_message_duration_seconds histogram key=nfl,sil
tls_transport_packet_bytes_sent_total counter
tls_transport_packet_bytes_received_total counter
tls_transport_stream_connections_sent_total counter
tls_transport_stream_connections_received_total counter
tls_transport_read_errors_total counter
tls_transport_write_errors_total counter
events_recorded_total counter -
event_recorder_bytes_written_total counter
events_dropped_total counter
event_serialize_errors_total counter
event_output_drops_total counter -
event_kafka_produce_errors_total counter -
event_recorder_queue_length gauge
build_info gauge version revision branch goversion goos goarch tags
"""
OTHERS = """
process_start_time_seconds gauge
process_cpu_seconds_total counter
process_resident_memory_bytes gauge
process_virtual_memory_bytes gauge
process_open_fds gauge
process_max_fds gauge
promhttp_metric_handler_requests_total counter code=200,500,503
prometheus_rule_group_rules gauge rule_group
prometheus_rule_group_interval_seconds gauge rule_group
prometheus_rule_group_last_evaluation_timestamp_seconds gauge rule_group
prometheus_rule_group_last_duration_seconds gauge rule_group
prometheus_rule_group_last_rule_duration_sum_seconds gauge rule_group
prometheus_rule_group_last_evaluation_samples gauge rule_group
prometheus_rule_group_iterations_total counter rule_group
prometheus_rule_group_iterations_missed_total counter rule_group
prometheus_rule_evaluations_total counter rule_group
prometheus_rule_evaluation_failures_total counter rule_group
prometheus_rule_evaluation_duration_seconds summary
tocsin_rule_groups_late gauge
tocsin_rule_answers_dropped_total counter
prometheus_rule_group_duration_seconds summary
prometheus_notifications_alertmanagers_discovered gauge
prometheus_notifications_sent_total counter alertmanager
prometheus_notifications_errors_total counter alertmanager
prometheus_notifications_dropped_total counter alertmanager
prometheus_notifications_queue_length gauge alertmanager
prometheus_notifications_queue_capacity gauge alertmanager
prometheus_notifications_latency_seconds summary alertmanager
tocsin_forward_requests_total counter alertmanager
tocsin_forward_requests_failed_total counter alertmanager
tocsin_source_up gauge source
tocsin_source_queries_waiting gauge source
tocsin_source_queries_under_way gauge source
tocsin_source_requests_total counter source
tocsin_source_requests_failed_total counter source
tocsin_source_query_duration_seconds histogram source
"""
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}

CONFIG = """
rule_files: [{files: [rules.yml], source: own}, {files: [far.yml], source: gone}]
sources: [{name: gone, url: 'http://127.0.0.1:1'}]
route: {receiver: r, group_by: [alertname], group_wait: 0s, group_interval: 1s}
receivers: [{name: r, webhook_configs: [{url: '%s'}]}]
alerting: {alertmanagers: [{static_configs: [{targets: ['127.0.0.1:%d']}]}]}
"""
FILES = {"rules.yml": "groups: [{name: g, interval: 1s, rules: [{record: one, expr: vector(1)}, {alert: Fires, expr: 'one > 0'}]}]\n",
         "far.yml": "groups: [{name: far, interval: 1s, rules: [{record: x, expr: up}]}]\n"}


def page(t):
    """Types by name, series by name as sets of labels."""
    types, series = {}, {}
    for line in t.get("/metrics").body.decode().splitlines():
        m = re.match(r"# TYPE (\S+) (\S+)", line)
        if m:
            assert m.group(1) not in types, f"{m.group(1)} is there twice"
            types[m.group(1)] = m.group(2)
        elif line[0] != "#":
            m = re.match(r"([\w:]+)(?:\{(.*)\})? (\S+)$", line)
            assert m, line
            series.setdefault(m.group(1), []).append((dict(re.findall(r'(\w+)="([^"]*)"', m.group(2) or "")), float(m.group(3))))
    return types, series


def missing(types, series, rows):
    for row in rows.split("\n"):
        if not row:
            continue
        name, kind, *labels = row.split()
        if types.get(name) != kind:
            yield f"{name}: {types.get(name)}, wanted {kind}"
            continue
        for suffix in SUFFIXES.get(kind, ("",)):
            got = [dict(ls) for ls, _ in series.get(name + suffix, [])]
            if labels == ["-"]:
                if got:
                    yield f"{name}{suffix}: {got}"
                continue
            wanted = {x.split("=")[0] for x in labels} | ({"le"} if suffix == "_bucket" else set())
            if not got or any(set(ls) != wanted for ls in got):
                yield f"{name}{suffix}: {got[:2]}, wanted labels {wanted}"
            for x in labels:
                label, _, values = x.partition("=")
                if values and {ls.get(label) for ls in got} != set(values.split(",")):
                    yield f"{name}{suffix}: values of {label}"


def test_every_metric_is_there():
    with folder() as d, Sink() as sink:
        with Tocsin(CONFIG % (sink.url, free_port()), d, files=FILES) as t:
            until("a rule fires and is told", lambda: sink.count() >= 1)
            t.get("/metrics")  # the first answer is counted in the second
            types, series = page(t)
            named = "".join("alertmanager_" + row + "\n" for row in ALERTMANAGER.split("\n") if row)
            equal(list(missing(types, series, named + OTHERS)), [], "metrics that are not as they must be")
            known = {row.split()[0] for row in (named + OTHERS).split("\n") if row}
            equal(sorted(n for n in types if n not in known and not n.startswith("tocsin_") and not n.startswith("prometheus_target")), [],
                  "metrics that nobody has listed")


def test_figures_are_real():
    with folder() as d, Sink() as sink:
        port = free_port()
        with Tocsin(CONFIG % (sink.url, port), d, files=FILES) as t:
            url, source = f"http://127.0.0.1:{port}/api/v2/alerts", {"source": "gone"}
            until("the source was asked in vain", lambda: t.metric("tocsin_source_requests_failed_total", **source))
            until("the Alertmanager was told in vain", lambda: t.metric("tocsin_forward_requests_failed_total", alertmanager=url))
            _, series = page(t)
            [(_, asked)], [(_, failed)], [(_, timed)] = (series["tocsin_source_" + name] for name in (
                "requests_total", "requests_failed_total", "query_duration_seconds_count"))
            assert 1 <= asked == failed == timed, (asked, failed, timed)
            assert t.metric("tocsin_forward_requests_total", alertmanager=url) >= 1
            until("told", sink.count)
            silence = {"matchers": [{"name": "alertname", "value": "Fires", "isRegex": False}], "startsAt": stamp(),
                       "endsAt": stamp(3600), "createdBy": "me", "comment": "c"}
            equal(t.metric("alertmanager_silences_matcher_index_size"), 0)
            equal(t.post("/api/v2/silences", silence).status, 200)
            equal(t.metric("alertmanager_silences_matcher_index_size"), 1)
            before = t.metric("alertmanager_silences_queries_total"), t.metric("alertmanager_silences_query_silences_scanned_total")
            t.alerts()
            assert t.metric("alertmanager_silences_queries_total") > before[0]
            assert t.metric("alertmanager_silences_query_silences_scanned_total") > before[1]
            until("the log was asked", lambda: t.metric("alertmanager_nflog_queries_total") >= 1)
            assert 1 <= t.metric("alertmanager_nflog_query_errors_total") <= t.metric("alertmanager_nflog_queries_total")
            assert t.metric("promhttp_metric_handler_requests_total", code="200") >= 5
            assert 5 <= t.metric("process_open_fds") <= 200 and t.metric("process_virtual_memory_bytes") > t.metric("process_resident_memory_bytes")


main()
