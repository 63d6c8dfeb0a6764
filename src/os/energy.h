/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How much energy processors and memory have used, where the machine tells: Linux's powercap (RAPL), whose files only
 * root may read on many systems.
 */
#ifndef MASKDM_OS_ENERGY_H
#define MASKDM_OS_ENERGY_H

enum { MDM_ENERGY_ZONES = 16, MDM_ENERGY_PATH = 256 };

struct mdm_energy {
    int zones; /* 0: nobody tells */
    struct mdm_energy_zone {
        char path[MDM_ENERGY_PATH]; /* of its counter */
        double last, range;         /* microjoules: where it stood, and where it begins anew */
    } zone[MDM_ENERGY_ZONES];
};

extern const char mdm_energy_folder[]; /* where Linux has it */

/* Find the packages below a folder, and their memory, and where they stand. Nothing is said where there are none. */
void mdm_energy_find(struct mdm_energy *e, const char *folder);
/* Joules since the last reading, or since they were found; NaN where nobody tells. A counter that begins anew more
 * than once in between, in hours, is taken for one that did once. */
double mdm_energy_read(struct mdm_energy *e);

#endif
