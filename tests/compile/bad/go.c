/* SPDX-License-Identifier: MIT */
/* Misuse of go and of what records calls like it. Format of the cases: ../run.sh. */
#include <gort/short.h>

struct point {
    int x, y;
};
struct large {
    long a[8];
};
struct huge {
    char a[10000];
};
typedef double wide __attribute__((vector_size(32)));

void worker(int id, const char *name, struct point p);
struct large makes_large(int n);
long double makes_long_double(int n);
struct wrapped {
    long double d;
};
struct wrapped makes_wrapped(int n);
void takes_large(struct large b);
void takes_huge(struct huge b);
void takes_wide(wide v);
int returns_int(int n);
void returns_nothing(int n);

void misuse(go_group *g, go_waitgroup *wg, go_mutex *mu, wide *w, struct huge *h);
void misuse(go_group *g, go_waitgroup *wg, go_mutex *mu, wide *w, struct huge *h)
{
    struct point p = { 1, 2 };
    struct large b = { { 0 } };
    (void)b, (void)p, (void)g, (void)wg, (void)mu, (void)w, (void)h;
#ifdef CASE_number_for_pointer
    /* gcc: makes pointer from integer */
    /* clang: incompatible integer to pointer */
    /* g++: the arguments do not match the function */
    /* clang++: the arguments do not match the function */
    go(worker, 1, 2, p);
#endif
#ifdef CASE_pointer_for_number
    /* gcc: makes integer from pointer */
    /* clang: incompatible pointer to integer */
    /* g++: the arguments do not match the function */
    /* clang++: the arguments do not match the function */
    go(worker, "x", "x", p);
#endif
#ifdef CASE_too_few_arguments
    /* gcc: too few arguments */
    /* clang: too few arguments */
    /* g++: the arguments do not match the function */
    /* clang++: the arguments do not match the function */
    go(worker, 1, "x");
#endif
#ifdef CASE_too_many_arguments
    /* gcc: too many arguments */
    /* clang: too many arguments */
    /* g++: the arguments do not match the function */
    /* clang++: the arguments do not match the function */
    go(worker, 1, "x", p, 4);
#endif
#ifdef CASE_wrong_struct
    /* gcc: incompatible type for argument 3 */
    /* clang: passing 'struct large' to parameter of incompatible type */
    /* g++: the arguments do not match the function */
    /* clang++: the arguments do not match the function */
    go(worker, 1, "x", b);
#endif
#ifdef CASE_large_struct_result
    /* gcc: go: the function returns a struct of more than 16 bytes */
    /* clang: go: the function returns a struct of more than 16 bytes */
    go(makes_large, 1);
#endif
#ifdef CASE_long_double_result
    /* only: x86_64 */
    /* gcc: go: the function returns a long double */
    /* clang: go: the function returns a long double */
    go(makes_long_double, 1);
#endif
#ifdef CASE_long_double_in_a_struct
    /* only: x86_64 */
    /* gcc: go: the function returns a long double */
    /* clang: go: the function returns a long double */
    go(makes_wrapped, 1);
#endif
#ifdef CASE_large_struct_argument
    /* only: aarch64 */
    /* gcc: go: a struct argument is larger than 16 bytes */
    /* clang: go: a struct argument is larger than 16 bytes */
    go(takes_large, b);
#endif
#ifdef CASE_huge_argument
    /* gcc: the arguments take more than 8 KiB|larger than 16 bytes */
    /* clang: the arguments take more than 8 KiB|larger than 16 bytes */
    /* g++: the arguments take more than 8 KiB */
    /* clang++: the arguments take more than 8 KiB */
    go(takes_huge, *h);
#endif
#ifdef CASE_vector_argument
    /* gcc: go: an argument is over-aligned|larger than 16 bytes */
    /* clang: go: an argument is over-aligned|larger than 16 bytes */
    go(takes_wide, *w);
#endif
#ifdef CASE_call_instead_of_function
    /* gcc: void value not ignored|invalid use of void|expression of type 'void'|not a function */
    /* clang: void|called object type */
    /* g++: invalid use of void expression */
    /* clang++: argument type 'void' is incomplete|cannot .* void|no matching function */
    go(worker(1, "x", p));
#endif
#ifdef CASE_compound_literal_without_parentheses
    /* gcc: expected|unterminated */
    /* clang: expected */
    go(worker, 1, "x", (struct point){ 1, 2 });
#endif
#ifdef CASE_undeclared_function
    /* gcc: 'undeclared' undeclared */
    /* clang: use of undeclared identifier 'undeclared' */
    /* g++: 'undeclared' was not declared in this scope */
    /* clang++: use of undeclared identifier 'undeclared' */
    go(undeclared, 1);
#endif
#ifdef CASE_no_function
    /* gcc: not a function|invalid type argument */
    /* clang: called object type|indirection requires pointer operand */
    /* g++: the arguments do not match the function */
    /* clang++: the arguments do not match the function */
    go(p, 1);
#endif
#ifdef CASE_defer_wrong_argument
    /* gcc: makes pointer from integer */
    /* clang: incompatible integer to pointer */
    /* g++: defer: the arguments do not match the function */
    /* clang++: defer: the arguments do not match the function */
    defer(worker, 1, 2, p);
#endif
#ifdef CASE_try_wrong_info
    /* gcc: incompatible pointer type */
    /* clang: incompatible pointer types */
    /* g++: no matching function for call to 'try_call\(point\* */
    /* clang++: no matching function for call to 'try_call' */
    if (go_try(&p, returns_int, 1)) {
        return;
    }
#endif
#ifdef CASE_group_function_must_return_int
    /* gcc: group_go: the function must return int */
    /* clang: group_go: the function must return int */
    /* g++: group_go: the function must return int */
    /* clang++: group_go: the function must return int */
    group_go(g, returns_nothing, 1);
#endif
/* gcc has no warnings for calls that a system header's macro has written, and the short name is
 * one; the long name is a function. */
#ifdef CASE_group_result_must_be_used
    /* flags: -Werror=unused-result */
    /* how: -I */
    /* gcc: ignoring return value of 'go_group_wait' */
    /* clang: ignoring return value of function declared with 'warn_unused_result' */
    /* g++: ignoring return value of 'int go_group_wait */
    /* clang++: ignoring return value of function declared with 'warn_unused_result' */
    group_wait(g);
#endif
#ifdef CASE_group_result_must_be_used_by_its_long_name
    /* flags: -Werror=unused-result */
    /* gcc: ignoring return value of 'go_group_wait' */
    /* clang: ignoring return value of function declared with 'warn_unused_result' */
    /* g++: ignoring return value of 'int go_group_wait */
    /* clang++: ignoring return value of function declared with 'warn_unused_result' */
    go_group_wait(g);
#endif
#ifdef CASE_wait_group_of_another_type
    /* gcc: incompatible pointer type */
    /* clang: incompatible pointer types */
    /* g++: no matching function for call to 'cxx_wg_go\(.*go_mutex */
    /* clang++: no matching function for call to 'cxx_wg_go' */
    wg_go(mu, returns_int, 1);
#endif
#ifdef CASE_guard_of_another_type
    /* gcc: incompatible pointer type */
    /* clang: incompatible pointer types */
    /* g++: cannot convert */
    /* clang++: no matching function for call to 'goi_mutex_guard' */
    guard(wg);
#endif
#ifdef CASE_panic_format
    /* flags: -Werror=format */
    /* gcc: format '%d' expects argument of type 'int' */
    /* clang: format specifies type 'int' */
    /* g++: format '%d' expects argument of type 'int' */
    /* clang++: format specifies type 'int' */
    go_panic("%d", "x");
#endif
#ifdef CASE_context_value_of_another_type
    /* gcc: incompatible pointer type */
    /* clang: incompatible pointer types */
    /* g++: cannot convert|invalid conversion */
    /* clang++: cannot initialize a variable of type */
    static const go_ctx_key(int) key = 0;
    const char *v = ctx_value(ctx_background(), key);
    (void)v;
#endif
}
