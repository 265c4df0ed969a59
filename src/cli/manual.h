/* manual.h - reference documents from the tables that the program reads: commands and flags, the HTTP interface, metrics, keys. */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include "base/buf.h"

void manual_cli(struct buf *out);     /* Markdown */
void manual_api(struct buf *out);     /* Markdown */
void manual_metrics(struct buf *out); /* Markdown */
void manual_page(struct buf *out);    /* tocsin(1), for man */
/* tocsin help config KEY: what the keys of this name mean; false: there is none, it has said so. */
bool manual_key(const char *key);

#endif
