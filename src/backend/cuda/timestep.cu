/* SPDX-License-Identifier: BSD-2-Clause
 *
 * timestep: y[B,D] = [cos | sin](t f_i), in double, with frequencies and angles rounded to float as the CPU's are
 * (backend/cpu/timestep.c says why). It has no gradient.
 */
#include "backend/cuda/kernel.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = 128 };

#define MINUS_LOG_10000 (-0x1.26bb1bbb55516p+3)

static __device__ double find_angle(double t, int64_t i, int64_t half, int exact, double shift)
{
    const float step = __fdiv_rn(__fmul_rn((float)MINUS_LOG_10000, (float)i), (float)half);

    return exact ? t * exp(MINUS_LOG_10000 * (double)i / ((double)half - shift))
                 : (double)__fmul_rn((float)t, (float)exp((double)step));
}

/* A thread has one angle; of an odd width one more writes the zero behind them. */
template <class T>
static __global__ void timestep(T *y, const double *t, int64_t batch, int64_t width, int exact, int sines_first,
                                double shift)
{
    const int64_t half = width / 2, each = half + width % 2;
    const int64_t cosines = sines_first ? half : 0, sines = half - cosines;

    for (int64_t k = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; k < batch * each;
         k += (int64_t)gridDim.x * blockDim.x) {
        const int64_t n = k / each, i = k % each;
        T *row = y + n * width;

        if (i < half) {
            const double angle = find_angle(t[n], i, half, exact, shift);

            row[cosines + i] = mdm_round<T>((float)cos(angle));
            row[sines + i] = mdm_round<T>((float)sin(angle));
        } else {
            row[width - 1] = mdm_round<T>(0.0f);
        }
    }
}

template <class T> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const int64_t width = mdm_cuda_last(c->out_shape[0]), batch = mdm_cuda_rows(c->out_shape[0]);

    return mdm_cuda_launch(d, "timestep", timestep<T>, mdm_cuda_grid(d, batch * (width + 1) / 2, BLOCK), BLOCK, 0,
                           (T *)c->out[0], (const double *)c->in[0], batch, width, c->attr[0] != 0, c->attr[1] != 0,
                           c->constant[0]);
}

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    (void)b;
    (void)c;
    return MASKDM_OK;
}

int mdm_cuda_add_timestep(struct mdm_cuda *d)
{
    d->kernel[0][MDM_OP_TIMESTEP].forward = forward<float>;
    d->kernel[1][MDM_OP_TIMESTEP].forward = forward<mdm_bf16>;
    d->kernel[0][MDM_OP_TIMESTEP].backward = d->kernel[1][MDM_OP_TIMESTEP].backward = backward;
    return MASKDM_OK;
}
