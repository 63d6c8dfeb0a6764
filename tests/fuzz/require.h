/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An invariant of a fuzz target: what does not hold ends the process.
 */
#ifndef MASKDM_TESTS_FUZZ_REQUIRE_H
#define MASKDM_TESTS_FUZZ_REQUIRE_H

#include <stdlib.h>

static inline void require(int holds)
{
    if (!holds)
        abort();
}

#endif
