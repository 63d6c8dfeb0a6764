/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The matrix product on packed tiles, and the workspace that a device keeps for it.
 */
#ifndef MASKDM_BACKEND_CPU_AVX2_GEMM_H
#define MASKDM_BACKEND_CPU_AVX2_GEMM_H

#include "backend/cpu/cpu.h"

/* Bytes that cpu->workspace must have: some 4 MiB and 0.1 MiB per worker, whatever the shapes. */
size_t mdm_avx2_gemm_workspace(int workers);
int mdm_avx2_gemm(struct mdm_cpu *cpu, const struct mdm_gemm *g);

#endif
