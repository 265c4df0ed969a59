/* libraries.h - libcurl, OpenSSL, libevent and SQLite, set up once before any of them is used.
 *
 * What carries connections and deliveries ends the program in words when there is no memory, as all of ours does: libevent
 * and OpenSSL go on into nothing, and a transfer that was dropped for it would be a page that goes out late.
 */
#ifndef NET_LIBRARIES_H
#define NET_LIBRARIES_H

void libraries_set_up(void); /* before any thread; curl_global_cleanup() ends it */

#endif
