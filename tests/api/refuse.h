/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Refusing the n-th allocation of the whole program: in front of the C library's allocator stands one that asks
 * first, so that libpng and libjpeg are asked as well. What BLAS allocates is let through, since it ends the process
 * when refused. Where another allocator stands (sanitizers, other C libraries) only the library's own allocations can
 * be refused, through its hook.
 */
#ifndef MASKDM_TESTS_API_REFUSE_H
#define MASKDM_TESTS_API_REFUSE_H

void refuse_begin(void); /* once, before the first handle */
/* Refuse allocation `at` (from 0) and, when sticky, all behind it. */
void refuse_arm(long at, int sticky);
int refuse_disarm(void); /* how many were refused */
long refuse_live(void);  /* blocks of the whole program, or of the library alone */

#endif
