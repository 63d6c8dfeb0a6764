/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The float tables that a kernel's tests run through: the portable one with its own product, and that of every
 * instruction set of the library's list which this machine has. So a new set is tested by being in that list.
 */
#ifndef MASKDM_TESTS_KERNEL_SETS_H
#define MASKDM_TESTS_KERNEL_SETS_H

#include "backend/cpu/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TABLES = 8 };

struct table {
    const char *name;
    struct mdm_cpu_table rows;
};

/* Returns their number. */
static inline int fill_tables(struct table t[MOST_TABLES])
{
    int n = 1;

    memset(t, 0, MOST_TABLES * sizeof *t);
    t[0].name = "portable";
    mdm_cpu_table_c_f32(&t[0].rows);
    for (const struct mdm_cpu_set *s = mdm_cpu_sets; s->name; s++)
        if (s->runs_here()) {
            if (n == MOST_TABLES)
                abort();
            t[n].name = s->name;
            s->fill(&t[n++].rows);
        }
    return n;
}

static inline void tell_tables(void)
{
    for (const struct mdm_cpu_set *s = mdm_cpu_sets; s->name; s++)
        printf("instruction set %s: %s\n", s->name, s->runs_here() ? "tested" : "skipped, this machine has none");
}

#endif
