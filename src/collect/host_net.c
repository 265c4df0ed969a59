/* Network devices, and what the kernel counts of protocols. */
#include "collect/host.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NET_DEVICES_MAX = 4096 };

/* -- /proc/net/dev -- */

static const char *const net_columns[] = {
    "receive_bytes",  "receive_packets",  "receive_errs",       "receive_drop",
    "receive_fifo",   "receive_frame",    "receive_compressed", "receive_multicast",
    "transmit_bytes", "transmit_packets", "transmit_errs",      "transmit_drop",
    "transmit_fifo",  "transmit_colls",   "transmit_carrier",   "transmit_compressed"};

static void put_net_counter(struct sheet *s, str device, const char *what, double v)
{
    const struct expo_label l = SHEET_LABEL("device", device);
    char name[80], help[80];

    snprintf(name, sizeof(name), "node_network_%s_total", what);
    snprintf(help, sizeof(help), "Network device statistic %s.", what);
    sheet_begin(s, str_of(name), EXPO_COUNTER, str_of(help));
    sheet_put(s, &l, 1, v);
}

enum host_end host_netdev(struct host *h, struct sheet *s)
{
    str rest;

    /* Its own links, of a process in the namespace of the host. */
    if (!pseudo_read(&h->b, h->conf->procfs, "net/dev", PSEUDO_FILE_MAX))
        return HOST_FAILED;
    for (rest = buf_str(&h->b); rest.n != 0;) {
        str line = str_cut(&rest, '\n');
        ptrdiff_t colon = str_find(line, ':');
        char path[256];
        str device;
        uint64_t v;
        double dropped;

        if (colon < 0)
            continue;
        device = str_trim(str_sub(line, 0, (size_t)colon));
        if (host_leaves_out(h->no_interface, device))
            continue;
        line = str_sub(line, (size_t)colon + 1, line.n);
        for (size_t i = 0; i < ARRAY_LEN(net_columns) && pseudo_cut_u64(&line, &v); i++)
            put_net_counter(s, device, net_columns[i], (double)v);
        snprintf(path, sizeof(path), "class/net/%.*s/statistics/rx_nohandler", STR(device));
        if (pseudo_number(&h->b2, h->conf->sysfs, path, &dropped))
            put_net_counter(s, device, "receive_nohandler", dropped);
    }
    return HOST_OK;
}

/* -- /sys/class/net -- */

static const struct {
    const char *file, *name;
    enum expo_type type;
    double times;
} link_rows[] = {
    {"addr_assign_type", "address_assign_type", EXPO_GAUGE, 1},
    {"carrier", "carrier", EXPO_GAUGE, 1},
    {"carrier_changes", "carrier_changes_total", EXPO_COUNTER, 1},
    {"carrier_up_count", "carrier_up_changes_total", EXPO_COUNTER, 1},
    {"carrier_down_count", "carrier_down_changes_total", EXPO_COUNTER, 1},
    {"dev_id", "device_id", EXPO_GAUGE, 1},
    {"dormant", "dormant", EXPO_GAUGE, 1},
    {"flags", "flags", EXPO_GAUGE, 1},
    {"ifindex", "iface_id", EXPO_GAUGE, 1},
    {"iflink", "iface_link", EXPO_GAUGE, 1},
    {"link_mode", "iface_link_mode", EXPO_GAUGE, 1},
    {"mtu", "mtu_bytes", EXPO_GAUGE, 1},
    {"name_assign_type", "name_assign_type", EXPO_GAUGE, 1},
    {"netdev_group", "net_dev_group", EXPO_GAUGE, 1},
    {"speed", "speed_bytes", EXPO_GAUGE, 1000 * 1000 / 8}, /* from Mbit/s */
    {"tx_queue_len", "transmit_queue_length", EXPO_GAUGE, 1},
    {"type", "protocol_type", EXPO_GAUGE, 1},
};

static str link_word(struct host *h, const char *device, const char *file, struct arena *a)
{
    char path[512];

    snprintf(path, sizeof(path), "class/net/%s/%s", device, file);
    return arena_str(a, pseudo_line(&h->b, h->conf->sysfs, path));
}

