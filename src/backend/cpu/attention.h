/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Attention's rows for the kernel tables.
 */
#ifndef MASKDM_BACKEND_CPU_ATTENTION_H
#define MASKDM_BACKEND_CPU_ATTENTION_H

#include "backend/cpu/cpu.h"

extern const struct mdm_kernel mdm_cpu_attention_f32, mdm_cpu_attention_f64;
extern const struct mdm_kernel mdm_tile_attention; /* over the micro-kernel of the float table */

#endif
