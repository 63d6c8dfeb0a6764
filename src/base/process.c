/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The process's number, asked anew each time: fork() tells nobody.
 */
#include "base/process.h"

#include "base/error.h"

#include <unistd.h>

long mdm_process_id(void)
{
    return (long)getpid();
}

int mdm_process_made(long maker)
{
    return maker == mdm_process_id();
}

int mdm_process_check(long maker, const char *what)
{
    if (mdm_process_made(maker))
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL,
                    "%s belongs to process %ld: a forked process can only release it, and opens its own", what,
                    maker);
}
