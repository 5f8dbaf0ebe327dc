/* SPDX-License-Identifier: MIT */
/* test.h: tests with virtual time (Go's testing/synctest). */
#ifndef GO_TEST_H
#define GO_TEST_H

#include <gort/base.h>
#include <gort/go.h>
#include <gort/time.h>

GO_BEGIN_DECLS

/* go_test_bubble(fn, args...): runs fn(args...) in a goroutine of a bubble of its own and returns
 * when that and all goroutines started in it have ended. Inside, time stands still while anybody
 * can run, and jumps to the next timer when all are parked. All parked for ever is fatal:
 * `deadlock: all goroutines in bubble are blocked`. */
GO_API void goi_test_bubble(struct goi_call *call);

/* Inside a bubble: parks until every other goroutine of it is parked for good or for a time. */
GO_API void go_test_wait(void);

GO_END_DECLS

#if !defined(__cplusplus)
#define go_test_bubble(...) GOI_TEST_BUBBLE(__COUNTER__, __VA_ARGS__)
#define GOI_TEST_BUBBLE(N, ...) __extension__({ \
        struct goi_call *GOI_CAT(goi_call_, N) = NULL; \
        GOI_CALL(GOI_HEAD_CALL, (&GOI_CAT(goi_call_, N)), "test_bubble", __VA_ARGS__); \
        goi_test_bubble(GOI_CAT(goi_call_, N)); \
    })
#else
#define go_test_bubble(...) (goi_test_bubble(goi::make_call(GOI_SITE, __VA_ARGS__)))
#endif

#endif
