/* SPDX-License-Identifier: BSD-2-Clause
 *
 * cut, paste and hide: whole patches between an image and rows of their values in (row, column, channel) order, or
 * out of sight. A line of a patch lies together in both.
 */
#include "backend/cuda/move.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = 256 };

namespace
{

struct patches {
    const int32_t *index;
    int64_t images, height, width, channels, patch, visible; /* of the image; patches that are indexed */
};

/* Row `row` is a line of a patch. */
template <class T> struct lines {
    typedef T value;
    struct patches p;
    const T *from;
    T *to;
    int add;

    /* Element of the images where the line begins. */
    __device__ int64_t find(int64_t row) const
    {
        const int64_t k = row / p.patch, r = row % p.patch, across = p.width / p.patch, patch = p.index[k];
        const int64_t y = k / p.visible * p.height + patch / across * p.patch + r, x = patch % across * p.patch;

        return (y * p.width + x) * p.channels;
    }
};

template <class T> struct to_rows : lines<T> {
    __device__ mdm_span<T> at(int64_t row, int) const
    {
        const int64_t n = this->p.patch * this->p.channels;

        return {this->to + row * n, this->from + this->find(row), NULL, n, this->add};
    }
};

template <class T> struct to_image : lines<T> {
    __device__ mdm_span<T> at(int64_t row, int) const
    {
        const int64_t n = this->p.patch * this->p.channels;

        return {this->to + this->find(row), this->from + row * n, NULL, n, this->add};
    }
};

/* Whether a pixel of all images is in an indexed patch. */
__device__ bool is_visible(const struct patches &p, int64_t pixel)
{
    const int64_t b = pixel / (p.height * p.width), y = pixel / p.width % p.height, x = pixel % p.width;

    return mdm_find(p.index + b * p.visible, p.visible, y / p.patch * (p.width / p.patch) + x / p.patch) >= 0;
}

} // namespace

static struct patches read_patches(const struct mdm_call *c, const struct mdm_shape *image)
{
    return {(const int32_t *)c->in[1], image->d[0], image->d[1], image->d[2], image->d[3], c->attr[0],
            c->in_shape[1]->d[1]};
}

template <class J> static int run(struct mdm_cuda *d, const char *what, const J &j)
{
    const int64_t line = j.p.patch * j.p.channels;

    return mdm_move(d, what, j, j.p.images * j.p.visible * j.p.patch, 1, line,
                    mdm_in_packs<typename J::value>(line, j.p.width * j.p.channels));
}

template <class T>
static int cut(struct mdm_cuda *d, const struct mdm_call *c, const struct mdm_shape *image, const void *from,
               void *to, int add)
{
    const to_rows<T> j = {{read_patches(c, image), (const T *)from, (T *)to, add}};

    return run(d, "cut", j);
}

template <class T>
static int paste(struct mdm_cuda *d, const struct mdm_call *c, const struct mdm_shape *image, const void *from,
                 void *to, int add)
{
    const to_image<T> j = {{read_patches(c, image), (const T *)from, (T *)to, add}};

    if (!add)
        MDM_CUDA_TRY(mdm_cuda_clear(d, to, (size_t)mdm_cuda_numel(image) * sizeof(T)));
    return run(d, "paste", j);
}

template <class T> static int cut_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return cut<T>(mdm_cuda_of(b), c, c->in_shape[0], c->in[0], c->out[0], 0);
}

template <class T> static int cut_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    if (!c->din[0] || !c->dout[0])
        return mdm_clear(mdm_cuda_of(b), c, 0);
    return paste<T>(mdm_cuda_of(b), c, c->in_shape[0], c->dout[0], c->din[0], c->add[0]);
}

template <class T> static int paste_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return paste<T>(mdm_cuda_of(b), c, c->out_shape[0], c->in[0], c->out[0], 0);
}

template <class T> static int paste_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    if (!c->din[0] || !c->dout[0])
        return mdm_clear(mdm_cuda_of(b), c, 0);
    return cut<T>(mdm_cuda_of(b), c, c->out_shape[0], c->dout[0], c->din[0], c->add[0]);
}

/* ---- hide: pixels have a channel more on one side ---- */

template <class T> static __global__ void hide(struct patches p, const T *x, T *y, int64_t n)
{
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (int64_t)gridDim.x * blockDim.x) {
        const int64_t pixel = i / (p.channels + 1), k = i % (p.channels + 1);
        const bool seen = is_visible(p, pixel);

        if (k == p.channels)
            y[i] = mdm_round<T>(seen ? 0.0f : 1.0f);
        else
            y[i] = seen ? x[pixel * p.channels + k] : mdm_round<T>(0.0f);
    }
}

template <class T> static __global__ void unhide(struct patches p, const T *dy, T *dx, int64_t n, int add)
{
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (int64_t)gridDim.x * blockDim.x) {
        const int64_t pixel = i / p.channels, k = i % p.channels;

        mdm_put(dx + i, is_visible(p, pixel) ? mdm_float(dy[pixel * (p.channels + 1) + k]) : 0.0f, add);
    }
}

template <class T> static int hide_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const int64_t n = mdm_cuda_numel(c->out_shape[0]);

    return mdm_cuda_launch(d, "hide", hide<T>, mdm_cuda_grid(d, n, BLOCK), BLOCK, 0, read_patches(c, c->in_shape[0]),
                           (const T *)c->in[0], (T *)c->out[0], n);
}

template <class T> static int hide_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const int64_t n = mdm_cuda_numel(c->in_shape[0]);

    if (!c->din[0] || !c->dout[0])
        return mdm_clear(d, c, 0);
    return mdm_cuda_launch(d, "hide's gradient", unhide<T>, mdm_cuda_grid(d, n, BLOCK), BLOCK, 0,
                           read_patches(c, c->in_shape[0]), (const T *)c->dout[0], (T *)c->din[0], n, c->add[0]);
}

template <class T> static void add_kernels(struct mdm_kernel *k)
{
    k[MDM_OP_HIDE] = {hide_forward<T>, hide_backward<T>, NULL, NULL};
    k[MDM_OP_CUT] = {cut_forward<T>, cut_backward<T>, NULL, NULL};
    k[MDM_OP_PASTE] = {paste_forward<T>, paste_backward<T>, NULL, NULL};
}

int mdm_cuda_add_cut(struct mdm_cuda *d)
{
    add_kernels<float>(d->kernel[0]);
    add_kernels<mdm_bf16>(d->kernel[1]);
    return MASKDM_OK;
}
