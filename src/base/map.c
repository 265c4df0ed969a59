#include "base/map.h"

MAP_DEFINE(str_map, str, void *, hash_str, str_eq);
MAP_DEFINE(u64_map, uint64_t, void *, hash_u64, eq_u64);
