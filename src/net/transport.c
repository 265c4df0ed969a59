#include "net/transport.h"

const char *transport_failure_name(enum transport_failure f)
{
    static const char *const names[] = {
        [TRANSPORT_OK] = "ok",   [TRANSPORT_RESOLVE] = "resolve", [TRANSPORT_CONNECT] = "connect",
        [TRANSPORT_TLS] = "tls", [TRANSPORT_TIMEOUT] = "timeout", [TRANSPORT_LIMIT] = "limit",
        [TRANSPORT_URL] = "url", [TRANSPORT_CONFIG] = "config",
    };

    return names[f];
}

void transport_free(struct transport *t)
{
    if (t != NULL)
        t->ops->free(t->self);
}
