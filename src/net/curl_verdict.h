/* curl_verdict.h - from curl's verdict on a transfer to ours, and to what an operator reads.
 *
 * curl's texts name hosts and certificates at most, and some of its codes name what happened: those are kept. The others get
 * words here, and what stands behind a code that says nothing (the proxy's answer, the server's last word in TLS, the names in
 * a certificate, no free descriptor) is looked up.
 *
 * Owns     texts are in the arena, or constant.
 */
#ifndef NET_CURL_VERDICT_H
#define NET_CURL_VERDICT_H

#include "net/curl_setup.h"

enum transport_failure curl_failure(const struct curl_handle *h, CURLcode code);
/* Why, as far as that may be shown. */
const char *curl_failure_reason(const struct curl_handle *h, CURLcode code, struct arena *a);
/* Whom the last request went to: after a redirect another one than the destination. */
str curl_last_asked(const struct curl_handle *h, str destination, struct arena *a);
/* The reason in a sentence that tells who could not be reached from who did not answer, and names the last one. */
void curl_failure_text(const struct curl_handle *h, str destination, CURLcode code, struct arena *a,
                       struct err *e);

#endif
