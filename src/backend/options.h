/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option table of devices.
 */
#ifndef MASKDM_BACKEND_OPTIONS_H
#define MASKDM_BACKEND_OPTIONS_H

#include "backend/registry.h"
#include "option/option.h"

enum mdm_blas_threads { MDM_BLAS_GUARD, MDM_BLAS_LEAVE };
enum mdm_recompute { MDM_RECOMPUTE_AUTO, MDM_RECOMPUTE_YES, MDM_RECOMPUTE_NO };
enum mdm_weight_type { MDM_WEIGHT_F32, MDM_WEIGHT_BF16, MDM_WEIGHT_F16 };
extern const enum mdm_dtype mdm_weight_types[]; /* what each is */

struct mdm_device_options {
    int64_t threads, memory_limit;
    enum mdm_blas_threads blas_threads;
    int instruction_set; /* mdm_instruction_set() */
    const char *module;
    enum mdm_device_compute compute;
    enum mdm_weight_type weight_type;
    enum mdm_recompute recompute;
};

/* ---- cpu/instruction_set.c ---- */
const char *mdm_instruction_set(int i); /* the name of the i-th, the first is "auto"; NULL: none */
int mdm_instruction_set_is_built(int i);

extern const struct mdm_option_table mdm_device_options;

extern const struct mdm_option_kind mdm_device_kind;

#endif