static void put_link_info(struct host *h, struct sheet *s, const char *device, struct arena *a)
{
    const struct expo_label l[] = {
        SHEET_LABEL("address", link_word(h, device, "address", a)),
        SHEET_LABEL("broadcast", link_word(h, device, "broadcast", a)),
        SHEET_LABEL("device", str_of(device)),
        SHEET_LABEL("duplex", link_word(h, device, "duplex", a)),
        SHEET_LABEL("ifalias", link_word(h, device, "ifalias", a)),
        SHEET_LABEL("operstate", link_word(h, device, "operstate", a)),
    };

    sheet_begin(s, S("node_network_up"), EXPO_GAUGE,
                S("Value is 1 if operstate is 'up', 0 otherwise."));
    sheet_put(s, &l[2], 1, str_is(l[5].value, "up"));
    sheet_begin(s, S("node_network_info"), EXPO_GAUGE,
                S("Non-numeric data from /sys/class/net/<iface>, value is always 1."));
    sheet_put(s, l, ARRAY_LEN(l), 1);
}

static void put_link(struct host *h, struct sheet *s, const char *device)
{
    const struct expo_label l = SHEET_LABEL("device", str_of(device));
    char path[512], name[80], help[96];
    struct arena a;
    double v;

    arena_init_small(&a, 0);
    put_link_info(h, s, device, &a);
    arena_release(&a);
    for (size_t i = 0; i < ARRAY_LEN(link_rows); i++) {
        snprintf(path, sizeof(path), "class/net/%s/%s", device, link_rows[i].file);
        if (!pseudo_number(&h->b, h->conf->sysfs, path, &v))
            continue;
        snprintf(name, sizeof(name), "node_network_%s", link_rows[i].name);
        snprintf(help, sizeof(help), "Network device property: %s", link_rows[i].name);
        sheet_begin(s, str_of(name), link_rows[i].type, str_of(help));
        sheet_put(s, &l, 1, v * link_rows[i].times);
    }
}

enum host_end host_netclass(struct host *h, struct sheet *s)
{
    char path[PSEUDO_PATH_MAX];
    struct dirent *e;
    size_t n = 0;
    DIR *d;

    snprintf(path, sizeof(path), "%.*s/class/net", STR(h->conf->sysfs));
    d = opendir(path);
    if (d == NULL)
        return HOST_NONE;
    while ((e = readdir(d)) != NULL && n < NET_DEVICES_MAX) {
        /* bonding_masters is a file */
        if (e->d_name[0] == '.' || strcmp(e->d_name, "bonding_masters") == 0 ||
            host_leaves_out(h->no_interface, str_of(e->d_name)))
            continue;
        put_link(h, s, e->d_name);
        n++;
    }
    closedir(d);
    return HOST_OK;
}

/* -- /proc/net/{netstat,snmp,snmp6} -- */

static const char *const netstat_names[] = {"Icmp6_InErrors",
                                            "Icmp6_InMsgs",
                                            "Icmp6_OutMsgs",
                                            "Icmp_InErrors",
                                            "Icmp_InMsgs",
                                            "Icmp_OutMsgs",
                                            "Ip6_InOctets",
                                            "Ip6_OutOctets",
                                            "IpExt_InOctets",
                                            "IpExt_OutOctets",
                                            "Ip_Forwarding",
                                            "TcpExt_ListenDrops",
                                            "TcpExt_ListenOverflows",
                                            "TcpExt_SyncookiesFailed",
                                            "TcpExt_SyncookiesRecv",
                                            "TcpExt_SyncookiesSent",
                                            "TcpExt_TCPSynRetrans",
                                            "TcpExt_TCPTimeouts",
                                            "Tcp_ActiveOpens",
                                            "Tcp_CurrEstab",
                                            "Tcp_InErrs",
                                            "Tcp_InSegs",
                                            "Tcp_OutRsts",
                                            "Tcp_OutSegs",
                                            "Tcp_PassiveOpens",
                                            "Tcp_RetransSegs",
                                            "Udp6_InDatagrams",
                                            "Udp6_InErrors",
                                            "Udp6_NoPorts",
                                            "Udp6_OutDatagrams",
                                            "Udp6_RcvbufErrors",
                                            "Udp6_SndbufErrors",
                                            "UdpLite6_InErrors",
                                            "UdpLite_InErrors",
                                            "Udp_InDatagrams",
                                            "Udp_InErrors",
                                            "Udp_NoPorts",
                                            "Udp_OutDatagrams",
                                            "Udp_RcvbufErrors",
                                            "Udp_SndbufErrors"};

