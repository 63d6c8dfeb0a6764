/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From 16-bit samples to -1 .. 1, and on to what diffusion works on. What comes back through mdm_pixels_write() are
 * the same samples.
 */
#include "sample/pictures.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"

static int check(const maskdm_image *image, int64_t i, const struct mdm_geometry *g)
{
    if (!image)
        return mdm_fail(MASKDM_EINVAL, "picture %lld is NULL", (long long)i);
    if (image->height == g->height && image->width == g->width && image->channels == g->channels)
        return MASKDM_OK;
    return mdm_fail(MASKDM_ESHAPE,
                    "picture %lld is %lld x %lld x %d, and the images that are drawn %lld x %lld x %lld",
                    (long long)i, (long long)image->height, (long long)image->width, image->channels,
                    (long long)g->height, (long long)g->width, (long long)g->channels);
}

static int convert(struct mdm_pictures *p, const maskdm_image *const *image, const struct mdm_geometry *g)
{
    const int64_t n = p->n;
    float *pixels = g->space ? mdm_need((size_t)n, sizeof *pixels, "a picture") : NULL;

    if (g->space && !pixels)
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < p->count; i++) {
        float *to = g->space ? pixels : p->x + i * n;

        for (int64_t k = 0; k < n; k++)
            to[k] = (float)(image[i]->sample[k] / 32767.5 - 1);
        if (g->space)
            g->space->enter(p->x + i * n, pixels, g->height, g->width, g->channels);
    }
    mdm_free(pixels);
    return MASKDM_OK;
}

int mdm_pictures_take(struct mdm_pictures *out, const maskdm_image *const *image, int64_t count,
                      const struct mdm_geometry *g)
{
    const int64_t n = g->height * g->width * g->channels;
    size_t values;
    int status;

    *out = (struct mdm_pictures){0};
    if (count < 1)
        return mdm_fail(MASKDM_EINVAL, "%lld pictures", (long long)count);
    for (int64_t i = 0; i < count; i++)
        MDM_TRY(check(image[i], i, g));
    if (mdm_mul_size(&values, (size_t)count, (size_t)n))
        return mdm_fail(MASKDM_EINVAL, "%lld pictures are out of range", (long long)count);
    out->x = mdm_need(values, sizeof *out->x, "pictures");
    if (!out->x)
        return MASKDM_ENOMEM;
    out->count = count;
    out->n = n;
    status = convert(out, image, g);
    if (status < 0)
        mdm_pictures_free(out);
    return status;
}

void mdm_pictures_free(struct mdm_pictures *p)
{
    mdm_free(p->x);
    *p = (struct mdm_pictures){0};
}

const float *mdm_pictures_at(const struct mdm_pictures *p, int64_t i)
{
    return p->x + i % p->count * p->n;
}
