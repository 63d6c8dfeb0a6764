/* SPDX-License-Identifier: BSD-2-Clause
 *
 * No BLAS, for hosts that cannot have one: products are our own, on machines without kernels on vectors the portable
 * one's, which is right and slow.
 */
#include "backend/cpu/blas.h"

#include "base/error.h"

#include <stddef.h>

int mdm_blas_is_built(void)
{
    return 0;
}

int mdm_blas_open(void)
{
    return MASKDM_OK;
}

void mdm_blas_guard(void)
{
}

void mdm_blas_unguard(void)
{
}

const char *mdm_blas_name(void)
{
    return "no BLAS";
}

const char *mdm_blas_core(void)
{
    return NULL;
}

int mdm_blas_is_lost(void)
{
    return 0;
}

int mdm_blas_sgemm(int ta, int tb, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
                   int64_t ldb, float beta, float *c, int64_t ldc, int guard)
{
    (void)ta, (void)tb, (void)m, (void)n, (void)k, (void)a, (void)lda, (void)b, (void)ldb, (void)beta, (void)c;
    (void)ldc, (void)guard;
    return MASKDM_ENOTSUP;
}

int mdm_blas_fail(int status)
{
    return mdm_fail(status, "this build has no BLAS");
}
