/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The process's number, asked anew each time: fork() tells nobody.
 */
#include "base/maker.h"

#include "base/error.h"

#include <unistd.h>

long mdm_maker_id(void)
{
    return (long)getpid();
}

int mdm_maker_is_here(long maker)
{
    return maker == mdm_maker_id();
}

int mdm_maker_check(long maker, const char *what)
{
    if (mdm_maker_is_here(maker))
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL,
                    "%s belongs to process %ld: a forked process can only release it, and opens its own", what,
                    maker);
}
