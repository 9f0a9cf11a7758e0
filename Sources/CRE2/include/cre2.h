#ifndef NARTHEX_CRE2_H
#define NARTHEX_CRE2_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cre2_regex cre2_regex;

/// Compiles RE2 syntax with `.` matching line feeds. Never NULL; see cre2_ok. Free with cre2_free.
cre2_regex *cre2_compile(const char *pattern, size_t length, int64_t max_memory, bool case_insensitive);
void cre2_free(cre2_regex *regex);
bool cre2_ok(const cre2_regex *regex);
/// RE2's own error text, without a terminating zero counted in `length`. Lives as long as `regex`.
const char *cre2_error(const cre2_regex *regex, size_t *length);
/// The part of the pattern the error is about.
const char *cre2_error_argument(const cre2_regex *regex, size_t *length);
int cre2_error_code(const cre2_regex *regex);
int cre2_group_count(const cre2_regex *regex);
/// The name of capture group `index` (from 1) or NULL.
const char *cre2_group_name(const cre2_regex *regex, int index, size_t *length);
/// Whether the whole text matches. Safe from many threads.
bool cre2_full_match(const cre2_regex *regex, const char *text, size_t length);
/// Whether some part of the text matches.
bool cre2_partial_match(const cre2_regex *regex, const char *text, size_t length);
/// As cre2_full_match, and fills `count` (start, end) offset pairs, -1 where a group took no part; pair 0 is the match.
bool cre2_full_match_groups(const cre2_regex *regex, const char *text, size_t length, ptrdiff_t *offsets, int count);

#ifdef __cplusplus
}
#endif
#endif
