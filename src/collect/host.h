/* host.h - the collectors of what a kernel says of its host: node exporter's, by its names, labels and types.
 *
 * A collector is a row of the table in host.c. What a kernel or a machine does not have is left out, as node exporter does:
 * the collector is well all the same (HOST_NONE: and is not told of).
 *
 * Source   node exporter 1.5; its defaults of what is left out.
 */
#ifndef COLLECT_HOST_H
#define COLLECT_HOST_H

#include "collect/collect_conf.h"
#include "collect/part.h"
#include "collect/pseudo_file.h"
#include "regex/regex.h"

enum host_end { HOST_OK, HOST_NONE, HOST_FAILED };

/* Times of a CPU that have been told: the kernel's own counts of idle and iowait go back at times. */
struct host_cpu {
    double v[10];
};

struct host {
    struct part part;
    const struct collect_host *conf;
    struct regex *no_disk, *no_interface, *no_mount, *no_fs; /* NULL: all */
    VEC(struct host_cpu) cpus;                               /* by number */
    struct buf b, b2;                                        /* for reading */
};

/* A regular expression of the configuration, checked there; NULL: nothing is left out. */
struct regex *host_regex(str pattern);
bool host_leaves_out(const struct regex *re, str name);

enum host_end host_cpu(struct host *h, struct sheet *s);
enum host_end host_stat(struct host *h, struct sheet *s);
enum host_end host_meminfo(struct host *h, struct sheet *s);
enum host_end host_vmstat(struct host *h, struct sheet *s);
enum host_end host_diskstats(struct host *h, struct sheet *s);
enum host_end host_filesystem(struct host *h, struct sheet *s);
enum host_end host_mdadm(struct host *h, struct sheet *s);
enum host_end host_netdev(struct host *h, struct sheet *s);
enum host_end host_netclass(struct host *h, struct sheet *s);
enum host_end host_netstat(struct host *h, struct sheet *s);
enum host_end host_sockstat(struct host *h, struct sheet *s);
enum host_end host_softnet(struct host *h, struct sheet *s);
enum host_end host_arp(struct host *h, struct sheet *s);

#endif
