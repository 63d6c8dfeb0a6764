/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Arrays of one length, element by element: y = f(in[0], in[1], ..), where y may be one of them.
 */
#ifndef MASKDM_BACKEND_CUDA_EACH_CUH
#define MASKDM_BACKEND_CUDA_EACH_CUH

#include "backend/cuda/kernel.cuh"

enum { MDM_EACH_BLOCK = 256 };

template <class T, int INS> struct mdm_each_in {
    const T *p[INS];
};

/* Two packs of every array are asked for before the first is looked at. Arrays begin at multiples of 16 bytes. */
template <class T, class F, int INS>
static __global__ void __launch_bounds__(MDM_EACH_BLOCK) mdm_each_kernel(T *y, mdm_each_in<T, INS> in, int64_t n)
{
    enum { N = mdm_pack<T>::N, MANY = 2 };
    const int64_t packs = n / N, step = (int64_t)gridDim.x * MDM_EACH_BLOCK;
    const int64_t first = (int64_t)blockIdx.x * MDM_EACH_BLOCK + threadIdx.x;

    for (int64_t i = first; i < packs; i += MANY * step) {
        mdm_pack<T> a[MANY][INS], out;
        float v[INS];
#pragma unroll
        for (int m = 0; m < MANY; m++)
#pragma unroll
            for (int k = 0; k < INS; k++)
                if (i + m * step < packs)
                    a[m][k] = ((const mdm_pack<T> *)in.p[k])[i + m * step];
#pragma unroll
        for (int m = 0; m < MANY; m++) {
            if (i + m * step >= packs)
                break;
#pragma unroll
            for (int e = 0; e < N; e++) {
#pragma unroll
                for (int k = 0; k < INS; k++)
                    v[k] = mdm_float(a[m][k].v[e]);
                out.v[e] = mdm_round<T>(F::f(v));
            }
            ((mdm_pack<T> *)y)[i + m * step] = out;
        }
    }
    if (first < n - packs * N) {
        float v[INS];
        for (int k = 0; k < INS; k++)
            v[k] = mdm_float(in.p[k][packs * N + first]);
        y[packs * N + first] = mdm_round<T>(F::f(v));
    }
}

template <class T, class F, int INS>
static int mdm_each(struct mdm_cuda *d, const char *what, T *y, const mdm_each_in<T, INS> &in, int64_t n)
{
    const dim3 grid = mdm_cuda_grid(d, mdm_cuda_pieces(n, mdm_pack<T>::N), MDM_EACH_BLOCK);

    return mdm_cuda_launch(d, what, mdm_each_kernel<T, F, INS>, grid, MDM_EACH_BLOCK, 0, y, in, n);
}

#endif
