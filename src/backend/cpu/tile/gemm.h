/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The matrix product over the micro-kernel of cpu->f32.tile, and the workspace that a device keeps for it.
 */
#ifndef MASKDM_BACKEND_CPU_TILE_GEMM_H
#define MASKDM_BACKEND_CPU_TILE_GEMM_H

#include "backend/cpu/cpu.h"

/* Bytes that cpu->workspace must have: some 4 MiB and 0.1 MiB per worker, whatever the shapes. */
size_t mdm_tile_gemm_workspace(int workers);
int mdm_tile_gemm(struct mdm_cpu *cpu, const struct mdm_gemm *g);

#endif
