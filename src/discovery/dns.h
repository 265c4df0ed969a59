/* dns.h - targets by name: SRV, A and AAAA records.
 *
 * Errors   ERR_NOT_FOUND, ERR_TIMEOUT, ERR_IO.
 * Cost     waits for the network, at most some ten seconds: for a worker that nobody else waits for.
 * Source   resolv.conf of the machine, with its search list; rules.md 8.8.
 */
#ifndef DISCOVERY_DNS_H
#define DISCOVERY_DNS_H

#include "discovery/discovery_conf.h"
#include "discovery/target_list.h"

/* Appends what the name stands for. Port: for all but SRV. */
bool dns_targets(struct target_list *l, str name, enum dns_sd_type type, unsigned port,
                 struct err *e) must_check;

#endif
