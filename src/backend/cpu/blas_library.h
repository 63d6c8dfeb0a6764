/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where BLAS comes from. The shared library loads it when a device first needs it (blas_load.c), so that what
 * multiplies nothing, or multiplies by kernels of its own, never meets it; the static library leaves it to the
 * program's linker (blas_link.c), since a fully static program can load nothing.
 */
#ifndef MASKDM_BACKEND_CPU_BLAS_LIBRARY_H
#define MASKDM_BACKEND_CPU_BLAS_LIBRARY_H

#include <cblas.h>

#include <stddef.h>

/* All but the product may be NULL: another CBLAS has none of them. */
struct mdm_blas_library {
    void (*sgemm)(enum CBLAS_ORDER order, enum CBLAS_TRANSPOSE ta, enum CBLAS_TRANSPOSE tb, blasint m, blasint n,
                  blasint k, float alpha, const float *a, blasint lda, const float *b, blasint ldb, float beta,
                  float *c, blasint ldc);
    int (*get_parallel)(void);
    char *(*get_corename)(void);
    int (*get_num_threads)(void);
    void (*set_num_threads)(int n);
    int (*omp_get_max_threads)(void);
    void (*omp_set_num_threads)(int n);
    size_t reserve; /* address space that threads of its own may yet take */
};

/* `area`: bytes that BLAS maps for each thread that calls, and for each of its own. MASKDM_OK or a recorded error. */
int mdm_blas_find(struct mdm_blas_library *out, size_t area);

#endif
