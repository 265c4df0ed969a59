/* words.h - what the readable texts say of themselves, in two languages: one table.
 *
 * Owns     all texts are static.
 */
#ifndef NOTIFY_WORDS_H
#define NOTIFY_WORDS_H

#include "base/buf.h"
#include "base/time.h"

str words_get(const char *key, bool is_chinese);
bool words_has(str key, bool is_chinese, str *out);

/* How bad an alert says that it is: "critical" as people write it; what is not known stands as it is. */
str words_severity(str value, bool is_chinese);
const char *words_icon(str severity, bool is_urgent);

void words_duration(struct buf *out, dur_ns d, bool is_chinese); /* "2d 3h", "5m", "40s" */
/* "3 firing (1 new), 2 resolved (1 new)" */
struct words_counts {
    size_t firing, added, resolved;
    bool is_first, is_repeat;
};
void words_counts(struct buf *out, struct words_counts c, bool is_chinese);

#endif
