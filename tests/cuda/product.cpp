/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Products of the emulated device, in place of cuBLASLt's: sums in double, or where MASKDM_EMULATED_PLAIN is set
 * those of the module's own kernel.
 */
#include "emulator.h"

#include "backend/cuda/product.cuh"

#include <stdlib.h>
#include <vector>

static double value(enum mdm_dtype type, const void *p, int64_t i)
{
    return type == MDM_BF16 ? (double)(float)((const mdm_bf16 *)p)[i] : (double)((const float *)p)[i];
}

static void put_value(enum mdm_dtype type, void *p, int64_t i, double x)
{
    if (type == MDM_BF16)
        ((mdm_bf16 *)p)[i] = mdm_bf16((float)x);
    else
        ((float *)p)[i] = (float)x;
}

static void multiply_one(const struct mdm_cuda_product &p, int64_t one)
{
    const int64_t at_a = one * p.step_a, at_b = one * p.step_b, at_c = one * p.step_c;
    const double scale = p.scaled ? p.scale : 1;
    std::vector<double> b((size_t)(p.k * p.n)), sum((size_t)p.n);

    for (int64_t k = 0; k < p.k; k++)
        for (int64_t n = 0; n < p.n; n++)
            b[(size_t)(k * p.n + n)] = value(p.in, p.b, at_b + (p.turn_b ? n * p.ldb + k : k * p.ldb + n));
    for (int64_t m = 0; m < p.m; m++) {
        std::fill(sum.begin(), sum.end(), 0.0);
        for (int64_t k = 0; k < p.k; k++) {
            const double a = value(p.in, p.a, at_a + (p.turn_a ? k * p.lda + m : m * p.lda + k));

            for (int64_t n = 0; n < p.n; n++)
                sum[(size_t)n] += a * b[(size_t)(k * p.n + n)];
        }
        for (int64_t n = 0; n < p.n; n++) {
            const int64_t at = at_c + m * p.ldc + n;
            double x = scale * sum[(size_t)n];

            x += p.bias ? value(p.in, p.bias, n) : 0;
            x += p.plus ? (double)p.factor * value(p.out, p.plus, at) : 0;
            x += p.add ? value(p.out, p.c, at) : 0;
            put_value(p.out, p.c, at, x);
        }
    }
}

int mdm_cuda_product(struct mdm_cuda *d, const struct mdm_cuda_product *product)
{
    const struct mdm_cuda_product p = *product;

    if (getenv("MASKDM_EMULATED_PLAIN"))
        return mdm_cuda_product_plain(d, product);
    return mdm_cuda_check(d,
                          mdm_emulated_put(d->stream,
                                           [p] {
                                               for (int64_t i = 0; i < (p.count ? p.count : 1); i++)
                                                   multiply_one(p, i);
                                           }),
                          "product");
}

int mdm_cuda_blas_open(struct mdm_cuda *)
{
    return MASKDM_OK;
}

void mdm_cuda_blas_close(struct mdm_cuda *)
{
}
