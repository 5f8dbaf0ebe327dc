/* SPDX-License-Identifier: MIT */
/* Misuse of what sync.h declares. Format of the cases: ../run.sh. */
#include <gort/short.h>

void misuse(go_map *m, void *v);
void misuse(go_map *m, void *v)
{
    double d = 1;
    float f = 1;
    (void)m, (void)v, (void)d, (void)f;
#ifdef CASE_double_as_a_key
    /* gcc: goi_a_key_of_a_map_is_an_integer_or_a_string */
    /* clang: goi_a_key_of_a_map_is_an_integer_or_a_string */
    /* g++: a key of a go_map is an integer or a string */
    /* clang++: a key of a go_map is an integer or a string */
    map_store(m, d, v);
#endif
#ifdef CASE_float_as_a_key
    /* gcc: goi_a_key_of_a_map_is_an_integer_or_a_string */
    /* clang: goi_a_key_of_a_map_is_an_integer_or_a_string */
    /* g++: a key of a go_map is an integer or a string */
    /* clang++: a key of a go_map is an integer or a string */
    map_delete(m, f);
#endif
#ifdef CASE_wide_integer_as_a_key
    /* gcc: goi_a_key_of_a_map_is_an_integer_or_a_string */
    /* clang: goi_a_key_of_a_map_is_an_integer_or_a_string */
    /* g++: a key of a go_map is an integer or a string */
    /* clang++: a key of a go_map is an integer or a string */
    __extension__ unsigned __int128 wide = 1;
    map_store(m, wide, v);
#endif
}
