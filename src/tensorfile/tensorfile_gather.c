/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading a tensor whose elements do not follow each other in the file, such as a transpose. It is walked in the
 * order of the file, in tiles of two dimensions that are each read at once, so that no byte is read twice where
 * elements do not overlap, and no element alone where others are near.
 */
#include "tensorfile/tensorfile_private.h"

#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

/* Bytes of a tile; bytes that an element may lie from the next and still be read with it; elements handed on. */
enum { WINDOW = 1 << 18, NEAR = 4096, RUN = 512 };

/* A dimension, and the step that it means, in elements. */
struct axis {
    int64_t size, from, to; /* in the file, in the result */
};

struct gather {
    struct mdm_tensorfile *s;
    uint64_t begin; /* byte of the file at which element 0 lies */
    int64_t size;   /* bytes of an element */
    mdm_tensorfile_take *take;
    void *user;
    unsigned char *window;
};

/* Dimensions that matter, by falling steps in the file; two that step like one are one. Returns how many. */
static int find_axes(const struct mdm_tensorfile_tensor *t, struct axis axis[MDM_TENSORFILE_RANK])
{
    int64_t to = 1;
    int n = 0, kept = 0;

    for (int d = t->rank; d-- > 0; to *= t->shape[d]) {
        int k = n;

        if (t->shape[d] == 1)
            continue;
        for (; k > 0 && axis[k - 1].from < t->stride[d]; k--)
            axis[k] = axis[k - 1];
        axis[k] = (struct axis){t->shape[d], t->stride[d], to};
        n++;
    }
    for (int k = 1; k < n; k++) {
        struct axis *outer = &axis[kept], inner = axis[k];

        if (outer->from == inner.from * inner.size && outer->to == inner.to * inner.size)
            *outer = (struct axis){outer->size * inner.size, inner.from, inner.to};
        else
            axis[++kept] = inner;
    }
    return n ? kept + 1 : 0;
}

/* Hand on `count` elements that lie `from` apart at `in` and go to `first` on. */
static int take_run(const struct gather *g, int64_t first, const unsigned char *in, int64_t count, int64_t from)
{
    unsigned char run[RUN * 8];
    const size_t size = (size_t)g->size;

    if (from == 1)
        return g->take(g->user, (size_t)first, in, (size_t)count);
    for (int64_t done = 0, n; done < count; done += n) {
        n = count - done < RUN ? count - done : RUN;
        for (int64_t k = 0; k < n; k++)
            memcpy(run + (size_t)k * size, in + (size_t)((done + k) * from) * size, size);
        MDM_TRY(g->take(g->user, (size_t)(first + done), run, (size_t)n));
    }
    return MASKDM_OK;
}

/* a->size x b->size elements, whose first is the window's; along one that steps by one in the result, if there is. */
static int take_tile(const struct gather *g, int64_t to, const struct axis *a, const struct axis *b)
{
    const struct axis *outer = a->to == 1 ? b : a, *inner = a->to == 1 ? a : b;

    for (int64_t i = 0; i < outer->size; i++) {
        const unsigned char *in = g->window + i * outer->from * g->size;
        const int64_t first = to + i * outer->to;

        if (inner->to == 1) {
            MDM_TRY(take_run(g, first, in, inner->size, inner->from));
            continue;
        }
        for (int64_t k = 0; k < inner->size; k++)
            MDM_TRY(take_run(g, first + k * inner->to, in + k * inner->from * g->size, 1, 1));
    }
    return MASKDM_OK;
}

/* Elements from the first of `n` that lie `step` apart to the last of as many as fit `most` elements; at least 1. */
static int64_t fit(int64_t n, int64_t step, int64_t most)
{
    const int64_t fitting = step ? 1 + (most - 1) / step : n;

    return fitting < n ? fitting : n;
}

/* All that a and b reach from `from`, a's steps being the longer. */
static int take_plane(const struct gather *g, int64_t from, int64_t to, const struct axis *a, const struct axis *b)
{
    const int64_t window = WINDOW / g->size, near = NEAR / g->size;
    const int64_t columns = b->from > near ? 1 : fit(b->size, b->from, window);
    const int64_t row = (columns - 1) * b->from + 1;
    const int whole = columns == b->size && a->from <= 2 * row + near;
    const int64_t rows = whole ? fit(a->size, a->from, window - row + 1) : 1;
    struct axis x = *a, y = *b;

    for (int64_t i = 0; i < a->size; i += rows)
        for (int64_t j = 0; j < b->size; j += columns) {
            int64_t span;

            x.size = a->size - i < rows ? a->size - i : rows;
            y.size = b->size - j < columns ? b->size - j : columns;
            span = (x.size - 1) * x.from + (y.size - 1) * y.from + 1;
            MDM_TRY(mdm_tensorfile_bytes_at(g->s, g->window, (size_t)(span * g->size),
                                            g->begin + (uint64_t)((from + i * a->from + j * b->from) * g->size)));
            MDM_TRY(take_tile(g, to + i * a->to + j * b->to, &x, &y));
        }
    return MASKDM_OK;
}

/* Every plane of the two innermost axes, which are the last of `n`. */
static int take_planes(const struct gather *g, const struct axis *axis, int n)
{
    static const struct axis none = {1, 0, 0};
    const struct axis *a = n > 1 ? &axis[n - 2] : &none, *b = n > 0 ? &axis[n - 1] : &none;
    const int outer = n > 2 ? n - 2 : 0;
    int64_t index[MDM_TENSORFILE_RANK] = {0}, from = 0, to = 0;
    int d;

    do {
        MDM_TRY(take_plane(g, from, to, a, b));
        for (d = outer; d-- > 0;) {
            from += axis[d].from;
            to += axis[d].to;
            if (++index[d] < axis[d].size)
                break;
            from -= axis[d].from * axis[d].size;
            to -= axis[d].to * axis[d].size;
            index[d] = 0;
        }
    } while (d >= 0);
    return MASKDM_OK;
}

int mdm_tensorfile_gather(struct mdm_tensorfile *s, const struct mdm_tensorfile_tensor *t, mdm_tensorfile_take *take,
                          void *user)
{
    struct gather g = {s, s->data_at + t->begin, mdm_tensorfile_dtype_find(t->dtype)->size, take, user, NULL};
    struct axis axis[MDM_TENSORFILE_RANK];
    const int n = find_axes(t, axis);
    int err;

    g.window = mdm_need(WINDOW, 1, "reading a tensor");
    if (!g.window)
        return MASKDM_ENOMEM;
    err = take_planes(&g, axis, n);
    mdm_free(g.window);
    return err;
}
