/* SPDX-License-Identifier: BSD-2-Clause
 *
 * patchify: the indexed patches of each image, a patch's values in (channel, row, column) order. Patches that are
 * not indexed are never read. Results are written in order; what is read of a patch's pixels comes in lines that
 * other threads of the same patch have brought into the cache.
 */
#include "backend/cuda/move.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = 256 };

namespace
{

struct patches {
    const int32_t *index;
    int64_t images, height, width, depth; /* depth: channels of a pixel */
    int64_t indices, place, visible;      /* of an image; of these, the first and how many */
    int64_t first, channel;               /* index of the first patch; the first channel */
    int patch, values;                    /* of a patch */

    /* Element of the images where patch k of all begins. */
    __device__ int64_t corner(int64_t k) const
    {
        const int64_t b = k / visible, across = width / patch;
        const int64_t at = index[b * indices + place + k % visible] - first;

        return ((b * height + at / across * patch) * width + at % across * patch) * depth + channel;
    }
};

} // namespace

/* A thread has V values of a patch. */
template <class T, int V> static __global__ void gather(struct patches j, const T *x, T *y, int64_t n)
{
    const int p = j.patch, packs = j.values / V;

    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (int64_t)gridDim.x * blockDim.x) {
        const int at = (int)(i % packs) * V;
        const T *from = x + j.corner(i / packs);
        int c = at / (p * p), r = at / p % p, q = at % p;
        T v[V];

#pragma unroll
        for (int k = 0; k < V; k++) {
            v[k] = from[(r * j.width + q) * j.depth + c];
            if (++q == p) {
                q = 0;
                r = r + 1 < p ? r + 1 : 0;
                c += r == 0;
            }
        }
        mdm_values<T, V>::of(v).store(y, i);
    }
}

template <class T> static __global__ void scatter(struct patches j, const T *dy, T *dx, int64_t n)
{
    const int p = j.patch;

    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (int64_t)gridDim.x * blockDim.x) {
        const int at = (int)(i % j.values), c = at / (p * p), r = at / p % p, q = at % p;

        mdm_put(dx + j.corner(i / j.values) + (r * j.width + q) * j.depth + c, mdm_float(dy[i]), 1);
    }
}

static struct patches read_call(const struct mdm_call *c)
{
    const struct mdm_shape *s = c->in_shape[0];
    struct patches j = {};

    j.index = (const int32_t *)c->in[1];
    j.images = s->d[0];
    j.height = s->d[1];
    j.width = s->d[2];
    j.depth = s->d[3];
    j.patch = (int)c->attr[0];
    j.channel = c->attr[1];
    j.values = (int)mdm_cuda_last(c->out_shape[0]);
    j.indices = c->in_shape[1]->d[1];
    j.place = c->attr[2];
    j.visible = c->out_shape[0]->d[1];
    j.first = c->attr[3];
    return j;
}

template <class T> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    enum { N = mdm_pack<T>::N };
    struct mdm_cuda *d = mdm_cuda_of(b);
    const struct patches j = read_call(c);
    const int packs = mdm_in_packs<T>(j.values);
    const int64_t n = j.images * j.visible * j.values / (packs ? N : 1);
    void (*const kernel)(struct patches, const T *, T *, int64_t) = packs ? gather<T, N> : gather<T, 1>;

    return mdm_cuda_launch(d, "patchify", kernel, mdm_cuda_grid(d, n, BLOCK), BLOCK, 0, j, (const T *)c->in[0],
                           (T *)c->out[0], n);
}

/* No two patches of an image are the same, so that each value of dx is added to once. */
template <class T> static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const struct patches j = read_call(c);
    const int64_t n = j.images * j.visible * j.values;

    MDM_CUDA_TRY(mdm_clear(d, c, 0));
    if (!c->din[0] || !c->dout[0])
        return MASKDM_OK;
    return mdm_cuda_launch(d, "patchify's gradient", scatter<T>, mdm_cuda_grid(d, n, BLOCK), BLOCK, 0, j,
                           (const T *)c->dout[0], (T *)c->din[0], n);
}

int mdm_cuda_add_patchify(struct mdm_cuda *d)
{
    d->kernel[0][MDM_OP_PATCHIFY] = {forward<float>, backward<float>, NULL, NULL};
    d->kernel[1][MDM_OP_PATCHIFY] = {forward<mdm_bf16>, backward<mdm_bf16>, NULL, NULL};
    return MASKDM_OK;
}
