/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Known pixels, and the others.
 */
#include "sample/hole.h"

#include "base/alloc.h"
#include "base/error.h"

static int open_where_white(struct mdm_hole *h, const maskdm_image *mask, const struct mdm_geometry *g)
{
    const int64_t side = g->space ? g->space->side : 1;
    int64_t open = 0;

    if (mask->height != g->height || mask->width != g->width || mask->channels != 1)
        return mdm_fail(MASKDM_ESHAPE, "a hole of %lld x %lld x %d, where images are %lld x %lld and it is x 1",
                        (long long)mask->height, (long long)mask->width, mask->channels, (long long)g->height,
                        (long long)g->width);
    for (int64_t i = 0; i < g->height * g->width; i++)
        if (mask->sample[i] >= 32768) {
            h->state[i / g->width / side * (g->width / side) + i % g->width / side] = MDM_PIXEL_OPEN;
            open++;
        }
    return open ? MASKDM_OK : mdm_fail(MASKDM_EINVAL, "the hole is empty: no pixel of it is white");
}

static int fill(struct mdm_hole *h, const maskdm_image *const *image, int64_t count, const maskdm_image *mask,
                const struct mdm_geometry *g)
{
    h->channels = mdm_geometry_depth(g);
    h->times = 1;
    h->state = mdm_need((size_t)g->height, (size_t)g->width, "a hole");
    h->noise = mdm_need((size_t)(g->height * g->width), (size_t)g->channels * sizeof *h->noise, "noise of a picture");
    if (!h->state || !h->noise)
        return MASKDM_ENOMEM;
    MDM_TRY(mdm_pictures_take(&h->known, image, count, g));
    return open_where_white(h, mask, g);
}

int mdm_hole_create(struct mdm_hole **out, const maskdm_image *const *image, int64_t count, const maskdm_image *mask,
                    const struct mdm_geometry *g)
{
    int status;

    *out = mdm_need(1, sizeof **out, "a hole");
    if (!*out)
        return MASKDM_ENOMEM;
    status = fill(*out, image, count, mask, g);
    if (status < 0)
        mdm_hole_release(out);
    return status;
}

void mdm_hole_release(struct mdm_hole **out)
{
    struct mdm_hole *h = *out;

    *out = NULL;
    if (!h)
        return;
    mdm_pictures_free(&h->known);
    mdm_free(h->state);
    mdm_free(h->noise);
    mdm_free(h);
}

static int is_open(const struct mdm_hole *h, const struct mdm_geometry *g, int64_t row, int64_t column)
{
    for (int64_t i = 0; i < g->patch * g->patch; i++)
        if (h->state[(row * g->patch + i / g->patch) * g->width + column * g->patch + i % g->patch] == MDM_PIXEL_OPEN)
            return 1;
    return 0;
}

static int is_near(const struct mdm_hole *h, const struct mdm_geometry *g, int64_t around, int64_t patch)
{
    const int64_t row = patch / g->columns, column = patch % g->columns;

    for (int64_t r = row - around; r <= row + around; r++)
        for (int64_t c = column - around; c <= column + around; c++)
            if (r >= 0 && r < g->rows && c >= 0 && c < g->columns && is_open(h, g, r, c))
                return 1;
    return 0;
}

int64_t mdm_hole_patches(const struct mdm_hole *h, const struct mdm_geometry *g, int64_t around, int32_t *patch)
{
    int64_t count = 0;

    for (int64_t i = 0; i < g->patches; i++)
        if (is_near(h, g, around, i))
            patch[count++] = (int32_t)i;
    return count;
}

void mdm_hole_leave_out(struct mdm_hole *h, const struct mdm_geometry *g, const int32_t *patch, int64_t count)
{
    for (int64_t i = 0; i < g->height * g->width; i++)
        if (h->state[i] == MDM_PIXEL_KNOWN)
            h->state[i] = MDM_PIXEL_UNSEEN;
    for (int64_t k = 0; k < count; k++)
        for (int64_t i = 0; i < g->patch * g->patch; i++) {
            const int64_t row = patch[k] / g->columns * g->patch + i / g->patch;
            unsigned char *state = h->state + row * g->width + patch[k] % g->columns * g->patch + i % g->patch;

            if (*state == MDM_PIXEL_UNSEEN)
                *state = MDM_PIXEL_KNOWN;
        }
}

void mdm_hole_blank(const struct mdm_hole *h, float *x)
{
    for (int64_t k = 0; k < h->known.n; k++)
        if (h->state[k / h->channels] == MDM_PIXEL_UNSEEN)
            x[k] = 0;
}

void mdm_hole_hold(const struct mdm_hole *h, int64_t i, struct mdm_level at, float *x)
{
    const float *known = mdm_pictures_at(&h->known, i);

    for (int64_t k = 0; k < h->known.n; k++)
        if (h->state[k / h->channels] != MDM_PIXEL_OPEN)
            x[k] = (float)(at.signal * (double)known[k] + at.noise * (double)h->noise[k]);
}
