#include "discovery/dns.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>

enum { ANSWER_MAX = 64 << 10, WAIT_S = 2, TRIES = 2, ADDRESS = NS_MAXDNAME + 16 };

static void dns_add(struct target_list *l, str name, const char *address, const char *srv_host,
                    unsigned srv_port)
{
    char port[16];
    struct label meta[3] = {{S("__meta_dns_name"), name}};
    size_t n = 1;

    if (srv_host != NULL) {
        snprintf(port, sizeof(port), "%u", srv_port);
        meta[n++] = (struct label){S("__meta_dns_srv_record_target"), str_of(srv_host)};
        meta[n++] = (struct label){S("__meta_dns_srv_record_port"), str_of(port)};
    }
    target_list_add(l, str_of(address), meta, n);
}

/* RFC 2782: priority, weight, port, target. Go's names end in a dot, in the label but not in the address. */
static bool add_srv(struct target_list *l, str name, const ns_msg *m, const ns_rr *rr)
{
    const unsigned char *data = ns_rr_rdata(*rr);
    char host[NS_MAXDNAME], full[NS_MAXDNAME + 2], address[ADDRESS];
    unsigned port;

    if (ns_rr_rdlen(*rr) < 7 ||
        dn_expand(ns_msg_base(*m), ns_msg_end(*m), data + 6, host, sizeof(host)) < 0)
        return false;
    port = ns_get16(data + 4);
    snprintf(address, sizeof(address), "%s:%u", host, port);
    snprintf(full, sizeof(full), "%s.", host);
    dns_add(l, name, address, full, port);
    return true;
}

static bool add_host(struct target_list *l, str name, const ns_rr *rr, unsigned port)
{
    bool is_v6 = ns_rr_type(*rr) == ns_t_aaaa;
    char text[INET6_ADDRSTRLEN], address[ADDRESS];

    if (ns_rr_rdlen(*rr) != (is_v6 ? 16 : 4) ||
        inet_ntop(is_v6 ? AF_INET6 : AF_INET, ns_rr_rdata(*rr), text, sizeof(text)) == NULL)
        return false;
    snprintf(address, sizeof(address), is_v6 ? "[%s]:%u" : "%s:%u", text, port);
    dns_add(l, name, address, NULL, 0);
    return true;
}

static bool dns_read_answer(struct target_list *l, str name, const unsigned char *answer, int size,
                            ns_type type, unsigned port, struct err *e)
{
    ns_msg m;
    ns_rr rr;

    if (ns_initparse(answer, size, &m) != 0)
        return err_set(e, ERR_IO, "name '%.*s': the answer is damaged", STR(name));
    for (int i = 0; i < ns_msg_count(m, ns_s_an); i++) {
        bool ok = ns_parserr(&m, ns_s_an, i, &rr) == 0;

        if (ok && ns_rr_type(rr) == type) /* not a CNAME on the way */
            ok = type == ns_t_srv ? add_srv(l, name, &m, &rr) : add_host(l, name, &rr, port);
        if (!ok)
            return err_set(e, ERR_IO, "name '%.*s': the answer is damaged", STR(name));
    }
    return true;
}

bool dns_targets(struct target_list *l, str name, enum dns_sd_type type, unsigned port,
                 struct err *e)
{
    static const ns_type types[] = {
        [DNS_SD_SRV] = ns_t_srv, [DNS_SD_A] = ns_t_a, [DNS_SD_AAAA] = ns_t_aaaa};
    unsigned char *answer = mem_alloc(ANSWER_MAX);
    char *z = mem_zdup(name);
    struct __res_state rs = {0};
    int size, why;
    bool ok;

    if (res_ninit(&rs) == 0) {
        rs.retrans = WAIT_S;
        rs.retry = TRIES;
        size = res_nsearch(&rs, z, ns_c_in, (int)types[type], answer, ANSWER_MAX);
        why = rs.res_h_errno;
        res_nclose(&rs);
    } else {
        size = -1;
        why = NO_RECOVERY;
    }
    if (size >= 0)
        ok = dns_read_answer(l, name, answer, size < ANSWER_MAX ? size : ANSWER_MAX, types[type],
                             port, e);
    else
        ok = err_set(e, why == TRY_AGAIN ? ERR_TIMEOUT : ERR_NOT_FOUND, "name '%.*s': %s",
                     STR(name), hstrerror(why));
    mem_free(z);
    mem_free(answer);
    return ok;
}
