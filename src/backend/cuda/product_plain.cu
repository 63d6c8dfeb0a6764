/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Products by a kernel that has no wishes: any sizes, strides and alignment. An element is a sum over k in order.
 */
#include "backend/cuda/kernel.cuh"
#include "backend/cuda/product.cuh"

enum { TILE = 16 };
enum { MOST_DOWN = 65535 }; /* blocks that a grid may have in its second and third dimension */

struct operands {
    int64_t m, n, k, lda, ldb, ldc, count, step_a, step_b, step_c;
    int turn_a, turn_b;
    float scale, factor;
};

template <class I, class O>
static __global__ void product(O *c, const I *a, const I *b, const I *bias, const O *plus, struct operands s)
{
    __shared__ float left[TILE][TILE + 1], right[TILE][TILE + 1];
    const int x = threadIdx.x, y = threadIdx.y;
    const int64_t column = (int64_t)blockIdx.x * TILE + x;

    for (int64_t z = blockIdx.z; z < s.count; z += gridDim.z)
        for (int64_t top = (int64_t)blockIdx.y * TILE; top < s.m; top += (int64_t)gridDim.y * TILE) {
            const int64_t row = top + y;
            const I *az = a + z * s.step_a, *bz = b + z * s.step_b;
            float sum = 0;

            for (int64_t k = 0; k < s.k; k += TILE) {
                left[y][x] = row < s.m && k + x < s.k
                                 ? mdm_float(az[s.turn_a ? (k + x) * s.lda + row : row * s.lda + k + x])
                                 : 0;
                right[y][x] = column < s.n && k + y < s.k
                                  ? mdm_float(bz[s.turn_b ? column * s.ldb + k + y : (k + y) * s.ldb + column])
                                  : 0;
                __syncthreads();
#pragma unroll
                for (int i = 0; i < TILE; i++)
                    sum = fmaf(left[y][i], right[i][x], sum);
                __syncthreads();
            }
            if (row < s.m && column < s.n) {
                const int64_t at = z * s.step_c + row * s.ldc + column;

                sum = s.scale * sum + (bias ? mdm_float(bias[column]) : 0.0f);
                c[at] = mdm_round<O>(plus ? sum + s.factor * mdm_float(plus[at]) : sum);
            }
        }
}

static unsigned down_to(int64_t blocks)
{
    return (unsigned)(blocks < MOST_DOWN ? blocks : (int64_t)MOST_DOWN);
}

template <class I, class O> static int launch(struct mdm_cuda *d, const struct mdm_cuda_product *p)
{
    const void *plus = p->plus ? p->plus : p->add ? p->c : NULL;
    struct operands s = {};

    s.m = p->m;
    s.n = p->n;
    s.k = p->k;
    s.lda = p->lda;
    s.ldb = p->ldb;
    s.ldc = p->ldc;
    s.count = p->count ? p->count : 1;
    s.step_a = p->step_a;
    s.step_b = p->step_b;
    s.step_c = p->step_c;
    s.turn_a = p->turn_a;
    s.turn_b = p->turn_b;
    s.scale = p->scaled ? p->scale : 1;
    s.factor = p->plus ? p->factor : 1;
    return mdm_cuda_launch(
        d, "product", product<I, O>,
        dim3((unsigned)mdm_cuda_pieces(p->n, TILE), down_to(mdm_cuda_pieces(p->m, TILE)), down_to(s.count)),
        dim3(TILE, TILE), 0, (O *)p->c, (const I *)p->a, (const I *)p->b, (const I *)p->bias, (const O *)plus, s);
}

int mdm_cuda_product_plain(struct mdm_cuda *d, const struct mdm_cuda_product *p)
{
    if (p->in == MDM_BF16)
        return p->out == MDM_BF16 ? launch<mdm_bf16, mdm_bf16>(d, p) : launch<mdm_bf16, float>(d, p);
    return p->out == MDM_BF16 ? launch<float, mdm_bf16>(d, p) : launch<float, float>(d, p);
}
