/* SPDX-License-Identifier: MIT */
/* pp.h: preprocessor helpers of the public macros: count arguments, apply a macro to each,
 * paste and quote after expansion. Internal; nothing here is part of the interface. */
#ifndef GO_DETAIL_PP_H
#define GO_DETAIL_PP_H

#define GOI_CAT_(a, b) a##b
#define GOI_CAT(a, b) GOI_CAT_(a, b)
#define GOI_STR_(...) #__VA_ARGS__
#define GOI_STR(...) GOI_STR_(__VA_ARGS__)
#define GOI_UNPAREN(...) __VA_ARGS__

/* Where the macro stands, as "file:line". */
#define GOI_SITE __FILE__ ":" GOI_STR(__LINE__)

/* The number of arguments, 1 to 24; an empty list counts as one empty argument. */
#define GOI_NARGS(...) GOI_PICK(__VA_ARGS__, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, \
    12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0)
/* 0 when there is exactly one argument, 1 when there are more. */
#define GOI_MANY(...) GOI_PICK(__VA_ARGS__, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, \
    1, 1, 1, 1, 1, 1, 0, 0, 0)
#define GOI_PICK(p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15, p16, p17, \
    p18, p19, p20, p21, p22, p23, p24, n, ...) n

/* GOI_MAP(F, a, b, ...) is F(a) F(b) ...; arguments that are macros are expanded before. */
#define GOI_MAP(F, ...) GOI_CAT(GOI_MAP_, GOI_NARGS(__VA_ARGS__))(F, __VA_ARGS__)
#define GOI_MAP_1(F, x) F(x)
#define GOI_MAP_2(F, x, ...) F(x) GOI_MAP_1(F, __VA_ARGS__)
#define GOI_MAP_3(F, x, ...) F(x) GOI_MAP_2(F, __VA_ARGS__)
#define GOI_MAP_4(F, x, ...) F(x) GOI_MAP_3(F, __VA_ARGS__)
#define GOI_MAP_5(F, x, ...) F(x) GOI_MAP_4(F, __VA_ARGS__)
#define GOI_MAP_6(F, x, ...) F(x) GOI_MAP_5(F, __VA_ARGS__)
#define GOI_MAP_7(F, x, ...) F(x) GOI_MAP_6(F, __VA_ARGS__)
#define GOI_MAP_8(F, x, ...) F(x) GOI_MAP_7(F, __VA_ARGS__)
#define GOI_MAP_9(F, x, ...) F(x) GOI_MAP_8(F, __VA_ARGS__)
#define GOI_MAP_10(F, x, ...) F(x) GOI_MAP_9(F, __VA_ARGS__)
#define GOI_MAP_11(F, x, ...) F(x) GOI_MAP_10(F, __VA_ARGS__)
#define GOI_MAP_12(F, x, ...) F(x) GOI_MAP_11(F, __VA_ARGS__)
#define GOI_MAP_13(F, x, ...) F(x) GOI_MAP_12(F, __VA_ARGS__)
#define GOI_MAP_14(F, x, ...) F(x) GOI_MAP_13(F, __VA_ARGS__)
#define GOI_MAP_15(F, x, ...) F(x) GOI_MAP_14(F, __VA_ARGS__)
#define GOI_MAP_16(F, x, ...) F(x) GOI_MAP_15(F, __VA_ARGS__)
#define GOI_MAP_17(F, x, ...) F(x) GOI_MAP_16(F, __VA_ARGS__)
#define GOI_MAP_18(F, x, ...) F(x) GOI_MAP_17(F, __VA_ARGS__)
#define GOI_MAP_19(F, x, ...) F(x) GOI_MAP_18(F, __VA_ARGS__)
#define GOI_MAP_20(F, x, ...) F(x) GOI_MAP_19(F, __VA_ARGS__)
#define GOI_MAP_21(F, x, ...) F(x) GOI_MAP_20(F, __VA_ARGS__)
#define GOI_MAP_22(F, x, ...) F(x) GOI_MAP_21(F, __VA_ARGS__)
#define GOI_MAP_23(F, x, ...) F(x) GOI_MAP_22(F, __VA_ARGS__)
#define GOI_MAP_24(F, x, ...) F(x) GOI_MAP_23(F, __VA_ARGS__)

/* The same with a value that every call of F gets first. */
#define GOI_MAPX(F, X, ...) GOI_CAT(GOI_MAPX_, GOI_NARGS(__VA_ARGS__))(F, X, __VA_ARGS__)
#define GOI_MAPX_1(F, X, x) F(X, x)
#define GOI_MAPX_2(F, X, x, ...) F(X, x) GOI_MAPX_1(F, X, __VA_ARGS__)
#define GOI_MAPX_3(F, X, x, ...) F(X, x) GOI_MAPX_2(F, X, __VA_ARGS__)
#define GOI_MAPX_4(F, X, x, ...) F(X, x) GOI_MAPX_3(F, X, __VA_ARGS__)
#define GOI_MAPX_5(F, X, x, ...) F(X, x) GOI_MAPX_4(F, X, __VA_ARGS__)
#define GOI_MAPX_6(F, X, x, ...) F(X, x) GOI_MAPX_5(F, X, __VA_ARGS__)
#define GOI_MAPX_7(F, X, x, ...) F(X, x) GOI_MAPX_6(F, X, __VA_ARGS__)
#define GOI_MAPX_8(F, X, x, ...) F(X, x) GOI_MAPX_7(F, X, __VA_ARGS__)
#define GOI_MAPX_9(F, X, x, ...) F(X, x) GOI_MAPX_8(F, X, __VA_ARGS__)
#define GOI_MAPX_10(F, X, x, ...) F(X, x) GOI_MAPX_9(F, X, __VA_ARGS__)
#define GOI_MAPX_11(F, X, x, ...) F(X, x) GOI_MAPX_10(F, X, __VA_ARGS__)
#define GOI_MAPX_12(F, X, x, ...) F(X, x) GOI_MAPX_11(F, X, __VA_ARGS__)
#define GOI_MAPX_13(F, X, x, ...) F(X, x) GOI_MAPX_12(F, X, __VA_ARGS__)
#define GOI_MAPX_14(F, X, x, ...) F(X, x) GOI_MAPX_13(F, X, __VA_ARGS__)
#define GOI_MAPX_15(F, X, x, ...) F(X, x) GOI_MAPX_14(F, X, __VA_ARGS__)
#define GOI_MAPX_16(F, X, x, ...) F(X, x) GOI_MAPX_15(F, X, __VA_ARGS__)
#define GOI_MAPX_17(F, X, x, ...) F(X, x) GOI_MAPX_16(F, X, __VA_ARGS__)
#define GOI_MAPX_18(F, X, x, ...) F(X, x) GOI_MAPX_17(F, X, __VA_ARGS__)
#define GOI_MAPX_19(F, X, x, ...) F(X, x) GOI_MAPX_18(F, X, __VA_ARGS__)
#define GOI_MAPX_20(F, X, x, ...) F(X, x) GOI_MAPX_19(F, X, __VA_ARGS__)
#define GOI_MAPX_21(F, X, x, ...) F(X, x) GOI_MAPX_20(F, X, __VA_ARGS__)
#define GOI_MAPX_22(F, X, x, ...) F(X, x) GOI_MAPX_21(F, X, __VA_ARGS__)
#define GOI_MAPX_23(F, X, x, ...) F(X, x) GOI_MAPX_22(F, X, __VA_ARGS__)
#define GOI_MAPX_24(F, X, x, ...) F(X, x) GOI_MAPX_23(F, X, __VA_ARGS__)

#endif
