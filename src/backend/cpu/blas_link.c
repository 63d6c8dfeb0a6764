/* SPDX-License-Identifier: BSD-2-Clause
 *
 * BLAS of the static library. The references are strong, so that they pull out of libopenblas.a what tells its
 * flavours apart; OpenMP's belong to one flavour alone, which brings them along.
 */
#include "backend/cpu/blas_library.h"

#include "base/error.h"

int omp_get_max_threads(void) __attribute__((weak));
void omp_set_num_threads(int n) __attribute__((weak));

int mdm_blas_find(struct mdm_blas_library *out, size_t area)
{
    (void)area;
    *out = (struct mdm_blas_library){.sgemm = cblas_sgemm,
                                     .get_parallel = openblas_get_parallel,
                                     .get_corename = openblas_get_corename,
                                     .get_num_threads = openblas_get_num_threads,
                                     .set_num_threads = openblas_set_num_threads,
                                     .omp_get_max_threads = omp_get_max_threads,
                                     .omp_set_num_threads = omp_set_num_threads};
    return MASKDM_OK;
}
