/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A host may trap floating-point exceptions: on finite arguments with finite results a kernel raises none of the
 * three that mean something went wrong. The flags tell, of what runs on the calling thread.
 */
#ifndef MASKDM_TESTS_KERNEL_QUIET_H
#define MASKDM_TESTS_KERNEL_QUIET_H

#include <check.h>
#include <fenv.h>

static inline void begin_quiet(void)
{
    ck_assert_int_eq(feclearexcept(FE_ALL_EXCEPT), 0);
}

static inline void expect_quiet(const char *what)
{
    int raised = fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);

    ck_assert_msg(!raised, "%s raises%s%s%s", what, raised & FE_INVALID ? " FE_INVALID" : "",
                  raised & FE_DIVBYZERO ? " FE_DIVBYZERO" : "", raised & FE_OVERFLOW ? " FE_OVERFLOW" : "");
}

#endif
