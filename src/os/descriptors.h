/* descriptors.h - how many files and sockets the process may have open, and who may have how many of them.
 *
 * Shapes   of a limit of 4,096 and more: 1,024 clients, 256 transfers; of less a quarter and a sixteenth. The rest is for what is
 *          never refused one: pages, the store, what is being read.
 */
#ifndef OS_DESCRIPTORS_H
#define OS_DESCRIPTORS_H

struct descriptors {
    unsigned limit;
    unsigned clients; /* connections that come to us */
    unsigned
        transfers; /* that wait for their turn, all classes but pages; and connections that each pool keeps open */
};

/* Raises what the process has to what it may have, 65,536 at most, and shares it out. */
void descriptors_share(struct descriptors *d);
void descriptors_of(unsigned limit, struct descriptors *d);

#endif