static void put_netstat(struct sheet *s, str protocol, str field, str value)
{
    char name[96], metric[120], help[120];
    double v;

    snprintf(name, sizeof(name), "%.*s_%.*s", (int)(protocol.n < 30 ? protocol.n : 30), protocol.p,
             (int)(field.n < 60 ? field.n : 60), field.p);
    for (size_t i = 0; i < ARRAY_LEN(netstat_names); i++) {
        uint64_t u;

        if (strcmp(name, netstat_names[i]) != 0)
            continue;
        if (!str_to_u64(value, &u))
            return;
        v = (double)u;
        snprintf(metric, sizeof(metric), "node_netstat_%s", name);
        snprintf(help, sizeof(help), "Statistic %.*s%.*s.", STR(protocol), STR(field));
        sheet_one(s, str_of(metric), EXPO_UNTYPED, str_of(help), v);
    }
}

/* Two lines a protocol: "Tcp: names...", "Tcp: values..." */
static void put_netstat_pairs(struct sheet *s, str rest)
{
    while (rest.n != 0) {
        str names = str_cut(&rest, '\n'), values = str_cut(&rest, '\n'),
            protocol = pseudo_cut_word(&names), name;

        (void)pseudo_cut_word(&values);
        if (protocol.n == 0)
            continue;
        protocol.n--;
        while ((name = pseudo_cut_word(&names)).n != 0)
            put_netstat(s, protocol, name, pseudo_cut_word(&values));
    }
}

/* "Ip6InReceives 3": the protocol ends in its 6. */
static void put_snmp6(struct sheet *s, str rest)
{
    while (rest.n != 0) {
        str line = str_cut(&rest, '\n'), word = pseudo_cut_word(&line);
        ptrdiff_t six = str_find(word, '6');

        if (six > 0)
            put_netstat(s, str_sub(word, 0, (size_t)six + 1),
                        str_sub(word, (size_t)six + 1, word.n), pseudo_cut_word(&line));
    }
}

enum host_end host_netstat(struct host *h, struct sheet *s)
{
    if (!pseudo_read(&h->b, h->conf->procfs, "net/netstat", PSEUDO_FILE_MAX))
        return HOST_FAILED;
    put_netstat_pairs(s, buf_str(&h->b));
    if (!pseudo_read(&h->b, h->conf->procfs, "net/snmp", PSEUDO_FILE_MAX))
        return HOST_FAILED;
    put_netstat_pairs(s, buf_str(&h->b));
    if (pseudo_read(&h->b, h->conf->procfs, "net/snmp6", PSEUDO_FILE_MAX))
        put_snmp6(s, buf_str(&h->b));
    return HOST_OK;
}

/* -- /proc/net/sockstat -- */

static void put_socket(struct sheet *s, str protocol, str state, double v)
{
    char name[96], help[96];

    snprintf(name, sizeof(name), "node_sockstat_%.*s_%.*s", STR(protocol), STR(state));
    if (!expo_is_bare(str_of(name), false))
        return;
    snprintf(help, sizeof(help), "Number of %.*s sockets in state %.*s.", STR(protocol),
             STR(state));
    sheet_one(s, str_of(name), EXPO_GAUGE, str_of(help), v);
}

