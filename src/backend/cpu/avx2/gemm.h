/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The matrix product on packed tiles, and the workspace that a device keeps for it.
 */
#ifndef MASKDM_BACKEND_CPU_AVX2_GEMM_H
#define MASKDM_BACKEND_CPU_AVX2_GEMM_H

#include "backend/cpu/cpu.h"

/* Bytes that cpu->workspace must have: some 4 MiB and 0.1 MiB per worker, whatever the shapes. */
size_t maskdm_avx2_gemm_workspace(int workers);
int maskdm_avx2_gemm(struct maskdm_cpu *cpu, const struct maskdm_gemm *g);

#endif
