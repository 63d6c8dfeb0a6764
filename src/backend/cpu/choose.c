/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which of the instruction sets that a machine has its kernels are of: the widest one that is not known to be slower.
 *
 * Results differ between sets, so that the choice has to be the same in every process, now and later. So it is not
 * measured: the fastest of up to 36 rounds of each, in turns, with a margin of an eighth, still found another set now
 * and then where other work was going on, and ranks of one machine refused each other.
 */
#include "backend/cpu/brand.h"
#include "backend/cpu/cpu.h"
#include "base/error.h"

#include <string.h>

void mdm_cpu_choose(const struct mdm_cpu_set **set, const struct mdm_cpu_set **slower, const char *brand)
{
    *slower = NULL;
    for (const struct mdm_cpu_set *s = mdm_cpu_sets; s->name; s++) {
        if (!s->runs_here())
            continue;
        if (s->is_slower && s->is_slower(brand))
            *slower = s;
        else
            *set = s;
    }
}

int mdm_cpu_find(const struct mdm_cpu_set **set, const struct mdm_cpu_set **slower, const char *name)
{
    char brand[MDM_BRAND];

    *slower = NULL;
    if (strcmp(name, "auto") == 0) {
        mdm_read_brand(brand);
        mdm_cpu_choose(set, slower, brand);
        return MASKDM_OK;
    }
    for (*set = mdm_cpu_sets; (*set)->name; ++*set)
        if (strcmp(name, (*set)->name) == 0 && (*set)->runs_here())
            return MASKDM_OK;
    return mdm_fail(MASKDM_ENOTSUP, "this machine or build has no %s", name);
}
