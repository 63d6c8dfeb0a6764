/* SPDX-License-Identifier: BSD-2-Clause
 *
 * cut, paste and hide: whole patches between an image and rows of their values in (row, column, channel) order, or
 * out of sight. A piece of work is an image. A line of a patch lies together in both.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

struct job {
    const struct REAL(mdm_rows) * rows;
    const real *from;
    real *to;
    int add;
    const int32_t *index;
    int64_t height, width, channels, patch, visible; /* of the image; patches that are indexed */
};

static struct job read_call(struct mdm_backend *b, const struct mdm_call *c, const struct mdm_shape *image)
{
    struct job j = {.rows = REAL(mdm_rows_of)(b), .index = c->in[1], .patch = c->attr[0]};

    j.height = image->d[1];
    j.width = image->d[2];
    j.channels = image->d[3];
    j.visible = c->in_shape[1]->d[1];
    return j;
}

static void store(const struct job *j, real *to, const real *from, int64_t n)
{
    if (j->add)
        j->rows->add(to, to, from, n);
    else
        memcpy(to, from, (size_t)n * sizeof(real));
}

/* Element of image b where its patch i begins, in a row of `channels` per pixel. */
static int64_t corner(const struct job *j, int64_t b, int64_t patch)
{
    const int64_t across = j->width / j->patch;
    const int64_t top = patch / across * j->patch, left = patch % across * j->patch;

    return ((b * j->height + top) * j->width + left) * j->channels;
}

static void cut_image(void *arg, int64_t b, int worker)
{
    const struct job *j = arg;
    const int64_t line = j->patch * j->channels;

    (void)worker;
    for (int64_t k = b * j->visible; k < (b + 1) * j->visible; k++)
        for (int64_t r = 0; r < j->patch; r++)
            store(j, j->to + (k * j->patch + r) * line,
                  j->from + corner(j, b, j->index[k]) + r * j->width * j->channels, line);
}

static void paste_image(void *arg, int64_t b, int worker)
{
    const struct job *j = arg;
    const int64_t line = j->patch * j->channels, image = j->height * j->width * j->channels;

    (void)worker;
    if (!j->add)
        memset(j->to + b * image, 0, (size_t)image * sizeof(real));
    for (int64_t k = b * j->visible; k < (b + 1) * j->visible; k++)
        for (int64_t r = 0; r < j->patch; r++)
            store(j, j->to + corner(j, b, j->index[k]) + r * j->width * j->channels,
                  j->from + (k * j->patch + r) * line, line);
}

static int run(struct mdm_backend *b, const struct mdm_call *c, struct job *j, void (*image)(void *, int64_t, int))
{
    return mdm_pool_run(mdm_cpu_of(b)->pool, c->in_shape[0]->d[0], image, j);
}

/* What backward reads and writes; 0: nothing, or zeros that are written here. */
static int begin_backward(struct job *j, const struct mdm_call *c)
{
    j->from = c->dout[0];
    j->to = c->din[0];
    j->add = c->add[0];
    if (j->to && !j->from && !j->add)
        memset(j->to, 0, (size_t)mdm_shape_numel(c->in_shape[0]) * sizeof(real));
    return j->to && j->from;
}

static int forward(struct mdm_backend *b, const struct mdm_call *c, const struct mdm_shape *image,
                   void (*work)(void *, int64_t, int))
{
    struct job j = read_call(b, c, image);

    j.from = c->in[0];
    j.to = c->out[0];
    return run(b, c, &j, work);
}

static int backward(struct mdm_backend *b, const struct mdm_call *c, const struct mdm_shape *image,
                    void (*work)(void *, int64_t, int))
{
    struct job j = read_call(b, c, image);

    return begin_backward(&j, c) ? run(b, c, &j, work) : MASKDM_OK;
}

static int cut_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return forward(b, c, c->in_shape[0], cut_image);
}

static int cut_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    return backward(b, c, c->in_shape[0], paste_image);
}

static int paste_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return forward(b, c, c->out_shape[0], paste_image);
}

static int paste_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    return backward(b, c, c->out_shape[0], cut_image);
}

/* ---- hide: pixels have a channel more on one side ---- */

/* Whether patch `patch` is the next of an image's, which rise. */
static int is_visible(const int32_t *index, int64_t visible, int64_t patch, int64_t *next)
{
    if (*next == visible || index[*next] != patch)
        return 0;
    ++*next;
    return 1;
}

static void hide_image(void *arg, int64_t b, int worker)
{
    const struct job *j = arg;
    const int64_t c = j->channels, patches = j->height / j->patch * (j->width / j->patch);

    (void)worker;
    for (int64_t p = 0, next = 0; p < patches; p++) {
        const int seen = is_visible(j->index + b * j->visible, j->visible, p, &next);

        for (int64_t i = 0; i < j->patch * j->patch; i++) {
            const int64_t pixel = corner(j, b, p) / c + i / j->patch * j->width + i % j->patch;
            real *to = j->to + pixel * (c + 1);

            if (seen)
                memcpy(to, j->from + pixel * c, (size_t)c * sizeof(real));
            else
                memset(to, 0, (size_t)c * sizeof(real));
            to[c] = !seen;
        }
    }
}

static void unhide_image(void *arg, int64_t b, int worker)
{
    const struct job *j = arg;
    const int64_t c = j->channels, patches = j->height / j->patch * (j->width / j->patch);

    (void)worker;
    for (int64_t p = 0, next = 0; p < patches; p++) {
        const int seen = is_visible(j->index + b * j->visible, j->visible, p, &next);

        for (int64_t i = 0; i < j->patch * j->patch; i++) {
            const int64_t pixel = corner(j, b, p) / c + i / j->patch * j->width + i % j->patch;

            if (seen)
                store(j, j->to + pixel * c, j->from + pixel * (c + 1), c);
            else if (!j->add)
                memset(j->to + pixel * c, 0, (size_t)c * sizeof(real));
        }
    }
}

static int hide_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return forward(b, c, c->in_shape[0], hide_image);
}

static int hide_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    return backward(b, c, c->in_shape[0], unhide_image);
}

const struct mdm_kernel REAL(mdm_cpu_cut) = {.forward = cut_forward, .backward = cut_backward};
const struct mdm_kernel REAL(mdm_cpu_paste) = {.forward = paste_forward, .backward = paste_backward};
const struct mdm_kernel REAL(mdm_cpu_hide) = {.forward = hide_forward, .backward = hide_backward};
