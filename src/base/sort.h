/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sorting of indices whose time and memory no input can spoil: heapsort, n log n at worst, in place. The C library's
 * qsort may allocate and may turn quadratic.
 */
#ifndef MASKDM_BASE_SORT_H
#define MASKDM_BASE_SORT_H

#include <stdint.h>

/* Below, at or above zero as a comes before, with or after b. */
typedef int mdm_compare(const void *user, int64_t a, int64_t b);

/* Put what is in index[0 .. n) in order. */
void mdm_sort(int64_t *index, int64_t n, mdm_compare *order, const void *user);
/* Make it [0 .. n), and put that in order. */
void mdm_sort_all(int64_t *index, int64_t n, mdm_compare *order, const void *user);

#endif
