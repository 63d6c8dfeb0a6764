/* SPDX-License-Identifier: BSD-2-Clause
 *
 * embed: one row of the table per image by its label; label -1 takes the null row, the table's last, or zeros. Labels
 * were looked at where they came in; one that has no row here reads and writes nothing.
 *
 * A row's gradient is summed by the first image that has it, over all that do, so that rows which nobody took are not
 * touched.
 */
#include "backend/cuda/move.cuh"
#include "backend/cuda/table.cuh"

namespace
{

enum { NULL_ROW = -1, NO_ROW = -2 };

/* What a label stands for: a row of the table, the null row, or nothing. */
struct rows {
    const int32_t *label;
    int64_t rows;
    int has_null, zeros;

    __device__ int64_t find(int64_t image) const
    {
        const int32_t l = label[image];

        if (l >= 0)
            return l < rows ? l : NO_ROW;
        return l != -1 ? NO_ROW : has_null ? NULL_ROW : zeros ? NO_ROW : rows - 1;
    }
};

template <class T> struct taken {
    typedef T value;
    struct rows rows;
    const T *table, *none;
    T *y;
    int64_t d;

    __device__ mdm_span<T> at(int64_t image, int) const
    {
        const int64_t row = rows.find(image);
        const T *from = row == NO_ROW ? NULL : row == NULL_ROW ? none : table + row * d;

        return {y + image * d, from, NULL, d, 0};
    }
};

template <class T> struct gradient {
    typedef T value;
    typedef float target;
    struct rows rows;
    const T *dy;
    float *dtable, *dnone;
    int64_t d;
    int add;

    __device__ float *to(int64_t image) const
    {
        const int64_t own = rows.find(image);

        for (int64_t b = 0; b < image; b++)
            if (rows.find(b) == own)
                return NULL;
        return own == NULL_ROW ? dnone : own >= 0 && dtable ? dtable + own * d : NULL;
    }

    __device__ const T *row(int64_t image, int64_t b) const
    {
        return b >= image && rows.find(b) == rows.find(image) ? dy + b * d : NULL;
    }
};

} // namespace

static struct rows read_rows(const struct mdm_call *c)
{
    return {(const int32_t *)c->in[0], c->in_shape[1]->d[0], c->in_shape[2] != NULL, c->attr[0] != 0};
}

template <class T> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    const int64_t n = mdm_cuda_numel(c->in_shape[0]), width = mdm_cuda_last(c->out_shape[0]);
    const taken<T> j = {read_rows(c), (const T *)c->in[1], (const T *)c->in[2], (T *)c->out[0], width};

    return mdm_move(mdm_cuda_of(b), "embed", j, n, 1, width, mdm_in_packs<T>(width));
}

template <class T> static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const int64_t n = mdm_cuda_numel(c->in_shape[0]), width = mdm_cuda_last(c->out_shape[0]);
    const gradient<T> j = {read_rows(c), (const T *)c->dout[0], (float *)c->din[1], (float *)c->din[2], width, 1};

    MDM_CUDA_TRY(mdm_clear(d, c, 1u << 1 | 1u << 2));
    return j.dy && (j.dtable || j.dnone) ? mdm_sum(d, "embed's gradient", j, n, n, width) : MASKDM_OK;
}

int mdm_cuda_add_embed(struct mdm_cuda *d)
{
    d->kernel[0][MDM_OP_EMBED] = {forward<float>, backward<float>, NULL, NULL};
    d->kernel[1][MDM_OP_EMBED] = {forward<mdm_bf16>, backward<mdm_bf16>, NULL, NULL};
    return MASKDM_OK;
}
