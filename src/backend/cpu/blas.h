/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The one place that calls BLAS and that touches its threads.
 */
#ifndef MASKDM_BACKEND_CPU_BLAS_H
#define MASKDM_BACKEND_CPU_BLAS_H

#include <stdint.h>

int mdm_blas_is_built(void); /* else nothing here does anything, and no product is made */

/* Before anything below: finds BLAS, which the shared library loads now. MASKDM_OK, or a recorded error where it is
 * not there or the process's limits leave no room for it. */
int mdm_blas_open(void);

/* While at least one guard stands in the process, BLAS makes no threads of its own; the host's setting comes back
 * with the last one. */
void mdm_blas_guard(void);
void mdm_blas_unguard(void);

/* "OpenBLAS serial", "OpenBLAS pthread", "OpenBLAS OpenMP" or "CBLAS". */
const char *mdm_blas_name(void);
/* What processor its kernels are for, where it tells, else NULL; and whether that is what it takes for one that it
 * does not know, as a release does of processors that came later. */
const char *mdm_blas_core(void);
int mdm_blas_is_lost(void);

/* One single-threaded product, row-major; beta is 0 or 1. Waits where the flavour bears no more callers. `guard`:
 * hold the caller's own thread to one BLAS thread where that is a setting per thread. MASKDM_OK, or MASKDM_ENOMEM
 * where BLAS would not get what it maps for this thread; nothing is recorded, since any thread may call. */
int mdm_blas_sgemm(int ta, int tb, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
                   int64_t ldb, float beta, float *c, int64_t ldc, int guard);
int mdm_blas_fail(int status); /* records that MASKDM_ENOMEM */

/* ---- choose_product.c ---- */

struct mdm_cpu;
struct mdm_gemm;
typedef int mdm_product(struct mdm_cpu *cpu, const struct mdm_gemm *g);

/* Measures both on the calling thread: 1 where `first` is to be taken, 0 where `second` is faster by a clear margin,
 * or a recorded error. */
int mdm_cpu_prefers_product(mdm_product *first, mdm_product *second, int guard);
/* BLAS against the portable kernel, once for the process, in some milliseconds. */
int mdm_cpu_blas_pays(int guard);

#endif