/* "TCP: inuse 4 orphan 0 tw 46 alloc 4 mem 129"; memory is in pages. */
static void put_sockets(struct sheet *s, str rest)
{
    while (rest.n != 0) {
        str line = str_cut(&rest, '\n'), protocol = pseudo_cut_word(&line), state;
        uint64_t v;

        if (protocol.n < 2 || protocol.n > 30)
            continue;
        protocol.n--;
        while ((state = pseudo_cut_word(&line)).n != 0 && state.n < 30) {
            if (!pseudo_cut_u64(&line, &v))
                break;
            if (str_is(protocol, "sockets")) {
                sheet_one(s, S("node_sockstat_sockets_used"), EXPO_GAUGE,
                          S("Number of IPv4 sockets in use."), (double)v);
                continue;
            }
            put_socket(s, protocol, state, (double)v);
            if (str_is(state, "mem"))
                put_socket(s, protocol, S("mem_bytes"), (double)v * (double)getpagesize());
        }
    }
}

enum host_end host_sockstat(struct host *h, struct sheet *s)
{
    if (!pseudo_read(&h->b, h->conf->procfs, "net/sockstat", 65536))
        return HOST_FAILED;
    put_sockets(s, buf_str(&h->b));
    if (pseudo_read(&h->b, h->conf->procfs, "net/sockstat6", 65536))
        put_sockets(s, buf_str(&h->b));
    return HOST_OK;
}

/* -- /proc/net/softnet_stat: a line a CPU, in hexadecimal -- */

static bool cut_hex(str *rest, double *v)
{
    str word = pseudo_cut_word(rest);

    *v = 0;
    for (size_t i = 0; i < word.n; i++) {
        if (char_hex(word.p[i]) < 0)
            return false;
        *v = *v * 16 + char_hex(word.p[i]);
    }
    return word.n != 0;
}

enum host_end host_softnet(struct host *h, struct sheet *s)
{
    static const struct {
        const char *name, *help;
    } rows[] = {{"node_softnet_processed_total", "Number of processed packets"},
                {"node_softnet_dropped_total", "Number of dropped packets"},
                {"node_softnet_times_squeezed_total",
                 "Number of times processing packets ran out of quota"}};
    unsigned cpu = 0;
    str rest;

    if (!pseudo_read(&h->b, h->conf->procfs, "net/softnet_stat", PSEUDO_FILE_MAX))
        return HOST_NONE;
    for (rest = buf_str(&h->b); rest.n != 0; cpu++) {
        str line = str_cut(&rest, '\n');
        char number[16];
        struct expo_label l;
        double v;

        snprintf(number, sizeof(number), "%u", cpu);
        l = SHEET_LABEL("cpu", str_of(number));
        for (size_t i = 0; i < ARRAY_LEN(rows) && cut_hex(&line, &v); i++) {
            sheet_begin(s, str_of(rows[i].name), EXPO_COUNTER, str_of(rows[i].help));
            sheet_put(s, &l, 1, v);
        }
    }
    return HOST_OK;
}

/* -- /proc/net/arp -- */

enum host_end host_arp(struct host *h, struct sheet *s)
{
    struct str_map devices = {0};
    str rest;

    if (!pseudo_read(&h->b, h->conf->procfs, "net/arp", PSEUDO_FILE_MAX))
        return HOST_NONE;
    rest = buf_str(&h->b);
    (void)str_cut(&rest, '\n'); /* the head */
    while (rest.n != 0) {
        str line = str_cut(&rest, '\n'), word, device = STR_NONE;
        void **n;
        bool is_new;

        while ((word = pseudo_cut_word(&line)).n != 0)
            device = word;
        if (device.n == 0)
            continue;
        n = str_map_add(&devices, device, NULL, &is_new);
        *n = (void *)((uintptr_t)*n + 1);
    }
    MAP_EACH (struct str_map_entry, e, &devices) {
        const struct expo_label l = SHEET_LABEL("device", e->key);

        sheet_begin(s, S("node_arp_entries"), EXPO_GAUGE, S("ARP entries by device"));
        sheet_put(s, &l, 1, (double)(uintptr_t)e->value);
    }
    str_map_release(&devices);
    return HOST_OK;
}
