/* arena.h - one spelling for src/; the type is public because receivers use it too. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H
#include "tocsin/arena.h"
#endif
