#ifndef TOCSIN_RECEIVER_H
#define TOCSIN_RECEIVER_H
struct receiver_type;
extern const struct receiver_type *const receiver_types[];
#endif
